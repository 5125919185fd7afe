/** CSV, typed, JSON and text forms, and the filters of `show stat`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvHeader } from '../../../src/model/statistics.ts';
import { csv } from '../../../src/report/csv.ts';
import { everything, filterRows } from '../../../src/report/filter.ts';
import { jsonInfo, jsonRows } from '../../../src/report/json.ts';
import { cell } from '../../../src/report/row.ts';
import { plainInfo, typedInfo, typedRows } from '../../../src/report/typed.ts';
import { makeFixture, makeModel, proxyOf } from './fixture.ts';

/** Fields of a CSV line, quotes taken off. */
function fields(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].slice(0, -1).map(match => (match[1] ?? '').replace(/^"|"$/g, '').replaceAll('""', '"'));
}

test('every CSV row is as wide as the header', () => {
  const lines = csv(makeFixture().context.snapshot().rows).trimEnd().split('\n');
  const width = csvHeader.split(',').length;
  assert.equal(lines.length, 16);
  for (const line of lines) assert.equal(line.split(',').length, width);
});

test('CSV quotes what would break a line', () => {
  const fixture = makeFixture(makeModel({ proxies: [proxyOf(0, 'a,b"c', 'backend')] }));
  const line = csv(fixture.context.snapshot().rows).split('\n')[1] ?? '';
  assert.equal(fields(line)[0], 'a,b"c');
});

test('typed output numbers the columns as HAProxy does', () => {
  const rows = makeFixture().context.snapshot().rows;
  const lines = typedRows(rows, false).split('\n');
  assert.equal(lines[0], 'F.2.0.0.pxname.1:KNSV:str:stats');
  assert.ok(lines.includes('S.4.1.7.stot.1:MCPV:u64:0'));
  assert.ok(!lines.some(line => line === ''.padEnd(1) || line.startsWith('-')));
  assert.match(typedRows(rows, true), /^F\.2\.0\.0\.pxname\.1:KNSV:str:stats:"[^"]+"\n/);
});

test('JSON and CSV tell the same figures', () => {
  const fixture = makeFixture();
  fixture.count(fixture.segments.serverObject(0), 0, { stot: 42 });
  const rows = fixture.context.snapshot().rows;
  const json = JSON.parse(jsonRows(rows)) as { objType: string; proxyId: number; id: number; field: { pos: number; name: string }; value: { type: string; value: unknown } }[][];
  assert.equal(json.length, rows.length);
  const server = json.find(([first]) => first?.objType === 'Server') ?? [];
  assert.deepEqual(server.find(({ field }) => field.name === 'stot')?.value, { type: 'u64', value: 42 });
  rows.forEach((row, index) => {
    for (const { field, value } of json[index] ?? []) assert.equal(cell(row, field.name), value.value);
  });
});

test('show info in its three forms', () => {
  const values = makeFixture().context.snapshot().process;
  assert.match(plainInfo(values, false), /^Name: HAProxy\nVersion: 2\.6\.12-\S+\nRelease_date: /);
  assert.match(plainInfo(values, false), /\nUptime: 0d 0h00m06s\nUptime_sec: 6\n/);
  assert.match(typedInfo(values, false), /^0\.Name\.1:POS:str:HAProxy\n/);
  assert.match(typedInfo(values, false), /\n50\.node\.1:COS:str:n1\n/);
  const json = JSON.parse(jsonInfo(values)) as { field: { name: string }; value: { value: unknown } }[];
  assert.equal(json.find(({ field }) => field.name === 'Pid')?.value.value, 4711);
});

test('show stat filters by number, kind and server', () => {
  const snapshot = makeFixture().context.snapshot();
  const names = (filter: object): string[] => filterRows(snapshot, { ...everything, ...filter }).map(row => String(cell(row, 'svname')));
  assert.deepEqual(names({ iid: 4, types: 4, sid: 2 }), ['s2']);
  assert.deepEqual(names({ iid: 4, types: 6, sid: 1 }), ['s1', 'BACKEND']);
  assert.deepEqual(names({ types: 1 }), ['FRONTEND', 'FRONTEND', 'FRONTEND']);
  assert.deepEqual(names({ types: 8 }), ['main', 'sock-2']);
  assert.deepEqual(names({ iid: 99 }), []);
  assert.deepEqual(names({ scope: 'b' }), ['t1', 'BACKEND']);
  assert.deepEqual(names({ allowed: ['ft'] }), ['FRONTEND']);
});

test('up and no-maint hide servers and let the backend count them', () => {
  const fixture = makeFixture();
  fixture.states.statuses.set(2, 'DOWN 1/2').set(3, 'MAINT (via a/b)');
  const names = (filter: object): string[] => filterRows(fixture.context.snapshot(), { ...everything, iid: 4, ...filter }).map(row => `${cell(row, 'svname')} ${cell(row, 'status')}`);
  assert.deepEqual(names({ noMaint: true }), ['s1 UP', 's2 UP', 's3 DOWN 1/2', 's5 UP', 'BACKEND UP (5/5)']);
  assert.deepEqual(names({ up: true }), ['s1 UP', 's2 UP', 's5 UP', 'BACKEND UP (5/5)']);
});

test('addresses, cookies and algorithms are only for those who may see them', () => {
  const rows = filterRows(makeFixture().context.snapshot(), { ...everything, legends: false });
  for (const row of rows) for (const name of ['addr', 'cookie', 'algo']) assert.equal(cell(row, name), null);
});
