/** Mode tcp end to end inside one thread. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server as NetServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { C, G } from '../../../src/model/counters.ts';
import { dial, freePort, listenOn, portOf, readAll, upperCase } from './net.ts';
import { makeBind, makeModel, makeProxy, makeServer, TestThread, until } from './make-model.ts';

const host = '127.14.1.1';

describe('mode tcp', () => {
  let upper: NetServer;
  let thread: TestThread;
  let port = 0;
  let deadPort = 0;
  const tcplog = [{ kind: 'text', text: 'x' }] as const;

  before(async () => {
    // Answers only after the client has half-closed: half-close has to pass through both ways.
    upper = await listenOn(host, upperCase);
    port = await freePort(host);
    deadPort = await freePort(host);
    const servers = [makeServer(0, 0, 's1', host, portOf(upper)), makeServer(1, 1, 'dead', host, await freePort(host))];
    thread = new TestThread(makeModel({
      proxies: [
        makeProxy(0, 'up', { logFormat: tcplog }),
        makeProxy(1, 'down', { retries: 1, timeouts: { ...makeProxy(1, '').timeouts, connectMs: 50 } }),
      ],
      servers,
      binds: [makeBind(0, 0, host, port), makeBind(1, 1, host, deadPort)],
    }));
    await thread.start();
  });

  after(async () => {
    await thread.stop();
    upper.close();
  });

  test('bytes go both ways and half-close passes through', async () => {
    const socket = dial(host, port);
    socket.end('hello');
    assert.equal(await readAll(socket), 'HELLO');
    const { segments } = thread;
    await until(() => Atomics.load(segments.gauges(segments.frontendObject(0)), G.scur) === 0);
    const counters = segments.counters(segments.backendObject(0), 0);
    assert.equal(counters[C.bin], 5);
    assert.equal(counters[C.bout], 5);
    assert.equal(counters[C.lbtot], 1);
    assert.equal(Atomics.load(segments.gauges(segments.serverObject(0)), G.scur), 0);
  });

  test('a server that refuses ends the client after the retries', async () => {
    const socket = dial(host, deadPort);
    socket.write('x');
    assert.equal(await readAll(socket), '');
    const { segments } = thread;
    const counters = segments.counters(segments.backendObject(1), 0);
    await until(() => counters[C.econ] === 1);
    assert.equal(counters[C.wretr], 1);
    assert.equal(Atomics.load(segments.gauges(segments.backendObject(1)), G.scur), 0);
  });

  test('a server that resets has failed to answer, one that is silent has not', async () => {
    const resets = await listenOn(host, (socket) => { socket.on('error', () => undefined).once('data', () => socket.resetAndDestroy()); });
    const silent = await listenOn(host, (socket) => { socket.on('error', () => undefined).resume(); });
    const ports = [await freePort(host), await freePort(host)];
    const quick = { timeouts: { ...makeProxy(0, '').timeouts, serverMs: 50 } };
    const own = new TestThread(makeModel({
      proxies: [makeProxy(0, 'resets'), makeProxy(1, 'silent', quick)],
      servers: [makeServer(0, 0, 's', host, portOf(resets)), makeServer(1, 1, 's', host, portOf(silent))],
      binds: ports.map((each, index) => makeBind(index, index, host, each)),
    }));
    await own.start();
    const { segments } = own;
    for (const [index, eresp] of [[0, 1], [1, 0]] as const) {
      const socket = dial(host, ports[index] ?? 0);
      socket.on('error', () => undefined).on('end', () => socket.end()).resume().write('x');
      for (const object of [segments.backendObject(index), segments.serverObject(index)]) {
        const counters = segments.counters(object, 0);
        await until(() => counters[C.srv_abrt] === 1);
        assert.equal(counters[C.eresp], eresp);
      }
      socket.destroy();
    }
    await own.stop();
    resets.close();
    silent.close();
  });

  test('a slow reader holds the writer back, and everything arrives', async () => {
    const socket = dial(host, port);
    const block = Buffer.alloc(1 << 20, 'a');
    for (let left = 8; left > 0; left -= 1) if (!socket.write(block)) await once(socket, 'drain');
    socket.end();
    const text = await readAll(socket);
    assert.equal(text.length, 8 << 20);
  });
});
