/** Log lines on their way to the control thread: what waits, when it is told, what is dropped. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { TimerWheel } from '../../../src/base/timer-wheel.ts';
import { C, counterFieldCount } from '../../../src/model/counters.ts';
import { limits } from '../../../src/model/limits.ts';
import type { ToControl } from '../../../src/model/messages.ts';
import { LogRing } from '../../../src/shared/log-ring.ts';
import { P, processFields } from '../../../src/shared/segments.ts';
import { LogQueue } from '../../../src/traffic/log-queue.ts';
import { takeRecords } from './log-lines.ts';
import { until } from './make-model.ts';

function make(): { queue: LogQueue; messages: ToControl[]; process: Float64Array; control: LogRing } {
  const messages: ToControl[] = [];
  const process = new Float64Array(processFields.length);
  const memory = LogRing.allocate();
  const queue = new LogQueue((message) => messages.push(message), new TimerWheel(systemClock), process, new LogRing(memory), 3);
  return { queue, messages, process, control: new LogRing(memory) };
}

describe('log queue', () => {
  test('the control thread is told once, soon after the first line; the order stays', async () => {
    const { queue, messages, control } = make();
    queue.push(0, 6, 'a', '', null);
    queue.push(1, 6, 'b', '[x]', null);
    queue.push(0, 6, 'two\nlines', '', null);
    queue.push(-1, 3, 'caf\u00e9', '', null);
    assert.equal(messages.length, 0);
    await until(() => messages.length > 0, 500);
    assert.deepEqual(messages, [{ type: 'log', thread: 3 }]);
    assert.deepEqual(takeRecords(control), ['0/6: a ', '1/6: b [x]', '0/6: two lines ', '-1/3: caf\u00e9 ']);
    assert.deepEqual(takeRecords(control), []);
    queue.flush();
    assert.equal(messages.length, 1, 'nothing new, nothing to tell');
  });

  test('many lines are told at once; what exceeds the ring is dropped and counted, and later lines fit again', () => {
    const { queue, messages, process, control } = make();
    const counters = new Float64Array(counterFieldCount);
    for (let index = 0; index < 128; index += 1) queue.push(0, 6, 'line', '', counters);
    assert.equal(messages.length, 1);
    assert.equal(takeRecords(control).length, 128);
    const line = 'x'.repeat(limits.logLineBytesMax + 10);
    const fitting = Math.floor((limits.logRingBytes - 1) / (limits.logLineBytesMax + 13));
    for (let index = 0; index < fitting + 5; index += 1) queue.push(0, 6, line, '', counters);
    const taken = takeRecords(control);
    assert.equal(taken.length + (process[P.dropped_logs] ?? 0), fitting + 5);
    assert.ok(taken.length >= fitting - 1);
    assert.equal(taken[0]?.length, '0/6: '.length + limits.logLineBytesMax + 1);
    assert.equal(counters[C.logs_dropped], process[P.dropped_logs]);
    queue.push(0, 6, 'again', '', counters);
    assert.deepEqual(takeRecords(control), ['0/6: again ']);
  });

  test('records of every length, at every place of the ring, come out as they went in', () => {
    const { queue, process, control } = make();
    let sent: string[] = [];
    let seed = 1;
    for (let index = 0; index < 3000; index += 1) {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      const line = `${index} ${'y'.repeat(seed % 3001)}`;
      const sd = seed % 7 === 0 ? `[${index}]` : '';
      queue.push(index % 5, seed % 8, line, sd, null);
      sent.push(`${index % 5}/${seed % 8}: ${line} ${sd}`);
      if (seed % 97 > 2) continue;
      assert.deepEqual(takeRecords(control), sent);
      sent = [];
    }
    assert.deepEqual(takeRecords(control), sent);
    assert.equal(process[P.dropped_logs], 0);
  });
});
