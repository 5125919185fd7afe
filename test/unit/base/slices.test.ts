/** Long work leaves the event loop time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atOnce, inSlices } from '../../../src/base/slices.ts';

function* busy(steps: number, stepMs: number): Generator<undefined, number> {
  for (let step = 0; step < steps; step++) {
    const untilMs = performance.now() + stepMs;
    while (performance.now() < untilMs);
    yield;
  }
  return steps;
}

test('both give what the work returns', async () => {
  assert.equal(atOnce(busy(3, 0)), 3);
  assert.equal(await inSlices(busy(3, 0)), 3);
});

test('between slices others run', async () => {
  let turns = 0;
  const timer = setInterval(() => { turns += 1; }, 1);
  await inSlices(busy(100, 1));
  clearInterval(timer);
  assert.ok(turns >= 10, `${turns} turns in 100 ms of work`);
});

test('what the work throws reaches whoever waits', async () => {
  await assert.rejects(inSlices((function* (): Generator<undefined, number> { yield; throw new Error('no'); })()), /no/);
});
