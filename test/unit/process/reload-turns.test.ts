/** One configuration at a time: commands are refused meanwhile, signals remembered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReloadTurns } from '../../../src/process/reload-turns.ts';

function opened(): ReloadTurns {
  const turns = new ReloadTurns();
  turns.open();
  return turns;
}

test('during the start commands wait, signals are remembered', async () => {
  const turns = new ReloadTurns();
  const told: string[] = [];
  const command = turns.run(async () => { told.push('command'); });
  assert.equal(turns.whenFree(() => told.push('signal')), true);
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  assert.deepEqual(told, []);
  turns.open();
  await command;
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  assert.deepEqual(told, ['command', 'signal']);
});

test('a turn is refused while another one lasts', async () => {
  const turns = opened();
  const work = Promise.withResolvers<string>();
  const first = turns.run(() => work.promise);
  assert.equal(await turns.run(async () => 'second'), null);
  work.resolve('first');
  assert.equal(await first, 'first');
  assert.equal(await turns.run(async () => 'third'), 'third');
});

test('what a signal wants begins at once, or once when the turn is over, after those who wait for the turn have heard of it', async () => {
  const turns = opened();
  const told: string[] = [];
  assert.equal(turns.whenFree(() => told.push('at once')), false);
  assert.deepEqual(told, ['at once']);
  const work = Promise.withResolvers<void>();
  const first = turns.run(() => work.promise).then(() => told.push(`first is over, another waits: ${turns.waits}`));
  assert.deepEqual([turns.whenFree(() => told.push('earlier signal')), turns.whenFree(() => told.push('later signal'))], [true, false]);
  work.resolve();
  await first;
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  assert.deepEqual(told, ['at once', 'first is over, another waits: true', 'later signal']);
  assert.equal(turns.waits, false);
});

test('a turn that fails is over too; a command that comes first has its turn before what was remembered', async () => {
  const turns = opened();
  const told: string[] = [];
  const first = turns.run(async () => { throw new Error('no'); });
  turns.whenFree(() => told.push('signal'));
  await assert.rejects(first, /no/);
  const second = turns.run(async () => { told.push('command'); });
  await second;
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  assert.deepEqual(told, ['command', 'signal']);
});
