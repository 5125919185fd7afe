/** What comes back after a restart, and what does not because the configuration says something new. */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { S } from '../../../src/model/server-state.ts';
import { objectTotals } from '../../../src/shared/totals.ts';
import { C } from '../../../src/model/counters.ts';
import { folder, type Process, start } from './rig.ts';

const configuration = `frontend fe
  bind 127.0.0.1:8080
  default_backend be
backend be
  stick-table type string len 16 size 1k expire 1m
  stick on hdr(x-id)
  server s1 127.0.0.1:81 weight 10 check rise 2 fall 3
  server s2 127.0.0.1:82 weight 10
  server s3 127.0.0.1:83 weight 10
`;
const beganMs = 1_700_000_500_000;

function begin(path: string, nowMs = beganMs, text = configuration): Process {
  const begun = start(path, text, nowMs);
  assert(begun !== undefined);
  return begun;
}

/** One process after another on one folder; `ms` lie between the end of a process and the next. */
function afterRestart(first: (process: Process) => void, ms: number, then: (process: Process) => void, text = configuration): void {
  const { path, remove } = folder();
  const before = begin(path);
  first(before);
  before.saved.close();
  const after = begin(path, before.time.dateMs() + ms, text);
  then(after);
  after.saved.close();
  remove();
}

const failed = { outcome: 'failed', status: 'L4CON', code: 0, durationMs: 0, description: '' } as const;
const down = ({ states, server }: Process): void => { for (let number = 0; number < 4; number++) states.checkEnded(server('be/s1'), failed); };
const state = ({ segments, server }: Process, name: string, field: number): number => segments.serverState(server(name))[field] ?? 0;

describe('over a restart', () => {
  it('counters go on, know since when, and what this process has counted', () => {
    afterRestart((process) => {
      process.count(process.segments.frontendObject(0), { stot: 7, bin: 1000 });
      process.time.pass(60_000);
    }, 5000, ({ counting, segments, count }) => {
      const object = segments.frontendObject(0);
      count(object, { stot: 2 });
      assert.equal(objectTotals(segments, object)[C.stot], 9);
      assert.equal(counting.base(object, 'stot'), 7);
      assert.equal(counting.sinceMs(object), beganMs);
      counting.cleared(segments.objects(), 5);
      assert.deepEqual([counting.sinceMs(object), counting.sinceMs(-1), counting.base(object, 'stot')], [5, 5, 0]);
    });
  });

  it('a new object counts from now on', () => {
    afterRestart(() => undefined, 5000, ({ counting, segments, server }) => {
      assert.equal(counting.sinceMs(segments.serverObject(server('be/s9'))), beganMs + 5000);
      assert.equal(counting.sinceMs(segments.serverObject(server('be/s1'))), beganMs);
    }, `${configuration}  server s9 127.0.0.1:89\n`);
  });

  it('what was set by hand stays', () => {
    afterRestart(({ states, server, settings }) => {
      states.setAdmin(server('be/s1'), 'drain');
      states.setAdmin(server('be/s2'), 'maint');
      states.setWeight(server('be/s3'), '25');
      states.setAddress(server('be/s3'), '10.0.0.9', 8083, 'test');
      states.setMaxconn(server('be/s3'), 12);
      states.setHealthEnabled(server('be/s1'), false);
      states.setCheckPlace(server('be/s1'), '10.0.0.8', 99);
      settings.set(0, { paused: 1 });
      settings.set('process', { maxconn: 50 });
    }, 5000, ({ states, server, settings, ...process }) => {
      assert.deepEqual(['be/s1', 'be/s2'].map((name) => states.statusText(server(name))), ['DRAIN', 'MAINT']);
      assert.deepEqual(states.address(server('be/s3')), { host: '10.0.0.9', port: 8083 });
      const { segments } = process;
      assert.deepEqual([S.uweight, S.maxconn].map((field) => segments.serverState(server('be/s3'))[field]), [25, 12]);
      const { enabled, host, port } = states.checkInfo(server('be/s1'));
      assert.deepEqual({ enabled, host, port }, { enabled: false, host: '10.0.0.8', port: 99 });
      assert.equal(settings.get(0)?.['paused'], 1);
      assert.equal(settings.get('process')?.['maxconn'], 50);
    });
  });

  it('a configuration that says something new about it wins', () => {
    afterRestart(({ states, server }) => {
      states.setWeight(server('be/s3'), '25');
      states.setAddress(server('be/s3'), '10.0.0.9', null, 'test');
      states.setMaxconn(server('be/s3'), 12);
      states.setAdmin(server('be/s2'), 'drain');
    }, 5000, ({ states, server, segments }) => {
      assert.deepEqual(states.address(server('be/s3')), { host: '127.0.0.1', port: 93 });
      assert.deepEqual([S.uweight, S.maxconn].map((field) => segments.serverState(server('be/s3'))[field]), [20, 5]);
      assert.equal(states.statusText(server('be/s2')), 'MAINT');
    }, configuration.replace('127.0.0.1:83 weight 10', '127.0.0.1:93 weight 20 maxconn 5').replace(':82 weight 10', ':82 weight 10 disabled'));
  });

  it('a server made ready that the configuration disables stays ready', () => {
    const disabled = configuration.replace(':82 weight 10', ':82 weight 10 disabled');
    const { path, remove } = folder();
    const first = begin(path, beganMs, disabled);
    first.states.setAdmin(first.server('be/s2'), 'ready');
    first.saved.close();
    const second = begin(path, beganMs + 1000, disabled);
    assert.equal(second.states.statusText(second.server('be/s2')), 'no check');
    second.saved.close();
    remove();
  });

  it('a server that was down is down until its checks pass, and the outage goes on', () => {
    afterRestart((process) => {
      down(process);
      process.time.pass(30_000);
      process.saved.save();
    }, 2000, (process) => {
      const { states, server } = process;
      assert.equal(states.statusText(server('be/s1')), 'DOWN');
      assert.equal(states.downtimeSeconds(server('be/s1')), 32);
      assert.equal(state(process, 'be/s1', S.chkdown), 1);
      assert.equal(state(process, 'be/s1', S.chkfail), 1);
      const passed = { outcome: 'passed', status: 'L4OK', code: 0, durationMs: 0, description: '' } as const;
      states.checkEnded(server('be/s1'), passed);
      states.checkEnded(server('be/s1'), passed);
      assert.equal(states.statusText(server('be/s1')), 'UP');
    });
  });

  it('after a longer pause checks begin anew, and the pause is no outage of the server', () => {
    afterRestart((process) => {
      down(process);
      process.time.pass(30_000);
      process.saved.save();
    }, 3_600_000, (process) => {
      assert.notEqual(process.states.statusText(process.server('be/s1')), 'DOWN');
      assert.equal(process.states.downtimeSeconds(process.server('be/s1')), 30);
    });
  });

  it('a server without checks stays as somebody said, however long it takes', () => {
    afterRestart(({ states, server }) => { states.setHealth(server('be/s2'), 'down'); }, 1e9, ({ states, server, segments }) => {
      assert(states.isStopped(server('be/s2')));
      assert.equal(states.downtimeSeconds(server('be/s2')), 1e6);
      assert.equal(segments.backendState(1)[1], 2);
    });
  });

  it('last changes stay', () => {
    afterRestart(({ time }) => time.pass(1_000_000), 5000, (process) => {
      assert.equal(state(process, 'be/s2', S.lastchg_s), beganMs / 1000);
    });
  });

  it('stick tables come back with their servers by name and what is left of their time', () => {
    afterRestart((process) => {
      process.table('be').store('early', process.server('be/s1'));
      process.time.pass(50_000);
      process.table('be').store('late', process.server('be/s3'));
      process.table('be').store('orphan', process.server('be/s2'));
      process.table('be').store('nobody', -1);
    }, 15_000, (process) => {
      const found: Record<string, [string, number]> = {};
      process.table('be').forEach(({ key, server, expiresInMs }) => { found[key] = [process.model.servers[server]?.name ?? '', expiresInMs]; });
      assert.deepEqual(found, { late: ['s3', 45_000], nobody: ['', 45_000] });
    }, configuration.replace('  server s2 127.0.0.1:82 weight 10\n', ''));
  });
});

describe('a process that is killed', () => {
  it('has written each second what changed in its tables, and nothing comes back that was removed', async () => {
    const { path, remove } = folder();
    const first = begin(path);
    const table = first.table('be');
    for (let number = 0; number < 900; number++) table.store(`k${number}`, first.server('be/s1'));
    await first.saved.saveSticks();
    for (let number = 0; number < 400; number++) table.remove(`k${number}`);
    table.store('k500', first.server('be/s3'));
    await first.saved.saveSticks();
    for (const name of readdirSync(path)) assert.equal(statSync(join(path, name)).mode & 0o77, 0, name);
    // A second process reads what the first one has not closed. It is killed before it has written anything; the third one still finds all.
    begin(path, beganMs + 1000);
    const third = begin(path, beganMs + 2000);
    assert.equal(third.table('be').used, 500);
    assert.equal(third.table('be').lookup('k500', false), third.server('be/s3'));
    await third.saved.saveSticks();
    const fourth = begin(path, beganMs + 3000);
    assert.equal(fourth.table('be').used, 500);
    for (const { database } of [first, third, fourth]) database.close();
    remove();
  });
});

describe('two processes with one folder', () => {
  it('sum up exactly what both have counted', async () => {
    const { path, remove } = folder();
    const first = begin(path);
    const object = first.segments.frontendObject(0);
    first.count(object, { stot: 100 });
    first.saved.save();
    first.count(object, { stot: 110 });
    const second = begin(path, beganMs + 1000);
    second.count(object, { stot: 5 });
    for (const [before, now] of [[120, 6], [150, 60], [151, 61]] as const) {
      first.count(object, { stot: before });
      second.count(object, { stot: now });
      if (now % 2 === 0) second.saved.save();
      first.saved.save();
      second.saved.save();
    }
    first.table('be').store('from the old', first.server('be/s3'));
    first.count(object, { stot: 200 });
    first.saved.close();
    await second.saved.saveSticks();
    second.saved.save();
    assert.deepEqual([...first.warnings, ...second.warnings], []);
    assert.equal(objectTotals(second.segments, object)[C.stot], 261);
    assert.equal(second.counting.base(object, 'stot'), 200);
    assert.equal(second.table('be').lookup('from the old', false), second.server('be/s3'));
    second.saved.close();
    const third = begin(path, beganMs + 2000);
    assert.equal(objectTotals(third.segments, object)[C.stot], 261);
    assert.equal(third.table('be').used, 1);
    third.saved.close();
    remove();
  });
});

describe('a large table', () => {
  it('is written in parts, so that others get their turn', async () => {
    const { path, remove } = folder();
    const process = begin(path, beganMs, configuration.replace('size 1k', 'size 20k'));
    for (let number = 0; number < 20_000; number++) process.table('be').store(`k${number}`, 0);
    let turns = 0;
    const saving = { done: false };
    const saved = process.saved.saveSticks().then(() => { saving.done = true; });
    while (!saving.done) {
      await turn();
      turns += 1;
    }
    await saved;
    assert(turns >= 15, `${turns} turns`);
    process.saved.close();
    const next = begin(path, beganMs + 1, configuration.replace('size 1k', 'size 30k'));
    assert.equal(next.table('be').used, 20_000, 'a table of another size is the same table');
    next.saved.close();
    remove();
  });
});
