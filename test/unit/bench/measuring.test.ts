/** The readings that numbers rest on: CPU time of a process tree, counts of the loads, drops at the log sink. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { AnswerReader } from '../../../bench/load/answers.ts';
import { Latencies } from '../../../bench/load/latencies.ts';
import { dueBy } from '../../../bench/load/schedule.ts';
import { readTimed } from '../../../bench/load/timed.ts';
import { readCounts } from '../../../bench/load/wrk.ts';
import { cpuBetween, memoryBytes, processTree, readCpu, statFields } from '../../../bench/machine/cost.ts';
import { droppedAt } from '../../../bench/machine/stage.ts';

describe('CPU time', () => {
  it('of this process grows with its work, about as much as the clock says', () => {
    const before = readCpu(process.pid);
    const end = performance.now() + 100;
    while (performance.now() < end) Math.sqrt(end);
    const { nanoseconds } = cpuBetween(before, readCpu(process.pid));
    // Other work on the machine may take part of the 100 ms away.
    assert(nanoseconds > 10e6, `${nanoseconds} ns`);
  });

  it('holds the children', async () => {
    const child = spawn('sh', ['-c', 'echo x; read line'], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    assert(processTree(process.pid).includes(child.pid ?? 0));
    assert(memoryBytes(process.pid) > 1e6);
    child.stdin.end('\n');
    await once(child, 'close');
    assert(!processTree(process.pid).includes(child.pid ?? 0));
  });

  it('finds the fields after a command with blanks and brackets', () => {
    assert.deepEqual(statFields('12 (a) b) c) S 1 12').slice(0, 3), ['S', '1', '12']);
  });

  it('falls back to ticks when a thread has ended in between', () => {
    const times = (ticks: number, threads: [number, number][]): Parameters<typeof cpuBetween>[0] => new Map([[1, { userTicks: ticks, systemTicks: 0, endedChildrenTicks: 0, threads: new Map(threads) }]]);
    assert.equal(cpuBetween(times(10, [[1, 100], [2, 50]]), times(13, [[1, 200]])).nanoseconds, 30e6);
    assert.equal(cpuBetween(times(10, [[1, 100]]), times(13, [[1, 200], [3, 7]])).nanoseconds, 107);
  });
});

describe('counts of wrk', () => {
  const printed = (errors: string, requests = 10, bytes = 2000): string => `Running\ncounted {"requests":${requests},"bytes":${bytes},"microseconds":2000000,${errors}}\n`;
  const none = '"status":0,"connect":0,"read":0,"write":0,"timeout":0';

  it('are exact', () => { assert.deepEqual(readCounts(printed(none), 100), { answers: 10, bytes: 2000, seconds: 2 }); });

  it('with any failure are no measurement', () => {
    assert.throws(() => readCounts(printed(none.replace('"status":0', '"status":3')), 100), /failed requests \(status 3\)/);
    assert.throws(() => readCounts(printed(none.replace('"read":0', '"read":1')), 100), /read 1/);
    assert.throws(() => readCounts(printed(none, 0), 100), /no request was answered/);
    assert.throws(() => readCounts(printed(none, 10, 900), 100), /less than 100 each/);
    assert.throws(() => readCounts('nothing', 100), /no counts/);
  });
});

describe('own loads', () => {
  it('a failed or missing answer is no measurement', () => {
    const result = { planned: 3, answered: 3, failed: 0, failure: '', p50Ms: 1, p99Ms: 2, p999Ms: 3 };
    assert.deepEqual(readTimed(JSON.stringify(result)), result);
    assert.throws(() => readTimed(JSON.stringify({ ...result, answered: 2 })), /2 answered/);
    assert.throws(() => readTimed(JSON.stringify({ ...result, failed: 1, failure: 'answer HTTP/1.1 503' })), /1 of 3 requests failed.*503/);
  });

  it('read an answer at every split of its bytes', () => {
    const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    for (let cut = 1; cut < answer.length; cut++) {
      const reader = new AnswerReader();
      assert.equal(reader.take(answer.subarray(0, cut)), 'more');
      assert.equal(reader.take(answer.subarray(cut)), 'done', `cut at ${cut}`);
    }
    assert.equal(new AnswerReader().take(Buffer.concat([answer, Buffer.from('x')])), 'more bytes than content-length says');
    assert.equal(new AnswerReader().take(Buffer.from('HTTP/1.1 503 No\r\n\r\n')), 'answer HTTP/1.1 503 No');
    assert.equal(new AnswerReader().take(Buffer.from('HTTP/1.1 204 No Content\r\n\r\n')), 'done');
  });

  it('percentiles by rank', () => {
    const latencies = new Latencies();
    for (let value = 1000; value >= 1; value--) latencies.add(value);
    assert.deepEqual(latencies.percentiles(), { p50Ms: 500, p99Ms: 990, p999Ms: 999 });
  });

  it('plan the same number for every second, in ticks', () => {
    assert.equal(dueBy(250, 2000), 2000);
    assert.equal(dueBy(1, 100), 0);
    assert.equal(dueBy(3, 100), 1);
  });
});

describe('drops at the sink', () => {
  it('are the last column of its row', () => {
    const text = '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n 5: 0100127F:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 9 2 0 42\n';
    assert.equal(droppedAt(text, '127.18.0.1', 5514), 42);
    assert.equal(droppedAt(text, '127.18.0.2', 5514), 0);
  });
});
