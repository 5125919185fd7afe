/** Runtime commands for certificates and crt-lists: the same words get the same answers, and the next handshake shows what was committed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { certificate } from '../../harness/certificates.ts';
import { comparison } from '../../harness/comparison.ts';
import { named } from '../../harness/origin.ts';
import { answersTo } from '../../harness/runtime-socket.ts';
import type { Site } from '../../harness/site.ts';

const first = certificate(['first.local', 'www.first.local']);
const second = certificate(['second.local']);
const third = certificate(['third.local', '*.third.local']);
const text = (path: string): string => readFileSync(path, 'latin1').trim();
/** A payload with a certificate, a key or both. */
const pem = (path: string): string => `<<\n${text(path)}\n\n`;

/** Common name that a client is shown. */
function shown(site: Site, bind: string, servername: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: site.place.address, port: site.port(bind), servername, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(`no handshake: ${error.code ?? error.message}`));
    socket.setTimeout(3000, () => socket.destroy(new Error('late')));
  });
}

/** What several clients see, each on a connection of its own, so that every thread is met. */
async function allShown(site: Site, bind: string, servername: string): Promise<string> {
  const names = new Set<string>();
  for (let client = 0; client < 16; client += 1) names.add(await shown(site, bind, servername));
  return [...names].join(' and ');
}

/** HAProxy 2.6 prints a zero byte after a list of protocols. */
const withoutZero = (answers: readonly string[]): string[] => answers.map((answer) => answer.replaceAll('\0', ''));

comparison('runtime commands for certificates', {
  origins: () => ({ a: named('a') }),
  files: { 'one.pem': text(first.both), 'two.pem': text(second.both), 'list.txt': '{dir}/one.pem\n{dir}/two.pem [alpn http/1.1] second.local !x.second.local\n' },
  configuration: `
global
    log {log} local0
    nbthread 4
    stats socket {admin} mode 600 level admin
    stats socket {dir}/operator.sock mode 600 level operator
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend fe
    bind {single} ssl crt {dir}/one.pem
    bind {listed} ssl crt-list {dir}/list.txt
    default_backend be
backend be
    server s1 {a}
`,
}, (situation) => {
  situation('what there is', async (site) => withoutZero(await answersTo(site, [
    'show ssl cert', 'show ssl cert DIR/one.pem', 'show ssl cert nope', 'show ssl cert *DIR/one.pem', 'show ssl crt-list', 'show ssl crt-list DIR/list.txt', 'show ssl crt-list -n DIR/list.txt', 'show ssl crt-list -n', 'show ssl crt-list nope',
  ])), { shows: ['Status: Used', 'CN=first.local', 'two.pem:2 [alpn http/1.1] second.local !x.second.local'] });
  situation('wrong words', (site) => answersTo(site, [
    'set ssl cert', 'set ssl cert nope', 'set ssl cert DIR/one.pem', `set ssl cert nope ${pem(third.both)}`, 'set ssl cert DIR/one.pem <<\ngarbage\n\n', `set ssl cert DIR/one.pem ${pem(third.key)}`, 'commit ssl cert', 'commit ssl cert nope',
    'commit ssl cert DIR/one.pem', 'abort ssl cert', 'abort ssl cert nope', 'abort ssl cert DIR/one.pem', 'new ssl cert', 'new ssl cert DIR/one.pem', 'del ssl cert', 'del ssl cert nope', 'del ssl cert DIR/one.pem',
    'add ssl crt-list', 'add ssl crt-list nope', 'add ssl crt-list DIR/list.txt', 'add ssl crt-list DIR/list.txt nope', 'add ssl crt-list nope DIR/one.pem', 'add ssl crt-list DIR/list.txt <<\nDIR/one.pem [badword] foo.local\n\n',
    'add ssl crt-list DIR/list.txt <<\nnope.pem foo.local\n\n', 'add ssl crt-list DIR/list.txt <<\nDIR/one.pem a.local\nDIR/one.pem b.local\n\n', 'del ssl crt-list', 'del ssl crt-list nope', 'del ssl crt-list DIR/list.txt',
    'del ssl crt-list DIR/list.txt nope', 'del ssl crt-list nope DIR/one.pem', 'del ssl crt-list DIR/list.txt DIR/one.pem', 'del ssl crt-list DIR/list.txt DIR/one.pem:1', 'del ssl crt-list DIR/list.txt DIR/one.pem:2',
    'del ssl crt-list DIR/list.txt DIR/one.pem:x',
  ]), { shows: ["Can't replace a certificate which is not referenced", 'it is used as default certificate by the following frontends'] });
  situation('a certificate without its key is refused, the one in force stays', async (site) => [
    await answersTo(site, [`set ssl cert DIR/one.pem ${pem(third.certificate)}`, 'commit ssl cert DIR/one.pem', `set ssl cert DIR/one.pem.key ${pem(second.key)}`, 'commit ssl cert DIR/one.pem', 'show ssl cert', 'abort ssl cert DIR/one.pem']),
    await allShown(site, 'single', 'first.local'),
  ], { shows: ['The transaction must contain at least a certificate and a private key!', 'inconsistencies between private key', 'first.local'] });
  situation('a commit reaches every thread, with and without server name', async (site) => [
    await allShown(site, 'single', 'first.local'), await allShown(site, 'single', ''),
    await answersTo(site, [`set ssl cert DIR/one.pem ${pem(third.both)}`, 'show ssl cert *DIR/one.pem', 'commit ssl cert DIR/one.pem']),
    await allShown(site, 'single', 'first.local'), await allShown(site, 'single', ''), await allShown(site, 'listed', 'unknown.local'), await allShown(site, 'listed', 'second.local'), await allShown(site, 'listed', 'a.third.local'),
    await answersTo(site, ['show ssl cert DIR/one.pem', 'commit ssl cert DIR/one.pem', 'abort ssl cert DIR/one.pem']),
    // Certificate and key one after the other, and back again.
    await answersTo(site, [`set ssl cert DIR/one.pem ${pem(first.certificate)}`, `set ssl cert DIR/one.pem.key ${pem(first.key)}`, 'commit ssl cert DIR/one.pem']),
    await allShown(site, 'single', 'first.local'),
  ], { shows: ['third.local', 'Committing DIR/one.pem..\\nSuccess!'] });
  situation('lines are added to a list and taken out again', async (site) => [
    await answersTo(site, ['new ssl cert DIR/new.pem', 'show ssl cert DIR/new.pem', 'add ssl crt-list DIR/list.txt DIR/new.pem', 'new ssl cert DIR/new.pem', 'commit ssl cert DIR/new.pem', `set ssl cert DIR/new.pem ${pem(third.both)}`, 'commit ssl cert DIR/new.pem']),
    await allShown(site, 'listed', 'extra.local'),
    withoutZero(await answersTo(site, ['add ssl crt-list DIR/list.txt <<\nDIR/new.pem [alpn http/1.1] extra.local\n\n', 'add ssl crt-list DIR/list.txt DIR/new.pem', 'show ssl crt-list -n DIR/list.txt'])),
    await allShown(site, 'listed', 'extra.local'), await allShown(site, 'listed', 'www.third.local'),
    await answersTo(site, ['del ssl cert DIR/new.pem', 'del ssl crt-list DIR/list.txt DIR/new.pem', 'del ssl crt-list DIR/list.txt DIR/new.pem:77', 'del ssl crt-list DIR/list.txt DIR/new.pem:3']),
    await allShown(site, 'listed', 'extra.local'), await allShown(site, 'listed', 'www.third.local'),
    await answersTo(site, ['del ssl crt-list DIR/list.txt DIR/new.pem', 'del ssl crt-list DIR/list.txt DIR/new.pem', 'del ssl cert DIR/new.pem', 'del ssl cert DIR/new.pem', 'del ssl crt-list DIR/list.txt DIR/two.pem', 'del ssl cert DIR/two.pem', 'show ssl cert']),
    await allShown(site, 'listed', 'second.local'),
  ], { shows: ['Inserting certificate', 'in several entries', "Entry 'DIR/new.pem' deleted", 'third.local'] });
  situation('levels', async (site) => {
    const { runtimeCommand } = await import('../../harness/runtime-socket.ts');
    const answers: string[] = [];
    for (const line of ['set ssl cert x', 'new ssl cert x', 'commit ssl cert x', 'abort ssl cert x', 'del ssl cert x', 'add ssl crt-list x y', 'del ssl crt-list x y', 'show ssl crt-list']) answers.push(await runtimeCommand(join(site.place.folder, 'operator.sock'), line));
    return answers;
  }, { shows: 'Permission denied' });
});
