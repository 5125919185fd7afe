/**
 * `poise init exchange`: writes haproxy.cfg, keepalived.conf for both nodes and poise.cfg for an Exchange site, and says what to do with
 * them. Called by main.ts. Never overwrites unless told to, starts nothing, changes nothing on this machine but those files.
 */
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { readInitWords } from './arguments.ts';
import { lookAtCertificate } from './certificate.ts';
import { haproxyFile } from './haproxy-file.ts';
import { keepalivedFile, keepalivedName } from './keepalived-file.ts';
import { poiseFile } from './poise-file.ts';
import type { ExchangeSite } from './site.ts';
import { initUsage } from './usage.ts';
import { writeFiles } from './write-files.ts';
import type { NewFile } from './write-files.ts';
import { configWord } from './words.ts';

export function siteFiles(site: ExchangeSite): readonly NewFile[] {
  return [
    { name: 'haproxy.cfg', text: haproxyFile(site) },
    { name: keepalivedName(site, 0), text: keepalivedFile(site, 0) },
    { name: keepalivedName(site, 1), text: keepalivedFile(site, 1) },
    ...site.from === 'haproxy' ? [] : [{ name: 'poise.cfg', text: poiseFile(site) }],
  ];
}

/** What a person does next, in order. */
function nextSteps(site: ExchangeSite, out: string): string {
  const path = (name: string): string => configWord(join(out, name));
  const own = site.from === 'haproxy' ? '' : ` -f ${path('poise.cfg')}`;
  const steps = [
    `Read the files; every choice says why. The interface is ${site.device}: is it, on both nodes?`,
    `poise check -f ${path('haproxy.cfg')}${own} --keepalived ${path(keepalivedName(site, 0))} --keepalived ${path(keepalivedName(site, 1))}`,
    `To both nodes: haproxy.cfg${own === '' ? '' : ', poise.cfg'}, the node's own file as keepalived.conf, and the certificate, there too as ${site.certificate}`,
    `On both nodes: sysctl net.${site.vip.family === 6 ? 'ipv6' : 'ipv4'}.ip_nonlocal_bind=1, and the same in /etc/sysctl.d`,
    ...site.mode === 'tcp' ? [] : ['On one node: poise check --probe -f haproxy.cfg asks the Exchange servers and compares certificates and names'],
    `On both nodes: poise -f haproxy.cfg${own === '' ? '' : ' -f poise.cfg'} --keepalived keepalived.conf`,
  ];
  return ['Next:', ...steps.map((step, at) => `  ${at + 1}. ${step}`), 'docs/exchange.md tells what DNS, certificate, firewall and Exchange need.'].join('\n');
}

export function init(words: readonly string[]): number {
  const [kind = '', ...rest] = words;
  if (kind === 'help' || words.includes('--help')) {
    console.log(initUsage);
    return 0;
  }
  if (kind !== 'exchange') {
    console.error(`poise init: ${kind === '' ? 'no kind of site given' : `there is no kind of site '${kind}'`}; write: poise init exchange …\n\n${initUsage}`);
    return 1;
  }
  const links = Object.entries(networkInterfaces()).flatMap(([name, addresses]) => (addresses ?? []).flatMap(({ cidr, internal }) => (cidr === null || internal ? [] : { name, network: cidr })));
  const order = readInitWords(rest, process.cwd(), links);
  if ('faults' in order) return refuse(order.faults);
  const { errors, warnings } = lookAtCertificate(order.site, Date.now());
  if (errors.length > 0) return refuse(errors);
  for (const warning of warnings) console.error(`poise init exchange: warning: ${warning}`);
  const files = siteFiles(order.site);
  const fault = writeFiles(order.out, files, order.force);
  if (fault !== '') return refuse([fault]);
  console.log(`Written: ${files.map((file) => join(order.out, file.name)).join(', ')}\n${nextSteps(order.site, order.out)}`);
  return 0;
}

function refuse(faults: readonly string[]): number {
  for (const fault of faults) console.error(`poise init exchange: ${fault}`);
  console.error('Nothing was written. See poise init --help');
  return 1;
}
