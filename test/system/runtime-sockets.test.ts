/** Runtime sockets under clients of every kind, and that a change is in force in every thread when its answer comes. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { get } from '../harness/observe.ts';
import { named } from '../harness/origin.ts';
import { sleep } from '../harness/place.ts';
import { Site } from '../harness/site.ts';

const configuration = `
global
    log {log} local0
    nbthread 4
    maxconn 500
    stats socket {admin} mode 600 level admin
    stats socket {dir}/user.sock level user
    stats socket {tcp} level operator
    stats timeout 4s
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend fe
    bind {front}
    http-request set-var(txn.mapped) req.hdr(host),map({dir}/hosts.map,none)
    http-response set-header mapped %[var(txn.mapped)]
    default_backend be
backend be
    server a {a}
    server b {b}
`;

describe('runtime sockets', { concurrency: false }, () => {
  let site: Site;
  before(async () => {
    site = await Site.start('poise', { configuration, files: { 'hosts.map': '' }, origins: () => ({ a: named('a'), b: named('b') }) });
  });
  after(async () => {
    await site.stop();
  });

  /** Who answers each of some requests, each on a connection of its own: every thread is met. */
  async function answeredBy(requests: number): Promise<string> {
    const names = new Set<string>();
    const bodies = await Promise.all(Array.from({ length: requests }, () => site.ask('front', get('/', 'Connection: close')).then((answer) => answer.body.trim(), (error) => String(error))));
    for (const body of bodies) names.add(body);
    return [...names].toSorted().join(' and ');
  }

  it('maintenance, drain and addresses hold for the next request of every thread', async () => {
    const both = await answeredBy(40);
    assert.match(both, /and/);
    for (const [command, left] of [['set server be/a state maint', 'b'], ['set server be/a state ready; set server be/b state drain', 'a'], ['set server be/b state ready; disable server be/a', 'b']] as const) {
      assert.match(await site.command(command), /^\n+$/);
      const only = await answeredBy(40);
      assert.ok(!only.includes('and') && only.includes(left), `${command}: ${only}`);
    }
    assert.match(await site.command(`set server be/b addr ${site.place.address} port ${site.port('a')}`), /port changed/);
    assert.match(await answeredBy(40), /^[^ ]*a[^ ]*$/);
    assert.match(await site.command(`set server be/b addr ${site.place.address} port ${site.port('b')}; enable server be/a`), /port changed/);
    assert.equal(await answeredBy(40), both);
  });

  it('a paused frontend refuses connections at once, and takes them again at once', async () => {
    for (let round = 0; round < 3; round += 1) {
      assert.equal(await site.command('disable frontend fe'), '\n');
      assert.match(await answeredBy(12), /^Error: [^]*ECONNREFUSED(?:(?! and )[^])*$/);
      assert.equal(await site.command('enable frontend fe'), '\n');
      assert.doesNotMatch(await answeredBy(12), /Error/);
    }
  });

  it('a map of 20,000 entries comes as one payload and leaves again in one answer', async () => {
    const entries = Array.from({ length: 20_000 }, (_, index) => `host-${index}.example value-${index}`);
    const socket = connect(join(site.place.folder, 'admin.sock'));
    socket.end(`add map ${site.place.folder}/hosts.map <<\n${entries.join('\n')}\n\n`);
    assert.equal(await whole(socket), '\n');
    const shown = (await site.command(`show map ${site.place.folder}/hosts.map`)).trimEnd().split('\n');
    assert.deepEqual(shown.map((line) => line.replace(/^0x[0-9a-f]+ /, '')), entries);
    const seen = await Promise.all(Array.from({ length: 12 }, () => site.ask('front', 'GET / HTTP/1.1\r\nHost: host-19999.example\r\nConnection: close\r\n\r\n')));
    for (const answer of seen) assert.ok(answer.lines.some((line) => /^mapped: value-19999$/i.test(line)));
  });

  it('clients that never read hold up nobody, and go when their time is over', async () => {
    const before = site.process?.residentBytes() ?? 0;
    const deaf: Socket[] = [];
    let gone = 0;
    for (let client = 0; client < 5; client += 1) {
      const socket = connect(join(site.place.folder, 'admin.sock'));
      socket.pause();
      socket.on('error', () => {});
      socket.on('close', () => { gone += 1; });
      socket.write(`${Array.from({ length: 200 }, () => `show map ${site.place.folder}/hosts.map`).join('\n')}\n`);
      deaf.push(socket);
    }
    await sleep(500);
    for (let round = 0; round < 5; round += 1) {
      const startMs = Date.now();
      assert.match(await site.command('get weight be/a'), /initial/);
      assert.ok(Date.now() - startMs < 1500, `${Date.now() - startMs} ms`);
      await sleep(100);
    }
    const grown = (site.process?.residentBytes() ?? 0) - before;
    assert.ok(grown < 150 * 1024 * 1024, `${Math.round(grown / 1024 / 1024)} MiB more for answers that nobody reads`);
    for (const socket of deaf) socket.resume();
    for (const socket of deaf) socket.destroy();
    await until(() => gone === deaf.length);
  });

  it('a command without end is cut off, the next client is served', async () => {
    const socket = connect(join(site.place.folder, 'admin.sock'));
    socket.on('error', () => {});
    socket.write(`add map ${site.place.folder}/hosts.map <<\n`);
    for (let chunk = 0; chunk < 40 && !socket.destroyed; chunk += 1) socket.write('x'.repeat(64 * 1024));
    assert.equal(await whole(socket), '');
    assert.match(await site.command('get weight be/a'), /initial/);
    // Nor is a line of very many commands run, whose answers would be gigabytes.
    assert.equal(await site.command(';'.repeat(100_000)), '');
    assert.equal((await site.command('show cli level;'.repeat(2000))).split('admin\n\n').length, 2001);
  });

  it('TCP, half-closed, CRLF, in pieces, several at once', async () => {
    const tcp = (): Socket => connect({ host: site.place.address, port: site.port('tcp'), allowHalfOpen: true });
    const half = tcp();
    half.end('show cli level;get weight be/a\r\n');
    assert.equal(await whole(half), 'operator\n\n1 (initial 1)\n\n');
    const slow = tcp();
    for (const char of 'get weight be/b\n') {
      slow.write(char);
      await sleep(5);
    }
    assert.equal(await whole(slow), '1 (initial 1)\n\n');
    const refused = tcp();
    refused.end('disable server be/a\n');
    assert.equal(await whole(refused), 'Permission denied\n\n');
    const answers = await Promise.all(Array.from({ length: 30 }, () => site.command('get weight be/a')));
    assert.deepEqual([...new Set(answers)], ['1 (initial 1)\n\n']);
  });

  it('who changed something is told, with user, process or address', async () => {
    const events = await site.command('show events buf0');
    assert.match(events, new RegExp(`<5>\\d\\d/\\w{3}/\\d{4}:\\d\\d:\\d\\d:\\d\\d\\.\\d{3} Command from uid ${process.getuid?.()} pid ${process.pid} \\(level admin\\): set server be/a state maint\\n`));
    assert.match(events, /Server be\/a is going DOWN for maintenance/);
    // Not what was refused, and not what only looks.
    assert.doesNotMatch(events, /get weight|Command from 127[^\n]*disable server/);
    const tcp = connect({ host: site.place.address, port: site.port('tcp') });
    tcp.end(`add map ${site.place.folder}/hosts.map k v\n`);
    await whole(tcp);
    assert.match(await site.command('show events buf0'), /Command from 127\.[\d.]+:\d+ \(level operator\): add map /);
  });

  it('a session is seen and ended', async () => {
    const client = await site.client('front');
    client.send('GET / HTTP/1.1\r\nHost: x\r\n');
    let line = '';
    await until(async () => {
      line = (await site.command('show sess')).split('\n').find((one) => one.includes('fe=fe')) ?? '';
      return line !== '';
    });
    assert.match(line, /^0x[0-9a-f]+: proto=tcpv4 src=127\.[\d.]+:\d+ fe=fe be=\S+ srv=<none> ts=00 epoch=0 age=\d+s calls=\d+ rate=0 /);
    const number = line.split(':')[0] ?? '';
    assert.match(await site.command(`show sess ${number}`), /frontend=fe \(id=2 mode=http\), listener=/);
    assert.equal(await site.command(`shutdown session ${number}`), '\n');
    await client.rest();
    assert.equal(await site.command(`shutdown session ${number}`), "No such session (use 'show sess').\n\n");
  });
});

function whole(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => { text += chunk.toString('latin1'); });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.on('end', () => socket.end());
  });
}

async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await condition());) {
    if (Date.now() > end) throw new Error('it did not come to be in time');
    await sleep(20);
  }
}
