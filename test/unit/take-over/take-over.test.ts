/** Listening sockets from one thread to another of the same process, over the connections that two processes use. */
import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, ListenOptions, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { closeDescriptor } from '../../../src/base/descriptors.ts';
import { handOutListeners } from '../../../src/control/take-over/hand-out.ts';
import { ReceivedListeners } from '../../../src/control/take-over/received.ts';
import type { InheritedListener } from '../../../src/model/messages.ts';
import { HandOver } from '../../../src/process/hand-over.ts';
import { makeBind, makeModel, makeProxy } from '../traffic/make-model.ts';
import type { FetchOrder } from './fetch-thread.ts';

const folder = mkdtempSync(join(tmpdir(), 'take-over-'));
const host = '127.48.2.1';
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

async function listening(options: ListenOptions & { readonly fd?: number }, server = createServer()): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => { server.listen(options, resolve); });
  const address = server.address() as AddressInfo | string;
  return typeof address === 'string' ? 0 : address.port;
}

interface Fetched { readonly failure: string; readonly count: number; readonly threads: readonly (readonly InheritedListener[])[] }

function fetched(order: FetchOrder): Promise<Fetched> {
  const worker = new Worker(new URL('fetch-thread.ts', import.meta.url), { workerData: order });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** One bind per port, for so many threads. */
function modelOf(ports: readonly number[], nbthread: number, path = ''): FetchOrder['model'] {
  const binds = ports.map((port, index) => makeBind(index, 0, host, port));
  if (path !== '') binds.push(makeBind(binds.length, 0, host, 0, { address: { kind: 'unix', path, abstract: false } }));
  return makeModel({ proxies: [makeProxy(0, 'fe')], binds, global: { nbthread } });
}

/** Answers to a new connection that a socket taken over accepts: proof that it is the same socket. */
async function accepts(fd: number, port: number): Promise<string> {
  const server = createServer((connection) => connection.end('taken'));
  await listening({ fd }, server);
  return new Promise((resolve, reject) => {
    const client = connect(port, host);
    let text = '';
    client.on('data', (chunk) => { text += chunk.toString(); });
    client.on('error', reject);
    client.on('close', () => resolve(text));
  });
}

test('a process is asked by its id; each thread gets its share of the sockets and uses them', { timeout: 10_000 }, async () => {
  let told = 0;
  const handOver = new HandOver(() => { told += 1; });
  assert.equal(await handOver.listen(), '');
  const path = join(folder, 'bind.sock');
  const port = await listening({ host, port: 0, reusePort: true });
  await listening({ host, port, reusePort: true });
  const other = await listening({ host, port: 0, reusePort: true });
  await listening({ path });
  const { threads, count } = await fetched({ path: '', pid: process.pid, model: modelOf([port, other], 2, path) });
  handOver.close();
  assert.equal(told, 1);
  assert.equal(count, 4);
  assert.deepEqual(threads.map((thread) => thread.map((one) => one.bind)), [[0, 1, 2], [0]]);
  const inherited = threads.flat();
  assert.ok(inherited.every((one) => one.fd > 2));
  // Nobody accepts on the socket of the first server any more, so the answer comes from the one taken over.
  const mine = inherited.find((one) => one.bind === 1);
  await new Promise((resolve) => { servers[2]?.close(resolve); });
  assert.equal(await accepts(mine?.fd ?? -1, other), 'taken');
  for (const one of inherited) if (one !== mine) closeDescriptor(one.fd);
});

test('more sockets than threads: a thread takes several', { timeout: 10_000 }, async () => {
  const asked = createServer((connection) => { connection.once('data', () => handOutListeners(connection)); });
  const path = join(folder, 'asked.sock');
  await listening({ path }, asked);
  const port = await listening({ host, port: 0, reusePort: true });
  for (let more = 0; more < 2; more += 1) await listening({ host, port, reusePort: true });
  const { threads } = await fetched({ path, pid: 0, model: modelOf([port], 2) });
  assert.deepEqual(threads.map((thread) => thread.length), [2, 1]);
  for (const one of threads.flat()) closeDescriptor(one.fd);
});

test('a socket beside which no other can be opened is every thread\'s', { timeout: 10_000 }, async () => {
  const asked = createServer((connection) => { connection.once('data', () => handOutListeners(connection)); });
  const path = join(folder, 'alone.sock');
  await listening({ path }, asked);
  const port = await listening({ host, port: 0 });
  const { threads } = await fetched({ path, pid: 0, model: modelOf([port], 3) });
  assert.deepEqual(threads.map((thread) => thread.length), [1, 1, 1]);
  assert.equal(new Set(threads.flat().map((one) => one.fd)).size, 3);
  const [first, second, third] = threads.flat().map((one) => one.fd);
  closeDescriptor(first ?? -1);
  closeDescriptor(second ?? -1);
  await new Promise((resolve) => { servers.at(-1)?.close(resolve); });
  assert.equal(await accepts(third ?? -1, port), 'taken');
});

test('more sockets than one message holds', { timeout: 20_000 }, async () => {
  const asked = createServer((connection) => { connection.once('data', () => handOutListeners(connection)); });
  const path = join(folder, 'many.sock');
  await listening({ path }, asked);
  const ports: number[] = [];
  for (let number = 0; number < 600; number += 1) ports.push(await listening({ host: '127.48.2.2', port: 0, reusePort: true }));
  const { failure, count } = await fetched({ path, pid: 0, model: modelOf([], 1) });
  assert.equal(failure, '');
  assert.ok(count > 600, String(count));
});

test('nobody there, nobody who answers, an answer that ends too soon', { timeout: 10_000 }, async () => {
  const received = new ReceivedListeners();
  const model = modelOf([], 1);
  assert.match((await fetched({ path: join(folder, 'none.sock'), pid: 0, model })).failure, /^Failed to connect to the old process socket/);
  assert.equal((await fetched({ path: '/dev/null', pid: 0, model })).failure, '');
  const silent = join(folder, 'silent.sock');
  await listening({ path: silent }, createServer((connection) => { connection.once('data', () => connection.end()); }));
  assert.equal((await fetched({ path: silent, pid: 0, model })).failure, 'Failed to get the number of sockets to be transferred');
  const short = join(folder, 'short.sock');
  await listening({ path: short }, createServer((connection) => { connection.once('data', () => connection.end(Buffer.from([3, 0, 0, 0]))); }));
  assert.equal((await fetched({ path: short, pid: 0, model })).failure, 'Failed to get the sockets: 0 of 3 came');
  // A process that has ended.
  assert.equal((await fetched({ path: '', pid: spawnSync('true').pid, model })).count, 0);
  assert.equal(received.takeUnix(silent, false), -1);
});
