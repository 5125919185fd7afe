/** When systemd's watchdog is beaten: src/process/systemd.ts. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Watchdog } from '../../../src/process/systemd.ts';

it('a watchdog is beaten while the balancer says that it works', () => {
  let nowMs = 0;
  let beats = 0;
  const told: string[] = [];
  const watchdog = new Watchdog({ periodMs: 1_000_000, nowMs: () => nowMs, beat: () => { beats += 1; }, tell: (why) => { told.push(why); } });
  const lookAt = (ms: number): number => { nowMs = ms; watchdog.look(); return beats; };
  assert.equal(lookAt(500), 1);
  watchdog.hear('');
  assert.equal(lookAt(2000), 2);
  watchdog.hear('traffic thread 1 has not moved for 3 s');
  assert.equal(lookAt(2500), 2);
  assert.equal(lookAt(2600), 2);
  watchdog.hear('');
  assert.equal(lookAt(2700), 3);
  assert.equal(lookAt(9000), 3, 'silent for 6.4 s');
  watchdog.hear('', true);
  assert.equal(lookAt(28_900), 4, 'another configuration is taken up');
  assert.equal(lookAt(29_100), 4, 'for 20 s at most');
  watchdog.stopping();
  assert.equal(lookAt(60_000), 5, 'a service that stops is left alone');
  assert.deepEqual(told, ['traffic thread 1 has not moved for 3 s', '', 'it does not answer', '', 'it does not answer', '']);
  watchdog.close();
});
