/** The master's socket (`-S`) beside HAProxy's: the same words get the same answers; and what a reload by command answers and leaves. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { named } from '../harness/origin.ts';
import { sleep } from '../harness/place.ts';
import { Program } from '../harness/program.ts';
import { Site } from '../harness/site.ts';

const configuration = `
global
    log {log} local0
    nbthread 2
    stats socket {admin} level admin
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend fe
    bind {front}
    default_backend be
backend be
    server s1 {a} weight 10
    server s2 {a} weight 10
`;

interface Node { readonly site: Site; readonly path: string }

async function start(program: 'haproxy' | 'poise', nodes: Node[], index: number): Promise<void> {
  const site = await Site.prepare(program, { configuration, origins: () => ({ a: named('a') }) });
  const path = join(site.place.folder, 'master.sock');
  nodes[index] = { site, path };
  await site.startOrigins();
  site.process = new Program(program, ['-W', '-f', site.file, '-S', `${path},mode,600`], { cwd: site.place.folder });
  await site.process.listening([{ address: site.place.address, port: site.port('front') }], startMs);
  await until(() => /Loading success/.test(site.process?.stderr ?? ''), startMs);
}

async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await condition());) {
    if (Date.now() > end) throw new Error('it did not come to be in time');
    await sleep(20);
  }
}

const quietMs = 500;
const startMs = 40_000;
/** Conversations at a time. */
const together = 6;

/** Says one part after the other, each when nothing has come for a while; gives all that came, `<end>` where the other side closed. */
async function talk(path: string, parts: readonly string[]): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  let text = '';
  let lastMs = Date.now();
  let ended = false;
  socket.on('data', (chunk) => { text += chunk.toString('latin1'); lastMs = Date.now(); });
  socket.on('end', () => { text += '<end>'; ended = true; });
  socket.on('error', () => { ended = true; });
  for (const part of parts) {
    socket.write(part);
    lastMs = Date.now();
    // A busy machine takes its time for a first word.
    await until(() => ended || Date.now() - lastMs > quietMs);
    text += '|';
    if (ended) break;
  }
  socket.destroy();
  return text;
}

/** Without what differs from process to process, and without the texts of help, which are our own. */
function common(text: string): string {
  return text.replaceAll(/\b\d{2,7}\b(?= +(?:master|worker)|[>(])/g, 'PID').replaceAll(/PID +/g, 'PID ').replaceAll(/0d00h\d\dm\d\ds/g, 'UPTIME').replaceAll(/2\.6\.12-[a-z0-9.+]+ */g, 'VERSION ');
}

const conversations: readonly (readonly string[])[] = [
  ['show proc\n'], ['show version\n'], ['@1 show version\n'], ['@1 get weight be/s1\n'], ['@2 show version\n'], ['@!1 show version\n'], ['@x show version\n'], ['@1\n'], ['@\n'],
  ['@1;get weight be/s1;@;show cli level\n'], ['@1 get weight be/s1; show cli level\n'], ['@1 get weight be/s1; @1 show cli level\n'], ['show cli level\n'], ['user\n'], ['operator;show cli level\n'],
  ['show cli sockets\n'], ['expert-mode on;expert-mode\n'], ['@1 add map foo <<\na b\n\n'], ['@1 set weight be/s2 5; @1 get weight be/s2\n'], ['@1 user; @1 set weight be/s2 5\n'], ['show proc; show proc\n'], ['show proc\nshow proc\n'],
  ['prompt\n', 'show proc\n', '@1\n', 'get weight be/s1\n', 'show cli level\n', '@\n', 'show cli level\n', 'quit\n'], ['prompt\n', '@1 get weight be/s1\n', '@2\n', 'quit\n'],
  ['prompt\n', 'expert-mode on\n', 'experimental-mode on\n', '@1\n', 'quit\n'], ['user;reload\n'], ['show cli level\r\n'], ['@1 quit\n'],
];

describe('the master\'s socket', { concurrency: false }, () => {
  const nodes: Node[] = [];
  /** What both programs said, by conversation. */
  const said: (readonly string[])[] = [];
  before(async () => {
    await Promise.all((['haproxy', 'poise'] as const).map((program, index) => start(program, nodes, index)));
    // The long ones first; one that ends makes room for the next.
    const waiting = [...conversations.entries()].toSorted(([, left], [, right]) => right.length - left.length);
    await Promise.all(Array.from({ length: together }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, parts] = next;
        said[index] = await Promise.all(nodes.map(({ path }) => talk(path, parts)));
      }
    }));
  });
  after(async () => {
    for (const { site } of nodes) await site.stop();
  });

  for (const [index, parts] of conversations.entries()) {
    it(`says the same to ${JSON.stringify(parts)}`, () => {
      const [reference = 'nothing', own = ''] = said[index] ?? [];
      assert.equal(common(own), common(reference));
    });
  }

  it('what one says reaches the worker', async () => {
    const path = nodes[1]?.path ?? '';
    assert.match(await talk(path, ['@1 set weight be/s1 7; @1 get weight be/s1\n']), /^\n7 \(initial 10\)\n\n\|$/);
    assert.match(await talk(path, ['@1 show events buf0\n']), /Command from uid \d+ pid \d+ \(level admin\): set weight be\/s1 7/);
  });

  it('the next worker command waits for its turn, long answers come whole', async () => {
    const answer = await talk(nodes[1]?.path ?? '', [`${Array.from({ length: 20 }, () => '@1 show stat').join(';')}\n`]);
    assert.equal(answer.split('# pxname').length, 21);
  });

  it('a reload tells what came of it, and a bad configuration changes nothing', async () => {
    const { site, path } = nodes[1] as Node;
    const pids = (text: string): string[] => [...text.matchAll(/^(\d+) +worker/gm)].map((match) => match[1] ?? '');
    const worker = pids(await talk(path, ['show proc\n']));
    assert.match(await talk(path, ['reload\n']), /^Success=1\n--\nReloaded in \d+ ms: nothing has changed\.\n\n<end>/);
    const good = readFileSync(site.file, 'latin1');
    writeFileSync(site.file, `${good}    servre s2 {a}\n`);
    assert.match(await talk(path, ['reload\n']), /^Success=0\n--\n[^]*unknown keyword 'servre'[^]*<end>/);
    assert.match(await talk(path, ['prompt\n', 'quit\n']), /^master\[ReloadFailed\]> /);
    assert.match(await talk(path, ['show proc\n']), /master {10}1 \[failed: 1\]/);
    writeFileSync(site.file, good.replace('weight 10', 'weight 20'));
    assert.match(await talk(path, ['@1 set weight be/s1 9\n']), /^\n\|$/);
    assert.match(await talk(path, ['reload\n']), /^Success=1/);
    assert.match(await talk(path, ['prompt\n', 'quit\n']), /^master> /);
    assert.deepEqual(pids(await talk(path, ['show proc\n'])), worker, 'the same process goes on');
  });
});
