/** What a reload replaces is let go: a process that is reloaded a thousand times is as large as after the first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createAdminContext, type AdminContext } from '../../../src/admin/context.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { Events } from '../../../src/control/events.ts';
import { AdviceList } from '../../../src/control/watch/advice-list.ts';
import type { Model } from '../../../src/model/model.ts';
import { ControlPlan } from '../../../src/process/control-plan.ts';
import { Segments } from '../../../src/shared/segments.ts';
import { SlotBook } from '../../../src/shared/slots.ts';
import { base, load, model } from '../config/loading.ts';
import { makeFixture } from '../report/fixture.ts';

const rounds = 10;
/** The one in force, and what a register or the stack may still point at. */
const aliveMax = 3;

function collectGarbage(): void {
  const { Bun } = globalThis as { Bun?: { gc(full: boolean): void } };
  if (Bun !== undefined) {
    Bun.gc(true);
    return;
  }
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

async function alive(refs: readonly WeakRef<object>[]): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => { setTimeout(resolve, 5); });
    collectGarbage();
  }
  return refs.filter((ref) => ref.deref() !== undefined).length;
}

test('plans of the control thread, health checks included', async () => {
  const events = new Events();
  const ground = { events, advice: new AdviceList(systemClock, events), broadcast: () => undefined, warn: () => undefined, tellOfMail: () => undefined, selfCheck: false, takesUp: () => false };
  const read = (): Model => model(load(`${base}listen li\n bind 127.0.0.1:1\n server s1 127.0.0.1:9 check inter 1h\n server s2 127.0.0.1:9 check inter 1h\n`));
  let current = read();
  let segments = Segments.allocate(current, 1);
  const book = new SlotBook(current);
  let plan = new ControlPlan(current, segments, ground, null);
  plan.start(null);
  const refs: WeakRef<object>[] = [];
  for (let round = 0; round < rounds; round++) {
    const next = read();
    const changes = book.plan(next);
    segments = segments.reloaded(next, current, changes);
    const following = new ControlPlan(next, segments, ground, plan);
    book.commit(changes);
    refs.push(new WeakRef(plan));
    await plan.stop();
    following.start(plan);
    [plan, current] = [following, next];
  }
  const left = await alive(refs);
  await plan.stop();
  assert.ok(left <= aliveMax, `${left} of ${rounds} former plans are still there`);
});

test('what commands work on', async () => {
  let context: AdminContext = makeFixture().context;
  const refs: WeakRef<object>[] = [];
  for (let round = 0; round < rounds; round++) {
    refs.push(new WeakRef(context.segments));
    const parts = makeFixture().context;
    context = createAdminContext(parts, context);
  }
  const left = await alive(refs);
  assert.ok(left <= aliveMax, `${left} of ${rounds} former contexts are still there; the last has ${context.segments.threads} threads`);
});
