/** The one door to server states. Log lines and status words are those that HAProxy 2.6 gave for the same commands. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CheckResult } from '../../../src/control/check-result.ts';
import { G } from '../../../src/model/counters.ts';
import { B, S, admin, op } from '../../../src/model/server-state.ts';
import { HandTime, makeWorld } from './rig.ts';
import type { World } from './rig.ts';

const good: CheckResult = { outcome: 'passed', status: 'L7OK', code: 200, durationMs: 1, description: '' };
const bad: CheckResult = { outcome: 'failed', status: 'L7STS', code: 503, durationMs: 2, description: 'Service Unavailable' };
const refused: CheckResult = { outcome: 'failed', status: 'L4CON', code: 0, durationMs: 0, description: 'Connection refused' };
const found404: CheckResult = { outcome: 'conditional', status: 'L7OKC', code: 404, durationMs: 1, description: '' };

const backends = `
backend be
  default-server check inter 1s rise 2 fall 3
  server s1 127.0.0.1:1
  server s2 127.0.0.1:2
  server nc 127.0.0.1:3 no-check
  server bk 127.0.0.1:4 backup
  server dis 127.0.0.1:5 disabled
  server w0 127.0.0.1:6 weight 0
backend tr
  server t1 127.0.0.1:7 track be/s1
  server t2 127.0.0.1:8 track tr/t1
backend one
  server o1 127.0.0.1:9 check
  server ob 127.0.0.1:10 check backup
`;

function world(configuration = backends): World & { time: HandTime; check(name: string, ...results: CheckResult[]): void; status(name: string): string } {
  const time = new HandTime();
  const made = makeWorld(configuration, time);
  return {
    ...made, time,
    check: (name, ...results) => { for (const result of results) made.states.checkEnded(made.server(name), result); },
    status: (name) => made.states.statusText(made.server(name)),
  };
}

const field = (of: World, name: string, at: number): number => of.segments.serverState(of.server(name))[at] ?? 0;
const backend = (of: World, name: string): { active: number; backup: number; weight: number; up: number } => {
  const proxy = of.model.proxies.find((one) => one.name === name);
  assert(proxy !== undefined);
  const state = of.segments.backendState(proxy.index);
  return { active: state[B.active] ?? 0, backup: state[B.backup] ?? 0, weight: state[B.weight] ?? 0, up: state[B.up] ?? 0 };
};

describe('server states by checks', () => {
  it('servers start up, one failure from down; a good check makes them sure', () => {
    const w = world();
    assert.equal(w.status('be/s1'), 'UP 1/3');
    assert.equal(w.status('be/nc'), 'no check');
    assert.equal(w.status('tr/t2'), 'UP 1/3');
    w.check('be/s1', good);
    assert.equal(w.status('be/s1'), 'UP');
    assert.deepEqual(w.said(), []);
    assert.deepEqual(backend(w, 'be'), { active: 3, backup: 1, weight: 3, up: 1 });
  });

  it('falls after fall failures, rises after rise successes, and says so', () => {
    const w = world();
    w.check('be/s1', good, bad);
    assert.equal(w.status('be/s1'), 'UP 2/3');
    w.check('be/s1', bad);
    assert.equal(w.status('be/s1'), 'UP 1/3');
    assert.deepEqual(w.said(), []);
    w.check('be/s1', bad);
    assert.deepEqual(w.said(), [
      '<1>Server be/s1 is DOWN, reason: Layer7 wrong status, code: 503, info: "Service Unavailable", check duration: 2ms. 2 active and 1 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<1>Server tr/t1 is DOWN via be/s1. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<1>Server tr/t2 is DOWN via tr/t1. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<0>backend tr has no server available!',
    ]);
    assert.deepEqual([w.status('be/s1'), w.status('tr/t1'), field(w, 'be/s1', S.chkfail), field(w, 'be/s1', S.chkdown)], ['DOWN', 'DOWN', 3, 1]);
    w.check('be/s1', bad);
    assert.equal(field(w, 'be/s1', S.chkfail), 3, 'a server that is down does not fail again');
    w.check('be/s1', good);
    assert.equal(w.status('be/s1'), 'DOWN 1/2');
    w.check('be/s1', bad);
    assert.equal(w.status('be/s1'), 'DOWN');
    w.check('be/s1', good, good);
    assert.deepEqual(w.said(), [
      '<5>Server be/s1 is UP, reason: Layer7 check passed, code: 200, check duration: 1ms. 3 active and 1 backup servers online. 0 sessions requeued, 0 total in queue.',
      '<5>Server tr/t1 is UP via be/s1. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
      '<5>Server tr/t2 is UP via tr/t1. 2 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
    ]);
  });

  it('backup servers are named, and taking over is told', () => {
    const w = world();
    w.check('one/o1', refused);
    w.check('one/ob', refused);
    assert.deepEqual(w.said(), [
      '<1>Server one/o1 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 0 active and 1 backup servers left. Running on backup. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<1>Backup Server one/ob is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<0>backend one has no server available!',
    ]);
    assert.deepEqual(backend(w, 'one'), { active: 0, backup: 0, weight: 0, up: 0 });
  });

  it('log-health-checks: every change of result has its line, reasons move there', () => {
    const w = world('backend hl\n  option httpchk\n  option log-health-checks\n  http-check disable-on-404\n  server h1 127.0.0.1:1 check rise 2 fall 3\n  server h2 127.0.0.1:2 check backup\n');
    w.check('hl/h1', good, good, bad, bad);
    w.check('hl/h2', refused);
    w.check('hl/h1', found404);
    assert.deepEqual(w.said(), [
      '<5>Health check for server hl/h1 succeeded, reason: Layer7 check passed, code: 200, check duration: 1ms, status: 3/3 UP.',
      '<5>Health check for server hl/h1 failed, reason: Layer7 wrong status, code: 503, info: "Service Unavailable", check duration: 2ms, status: 2/3 UP.',
      '<5>Health check for server hl/h1 failed, reason: Layer7 wrong status, code: 503, info: "Service Unavailable", check duration: 2ms, status: 1/3 UP.',
      '<5>Health check for backup server hl/h2 failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms, status: 0/2 DOWN.',
      '<1>Backup Server hl/h2 is DOWN. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<5>Health check for server hl/h1 conditionally succeeded, reason: Layer7 check conditionally passed, code: 404, check duration: 1ms, status: 3/3 UP.',
      '<5>Server hl/h1 is stopping. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
      '<0>backend hl has no server available!',
    ]);
    assert.deepEqual([w.status('hl/h1'), field(w, 'hl/h1', S.op)], ['NOLB', op.stopping]);
    w.check('hl/h1', bad);
    assert.equal(w.status('hl/h1'), 'NOLB 2/3');
  });

  it('counts sessions and waiting requests into the lines', () => {
    const w = world();
    const gauges = w.segments.gauges(w.segments.serverObject(w.server('be/s2')));
    gauges[G.scur] = 7;
    gauges[G.qcur] = 3;
    w.check('be/s2', bad);
    assert.match(w.said()[0] ?? '', /7 sessions active, 3 requeued, 0 remaining in queue\.$/);
  });

  it('init-state decides how a server starts', () => {
    const w = world('backend b\n  server f 127.0.0.1:1 check init-state fully-up\n  server d 127.0.0.1:2 check init-state down\n  server fd 127.0.0.1:3 check init-state fully-down\n');
    assert.deepEqual(['b/f', 'b/d', 'b/fd'].map((name) => w.status(name)), ['UP', 'DOWN 1/2', 'DOWN']);
    assert.deepEqual(backend(w, 'b'), { active: 1, backup: 0, weight: 1, up: 1 });
    w.check('b/d', good);
    w.check('b/fd', good);
    assert.deepEqual(['b/d', 'b/fd'].map((name) => w.status(name)), ['UP', 'DOWN 1/2']);
  });

  it('traffic threads are told to cut sessions and to look at their queues', () => {
    const w = world('backend b\n  server a 127.0.0.1:1 check on-marked-down shutdown-sessions on-marked-up shutdown-backup-sessions\n  server k 127.0.0.1:2 backup\n');
    w.check('b/a', bad);
    assert.deepEqual(w.posted, [{ type: 'shutdown-server-sessions', server: 0, reason: 'D' }, { type: 'wake-queue', proxy: 0, server: 0 }]);
    w.posted.length = 0;
    w.check('b/a', good, good);
    assert.deepEqual(w.posted, [{ type: 'wake-queue', proxy: 0, server: 0 }, { type: 'shutdown-backup-sessions', proxy: 0 }]);
  });

  it('the epoch moves with every change that matters, and only then', () => {
    const w = world();
    const epoch = (): number => w.segments.backendState(0)[B.epoch] ?? 0;
    const before = epoch();
    w.check('be/s1', good, bad);
    assert.equal(epoch(), before);
    w.check('be/s1', bad, bad);
    assert.equal(epoch(), before + 1);
  });
});

describe('server states by command', () => {
  const changes: [string, () => World & { status(name: string): string }, (w: World) => void, string[]][] = [
    ['maintenance and back', world, (w) => { w.states.setAdmin(0, 'maint'); w.states.setAdmin(0, 'maint'); w.states.setAdmin(0, 'ready'); }, [
      '<1>Server be/s1 is going DOWN for maintenance. 2 active and 1 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<1>Server tr/t1 is going DOWN for maintenance via be/s1. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<1>Server tr/t2 is going DOWN for maintenance via tr/t1. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<0>backend tr has no server available!',
      '<5>Server be/s1 is UP/READY (leaving forced maintenance).',
      '<5>Server tr/t1 is UP/READY (leaving maintenance).',
      '<5>Server tr/t2 is UP/READY (leaving maintenance).',
    ]],
    ['drain, maintenance on top, ready', world, (w) => { w.states.setAdmin(1, 'drain'); w.states.setAdmin(1, 'maint'); w.states.setAdmin(1, 'ready'); }, [
      '<5>Server be/s2 enters drain state. 2 active and 1 backup servers online. 0 sessions requeued, 0 total in queue.',
      '<5>Server be/s2 is going DOWN for maintenance. 2 active and 1 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<5>Server be/s2 is UP/READY (leaving forced maintenance).',
    ]],
    ['drain and ready with trackers', world, (w) => { w.states.setAdmin(0, 'drain'); w.states.setAdmin(0, 'ready'); }, [
      '<5>Server be/s1 enters drain state. 2 active and 1 backup servers online. 0 sessions requeued, 0 total in queue.',
      '<5>Server tr/t1 enters drain state via be/s1. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
      '<5>Server tr/t2 enters drain state via tr/t1. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
      '<0>backend tr has no server available!',
      '<5>Server be/s1 is UP (leaving forced drain).',
      '<5>Server tr/t1 is UP (leaving forced drain).',
      '<5>Server tr/t2 is UP (leaving forced drain).',
    ]],
    ['maintenance of a server that is down', world, (w) => { w.states.checkEnded(1, bad); w.said(); w.states.setAdmin(1, 'maint'); w.states.setAdmin(1, 'ready'); }, [
      '<5>Server be/s2 was DOWN and now enters maintenance.', '<5>Server be/s2 is UP/READY (leaving forced maintenance).',
    ]],
    ['drain of a server that is down', world, (w) => { w.states.checkEnded(1, bad); w.said(); w.states.setAdmin(1, 'drain'); w.states.setAdmin(1, 'ready'); }, [
      '<5>Server be/s2 enters drain state. 2 active and 1 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.', '<5>Server be/s2 is DOWN (leaving forced drain).',
    ]],
    ['from maintenance to drain', world, (w) => { w.states.setAdmin(1, 'maint'); w.said(); w.states.setAdmin(1, 'drain'); }, ['<5>Server be/s2 is UP/DRAIN (leaving forced maintenance).']],
    ['health by command', world, (w) => { w.states.setHealth(2, 'down'); w.states.setHealth(2, 'up'); w.states.setHealth(2, 'stopping'); }, [
      '<1>Server be/nc is DOWN, changed from CLI. 2 active and 1 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<5>Server be/nc is UP, changed from CLI. 3 active and 1 backup servers online. 0 sessions requeued, 0 total in queue.',
      '<5>Server be/nc is stopping, changed from CLI. 2 active and 1 backup servers online. 0 sessions requeued, 0 total in queue.',
    ]],
    ['a disabled server is enabled', world, (w) => w.states.setAdmin(4, 'ready'), ['<5>Server be/dis is UP/READY (leaving forced maintenance).']],
  ];
  for (const [name, make, act, expected] of changes) {
    it(name, () => {
      const w = make();
      act(w);
      assert.deepEqual(w.said(), expected);
    });
  }

  it('status words of maintenance and drain', () => {
    const w = world();
    w.states.setAdmin(0, 'maint');
    assert.deepEqual(['be/s1', 'tr/t1', 'tr/t2', 'be/dis'].map((name) => w.status(name)), ['MAINT', 'MAINT (via be/s1)', 'MAINT (via tr/t1)', 'MAINT']);
    assert.deepEqual([field(w, 'be/s1', S.admin), field(w, 'tr/t1', S.admin), field(w, 'be/dis', S.admin)], [admin.forcedMaint, admin.inheritedMaint, admin.forcedMaint | admin.configMaint]);
    w.states.setAdmin(0, 'drain');
    assert.deepEqual(['be/s1', 'tr/t1'].map((name) => w.status(name)), ['DRAIN 1/3', 'DRAIN 1/3']);
    w.check('be/s1', good);
    assert.equal(w.status('be/s1'), 'DRAIN');
    w.states.setAdmin(4, 'ready');
    assert.deepEqual([w.status('be/dis'), field(w, 'be/dis', S.admin)], ['UP 1/3', admin.configMaint]);
  });

  it('a tracker with maintenance of its own stays in it', () => {
    const w = world();
    const tracker = w.server('tr/t1');
    w.states.setAdmin(0, 'maint');
    w.states.setAdmin(tracker, 'maint');
    w.said();
    w.states.setAdmin(0, 'ready');
    assert.deepEqual(w.said(), ['<5>Server be/s1 is UP/READY (leaving forced maintenance).', '<5>Server tr/t1 remains in forced maintenance.']);
    assert.equal(w.status('tr/t2'), 'MAINT (via tr/t1)');
    w.states.setAdmin(tracker, 'ready');
    assert.deepEqual(w.said(), ['<5>Server tr/t1 is UP/READY (leaving forced maintenance).', '<5>Server tr/t2 is UP/READY (leaving maintenance).']);
    assert.equal(w.states.setHealth(tracker, 'down'), 'cannot change health on a tracking server.');
  });

  it('checks that fail during maintenance or while disabled change nothing', () => {
    const w = world();
    assert.equal(w.states.setHealthEnabled(1, false), '');
    assert.equal(w.status('be/s2'), 'no check');
    w.check('be/s2', bad, bad, bad);
    assert.equal(field(w, 'be/s2', S.op), op.running);
    assert.equal(w.states.setHealthEnabled(2, true), 'Health check was not configured on this server, cannot enable.');
  });

  it('weights: absolute, relative, and what is refused', () => {
    const w = world('backend b\n  server a 127.0.0.1:1 weight 10\n  server c 127.0.0.1:2\nbackend s\n  balance source\n  server a 127.0.0.1:3 weight 10\n');
    assert.equal(w.states.setWeight(0, '50%'), '');
    assert.deepEqual([field(w, 'b/a', S.uweight), field(w, 'b/a', S.lbweight), backend(w, 'b').weight], [5, 80, 6]);
    assert.equal(w.states.setWeight(0, '0'), '');
    assert.deepEqual(backend(w, 'b'), { active: 1, backup: 0, weight: 1, up: 1 });
    assert.equal(w.status('b/a'), 'no check');
    const refusals: [number, string, string][] = [
      [0, '300', 'Absolute weight can only be between 0 and 256 inclusive.'], [0, 'abc', 'Empty weight string empty or preceded by garbage'],
      [0, '5x', 'Trailing garbage in weight string'], [0, '-5%', 'Relative weight must be positive.'], [0, '', 'Require <weight> or <weight%>.'],
      [2, '50%', "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'."],
    ];
    for (const [server, text, why] of refusals) assert.equal(w.states.setWeight(server, text), why);
    assert.equal(w.states.setWeight(2, '0%'), '');
    assert.equal(w.states.setWeight(2, '100%'), '');
    assert.equal(w.states.setWeight(0, '9999%'), '');
    assert.equal(field(w, 'b/a', S.uweight), 256);
  });

  it('addresses', () => {
    const w = world();
    const answers = [
      w.states.setAddress(0, '127.0.0.1', null, 'stats socket command'), w.states.setAddress(0, '127.0.0.1', 9, 'x'), w.states.setAddress(0, '::1', null, 'x'),
      w.states.setAddress(0, 'foo', null, 'x'), w.states.setAddress(0, '::1', 9, 'x'),
    ];
    assert.deepEqual(answers, [
      "no need to change the addr by 'stats socket command'", "no need to change the addr, port changed from '1' to '9' by 'x'", "IP changed from '127.0.0.1' to '::1' by 'x'",
      "Invalid addr 'foo' by 'x'", "no need to change the addr, no need to change the port by 'x'",
    ]);
    assert.deepEqual(w.states.address(0), { host: '::1', port: 9 });
    assert.deepEqual(w.posted.at(-1), { type: 'server-address', server: 0, host: '::1', port: 9 });
    assert.equal(field(w, 'be/s1', S.addr_version), 2);
  });

  it('maxconn in force', () => {
    const w = world();
    w.states.setMaxconn(0, 30);
    assert.equal(field(w, 'be/s1', S.maxconn), 30);
    assert.deepEqual(w.posted.at(-1), { type: 'wake-queue', proxy: 0, server: 0 });
  });
});

describe('time in server states', () => {
  it('down time of servers and backends', () => {
    const w = world('backend b\n  server a 127.0.0.1:1 check\n');
    w.time.pass(5000);
    w.check('b/a', bad);
    w.time.pass(10_000);
    assert.deepEqual([w.states.downtimeSeconds(0), w.states.backendDowntimeSeconds(0)], [10, 10]);
    w.check('b/a', good, good);
    w.time.pass(60_000);
    assert.deepEqual([w.states.downtimeSeconds(0), w.states.backendDowntimeSeconds(0)], [10, 10]);
    w.states.setAdmin(0, 'maint');
    w.time.pass(3000);
    w.states.setAdmin(0, 'drain');
    w.check('b/a', bad);
    w.time.pass(2000);
    w.states.setAdmin(0, 'ready');
    w.time.pass(2000);
    assert.deepEqual([w.states.downtimeSeconds(0), w.states.backendDowntimeSeconds(0)], [17, 17]);
    w.check('b/a', good, good);
    w.time.pass(1000);
    assert.equal(w.states.downtimeSeconds(0), 17);
    assert.equal(w.segments.backendState(0)[B.chkdown], 2);
  });

  it('slow start climbs to the full weight and says when it is there', () => {
    const w = world('backend b\n  server a 127.0.0.1:1 check weight 100 slowstart 20s\n  server c 127.0.0.1:2\n');
    w.check('b/a', bad, good, good);
    w.said();
    assert.deepEqual([field(w, 'b/a', S.op), field(w, 'b/a', S.lbweight), field(w, 'b/a', S.throttle), w.status('b/a')], [op.starting, 100, 7, 'UP']);
    const seen: number[] = [];
    for (let second = 0; second < 25; second += 1) {
      w.time.pass(1000);
      seen.push(field(w, 'b/a', S.eweight));
    }
    assert.deepEqual([...seen].sort((a, b) => a - b), seen);
    assert.equal(seen[9], 57, 'half-way at ten seconds, one sixteenth ahead');
    assert.deepEqual([field(w, 'b/a', S.op), field(w, 'b/a', S.eweight), field(w, 'b/a', S.throttle)], [op.running, 100, 100]);
    assert.deepEqual(w.said(), ['<5>Server b/a is UP. 2 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.']);
  });

  it('a server that falls during slow start stops climbing', () => {
    const w = world('backend b\n  server a 127.0.0.1:1 check slowstart 20s\n');
    w.check('b/a', bad, good, good);
    w.time.pass(3000);
    w.check('b/a', bad, bad, bad);
    w.said();
    w.time.pass(60_000);
    assert.deepEqual([w.said(), field(w, 'b/a', S.op), field(w, 'b/a', S.throttle)], [[], op.stopped, 100]);
  });
});
