/** Deadlines of the timer wheel over a clock that the test moves. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TimerNode, TimerWheel, type TickSource, type TimerOwner } from '../../../src/base/timer-wheel.ts';

class FakeTime implements TickSource {
  nowMs = 5;
  running = false;
  private tick: () => void = () => undefined;
  readonly clock = { monoMs: () => this.nowMs, dateMs: () => this.nowMs };

  start(_everyMs: number, tick: () => void): void {
    this.running = true;
    this.tick = tick;
  }

  stop(): void {
    this.running = false;
  }

  /** Moves time in steps, ticking while the wheel wants ticks. */
  pass(ms: number, stepMs = 16): void {
    for (let left = ms; left > 0; left -= stepMs) {
      this.nowMs += Math.min(stepMs, left);
      if (this.running) this.tick();
    }
  }
}

class Recorder implements TimerOwner {
  readonly firedAt: number[] = [];
  readonly time: FakeTime;
  again: (() => void) | null = null;

  constructor(time: FakeTime) {
    this.time = time;
  }

  onTimer(): void {
    this.firedAt.push(this.time.nowMs);
    this.again?.();
  }
}

describe('timer wheel', () => {
  test('fires at the deadline or within two ticks after it, never early', () => {
    for (const delayMs of [1, 15, 16, 17, 250, 1000, 16_384, 16_385, 900_000]) {
      const time = new FakeTime();
      const wheel = new TimerWheel(time.clock, 16, 1024, time);
      const recorder = new Recorder(time);
      wheel.arm(new TimerNode(recorder, 0), delayMs);
      const deadlineMs = time.nowMs + delayMs;
      time.pass(delayMs + 64);
      assert.equal(recorder.firedAt.length, 1, `delay ${delayMs}`);
      const at = recorder.firedAt[0] ?? 0;
      assert.ok(at >= deadlineMs && at <= deadlineMs + 32, `delay ${delayMs} fired ${at - deadlineMs} ms late`);
    }
  });

  test('a later deadline replaces the one in force, and so does an earlier one', () => {
    const time = new FakeTime();
    const wheel = new TimerWheel(time.clock, 16, 64, time);
    const recorder = new Recorder(time);
    const node = new TimerNode(recorder, 0);
    wheel.arm(node, 100);
    time.pass(80);
    wheel.arm(node, 100);
    time.pass(80);
    assert.deepEqual(recorder.firedAt, []);
    wheel.arm(node, 5000);
    wheel.arm(node, 20);
    time.pass(64);
    assert.equal(recorder.firedAt.length, 1);
    assert.equal(node.armed, false);
  });

  test('a disarmed node does not fire and the interval stops when nothing is armed', () => {
    const time = new FakeTime();
    const wheel = new TimerWheel(time.clock, 16, 64, time);
    const recorder = new Recorder(time);
    const node = new TimerNode(recorder, 0);
    wheel.arm(node, 50);
    assert.equal(time.running, true);
    wheel.disarm(node);
    wheel.disarm(node);
    time.pass(200);
    assert.deepEqual(recorder.firedAt, []);
    assert.equal(wheel.armed, 0);
    assert.equal(time.running, false);
  });

  test('owners may arm and disarm inside the call', () => {
    const time = new FakeTime();
    const wheel = new TimerWheel(time.clock, 16, 64, time);
    const other = new Recorder(time);
    const otherNode = new TimerNode(other, 0);
    const recorder = new Recorder(time);
    const node = new TimerNode(recorder, 0);
    recorder.again = () => {
      wheel.disarm(otherNode);
      if (recorder.firedAt.length < 3) wheel.arm(node, 32);
    };
    wheel.arm(node, 32);
    wheel.arm(otherNode, 32);
    time.pass(400);
    assert.equal(recorder.firedAt.length, 3);
    assert.deepEqual(other.firedAt, []);
  });

  test('after a long stop every overdue node fires once', () => {
    const time = new FakeTime();
    const wheel = new TimerWheel(time.clock, 16, 64, time);
    const recorder = new Recorder(time);
    for (let index = 0; index < 500; index += 1) wheel.arm(new TimerNode(recorder, 0), 10 + index * 7);
    time.pass(100_000, 100_000);
    assert.equal(recorder.firedAt.length, 500);
    assert.equal(wheel.armed, 0);
  });
});
