/** Binds of every kind, PROXY headers and connection limits, over real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server as NetServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { BindAddress } from '../../../src/model/address.ts';
import { C, G } from '../../../src/model/counters.ts';
import type { Bind, Model } from '../../../src/model/model.ts';
import { makeProxyV2 } from '../../../src/wire/proxy-protocol.ts';
import { dial, freePort, listenOn, portOf, readAll, upperCase } from './net.ts';
import { makeBind, makeModel, makeProxy, makeServer, TestThread, until } from './make-model.ts';

const host = '127.14.1.4';

describe('listen', () => {
  let upper: NetServer;
  const directory = mkdtempSync(join(tmpdir(), 'poise-listen-'));

  before(async () => {
    upper = await listenOn(host, upperCase);
  });

  after(() => {
    upper.close();
    rmSync(directory, { recursive: true });
  });

  function modelWith(address: BindAddress, changes: Partial<Bind> = {}, more: Partial<Model['global']> = {}): Model {
    return makeModel({
      proxies: [makeProxy(0, 'fe')], servers: [makeServer(0, 0, 's1', host, portOf(upper))],
      binds: [makeBind(0, 0, host, 1, { address, ...changes })], global: more,
    });
  }

  async function talkTo(target: { port: number; host: string } | { path: string }): Promise<string> {
    const socket = connect({ ...target, allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.end('hi');
    return readAll(socket);
  }

  test('a port range listens on every port', async () => {
    const port = await freePort(host);
    const thread = new TestThread(modelWith({ kind: 'inet', family: 4, host, port, portLast: port + 2 }));
    await thread.start();
    for (let offset = 0; offset < 3; offset += 1) assert.equal(await talkTo({ host, port: port + offset }), 'HI');
    assert.equal(thread.segments.counters(thread.segments.listenerObject(0), 0)[C.conn_tot], 3);
    await thread.stop();
  });

  test('IPv6 any address takes IPv4 too, unless v6only', async () => {
    const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some((one) => one.address === '::1'));
    if (!hasIpv6) return;
    const port = await freePort(host);
    const thread = new TestThread(modelWith({ kind: 'inet', family: 6, host: '::', port, portLast: port }, { v4v6: true }));
    await thread.start();
    assert.equal(await talkTo({ host: '::1', port }), 'HI');
    assert.equal(await talkTo({ host, port }), 'HI');
    await thread.stop();
    const only = new TestThread(modelWith({ kind: 'inet', family: 6, host: '::', port, portLast: port }, { v6only: true }));
    await only.start();
    assert.equal(await talkTo({ host: '::1', port }), 'HI');
    assert.equal(await talkTo({ host, port }), '');
    await only.stop();
  });

  test('a unix socket replaces a stale file and has the mode asked for', async () => {
    const path = join(directory, 'fe.sock');
    writeFileSync(path, '');
    const thread = new TestThread(modelWith({ kind: 'unix', path, abstract: false }, { mode: 0o640 }));
    await thread.start();
    assert.equal(await talkTo({ path }), 'HI');
    assert.equal(statSync(path).mode & 0o777, 0o640);
    await thread.stop();
  });

  test('an abstract socket', async () => {
    const path = `poise-test-${process.pid}`;
    const thread = new TestThread(modelWith({ kind: 'unix', path, abstract: true }));
    await thread.start();
    assert.equal(await talkTo({ path: `\0${path}` }), 'HI');
    await thread.stop();
  });

  test('an address in use is told', async () => {
    const taken = createServer();
    taken.listen(0, host);
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const thread = new TestThread(modelWith({ kind: 'inet', family: 4, host, port, portLast: port }));
    await assert.rejects(thread.start(), /EADDRINUSE/);
    taken.close();
    await thread.stop();
  });

  test('accept-proxy: the header gives the addresses, anything else ends the connection', async () => {
    const port = await freePort(host);
    const model = modelWith({ kind: 'inet', family: 4, host, port, portLast: port }, { acceptProxy: true });
    const thread = new TestThread(model);
    await thread.start();
    const facts = { sourceAddress: '192.0.2.9', sourcePort: 99, destinationAddress: '192.0.2.1', destinationPort: 443 };
    const header = makeProxyV2(facts, { tls: null, alpn: '', authority: '', uniqueId: '', checksum: false });
    for (const split of [1, 13, 20, header.length]) {
      const socket = dial(host, port);
      socket.setNoDelay(true);
      socket.write(header.subarray(0, split));
      await new Promise((resolve) => setTimeout(resolve, 10));
      socket.end(Buffer.concat([header.subarray(split), Buffer.from('hi')]));
      assert.equal(await readAll(socket), 'HI');
    }
    const wrong = dial(host, port);
    wrong.write('GET / HTTP/1.1\r\n\r\n');
    assert.equal(await readAll(wrong), '');
    await until(() => thread.logLines().some((line) => line.includes('does not look like a PROXY protocol header')));
    await until(() => Atomics.load(thread.segments.gauges(thread.segments.frontendObject(0)), G.scur) === 0);
    await thread.stop();
  });

  test('global maxconn and a session rate limit hold connections back', async () => {
    const port = await freePort(host);
    const thread = new TestThread(modelWith({ kind: 'inet', family: 4, host, port, portLast: port }, {}, { maxconn: 2, maxsessrate: 100 }));
    await thread.start();
    const open = [dial(host, port), dial(host, port)];
    const front = thread.segments.gauges(thread.segments.frontendObject(0));
    await until(() => Atomics.load(front, G.scur) === 2);
    const third = talkTo({ host, port });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(Atomics.load(front, G.scur), 2);
    for (const socket of open) socket.destroy();
    assert.equal(await third, 'HI');
    await until(() => Atomics.load(front, G.scur) === 0);
    await thread.stop();
  });
});
