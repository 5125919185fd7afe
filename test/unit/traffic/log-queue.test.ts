/** Batches of log lines on their way to the control thread. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { TimerWheel } from '../../../src/base/timer-wheel.ts';
import { C, counterFieldCount } from '../../../src/model/counters.ts';
import { limits } from '../../../src/model/limits.ts';
import type { ToControl } from '../../../src/model/messages.ts';
import { P, processFields } from '../../../src/shared/segments.ts';
import { LogQueue } from '../../../src/traffic/log-queue.ts';
import { until } from './make-model.ts';

function logsOf(messages: ToControl[]): string[] {
  return messages.map((message) => (message.type === 'log' ? `${message.proxy}/${message.level}: ${message.lines.replaceAll('\n', '|')} ${message.sd.replaceAll('\n', '|')}` : message.type));
}

describe('log queue', () => {
  test('one message per proxy and level, soon after the first line', async () => {
    const messages: ToControl[] = [];
    const queue = new LogQueue((message) => messages.push(message), new TimerWheel(systemClock), new Float64Array(processFields.length));
    queue.push(0, 6, 'a', '', null);
    queue.push(1, 6, 'b', '[x]', null);
    queue.push(0, 6, 'two\nlines', '', null);
    queue.push(-1, 3, 'global', '', null);
    queue.push(1, 6, 'c', '', null);
    assert.equal(messages.length, 0);
    await until(() => messages.length === 3, 500);
    assert.deepEqual(logsOf(messages).sort(), ['-1/3: global ', '0/6: a|two lines ', '1/6: b|c [x]|']);
  });

  test('many lines go at once; what exceeds the limit is dropped and counted', () => {
    const messages: ToControl[] = [];
    const process = new Float64Array(processFields.length);
    const counters = new Float64Array(counterFieldCount);
    const queue = new LogQueue((message) => messages.push(message), new TimerWheel(systemClock), process);
    for (let index = 0; index < 256; index += 1) queue.push(0, 6, 'line', '', counters);
    assert.equal(messages.length, 1);
    const others = limits.logQueueLinesMax + 5;
    for (let index = 0; index < others; index += 1) queue.push(index % 64, 6, 'line', '', counters);
    queue.flush();
    const sent = messages.reduce((sum, message) => sum + (message.type === 'log' ? message.lines.split('\n').length : 0), 0);
    assert.equal(sent, 256 + limits.logQueueLinesMax);
    assert.equal(process[P.dropped_logs], 5);
    assert.equal(counters[C.logs_dropped], 5);
  });
});
