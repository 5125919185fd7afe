/** What is said of the network has a limit, whoever it is about. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limits } from '../../../src/model/limits.ts';
import type { VrrpReport } from '../../../src/model/vrrp-messages.ts';
import { SpokenOnce } from '../../../src/vrrp/spoken-once.ts';

function begin(): { said: VrrpReport[]; spoken: SpokenOnce; clock: { nowMs: number } } {
  const said: VrrpReport[] = [];
  const clock = { nowMs: 0 };
  return { said, clock, spoken: new SpokenOnce('VI_1', (report) => { said.push(report); }, () => clock.nowMs) };
}
const line = (text: string): VrrpReport => ({ kind: 'log', level: 'warning', text });

describe('reports about the network', () => {
  it('of one subject come once a minute', () => {
    const { said, spoken, clock } = begin();
    for (let time = 0; time < 3; time++) spoken.say('checksum 10.0.0.1', line('first'));
    assert.equal(said.length, 1);
    clock.nowMs += limits.vrrpRepeatReportMs;
    spoken.say('checksum 10.0.0.1', line('again'));
    assert.equal(said.length, 2);
  });

  it('of thousands of subjects have a limit, and what was left out is counted', () => {
    const { said, spoken, clock } = begin();
    for (let source = 0; source < 5000; source++) spoken.say(`checksum ${source}`, line(`from ${source}`));
    assert.equal(said.length, limits.vrrpReportsMax);
    clock.nowMs += limits.vrrpRepeatReportMs;
    spoken.say('checksum last', line('from last'));
    assert.deepEqual(said.slice(-2), [line(`(VI_1) ${5000 - limits.vrrpReportsMax} more messages like these were left out`), line('from last')]);
  });

  it('of another kind are not held back by the flood', () => {
    const { said, spoken } = begin();
    for (let source = 0; source < 5000; source++) spoken.say(`checksum ${source}`, line(`from ${source}`));
    spoken.say('owner', { kind: 'foreign owner', instance: 'VI_1', address: '10.0.0.100', hardware: '02:00:00:00:00:01' });
    assert.equal(said.at(-1)?.kind, 'foreign owner');
  });
});
