/** What tracked things make of an instance's priority, and who may have the address when the balancer is ill. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryFiles } from '../../../src/config/files.ts';
import { loadKeepalived } from '../../../src/config/keepalived/load.ts';
import type { KeepalivedModel, VrrpInstance } from '../../../src/model/keepalived.ts';
import { HealthJudge } from '../../../src/vrrp/health-judge.ts';
import { standing, type Known } from '../../../src/vrrp/tracking.ts';

function made(more: string, before = ''): { model: KeepalivedModel; instance: VrrpInstance } {
  const text = `${before}\nvrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress { 10.0.0.10/24 }\n${more}\n}\n`;
  const { model, problems } = loadKeepalived('/k.conf', { files: memoryFiles({ '/k.conf': text }) });
  assert(model !== undefined, JSON.stringify(problems));
  return { model, instance: model.instances[0] as VrrpInstance };
}

const nothing: Known = { scripts: new Map(), processes: new Map(), files: new Map(), interfaceUp: () => true };
const script = (words: string): string => `vrrp_script chk {\n script "/bin/true"\n ${words}\n}\n`;

describe('tracking', () => {
  const priority = (one: ReturnType<typeof made>, known: Partial<Known>): number | string => {
    const found = standing(one.instance, undefined, one.model, { ...nothing, ...known });
    return found.fault === '' ? found.priority : found.fault;
  };
  const ok = { scripts: new Map([['chk', true]]) };
  const failed = { scripts: new Map([['chk', false]]) };

  it('weights of scripts: above 0 added while well, below 0 taken off while not, 0 is FAULT', () => {
    const table: readonly (readonly [string, number, number])[] = [['weight 2', 102, 100], ['weight -20', 100, 80], ['weight 2 reverse', 98, 100], ['weight -20 reverse', 100, 120], ['weight 253', 254, 100], ['weight -253', 100, 1]];
    for (const [words, well, ill] of table) {
      const one = made(' track_script { chk }', script(words));
      assert.deepEqual([priority(one, ok), priority(one, failed)], [well, ill], words);
    }
    const hard = made(' track_script { chk }', script('weight 0'));
    assert.deepEqual([priority(hard, ok), priority(hard, failed), priority(hard, {})], [100, 'script chk failed', 'script chk has not run yet']);
  });

  it('a weight of the instance wins over the script\'s own', () => {
    assert.equal(priority(made(' track_script { chk weight 30 }', script('weight 2')), ok), 130);
  });

  it('interfaces, processes and files', () => {
    const down = { interfaceUp: (name: string) => name === 'eth0' };
    assert.equal(priority(made(' track_interface { eth1 }'), down), 'tracked interface eth1 is down');
    assert.equal(priority(made(' track_interface { eth1 weight -30 }'), down), 70);
    assert.equal(priority(made(''), { interfaceUp: () => false }), 'interface eth0 is down');
    assert.equal(priority(made(' dont_track_primary'), { interfaceUp: () => false }), 100);
    const process = made(' track_process { p }', 'vrrp_track_process p {\n process haproxy\n weight 10\n}\n');
    assert.deepEqual([priority(process, { processes: new Map([['p', true]]) }), priority(process, { processes: new Map([['p', false]]) })], [110, 100]);
    const file = made(' track_file { f }', 'vrrp_track_file f {\n file /tmp/f\n weight 2\n}\n');
    assert.deepEqual([priority(file, { files: new Map([['f', 10]]) }), priority(file, { files: new Map([['f', -10]]) })], [120, 80]);
    assert.equal(priority(file, { files: new Map([['f', -200]]) }), 'tracked file f says -200');
  });

  it('the owner\'s priority cannot be moved, and nobody else can reach it', () => {
    assert.equal(priority(made(' priority 255\n track_script { chk }', script('weight -20')), failed), 255);
  });

  it('what a group tracks counts for its instances', () => {
    const one = made('', `${script('weight 0')}vrrp_sync_group G {\n group { VI_1 }\n track_script { chk }\n}\n`);
    assert.equal(standing(one.instance, one.model.groups[0], one.model, { ...nothing, ...failed }).fault, 'script chk failed');
  });
});

/** Asks every 200 ms, as the master does; gives the last answer. */
function until(judge: HealthJudge, fromMs: number, toMs: number): string {
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 200) judge.why(nowMs);
  return judge.why(toMs);
}

describe('the balancer\'s health', () => {
  it('is not judged by the time in which nobody ran', () => {
    const judge = new HealthJudge(3000);
    judge.says('', 0);
    assert.equal(until(judge, 0, 1000), '');
    // A virtual machine that was stopped for ten seconds.
    assert.equal(until(judge, 11_000, 11_800), '');
    assert.equal(until(judge, 11_800, 12_200), 'the balancer has not answered for 2.7 s');
  });

  it('may be silent for longer while a configuration is taken up, not for ever', () => {
    const judge = new HealthJudge(3000);
    judge.says('', 0, true);
    assert.equal(until(judge, 0, 19_800), '');
    assert.match(until(judge, 19_800, 20_200), /^the balancer has not answered/);
    judge.says('', 20_300, false);
    assert.match(until(judge, 20_300, 22_900), /^the balancer has not answered for 2\.6 s/);
  });

  it('is forgiven for a crash as long as the other node needs to notice one, and for three seconds at most', () => {
    for (const [detectionMs, allowedMs] of [[300, 300], [3000, 3000], [30_000, 3000]] as const) {
      const judge = new HealthJudge(detectionMs);
      judge.says('', 0);
      judge.died(100);
      assert.equal(until(judge, 0, 100 + allowedMs), '', `${detectionMs}`);
      assert.equal(judge.why(101 + allowedMs), 'the balancer has ended and is not back');
    }
  });

  it('is unknown until it serves, forgiven for a crash of three seconds, and not for silence', () => {
    const judge = new HealthJudge(3000);
    assert.equal(judge.why(0), 'the balancer does not serve yet');
    judge.says('', 1000);
    assert.equal(until(judge, 0, 3400), '');
    assert.equal(until(judge, 3400, 3600), 'the balancer has not answered for 2.6 s');
    judge.says('', 4000);
    judge.died(4100);
    assert.equal(until(judge, 4000, 7000), '');
    assert.equal(until(judge, 7000, 7200), 'the balancer has ended and is not back');
    judge.says('', 7300);
    assert.equal(judge.why(7400), '');
    judge.says('bind :443 of fe: no answer within 1500 ms', 7500);
    assert.equal(judge.why(7600), 'bind :443 of fe: no answer within 1500 ms');
  });
});
