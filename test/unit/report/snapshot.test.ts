/** Rows of a Snapshot: order, sums, empty cells, states. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { B, S, admin, op } from '../../../src/model/server-state.ts';
import { cell } from '../../../src/report/row.ts';
import type { Row } from '../../../src/report/row.ts';
import { makeFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';

function row(fixture: Fixture, proxy: string, name: string): Row {
  const found = fixture.context.snapshot().rows.find(candidate => cell(candidate, 'pxname') === proxy && cell(candidate, 'svname') === name);
  assert.ok(found, `${proxy}/${name}`);
  return found;
}

function cells(of: Row, ...names: string[]): unknown[] {
  return names.map(name => cell(of, name));
}

test('rows stand in HAProxy\'s order: frontend, listeners, servers, backend', () => {
  const names = makeFixture().context.snapshot().rows.map(each => `${cell(each, 'pxname')}/${cell(each, 'svname')}`);
  assert.deepEqual(names, [
    'stats/FRONTEND', 'stats/BACKEND', 'fe/FRONTEND', 'fe/main', 'fe/sock-2', 'app/s1', 'app/s2', 'app/s3', 'app/s4', 'app/s5', 'app/BACKEND',
    'ft/FRONTEND', 'bt/t1', 'bt/BACKEND', 'empty/BACKEND',
  ]);
});

test('counters are summed over all threads, maxima and averages are combined', () => {
  const fixture = makeFixture();
  const object = fixture.segments.serverObject(0);
  fixture.count(object, 0, { stot: 5, bin: 100, ttime_max: 30, ttime_avg: 10, time_samples: 30, lastsess_ms: fixture.nowMs - 9000 });
  fixture.count(object, 1, { stot: 7, bin: 11, ttime_max: 20, ttime_avg: 50, time_samples: 10, lastsess_ms: fixture.nowMs - 2500 });
  fixture.count(object, 2, { stot: 1 });
  assert.deepEqual(cells(row(fixture, 'app', 's1'), 'stot', 'bin', 'ttime_max', 'ttime', 'lastsess'), [13, 111, 30, 20, 2]);
});

test('columns without meaning for a row are empty, others are 0', () => {
  const fixture = makeFixture();
  assert.deepEqual(cells(row(fixture, 'fe', 'FRONTEND'), 'qcur', 'dreq', 'econ', 'weight', 'hrsp_2xx', 'req_tot', 'rate_lim', 'lastsess'), [null, 0, null, null, 0, 0, 50, null]);
  assert.deepEqual(cells(row(fixture, 'ft', 'FRONTEND'), 'hrsp_2xx', 'req_tot', 'intercepted', 'comp_in', 'slim'), [null, 0, null, 0, 100]);
  assert.deepEqual(cells(row(fixture, 'fe', 'main'), 'scur', 'rate', 'type', 'addr', 'req_tot'), [0, null, 3, '127.0.0.1:8080', null]);
  assert.deepEqual(cells(row(fixture, 'app', 's1'), 'slim', 'qlimit', 'check_status', 'check_code', 'tracked', 'cookie'), [null, null, 'L7OK', 200, null, 's1']);
  assert.deepEqual(cells(row(fixture, 'app', 's2'), 'slim', 'qlimit', 'check_status', 'chkfail', 'downtime'), [10, 5, null, null, null]);
  assert.deepEqual(cells(row(fixture, 'app', 's5'), 'tracked', 'check_status', 'lastsess'), ['app/s1', null, -1]);
  assert.deepEqual(cells(row(fixture, 'empty', 'BACKEND'), 'downtime', 'status', 'slim', 'algo'), [null, 'UP', 200, 'roundrobin']);
});

test('a frontend without maxconn shows that of the process, and follows set maxconn', () => {
  const fixture = makeFixture();
  assert.equal(cell(row(fixture, 'fe', 'FRONTEND'), 'slim'), 2000);
  fixture.context.frontends.setMaxconn(1, 30);
  assert.equal(cell(row(fixture, 'fe', 'FRONTEND'), 'slim'), 30);
});

test('a running check is marked, its result stays', () => {
  const fixture = makeFixture();
  fixture.states.checks.set(0, { status: 'L4CON', running: true, description: 'Connection refused' });
  assert.deepEqual(cells(row(fixture, 'app', 's1'), 'check_status', 'check_code', 'last_chk', 'check_desc'), ['* L4CON', null, 'Connection refused', 'Layer4 connection problem']);
});

test('held back checks leave their columns empty', () => {
  const fixture = makeFixture();
  fixture.states.checks.set(0, { enabled: false });
  assert.deepEqual(cells(row(fixture, 'app', 's1'), 'check_status', 'chkfail', 'chkdown', 'downtime', 'check_rise'), [null, null, null, null, null]);
});

test('weights follow slow start; the backend adds up what takes traffic', () => {
  const fixture = makeFixture();
  const first = fixture.segments.serverState(0);
  first[S.op] = op.starting;
  first[S.throttle] = 25;
  fixture.segments.serverState(3)[S.admin] = admin.forcedMaint | admin.configMaint;
  fixture.segments.backendState(2)[B.weight] = 5;
  assert.deepEqual(cells(row(fixture, 'app', 's1'), 'weight', 'uweight', 'throttle'), [3, 10, 25]);
  assert.deepEqual(cells(row(fixture, 'app', 'BACKEND'), 'weight', 'uweight'), [5, 12]);
});

test('one connection is needed after the first request or check, more while they are used', () => {
  const fixture = makeFixture();
  for (const server of [0, 1]) fixture.states.checks.set(server, { endedAtMs: 0 });
  assert.equal(cell(row(fixture, 'app', 's1'), 'need_conn_est'), 0);
  fixture.count(fixture.segments.serverObject(0), 1, { connect: 1 });
  fixture.gauge(fixture.segments.serverObject(1), { used_conn_cur: 3 });
  assert.equal(cell(row(fixture, 'app', 's1'), 'need_conn_est'), 1);
  assert.equal(cell(row(fixture, 'app', 's2'), 'need_conn_est'), 3);
});

test('gauges never show below zero', () => {
  const fixture = makeFixture();
  fixture.gauge(fixture.segments.backendObject(2), { scur: -1 });
  assert.equal(cell(row(fixture, 'app', 'BACKEND'), 'scur'), 0);
});

test('disabled proxies have no rows', () => {
  const fixture = makeFixture();
  Object.assign(fixture.model.proxies[5] as object, { disabled: true });
  assert.ok(!fixture.context.snapshot().rows.some(each => cell(each, 'pxname') === 'empty'));
});
