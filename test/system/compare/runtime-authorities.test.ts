/** Runtime commands for authorities and revocation lists: the same words get the same answers, and the next handshake goes by what was committed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { authority, certificate, revocationList } from '../../harness/certificates.ts';
import type { CertificateFiles } from '../../harness/certificates.ts';
import { comparison } from '../../harness/comparison.ts';
import { named } from '../../harness/origin.ts';
import { answersTo, runtimeCommand } from '../../harness/runtime-socket.ts';
import type { Site } from '../../harness/site.ts';

const text = (path: string): string => readFileSync(path, 'latin1').trim();
const payload = (...paths: readonly string[]): string => `<<\n${paths.map(text).join('\n')}\n\n`;
const [one, two] = [authority('one'), authority('two')];
const [ofOne, ofTwo, inner] = [certificate(['client.one'], 'one'), certificate(['client.two'], 'two'), certificate(['inner.local'], 'one')];
const [noneRevoked, revoked, twoRevoked] = [revocationList('one', []), revocationList('one', ['client.one']), revocationList('two', ['client.two'])];

/** Whether a request over a handshake of its own is answered. */
function isServed(site: Site, bind: string, own: CertificateFiles): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host: site.place.address, port: site.port(bind), cert: text(own.certificate), key: text(own.key), rejectUnauthorized: false }, () => {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    });
    socket.on('data', (bytes: Buffer) => { answer += bytes.toString('latin1'); });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer.startsWith('HTTP/1.1 200') ? 'served' : 'refused'));
    socket.setTimeout(3000, () => socket.destroy());
  });
}

/** What several clients meet, so that every thread is asked. */
async function all(site: Site, bind: string, own: CertificateFiles): Promise<string> {
  const met = new Set<string>();
  for (let client = 0; client < 12; client += 1) met.add(await isServed(site, bind, own));
  return [...met].join(' and ');
}

/** Its first line lists the system's authorities, which HAProxy always reads. */
async function answers(site: Site, commands: readonly string[]): Promise<string[]> {
  return (await answersTo(site, commands)).map((answer) => answer.replace(/^@system-ca .*\n/m, ''));
}

async function statuses(site: Site): Promise<number[]> {
  const seen: number[] = [];
  for (let request = 0; request < 6; request += 1) seen.push((await site.ask('plain', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).status);
  return [...new Set(seen)];
}

comparison('runtime commands for authorities', {
  origins: () => ({ a: named('a') }),
  files: {
    'server.pem': text(inner.both), 'own.pem': text(ofTwo.both), 'ca.pem': text(one), 'crl.pem': text(noneRevoked), 'trust.pem': text(one),
  },
  configuration: `
global
    log {log} local0
    nbthread 4
    stats socket {admin} mode 600 level admin
    stats socket {dir}/operator.sock mode 600 level operator
defaults
    mode http
    option http-server-close
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend fe
    bind {asking} ssl crt {dir}/server.pem ca-file {dir}/ca.pem crl-file {dir}/crl.pem verify required no-tls-tickets
    bind {inner} ssl crt {dir}/server.pem
    default_backend be
frontend plain
    bind {plain}
    default_backend secure
backend be
    server s1 {a}
backend secure
    retries 0
    server s1 {inner} ssl verify required ca-file {dir}/trust.pem crt {dir}/own.pem no-ssl-reuse
`,
}, (situation) => {
  situation('what there is', (site) => answers(site, [
    'show ssl ca-file', 'show ssl ca-file DIR/ca.pem', 'show ssl ca-file DIR/ca.pem:1', 'show ssl ca-file DIR/ca.pem:2', 'show ssl ca-file DIR/ca.pem:0', 'show ssl ca-file DIR/ca.pem:x', 'show ssl ca-file nope', 'show ssl ca-file *DIR/ca.pem',
    'show ssl crl-file', 'show ssl crl-file DIR/crl.pem', 'show ssl crl-file DIR/crl.pem:1', 'show ssl crl-file DIR/crl.pem:2', 'show ssl crl-file DIR/crl.pem:x', 'show ssl crl-file nope',
  ]), { shows: ['Certificate #1:', 'No Revoked Certificates.', "wrong CA index after colons in 'DIR/ca.pem:x'!"] });
  situation('wrong words', (site) => answers(site, ['ca', 'crl'].flatMap((kind) => [
    `set ssl ${kind}-file`, `set ssl ${kind}-file DIR/${kind}.pem`, `set ssl ${kind}-file nope ${payload(two)}`, `set ssl ${kind}-file DIR/${kind}.pem <<\ngarbage\n\n`, `commit ssl ${kind}-file`, `commit ssl ${kind}-file nope`,
    `abort ssl ${kind}-file`, `abort ssl ${kind}-file nope`, `new ssl ${kind}-file`, `new ssl ${kind}-file DIR/${kind}.pem`, `del ssl ${kind}-file`, `del ssl ${kind}-file nope`, `del ssl ${kind}-file DIR/${kind}.pem`,
  ])), { shows: ['Invalid payload', "in use, can't be deleted!", "Can't replace a CRL file which is not referenced by the configuration!"] });
  situation('one change at a time, of files that are new as well', (site) => answers(site, [
    'new ssl ca-file fresh', 'show ssl ca-file', 'show ssl ca-file fresh', `set ssl ca-file fresh ${payload(one, two)}`, 'show ssl ca-file', 'show ssl ca-file *fresh:2', `set ssl ca-file DIR/ca.pem ${payload(two)}`, 'commit ssl ca-file DIR/ca.pem',
    'abort ssl ca-file DIR/ca.pem', 'del ssl ca-file fresh', `set ssl ca-file fresh ${payload(two)}`, 'commit ssl ca-file fresh', 'show ssl ca-file fresh', 'commit ssl ca-file fresh', 'del ssl ca-file fresh', 'show ssl ca-file',
    'new ssl crl-file fresh', 'show ssl crl-file', 'show ssl crl-file fresh', `set ssl crl-file fresh ${payload(revoked, twoRevoked)}`, 'show ssl crl-file *fresh', 'show ssl crl-file *fresh:2', 'abort ssl crl-file fresh', 'del ssl crl-file fresh', 'show ssl crl-file',
  ]), { shows: ['fresh - 2 certificate(s)', 'Certificate Revocation List #2:', 'Revocation Date: '] });
  situation('clients are let in by the authorities in force, in every thread', async (site) => [
    await all(site, 'asking', ofOne), await all(site, 'asking', ofTwo),
    await answers(site, [`set ssl crl-file DIR/crl.pem ${payload(noneRevoked, twoRevoked)}`, 'commit ssl crl-file DIR/crl.pem', `set ssl ca-file DIR/ca.pem ${payload(two)}`]), await all(site, 'asking', ofOne),
    await answers(site, ['commit ssl ca-file DIR/ca.pem', 'show ssl ca-file']), await all(site, 'asking', ofOne), await all(site, 'asking', ofTwo),
    await answers(site, [`set ssl ca-file DIR/ca.pem ${payload(one, two)}`, 'commit ssl ca-file DIR/ca.pem']), await all(site, 'asking', ofOne), await all(site, 'asking', ofTwo),
    await answers(site, [`set ssl crl-file DIR/crl.pem ${payload(revoked, twoRevoked)}`, 'commit ssl crl-file DIR/crl.pem', 'show ssl crl-file DIR/crl.pem']), await all(site, 'asking', ofOne),
    await answers(site, [`set ssl crl-file DIR/crl.pem ${payload(noneRevoked)}`, 'commit ssl crl-file DIR/crl.pem', `set ssl ca-file DIR/ca.pem ${payload(one)}`, 'commit ssl ca-file DIR/ca.pem']), await all(site, 'asking', ofOne),
  ], { shows: ['served', 'refused', 'Committing DIR/ca.pem.\\nSuccess!'] });
  situation('servers are trusted by the authorities in force', async (site) => [
    await statuses(site), await answers(site, [`set ssl ca-file DIR/trust.pem ${payload(two)}`, 'commit ssl ca-file DIR/trust.pem']), await statuses(site),
    await answers(site, [`set ssl ca-file DIR/trust.pem ${payload(one)}`, 'commit ssl ca-file DIR/trust.pem']), await statuses(site),
  ], { shows: ['200', '503'] });
  situation('levels', async (site) => {
    const told: string[] = [];
    for (const line of ['set ssl ca-file x', 'new ssl ca-file x', 'commit ssl ca-file x', 'abort ssl ca-file x', 'del ssl ca-file x', 'show ssl ca-file nope', 'set ssl crl-file x', 'show ssl crl-file nope']) {
      told.push(await runtimeCommand(join(site.place.folder, 'operator.sock'), line));
    }
    return told;
  }, { shows: 'Permission denied' });
});
