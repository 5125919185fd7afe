/** Life of a traffic thread: frontends off and on, drain, hard stop, gauges of a dead one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server as NetServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { atOnce } from '../../../src/base/slices.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { G } from '../../../src/model/counters.ts';
import type { ToControl } from '../../../src/model/messages.ts';
import { shareModel } from '../../../src/shared/model-text.ts';
import { P } from '../../../src/shared/segments.ts';
import { SlotBook } from '../../../src/shared/slots.ts';
import { TrafficThread } from '../../../src/traffic/traffic-thread.ts';
import { dial, freePort, listenOn, portOf, readAll, upperCase } from './net.ts';
import { makeBind, makeModel, makeProxy, makeServer, makeStart, TestThread, until } from './make-model.ts';

const host = '127.14.1.5';

describe('traffic thread', () => {
  let upper: NetServer;

  before(async () => {
    upper = await listenOn(host, upperCase);
  });

  after(() => upper.close());

  async function started(): Promise<{ thread: TestThread; port: number }> {
    const port = await freePort(host);
    const thread = new TestThread(makeModel({
      proxies: [makeProxy(0, 'p')], servers: [makeServer(0, 0, 's1', host, portOf(upper))], binds: [makeBind(0, 0, host, port)],
    }));
    await thread.start();
    return { thread, port };
  }

  async function talk(port: number): Promise<string> {
    const socket = dial(host, port);
    socket.end('hi');
    return readAll(socket);
  }

  test('a frontend is disabled and enabled again', async () => {
    const { thread, port } = await started();
    assert.equal(await talk(port), 'HI');
    thread.thread.receive({ type: 'set-frontend', proxy: 0, enabled: false });
    assert.equal(await talk(port), '');
    thread.thread.receive({ type: 'set-frontend', proxy: 0, enabled: true });
    await until(() => thread.thread.context.plan.proxies[0]?.enabled === true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(await talk(port), 'HI');
    await thread.stop();
  });

  test('drain lets connections end and refuses new ones', async () => {
    const { thread, port } = await started();
    const socket = dial(host, port);
    await once(socket, 'connect');
    const front = thread.segments.gauges(thread.segments.frontendObject(0));
    await until(() => Atomics.load(front, G.scur) === 1);
    thread.thread.receive({ type: 'drain', hardStopMs: null });
    assert.equal(await talk(port), '');
    assert.equal(thread.messages.some((message) => message.type === 'drained'), false);
    socket.end('last words');
    assert.equal(await readAll(socket), 'LAST WORDS');
    await until(() => thread.messages.some((message) => message.type === 'drained'));
  });

  for (const when of ['before', 'after'] as const) {
    test(`told to stop ${when} a reload is prepared, a thread opens nothing`, async () => {
      const { thread, port } = await started();
      const client = dial(host, port);
      await once(client, 'connect');
      const other = await freePort(host);
      const model = { ...thread.model, binds: [...thread.model.binds, makeBind(1, 0, host, other)], proxies: thread.model.proxies.map((proxy) => ({ ...proxy, binds: [0, 1] })) };
      const segments = thread.segments.reloaded(model, thread.model, new SlotBook(thread.model).plan(model));
      const prepared = (): ToControl | undefined => thread.messages.find((message) => message.type === 'reload-prepared');
      thread.thread.receive({ type: 'reload', model: atOnce(shareModel(model, null)), shared: segments.handles });
      if (when === 'after') await until(() => prepared() !== undefined);
      thread.thread.receive({ type: 'drain', hardStopMs: null });
      await until(() => prepared() !== undefined);
      assert.deepEqual(prepared(), { type: 'reload-prepared', thread: 0, failures: when === 'after' ? [] : [{ bind: -1, code: '', message: 'the process is stopping' }] });
      thread.thread.receive({ type: 'reload-commit' });
      assert.equal(await talk(other), '');
      client.end('bye');
      assert.equal(await readAll(client), 'BYE');
      await until(() => thread.messages.some((message) => message.type === 'drained'));
    });
  }

  test('hard-stop-after cuts what is left', async () => {
    const { thread, port } = await started();
    const socket = dial(host, port);
    await once(socket, 'connect');
    thread.thread.receive({ type: 'drain', hardStopMs: 50 });
    assert.equal(await readAll(socket), '');
    await until(() => thread.messages.some((message) => message.type === 'drained'));
  });

  test('the successor of a dead thread takes its gauges back', async () => {
    const { thread, port } = await started();
    const { segments, model } = thread;
    const socket = dial(host, port);
    socket.write('x');
    const server = segments.gauges(segments.serverObject(0));
    await until(() => Atomics.load(server, G.scur) === 1);
    // As if the thread had died here: nothing of it runs on, another starts in its place.
    const successor = new TrafficThread({ ...makeStart(model, segments), model: atOnce(shareModel({ ...model, binds: [] }, null)) }, systemClock, () => undefined, () => undefined);
    for (const object of [segments.serverObject(0), segments.backendObject(0), segments.frontendObject(0), segments.listenerObject(0)]) {
      assert.equal(Atomics.load(segments.gauges(object), G.scur), 0);
    }
    assert.equal(segments.process(0)[P.current_connections], 0);
    assert.equal(successor.context.draining, false);
    socket.destroy();
    await thread.stop();
  });
});
