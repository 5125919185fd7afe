/** When a traffic thread that does not move is told of: src/control/self-check.ts. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SelfCheck } from '../../../src/control/self-check.ts';
import type { Model } from '../../../src/model/model.ts';
import { P, type Segments } from '../../../src/shared/segments.ts';

it('a thread that does not move is told of after 2 s, and while a configuration is taken up after 20 s', () => {
  const counters = new Float64Array(64);
  let takesUp = false;
  const check = new SelfCheck({ binds: [], proxies: [] } as unknown as Model, { threads: 1, process: () => counters } as unknown as Segments, () => true, () => takesUp);
  let nowMs = 1000;
  const after = (ms: number): string => {
    let said = '';
    for (const endMs = nowMs + ms; nowMs < endMs;) said = check.broken(nowMs += 500);
    return said;
  };
  const move = (): void => { counters[P.heartbeat_ms] = nowMs; };
  move();
  assert.equal(after(2500), '');
  assert.equal(after(500), 'traffic thread 1 has not moved for 3 s');
  move();
  assert.equal(after(500), '');
  takesUp = true;
  assert.equal(after(20_000), '');
  assert.equal(after(500), 'traffic thread 1 has not moved for 21 s');
  move();
  takesUp = false;
  assert.equal(after(2500), '');
});
