/** Life of the traffic threads: start, failure to start, death and return, standing still, draining. Real workers, a fake inside. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SharedModel, ToControl } from '../../../src/model/messages.ts';
import type { Model } from '../../../src/model/model.ts';
import { TrafficThreads } from '../../../src/process/traffic-threads.ts';
import { Segments } from '../../../src/shared/segments.ts';

const model = { proxies: [], binds: [], servers: [] } as unknown as Model;
const shared: SharedModel = { bytes: new SharedArrayBuffer(0), pieces: [] };

class Recorder {
  readonly seen: string[] = [];
  private wake: (() => void) | null = null;

  add(text: string): void {
    this.seen.push(text);
    this.wake?.();
  }

  async wait(text: string): Promise<void> {
    while (!this.seen.some((one) => one.startsWith(text))) await new Promise<void>((resolve) => { this.wake = resolve; });
  }
}

function threads(behaviour: string, count = 2, watchPeriodMs = 1000): { threads: TrafficThreads; recorder: Recorder } {
  const recorder = new Recorder();
  const segments = Segments.allocate(model, count);
  const made = new TrafficThreads({
    count,
    start: { model: () => shared, shared: segments.handles, internalSocket: '', internalKey: behaviour, startedAtMs: 0, ticketKeys: new Uint8Array(48) },
    segments,
    receive: (message: ToControl) => recorder.add(message.type === 'warning' ? message.message : message.type),
    died: (thread, why) => recorder.add(`died ${thread} ${why.split('\n')[0] ?? ''}`),
    restarted: (thread) => recorder.add(`restarted ${thread}`),
    entry: new URL('fake-thread.ts', import.meta.url),
    watchPeriodMs,
  });
  return { threads: made, recorder };
}

test('all threads start, hear messages, drain and end', { timeout: 10_000 }, async (context) => {
  const { threads: all, recorder } = threads('well');
  context.after(() => all.terminate());
  assert.equal(await all.start(), null);
  all.postOthers(0, { type: 'wake-queue', proxy: 5, server: -1 });
  await recorder.wait('1 wake-queue');
  await all.drain(null);
  await recorder.wait('0 drain');
  await recorder.wait('1 drain');
  assert.ok(!recorder.seen.includes('0 wake-queue'));
  await all.terminate();
  assert.deepEqual(recorder.seen.filter((text) => text.startsWith('died')), []);
});

test('a bind that fails in every thread is told once', { timeout: 10_000 }, async (context) => {
  const { threads: all } = threads('bind-failed');
  context.after(() => all.terminate());
  assert.deepEqual(await all.start(), { kind: 'bind', failures: [{ bind: 3, code: 'EADDRINUSE', message: 'in use' }] });
});

test('a thread that cannot run at all is told', { timeout: 10_000 }, async (context) => {
  const { threads: all } = threads('throws', 1);
  context.after(() => all.terminate());
  const failure = await all.start();
  assert.equal(failure?.kind, 'thread');
  assert.match(failure?.kind === 'thread' ? failure.why : '', /cannot run/);
});

test('a thread that dies comes back and is told again what still holds; the other goes on', { timeout: 10_000 }, async (context) => {
  const { threads: all, recorder } = threads('well');
  context.after(() => all.terminate());
  assert.equal(await all.start(), null);
  all.post({ type: 'set-maxconn', proxy: 0, maxconn: 5 });
  await recorder.wait('0 set-maxconn');
  await recorder.wait('1 set-maxconn');
  recorder.seen.length = 0;
  all.post({ type: 'shutdown-frontend', proxy: 1 });
  await recorder.wait('restarted 1');
  await recorder.wait('1 set-maxconn');
  assert.match(recorder.seen.find((text) => text.startsWith('died')) ?? '', /^died 1 .*asked to die/);
  assert.ok(!recorder.seen.includes('0 set-maxconn'));
});

test('a thread that no longer moves is replaced', { timeout: 20_000 }, async (context) => {
  const { threads: all, recorder } = threads('well', 2, 25);
  context.after(() => all.terminate());
  assert.equal(await all.start(), null);
  all.post({ type: 'wake-queue', proxy: 1, server: -1 });
  await recorder.wait('restarted 1');
  assert.deepEqual(recorder.seen.filter((text) => text.startsWith('died')).map((text) => text.slice(0, 20)), ['died 1 it did not mo']);
});

test('a thread that starts while a reload takes place takes it up before it is ready', { timeout: 10_000 }, async (context) => {
  const { threads: all, recorder } = threads('slow');
  context.after(() => all.terminate());
  assert.equal(await all.start(), null);
  recorder.seen.length = 0;
  all.post({ type: 'shutdown-frontend', proxy: 1 });
  await recorder.wait('1 begins');
  const next = { ...shared };
  const segments = Segments.allocate(model, 2);
  assert.deepEqual(await all.prepare({ type: 'reload', model: next, shared: segments.handles }), []);
  await all.commit(() => next, segments);
  assert.ok(!recorder.seen.includes('1 reload') && recorder.seen.includes('0 reload-commit'), recorder.seen.join(', '));
  await recorder.wait('restarted 1');
  assert.deepEqual(recorder.seen.filter((text) => text.startsWith('1 reload') || text.startsWith('restarted')), ['1 reload', '1 reload-commit', 'restarted 1']);
});

for (const [what, prepareMs, takesUp] of [['is gone', 50, 'begins with it'], ['is back', 1000, 'takes it up at the end']] as const) {
  test(`a thread that dies while the others prepare a reload and ${what} when its turn comes: it ${takesUp}`, { timeout: 10_000 }, async (context) => {
    const { threads: all, recorder } = threads(`prepares in ${prepareMs}`);
    context.after(() => all.terminate());
    assert.equal(await all.start(), null);
    recorder.seen.length = 0;
    const next = { ...shared };
    const segments = Segments.allocate(model, 2);
    const prepared = all.prepare({ type: 'reload', model: next, shared: segments.handles });
    all.post({ type: 'shutdown-frontend', proxy: 1 });
    await recorder.wait('died 1');
    assert.deepEqual(await prepared, []);
    assert.ok(!recorder.seen.includes('1 reload'), 'it was not asked');
    const isBack = recorder.seen.includes('restarted 1');
    assert.equal(isBack, what === 'is back');
    await all.commit(() => next, segments);
    await recorder.wait(isBack ? '1 reload-commit' : 'restarted 1');
    assert.equal(recorder.seen.includes('1 reload'), isBack);
  });
}
