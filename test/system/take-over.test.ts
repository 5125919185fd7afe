/**
 * A process that takes over from another one loses nothing: under load on every kind of bind, from and to HAProxy, by -sf, by -x and by the
 * master's reload, as root with a user to become, and with counters that go on.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { closeDescriptor } from '../../src/base/descriptors.ts';
import { libcFunction } from '../../src/base/libc.ts';
import { AF_UNIX, unixAddress } from '../../src/base/socket-address.ts';
import { eventually, sleep } from '../harness/place.ts';
import { Program, projectFolder, runtime } from '../harness/program.ts';
import { runtimeCommand } from '../harness/runtime-socket.ts';
import { UnixReceiver } from '../harness/unix-receiver.ts';
import { TakeOverStage } from '../harness/take-over-stage.ts';

/** Far more than anything takes: these tests start many processes, on machines that are busy with other tests. */
const patientMs = 90_000;
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => { for (const cleanup of cleanups.splice(0).toReversed()) await cleanup(); });

async function prepare(shape: Parameters<typeof TakeOverStage.prepare>[0] = {}): Promise<TakeOverStage> {
  const stage = await TakeOverStage.prepare(shape);
  cleanups.push(() => stage.close());
  return stage;
}

/** Poise with a master and this socket as its descriptor 6. */
function startWithSocket(file: string, socket: number): { readonly master: ChildProcess; readonly stderr: readonly string[] } {
  const master = spawn(join(projectFolder, 'bin/poise'), ['-W', '-f', file], { env: { ...process.env, POISE_RUNTIME: runtime }, stdio: ['ignore', 'ignore', 'pipe', 'ignore', 'ignore', 'ignore', socket] });
  cleanups.push(() => { master.kill('SIGKILL'); });
  const stderr: string[] = [];
  master.stderr?.on('data', (chunk: Buffer) => { stderr.push(chunk.toString('latin1')); });
  return { master, stderr };
}

function everything(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = connect(path);
    let text = '';
    client.on('data', (chunk) => { text += chunk.toString(); });
    client.on('error', reject);
    client.on('close', () => resolve(text));
    client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  });
}

describe('-sf', () => {
  it('three times under load: no request fails, the counters are exact, the number of threads changes', { timeout: 240_000 }, async () => {
    const stage = await prepare();
    await stage.start();
    stage.startLoad(16, 5);
    for (const threads of [2, 1, 4]) {
      stage.write(threads);
      await stage.replace();
    }
    await stage.load?.stop();
    assert.deepEqual(stage.load?.failures, []);
    const sent = [...stage.load?.counts ?? []].filter(([name]) => name !== 'tcp').reduce((sum, [, one]) => sum + one.requests, 0);
    await eventually('what the processes before have counted is taken in', async () => (await stage.sums()).requests === sent, patientMs);
  });

  it('a connection that waits to be accepted, a request under way and one on a kept connection are answered', { timeout: 240_000 }, async () => {
    const stage = await prepare();
    const first = await stage.start();
    const { address } = stage.place;
    const idle = connect(8000, address);
    const slow = connect(8001, address);
    let text = '';
    idle.on('data', (chunk) => { text += chunk.toString(); });
    slow.on('data', (chunk) => { text += chunk.toString(); });
    idle.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually('the first answer', () => text.endsWith('ok'), patientMs);
    slow.write('GET / HTTP/1.1\r\n');
    // The old process stands still: whoever connects now waits in its queue.
    first.child.kill('SIGSTOP');
    const waiting = connect(8000, address);
    waiting.on('data', (chunk) => { text += chunk.toString(); });
    waiting.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await sleep(100);
    first.child.kill('SIGCONT');
    const replaced = stage.replace();
    await eventually('the one that waited is answered', () => text.split('\r\n\r\nok').length === 3, patientMs);
    await eventually('the old one stops', () => first.stderr.includes('Proxy fe stopped'), patientMs);
    text = '';
    idle.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually('the kept connection is answered for the last time', () => text.endsWith('ok'), patientMs);
    assert.match(text, /^connection: close/im);
    text = '';
    slow.write('Host: x\r\n\r\n');
    await eventually('the connection in mode tcp lives on', () => text.endsWith('ok'), patientMs);
    slow.destroy();
    await replaced;
  });

  it('privileged port, a user to become, and the files of unix sockets stay', { timeout: 240_000, skip: process.getuid?.() !== 0 }, async () => {
    const stage = await prepare({ global: '    user nobody\n    group nogroup' });
    const configuration = readFileSync(stage.file, 'latin1').replace('frontend fe\n', `frontend fe\n    bind ${stage.place.address}:80\n`);
    writeFileSync(stage.file, configuration);
    const first = await stage.start();
    const file = join(stage.place.folder, 'bind.sock');
    const inodes = [statSync(file).ino, statSync(stage.admin).ino];
    assert.match(readFileSync(`/proc/${first.pid}/status`, 'latin1'), /^Uid:\s+65534/m);
    await stage.replace();
    assert.deepEqual([statSync(file).ino, statSync(stage.admin).ino], inodes);
    assert.match(readFileSync(`/proc/${stage.current?.pid}/status`, 'latin1'), /^Uid:\s+65534/m);
    await stage.replace();
    const socket = connect(80, stage.place.address);
    let text = '';
    socket.on('data', (chunk) => { text += chunk.toString(); });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await eventually('port 80 answers', () => text.endsWith('ok'), patientMs);
  });
});

describe('-x', () => {
  it('from HAProxy to Poise and back under load', { timeout: 240_000 }, async () => {
    // Of several sockets with one address HAProxy takes one; what waits in the others is lost.
    const stage = await prepare({ forBoth: true, threads: 1 });
    await stage.start('haproxy');
    stage.startLoad(12, 10);
    for (const name of ['poise', 'haproxy', 'poise'] as const) await stage.replace(name, true);
    await stage.load?.stop();
    assert.deepEqual(stage.load?.failures, []);
  });

  it('nobody there, or a socket that does not allow it: as HAProxy, it does not start', { timeout: 240_000 }, async () => {
    const stage = await prepare({ forBoth: true });
    for (const [name, from] of [['haproxy', 'none'], ['poise', 'none'], ['haproxy', 'closed'], ['poise', 'closed']] as const) {
      writeFileSync(stage.file, readFileSync(stage.file, 'latin1').replace(' expose-fd listeners', ''));
      const running = from === 'none' ? null : await stage.start(name);
      const next = new Program(name, ['-f', stage.file, '-db', '-x', running === null ? join(stage.place.folder, 'none.sock') : stage.admin], { cwd: stage.place.folder });
      assert.equal(await next.exited(patientMs), 1);
      assert.match(next.stderr, /\[ALERT\] {4}\(\d+\) : Failed to get the sockets from the old process!/);
      await running?.stop();
    }
  });

  it('without `expose-fd listeners` nothing is handed out', { timeout: 240_000 }, async () => {
    const stage = await prepare();
    writeFileSync(stage.file, readFileSync(stage.file, 'latin1').replace(' expose-fd listeners', ''));
    await stage.start();
    assert.equal(await runtimeCommand(stage.admin, '_getsocks'), '');
  });
});

describe('a master', () => {
  it('lets a new balancer take over under load, and is itself replaced by a new master; systemd is told of that one only', { timeout: 240_000 }, async () => {
    const stage = await prepare();
    const path = join(stage.place.folder, 'notify');
    const systemd = await UnixReceiver.listen(path);
    cleanups.push(() => systemd.stop());
    const first = await stage.startMaster(['-Ws'], { NOTIFY_SOCKET: path });
    const balancer = await eventually('the runtime socket answers', () => stage.pid(), patientMs);
    stage.startLoad(12, 5);
    assert.match(await runtimeCommand(stage.admin, 'upgrade'), /^A new worker is started/);
    await eventually('the balancer before has ended', () => first.stderr.includes(`Former worker (${balancer}) exited with code 0`), patientMs);
    systemd.text = '';
    const second = await stage.startMaster(['-Ws', '-sf', String(first.pid)], { NOTIFY_SOCKET: path });
    assert.equal(await first.exited(patientMs), 0);
    await stage.load?.stop();
    assert.deepEqual(stage.load?.failures, []);
    assert.match(systemd.text, new RegExp(`^READY=1\\nMAINPID=${second.pid}\\n`));
    assert.doesNotMatch(systemd.text, /STOPPING/);
    const sent = [...stage.load?.counts ?? []].filter(([name]) => name !== 'tcp').reduce((sum, [, one]) => sum + one.requests, 0);
    await eventually('counters go on', async () => (await stage.sums()).requests === sent, patientMs);
    // Whoever is not replaced still says that it stops.
    second.child.kill('SIGUSR1');
    assert.equal(await second.exited(patientMs), 0);
    await eventually('the last word', () => systemd.text.includes('STOPPING=1'), patientMs);
  });

  it('gives its balancers the sockets that it was started with', { timeout: 240_000 }, async () => {
    const stage = await prepare();
    const address = unixAddress(join(stage.place.folder, 'fd.sock'), false);
    const socket = libcFunction('int socket(int domain, int type, int protocol)')(AF_UNIX, 1, 0);
    assert.equal(libcFunction('int bind(int fd, const uint8_t *address, uint32_t length)')(socket, address, address.length), 0);
    assert.equal(libcFunction('int listen(int fd, int backlog)')(socket, 16), 0);
    writeFileSync(stage.file, readFileSync(stage.file, 'latin1').replace('frontend fe\n', 'frontend fe\n    bind fd@6\n'));
    const { master, stderr } = startWithSocket(stage.file, socket);
    const ask = async (): Promise<boolean> => /200 OK[\s\S]*ok$/.test(await everything(join(stage.place.folder, 'fd.sock')));
    await eventually('the balancer serves', () => stderr.join('').includes('Loading success'), patientMs);
    assert.ok(await ask());
    const before = await stage.pid();
    await runtimeCommand(stage.admin, 'upgrade');
    await eventually('the next one serves', () => stderr.join('').includes(`Former worker (${before}) exited with code 0`), patientMs);
    assert.ok(await ask());
    master.kill('SIGTERM');
    await new Promise((resolve) => { master.once('exit', resolve); });
    closeDescriptor(socket);
  });
});

describe('the process that was taken over from', () => {
  it('goes on alone when the next one cannot start', { timeout: 240_000 }, async () => {
    const stage = await prepare();
    const first = await stage.start();
    const good = readFileSync(stage.file, 'latin1');
    // The sockets are taken before this address is found to be missing.
    writeFileSync(stage.file, good.replace('frontend fe\n', 'frontend fe\n    bind 192.0.2.1:80\n'));
    const next = new Program('poise', ['-f', stage.file, '-db', '-x', stage.admin, '-sf', String(first.pid)], { cwd: stage.place.folder });
    assert.equal(await next.exited(patientMs), 1);
    stage.startLoad(4, 5);
    await sleep(300);
    await stage.load?.stop();
    assert.deepEqual(stage.load?.failures, []);
    assert.equal(await stage.pid(), first.pid);
    writeFileSync(stage.file, good);
    await stage.replace();
    assert.ok(existsSync(stage.admin));
  });
});
