/** How requests find a server: queue, retries, redispatch, maxconn, observe, over real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server as NetServer, Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { C, G } from '../../../src/model/counters.ts';
import { B, op, S } from '../../../src/model/server-state.ts';
import type { Proxy, Server } from '../../../src/model/model.ts';
import { dial, freePort, listenOn, portOf, readAll } from './net.ts';
import { makeBind, makeModel, makeProxy, makeServer, TestThread, until } from './make-model.ts';

const host = '127.14.1.3';

/** One proxy with the given servers, one client-side port. */
async function started(proxy: Partial<Proxy>, servers: Server[]): Promise<{ thread: TestThread; port: number; counters: Float64Array; backend: Int32Array }> {
  const port = await freePort(host);
  const thread = new TestThread(makeModel({ proxies: [makeProxy(0, 'p', proxy)], servers, binds: [makeBind(0, 0, host, port)] }));
  await thread.start();
  const { segments } = thread;
  return { thread, port, counters: segments.counters(segments.backendObject(0), 0), backend: segments.gauges(segments.backendObject(0)) };
}

describe('dispatch', () => {
  let upper: NetServer;
  let upperPort = 0;
  let deadPort = 0;
  const accepted: Socket[] = [];

  before(async () => {
    upper = await listenOn(host, (socket) => {
      accepted.push(socket);
      socket.on('data', (chunk: Buffer) => socket.write(chunk));
      socket.on('end', () => socket.end());
    });
    upperPort = portOf(upper);
    deadPort = await freePort(host);
  });

  after(() => {
    for (const socket of accepted) socket.destroy();
    upper.close();
  });

  test('maxconn holds requests in the queue, first come first served', async () => {
    const { thread, port, counters, backend } = await started({}, [makeServer(0, 0, 's1', host, upperPort, { maxconn: 1 })]);
    const order: string[] = [];
    const server = thread.segments.gauges(thread.segments.serverObject(0));
    const waiting = (): number => Atomics.load(server, G.qcur) + Atomics.load(backend, G.qcur);
    let allStand = false;
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      const socket = dial(host, port);
      socket.on('data', (chunk: Buffer) => {
        order.push(chunk.toString());
        // The first one holds its slot until both others stand in the queue.
        void until(() => allStand).then(() => socket.end());
      });
      socket.write(name);
      await until(() => Atomics.load(server, G.scur) === 1 && waiting() === index);
    }
    allStand = true;
    await until(() => order.length === 3);
    assert.deepEqual(order, ['a', 'b', 'c']);
    await until(() => Atomics.load(backend, G.scur) === 0);
    assert.equal(Atomics.load(server, G.scur) + Atomics.load(server, G.qcur) + Atomics.load(backend, G.qcur), 0);
    assert.equal(Atomics.load(server, G.smax), 1);
    assert.ok(Atomics.load(server, G.qmax) + Atomics.load(backend, G.qmax) >= 2);
    assert.equal(counters[C.econ], 0);
    await thread.stop();
  });

  test('timeout queue ends the wait', async () => {
    const timeouts = { ...makeProxy(0, '').timeouts, queueMs: 60 };
    const { thread, port, counters, backend } = await started({ timeouts }, [makeServer(0, 0, 's1', host, upperPort, { maxconn: 1 })]);
    const first = dial(host, port);
    first.write('x');
    await once(first, 'data');
    const second = dial(host, port);
    second.write('y');
    const startedMs = Date.now();
    assert.equal(await readAll(second), '');
    assert.ok(Date.now() - startedMs >= 55);
    assert.equal(counters[C.econ], 1);
    first.end();
    await until(() => Atomics.load(backend, G.scur) === 0);
    await thread.stop();
  });

  test('a client that leaves the queue leaves no trace', async () => {
    const { thread, port, backend } = await started({}, [makeServer(0, 0, 's1', host, upperPort, { maxconn: 1 })]);
    const first = dial(host, port);
    first.write('x');
    await once(first, 'data');
    const second = dial(host, port);
    await once(second, 'connect');
    await until(() => Atomics.load(backend, G.qcur) === 1);
    second.destroy();
    await until(() => Atomics.load(backend, G.qcur) === 0);
    first.end();
    await until(() => Atomics.load(backend, G.scur) === 0);
    await thread.stop();
  });

  test('redispatch takes another server when one refuses', async () => {
    const servers = [makeServer(0, 0, 'dead', host, deadPort), makeServer(1, 0, 's1', host, upperPort)];
    const { thread, port, counters } = await started({ redispatch: -1 }, servers);
    for (const word of ['one', 'two']) {
      const socket = dial(host, port);
      socket.end(word);
      assert.equal(await readAll(socket), word);
    }
    // Turns go on: each request meets the dead server first.
    assert.equal(counters[C.wredis], 2);
    assert.equal(counters[C.econ], 0);
    await thread.stop();
  });

  test('without redispatch the retries stay with the server', async () => {
    const servers = [makeServer(0, 0, 'dead', host, deadPort), makeServer(1, 0, 's1', host, upperPort)];
    const timeouts = { ...makeProxy(0, '').timeouts, connectMs: 20 };
    const { thread, port, counters } = await started({ retries: 2, timeouts }, servers);
    const answers = await Promise.all(['one', 'two'].map((word) => {
      const socket = dial(host, port);
      socket.end(word);
      return readAll(socket);
    }));
    assert.equal(answers.filter((answer) => answer === '').length, 1);
    assert.equal(counters[C.wretr], 2);
    assert.equal(counters[C.econ], 1);
    await thread.stop();
  });

  test('a server that is marked down: its sessions end, waiting ones choose again', async () => {
    const servers = [makeServer(0, 0, 's1', host, upperPort, { maxconn: 1 })];
    const timeouts = { ...makeProxy(0, '').timeouts, queueMs: 50 };
    const { thread, port, backend } = await started({ timeouts }, servers);
    const first = dial(host, port);
    first.write('x');
    await once(first, 'data');
    const second = dial(host, port);
    second.write('y');
    await until(() => Atomics.load(backend, G.scur) === 2);
    const { segments } = thread;
    segments.serverState(0)[S.op] = op.stopped;
    segments.serverState(0)[S.lbweight] = 0;
    Atomics.add(segments.backendState(0), B.epoch, 1);
    thread.thread.receive({ type: 'shutdown-server-sessions', server: 0, reason: 'D' });
    thread.thread.receive({ type: 'wake-queue', proxy: 0, server: 0 });
    assert.equal(await readAll(first), '');
    assert.equal(await readAll(second), '');
    await until(() => Atomics.load(backend, G.scur) === 0);
    assert.equal(Atomics.load(backend, G.qcur), 0);
    await thread.stop();
  });

  test('frontend maxconn: the next connection is not read until one has left', async () => {
    const { thread, port } = await started({ maxconn: 1 }, [makeServer(0, 0, 's1', host, upperPort)]);
    const { segments } = thread;
    const front = segments.gauges(segments.frontendObject(0));
    const first = dial(host, port);
    first.write('x');
    await once(first, 'data');
    const second = dial(host, port);
    second.write('y');
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(Atomics.load(front, G.scur), 1);
    first.end();
    assert.equal(String((await once(second, 'data'))[0]), 'y');
    second.end();
    await until(() => Atomics.load(front, G.scur) === 0);
    assert.equal(Atomics.load(front, G.smax), 1);
    await thread.stop();
  });

  test('observe layer4 reports after error-limit errors in a row', async () => {
    const servers = [makeServer(0, 0, 'dead', host, deadPort, { observe: 'layer4', errorLimit: 3 })];
    const { thread, port } = await started({ retries: 0 }, servers);
    for (let count = 0; count < 3; count += 1) {
      assert.equal(thread.messages.filter((message) => message.type === 'observed-errors').length, 0);
      await readAll(dial(host, port));
    }
    await until(() => thread.messages.some((message) => message.type === 'observed-errors'));
    await thread.stop();
  });
});
