/** Every part of the micro-bench runs, and gives a number each time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parts } from '../../../bench/micro/parts.ts';
import { MicroRoom } from '../../../bench/micro/room.ts';

describe('micro-bench', () => {
  for (const { name, make } of parts) {
    test(name, () => {
      const room = new MicroRoom();
      const operation = make(room);
      for (let run = 0; run < 20; run += 1) assert.equal(Number.isFinite(operation()), true);
      room.end();
    });
  }

  test('exchanges pass through: each answer reaches the client', () => {
    for (const { make } of parts.filter(({ name }) => name.startsWith('exchange'))) {
      const room = new MicroRoom();
      const operation = make(room);
      const first = operation();
      assert.ok(first > 100);
      assert.equal(operation(), 2 * first);
      assert.equal(operation(), 3 * first);
      room.end();
    }
  });
});
