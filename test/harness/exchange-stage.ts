/**
 * A simulated Exchange site behind HAProxy or Poise, for the tests of test/system/exchange: two servers, the balancer's certificate
 * shared with them or not. The site runs in the test's own process, so that tests read its counters.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from '../../src/exchange-sim/certificate.ts';
import { ScaledClock } from '../../src/exchange-sim/clock.ts';
import { ExchangeSite } from '../../src/exchange-sim/site.ts';
import { temporaryFolder } from './place.ts';
import type { ProgramName } from './program.ts';
import { Site } from './site.ts';

interface ExchangeWish {
  readonly program: ProgramName;
  /** Template of the balancer's configuration: `{ex1}` and `{ex2}` are the servers, `{smtp1}`, `{imap2}` … mail ports, `{crt}` the balancer's certificate. */
  readonly configuration: string;
  /** Each server has a certificate of its own, the balancer another. */
  readonly ownCertificates?: boolean;
  readonly protection?: 'require';
  readonly timeScale?: number;
}

export const passwords = new Map([['alice', 'secret'], ['bob', 'other'], ['carol', 'third'], ['dave', 'fourth']]);

const name = 'mail.lab.local';
const make = () => makeCertificate({ commonName: name, names: [name, '127.0.0.1'], validFrom: new Date(Date.now() - 60_000), validDays: 2 });
const mailPorts = { smtp: 0, submission: 0, imap: 0, imaps: 0, pop: 0, pops: 0 } as const;

export interface ExchangeStage {
  readonly site: Site;
  readonly exchange: ExchangeSite;
  /** Lines of the servers' logs. */
  readonly lines: readonly string[];
  /** What only a balancer that mixes up its clients causes, over all servers. */
  faults(): number;
  stop(): Promise<void>;
}

export async function startExchange(wish: ExchangeWish): Promise<ExchangeStage> {
  const shared = make();
  const lines: string[] = [];
  const clock = new ScaledClock(wish.timeScale ?? 1);
  const exchange = new ExchangeSite(['LAB-EX01', 'LAB-EX02'].map((server) => ({
    name: server, fqdn: `${server}.lab.local`, host: '127.0.0.1', port: 0, mailPorts, clock, accounts: { passwords, domain: 'lab.local' },
    ...(wish.ownCertificates === true ? make() : shared), ...(wish.protection === undefined ? {} : { protection: wish.protection }),
    log: (line: string) => lines.push(line),
  })));
  await exchange.listen('127.0.0.1', 0);
  const certificateFile = join(temporaryFolder(), 'bind.pem');
  const bound = wish.ownCertificates === true ? make() : shared;
  writeFileSync(certificateFile, bound.certPem + bound.keyPem);
  const values: Record<string, string> = { crt: certificateFile };
  for (const [at, server] of exchange.servers.entries()) {
    values[`ex${at + 1}`] = `127.0.0.1:${server.port}`;
    for (const protocol of ['smtp', 'submission', 'imap', 'imaps', 'pop', 'pops'] as const) values[`${protocol}${at + 1}`] = `127.0.0.1:${exchange.mail[at]?.portOf(protocol) ?? 0}`;
  }
  const stop = async (): Promise<void> => {
    await exchange.close();
    clock.stop();
  };
  try {
    const site = await Site.start(wish.program, { configuration: wish.configuration, values: () => values });
    return { site, exchange, lines, faults: () => exchange.servers.reduce((sum, server) => sum + server.faults, 0), stop: () => site.stop().finally(stop) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One backend for each directory, so that one client connection needs several. */
export const exchangeBackends = `frontend fe
    bind {fe} ssl crt {crt}
    use_backend ews if { path_beg -i /ews }
    use_backend mapi if { path_beg -i /mapi }
    use_backend rpc if { path_beg -i /rpc }
    use_backend eas if { path_beg -i /microsoft-server-activesync }
    default_backend others
${['ews', 'mapi', 'rpc', 'eas', 'others'].map((backend) => `backend ${backend}
    balance roundrobin
    option redispatch
    retries 3
    server ex1 {ex1} ssl verify none
    server ex2 {ex2} ssl verify none
`).join('')}`;

/** What a program printed; its exit code does not matter. It is ended after 20 seconds. A program that is not there fails the test. */
export function outputOf(program: string, args: readonly string[], more: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], { encoding: 'latin1', timeout: 20_000, maxBuffer: 20_000_000, env: { ...process.env, ...more.env } }, (error, stdout, stderr) => {
      if (error !== null && error.code === 'ENOENT') reject(new Error(leftOut(program)));
      else resolve(stdout + stderr);
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(more.input ?? '');
  });
}

/** Why a client did not take part. */
export function leftOut(program: string): string {
  return `${program} is not installed, so this client was left out; \`npm test programs\` installs it`;
}
