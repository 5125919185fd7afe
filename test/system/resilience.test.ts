/** Slow readers, dead threads, clients that misbehave while others are served: nobody else notices, memory stays bounded. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { Client } from '../harness/client.ts';
import { get } from '../harness/observe.ts';
import { answering, named, ok, Origin } from '../harness/origin.ts';
import { eventually, sleep } from '../harness/place.ts';
import { Site, type SiteDefinition } from '../harness/site.ts';

const mebibyte = 1_048_576;

async function withSite(definition: SiteDefinition, script: (site: Site) => Promise<void>): Promise<void> {
  const site = await Site.start('poise', definition);
  try {
    await script(site);
  } finally {
    await site.stop();
  }
}

/** Writes as fast as the reader takes it. */
async function pour(connection: { readonly socket: NodeJS.WritableStream & { destroyed?: boolean } }, bytes: number): Promise<void> {
  const piece = Buffer.alloc(65_536, 'x');
  const closed = once(connection.socket, 'close');
  for (let left = bytes; left > 0 && connection.socket.destroyed !== true; left -= piece.length) {
    if (!connection.socket.write(left >= piece.length ? piece : piece.subarray(0, left))) await Promise.race([new Promise((resolve) => { connection.socket.once('drain', resolve); }), closed]);
  }
}

/** Highest resident memory above the start while the promise is pending. */
async function growth(site: Site, work: Promise<unknown>): Promise<number> {
  const atStart = site.process?.residentBytes() ?? 0;
  let highest = atStart;
  const ended = work.then(() => 'ended');
  do highest = Math.max(highest, site.process?.residentBytes() ?? 0);
  while (await Promise.race([ended, sleep(20)]) !== 'ended');
  return highest - atStart;
}

describe('backpressure', () => {
  const bytes = 128 * mebibyte;
  /** What one connection may cost, with the runtime's own garbage; far below what is transferred. */
  const growthBytesMax = 90 * mebibyte;
  const definition: SiteDefinition = {
    configuration: 'frontend fe\n    bind {front}\n    default_backend be\nbackend be\n    server s1 {a}\nlisten tcp\n    mode tcp\n    option tcplog\n    bind {tcpfront}\n    server s1 {a}\n',
    origins: () => ({
      a: new Origin(async (connection) => {
        const head = await connection.until(/\r\n\r\n/);
        if (head.startsWith('POST')) {
          let taken = 0;
          connection.socket.pause();
          await sleep(600);
          connection.socket.resume();
          while (taken < bytes) { taken += connection.take(connection.received.length).length; await sleep(1); }
          connection.send(ok(`${taken}`));
          return;
        }
        connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
        await pour(connection, bytes);
      }),
    }),
  };

  async function readSlowly(client: Client): Promise<number> {
    let read = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk: Buffer) => { read += chunk.length; });
    client.socket.pause();
    await sleep(600);
    client.socket.resume();
    await eventually('everything', () => read >= bytes, 40_000);
    return read;
  }

  for (const bind of ['front', 'tcpfront']) {
    it(`128 MB through a slow reader (${bind})`, { timeout: 60_000 }, () => withSite(definition, async (site) => {
      const client = await site.client(bind);
      client.send(get('/big'));
      const grown = await growth(site, readSlowly(client));
      assert(grown < growthBytesMax, `memory grew by ${Math.round(grown / mebibyte)} MiB`);
      assert.equal((await site.ask(bind, get('/', 'Connection: close')).catch(() => null))?.status ?? 200, 200);
    }));
  }

  it('128 MB upload to a slow server', { timeout: 60_000 }, () => withSite(definition, async (site) => {
    const client = await site.client('front');
    client.send(`POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`);
    const grown = await growth(site, pour(client, bytes).then(() => client.answer('POST', 30_000)).then((answer) => assert.equal(answer.body, `${bytes}`)));
    assert(grown < growthBytesMax, `memory grew by ${Math.round(grown / mebibyte)} MiB`);
  }));
});

describe('others do not notice', () => {
  const definition: SiteDefinition = {
    configuration: 'defaults\n    mode http\n    log global\n    option httplog\n    timeout connect 1s\n    timeout client 1s\n    timeout server 1s\n    timeout http-request 500ms\nfrontend fe\n    bind {front}\n    default_backend be\nbackend be\n    server s1 {a}\n',
    origins: () => ({ a: answering((request) => (request.startLine.includes('/rubbish') ? 'rubbish\r\n\r\n' : ok('fine'))) }),
  };

  it('rubbish, half requests, resets and silence beside good requests', { timeout: 30_000 }, () => withSite(definition, async (site) => {
    const bad: Client[] = [];
    for (let n = 0; n < 40; n++) {
      const client = await site.client('front');
      bad.push(client);
      const kinds = ['\0\0\0\0', 'GET / HTTP/1.1\r\nHost', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc', get('/rubbish'), `GET /${'x'.repeat(70_000)}`, ''];
      client.send(kinds[n % kinds.length] ?? '');
      if (n % 5 === 0) client.close(true);
    }
    for (let n = 0; n < 50; n++) assert.equal((await site.ask('front', get(`/${n}`))).body, 'fine');
    for (const client of bad) await client.rest(3000);
    assert(bad.every((client) => client.ending !== 'open'), 'every bad connection ends');
    assert.equal((await site.ask('front', get('/after'))).body, 'fine');
    const gauges = await eventually('no connection left', async () => {
      const text = await site.command('show stat');
      const rows = text.split('\n').filter((line) => /^(fe,FRONTEND|be,)/.test(line));
      return rows.every((row) => row.split(',')[4] === '0') ? rows : null;
    });
    assert.equal(gauges.length, 3);
  }));

  it('every accepted request writes one log line', { timeout: 30_000 }, () => withSite(definition, async (site) => {
    const client = await site.client('front');
    for (let n = 0; n < 200; n++) client.send(get(`/line${n}`));
    for (let n = 0; n < 200; n++) await client.answer();
    await site.log.matching(/\/line199 /);
    const lines = site.log.lines.filter((line) => line.includes('/line'));
    assert.equal(lines.length, 200);
    assert.equal(new Set(lines.map((line) => /\/line\d+/.exec(line)?.[0])).size, 200);
  }));
});

describe('threads', () => {
  const definition: SiteDefinition = {
    configuration: 'global\n    log {log} local0\n    nbthread 2\n    stats socket {admin} mode 600 level admin\ndefaults\n    mode http\n    log global\n    option httplog\n    timeout connect 1s\n    timeout client 5s\n    timeout server 5s\nfrontend fe\n    bind {front}\n    default_backend be\nbackend be\n    balance roundrobin\n    server s1 {a}\n    server s2 {b}\n',
    origins: () => ({ a: named('a'), b: named('b') }),
  };

  /**
   * Patterns that take for ever on the right path: what an operator's mistake does to a thread. Bun gives each of them up
   * after a third of a second, so there are many.
   */
  const hanging: SiteDefinition = {
    ...definition,
    // Somebody who is not root any longer cannot open a socket beside those that root has opened.
    configuration: definition.configuration.replace('    nbthread 2\n', process.getuid?.() === 0 ? '    nbthread 2\n    uid 65534\n    gid 65534\n' : '    nbthread 2\n').replace('    default_backend', '    http-request deny if { path_reg -f {dir}/slow.lst }\n    default_backend'),
    files: { 'slow.lst': Array.from({ length: 200 }, (_, n) => `^/(a+)+b{0,${n + 1}}$`).join('\n') },
  };

  it('share turns and counters', { timeout: 30_000 }, () => withSite(definition, async (site) => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => site.ask('front', get(`/${n}`))));
    assert.deepEqual([answers.filter((answer) => answer.body === 'a').length, answers.filter((answer) => answer.body === 'b').length], [20, 20]);
    await eventually('40 requests counted', async () => (await site.command('show stat')).split('\n').find((line) => line.startsWith('fe,FRONTEND'))?.split(',')[48] === '40');
  }));

  it('a thread that hangs is replaced, the others go on, the log says so', { timeout: 80_000 }, () => withSite(hanging, async (site) => {
    const victim = await site.client('front');
    victim.send(get(`/${'a'.repeat(60)}!`));
    await site.log.matching(/thread/i, 1, 40_000).catch((error: unknown) => { throw new Error(`${String(error)}; stderr ${site.process?.stderr}`); });
    // A connection that waits in the dead thread's queue is reset when its socket goes.
    const patient = async (uri: string): Promise<string> => eventually('an answer', async () => {
      const client = await site.client('front').catch(() => null);
      const answer = await client?.send(get(uri)).answer('GET', 500).catch(() => null);
      client?.close();
      return answer?.body;
    }, 15_000);
    for (let n = 0; n < 30; n++) assert.match(await patient(`/${n}`), /^[ab]$/);
    await eventually('it listens again', () => /Traffic thread \d is back/.test(site.process?.stderr ?? ''), 15_000);
    assert.doesNotMatch(site.process?.stderr ?? '', /cannot bind/);
    victim.close();
    await eventually('connections of the dead thread are not counted any longer', async () => (await site.command('show stat')).split('\n').filter((line) => line.startsWith('fe,') || line.startsWith('be,')).every((line) => line.split(',')[4] === '0'));
    assert.equal(site.process?.ended, null);
  }));
});
