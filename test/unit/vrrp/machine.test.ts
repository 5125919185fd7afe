/** The state table of one instance, move by move, with time and packets given by hand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { VrrpInstance } from '../../../src/model/keepalived.ts';
import { VrrpMachine, type Advert } from '../../../src/vrrp/machine.ts';
import { instanceWith, SimulatedNetwork } from './network.ts';

function machineWith(options: Partial<VrrpInstance>, ready = true): { machine: VrrpMachine; done: string[] } {
  const done: string[] = [];
  const machine = new VrrpMachine(instanceWith(options), {
    sendAdvert: (priority) => { done.push(`advert ${priority}`); },
    takeAddresses: () => { done.push('take'); },
    releaseAddresses: () => { done.push('release'); },
    announce: (times) => { done.push(`announce ${times}`); },
    changed: (change) => { done.push(`${change.from} → ${change.to}`); },
    twoMasters: (found) => { done.push(`two masters, ${found.outcome}`); },
    heardLowerPriority: () => { done.push('lower'); },
  }, ready);
  return { machine, done };
}

function advert(priority: number, rest: Partial<Advert> = {}): { kind: 'advert'; advert: Advert } {
  return { kind: 'advert', advert: { priority, advertMs: 1000, from: '10.0.0.2', senderIsHigher: true, sentAsMaster: undefined, ...rest } };
}

/** A machine that has become MASTER at 3609.375 ms (priority 100, version 2). */
function master(options: Partial<VrrpInstance> = {}): ReturnType<typeof machineWith> {
  const one = machineWith(options);
  one.machine.handle({ kind: 'start' }, 0);
  one.machine.handle({ kind: 'timer' }, one.machine.deadlineMs);
  assert.equal(one.machine.state, 'MASTER');
  one.done.length = 0;
  return one;
}

describe('becoming master', () => {
  it('waits three adverts and the skew, then takes the addresses and says so', () => {
    const { machine, done } = machineWith({});
    machine.handle({ kind: 'start' }, 0);
    assert.equal(machine.deadlineMs, 3000 + 156 / 256 * 1000);
    machine.handle({ kind: 'timer' }, 3609);
    assert.equal(machine.state, 'BACKUP');
    machine.handle({ kind: 'timer' }, 3610);
    assert.deepEqual(done, ['INIT → BACKUP', 'BACKUP → MASTER', 'advert 100', 'take', 'announce 5']);
    assert.equal(machine.deadlineMs, 4610);
  });

  it('in version 3 the skew is a part of the master\'s own interval', () => {
    const { machine } = machineWith({ version: 3, advertMs: 100, priority: 200 });
    machine.handle({ kind: 'start' }, 0);
    assert.equal(machine.deadlineMs, 300 + 56 / 256 * 100);
    machine.handle(advert(250, { advertMs: 400 }), 10);
    assert.equal(machine.deadlineMs, 10 + 1200 + 56 / 256 * 400);
  });

  it('the owner of the addresses does not wait', () => {
    const { machine } = machineWith({ priority: 255 });
    machine.handle({ kind: 'start' }, 0);
    assert.equal(machine.state, 'MASTER');
  });

  it('priority 0 shortens the wait to the skew', () => {
    const { machine } = machineWith({ priority: 156 });
    machine.handle({ kind: 'start' }, 0);
    machine.handle(advert(0), 500);
    assert.equal(machine.deadlineMs, 500 + 100 / 256 * 1000);
  });
});

describe('a machine that was stopped', () => {
  it('and was BACKUP gives the master one advert to show itself, once', () => {
    const { machine } = machineWith({ preempt: false });
    machine.handle({ kind: 'start' }, 0);
    machine.handle(advert(50), 1000);
    machine.handle({ kind: 'timer' }, 60_000);
    assert.equal(machine.state, 'BACKUP');
    assert.equal(machine.deadlineMs, 61_000 + 156 / 256 * 1000);
    const lonely = machine.deadlineMs;
    machine.handle(advert(50), 60_500);
    assert.equal(machine.deadlineMs, 63_500 + 156 / 256 * 1000, 'it has shown itself');
    const { machine: other } = machineWith({});
    other.handle({ kind: 'start' }, 0);
    other.handle({ kind: 'timer' }, 60_000);
    other.handle({ kind: 'timer' }, lonely + 60_000);
    assert.equal(other.state, 'MASTER', 'a machine that always comes late takes the addresses all the same');
  });

  it('and was MASTER yields to what came meanwhile without a word, as that may be old', () => {
    const { machine, done } = master();
    machine.handle(advert(101, { sentAsMaster: 17 }), 20_000);
    assert.deepEqual(done, ['release', 'MASTER → BACKUP', 'two masters, yielded']);
  });

  it('and was MASTER says so at once, as the other one may be it by now', () => {
    const { machine, done } = master();
    machine.handle({ kind: 'timer' }, 60_000);
    assert.deepEqual(done.filter((one) => one.startsWith('advert')), ['advert 100']);
    assert.equal(machine.nextMs(), 61_000);
  });
});

describe('preemption', () => {
  const heard = (machine: VrrpMachine, priority: number, untilMs: number): void => {
    machine.handle({ kind: 'start' }, 0);
    for (let nowMs = 0; nowMs <= untilMs; nowMs += 1000) {
      if (machine.deadlineMs <= nowMs) machine.handle({ kind: 'timer' }, nowMs);
      if (machine.state === 'BACKUP') machine.handle(advert(priority), nowMs);
    }
  };

  it('a higher priority takes over from a lower master after the usual wait', () => {
    const { machine } = machineWith({});
    heard(machine, 50, 4000);
    assert.equal(machine.state, 'MASTER');
  });

  it('nopreempt leaves a lower master alone, but not a dead one', () => {
    const { machine } = machineWith({ preempt: false });
    heard(machine, 50, 60_000);
    assert.equal(machine.state, 'BACKUP');
    machine.handle({ kind: 'timer' }, 64_000);
    assert.equal(machine.state, 'MASTER');
  });

  it('preempt_delay counts from the first advert of the lower master', () => {
    const { machine } = machineWith({ preemptDelayMs: 10_000 });
    heard(machine, 50, 10_000);
    assert.equal(machine.state, 'BACKUP');
    const late = machineWith({ preemptDelayMs: 10_000 }).machine;
    heard(late, 50, 14_000);
    assert.equal(late.state, 'MASTER');
  });

  it('a node whose checks have not run leaves a lower master alone until they have', () => {
    const { machine } = machineWith({}, false);
    heard(machine, 50, 30_000);
    assert.equal(machine.state, 'BACKUP');
    machine.handle({ kind: 'ready' }, 30_100);
    machine.handle(advert(50), 31_000);
    machine.handle({ kind: 'timer' }, 33_610);
    assert.equal(machine.state, 'MASTER');
  });

  it('a node whose checks have not run takes the address when nobody else has it', () => {
    const { machine } = machineWith({}, false);
    machine.handle({ kind: 'start' }, 0);
    machine.handle({ kind: 'timer' }, 3610);
    assert.equal(machine.state, 'MASTER');
  });
});

describe('while master', () => {
  it('sends every interval, announces with the first of them, a second time after garp_master_delay, and refreshes', () => {
    const { machine, done } = master({ garp: { delayMs: 5000, repeat: 3, refreshMs: 60_000, refreshRepeat: 1, lowerPriorityDelayMs: 5000, lowerPriorityRepeat: 5 } });
    for (let nowMs = machine.nextMs(); nowMs < 70_000; nowMs = machine.nextMs()) machine.handle({ kind: 'timer' }, nowMs);
    assert.equal(done.filter((one) => one === 'advert 100').length, 66);
    assert.deepEqual(done.filter((one) => one.startsWith('announce')), ['announce 1', 'announce 1', 'announce 1', 'announce 3', 'announce 1']);
  });

  it('answers priority 0 at once', () => {
    const { machine, done } = master();
    machine.handle(advert(0), 4000);
    assert.deepEqual(done, ['advert 100']);
  });

  it('yields to a higher priority, and to the same priority with a higher address', () => {
    for (const heard of [advert(101, { sentAsMaster: 1 }), advert(100, { sentAsMaster: 1 })]) {
      const { machine, done } = master();
      machine.handle(heard, 3700);
      assert.deepEqual(done, ['release', 'MASTER → BACKUP']);
    }
    const { machine } = master();
    machine.handle(advert(100, { senderIsHigher: false }), 3700);
    assert.equal(machine.state, 'MASTER');
  });

  it('with higher_prio_send_advert sends a last advert before it yields', () => {
    const { machine, done } = master({ higherPrioritySendAdvert: true });
    machine.handle(advert(101), 3700);
    assert.deepEqual(done, ['advert 100', 'release', 'MASTER → BACKUP']);
  });

  it('against a lower priority it sends at once and announces itself again', () => {
    const { machine, done } = master({ garp: { delayMs: 0, repeat: 5, refreshMs: 0, refreshRepeat: 1, lowerPriorityDelayMs: 2000, lowerPriorityRepeat: 4 } });
    machine.handle(advert(50), 3700);
    assert.deepEqual(done, ['advert 100', 'announce 4', 'lower']);
    machine.handle({ kind: 'timer' }, 5700);
    assert.equal(done.at(-1), 'announce 5', 'the second set after the delay');
  });

  it('answers a flood of adverts with two an interval at most, and the other one hears it in time', () => {
    for (const heard of [advert(50), advert(0)]) {
      const { machine, done } = master();
      const fromMs = 3700;
      for (let nowMs = fromMs; nowMs < fromMs + 10_000; nowMs += 1) {
        if (machine.nextMs() <= nowMs) machine.handle({ kind: 'timer' }, nowMs);
        machine.handle(heard, nowMs);
      }
      const sent = done.filter((one) => one === 'advert 100').length;
      assert(sent >= 19 && sent <= 21, `${sent} adverts in ten intervals`);
      assert(done.filter((one) => one === 'lower').length <= 21);
      assert.equal(machine.adverts.received, 10_000);
    }
  });

  it('gives up with priority 0 when it stops, fails, or its group goes', () => {
    for (const [event, state] of [[{ kind: 'stop' }, 'STOP'], [{ kind: 'fault', why: 'eth0 is down' }, 'FAULT'], [{ kind: 'group', to: 'BACKUP' }, 'BACKUP']] as const) {
      const { machine, done } = master();
      machine.handle(event, 3700);
      assert.deepEqual(done, ['advert 0', 'release', `MASTER → ${state}`]);
    }
  });
});

describe('two masters', () => {
  it('an old master that hears a lower one, or one that has long been master, says so', () => {
    const stayed = master();
    stayed.machine.handle(advert(50), 20_000);
    assert(stayed.done.includes('two masters, stayed master'));
    const yielded = master();
    yielded.machine.handle({ kind: 'timer' }, 19_500);
    yielded.done.length = 0;
    yielded.machine.handle(advert(101, { sentAsMaster: 17 }), 20_000);
    assert.deepEqual(yielded.done, ['advert 100', 'release', 'MASTER → BACKUP', 'two masters, yielded']);
  });

  it('a preemption is not two masters', () => {
    const { machine, done } = master();
    machine.handle(advert(101, { sentAsMaster: 1 }), 20_000);
    assert(!done.some((one) => one.startsWith('two')));
    const fresh = master();
    fresh.machine.handle(advert(50), 3700);
    assert(!fresh.done.some((one) => one.startsWith('two')));
  });

  it('after a partition heals both nodes record it and the winner announces itself', () => {
    const network = new SimulatedNetwork(7);
    const [low, high] = [network.add({ priority: 100 }), network.add({ priority: 101 })];
    for (const node of network.nodes) node.give({ kind: 'start' });
    network.runUntil(10_000);
    assert.deepEqual([low.state, high.state], ['BACKUP', 'MASTER']);
    low.partition = 1;
    network.runUntil(40_000);
    assert.deepEqual([low.state, high.state], ['MASTER', 'MASTER']);
    low.partition = 0;
    network.runUntil(60_000);
    assert.deepEqual([low.state, high.state], ['BACKUP', 'MASTER']);
    const said = (found: readonly { outcome: string }[]): string[] => [...new Set(found.map((one) => one.outcome))];
    assert.deepEqual([said(low.found), said(high.found)], [['yielded'], ['stayed master']]);
    assert(high.announcedAtMs >= 40_000);
  });
});
