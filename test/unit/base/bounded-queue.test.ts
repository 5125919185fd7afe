/** The ring of BoundedQueue: order over growth and wrap-around, and its limit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedQueue } from '../../../src/base/bounded-queue.ts';

test('bounded queue: first in first out over growth and wrap-around, refuses beyond its limit', () => {
  const queue = new BoundedQueue<number>(40);
  const seen: number[] = [];
  let next = 0;
  for (let round = 0; round < 30; round += 1) {
    for (let index = 0; index < 7; index += 1) if (queue.push(next)) next += 1;
    for (let index = 0; index < 5; index += 1) {
      const first = queue.peek();
      const item = queue.shift();
      assert.equal(item, first);
      if (item !== undefined) seen.push(item);
    }
  }
  assert.deepEqual(seen, seen.map((_, index) => index));
  while (queue.push(next)) next += 1;
  assert.equal(queue.size, 40);
  while (queue.size > 0) seen.push(queue.shift() as number);
  assert.deepEqual(seen, Array.from({ length: next }, (_, index) => index));
  assert.equal(queue.shift(), undefined);
  assert.equal(queue.peek(), undefined);
});
