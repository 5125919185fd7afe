/** The statistics page: phrases that tools need, colours, escaping, links. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everything, filterRows } from '../../../src/report/filter.ts';
import type { PageView } from '../../../src/report/html.ts';
import { htmlPage, pageLink } from '../../../src/report/html.ts';
import { serverClass, shortTime } from '../../../src/report/html-cells.ts';
import { makeFixture, makeModel, proxyOf, serverOf, statsPage } from './fixture.ts';
import type { Fixture } from './fixture.ts';

function view(fixture: Fixture, changes: Partial<PageView> = {}): PageView {
  const snapshot = fixture.context.snapshot();
  return { page: statsPage, rows: filterRows(snapshot, everything), snapshot, nodeName: 'n1', advice: [], removed: [], admin: false, up: false, noMaint: false, noRefresh: false, scope: '', result: null, ...changes };
}

test('the page keeps the phrases that scripts look for', () => {
  const page = htmlPage(view(makeFixture()));
  assert.ok(page.includes('uptime = </b> 0d 0h00m06s'));
  assert.match(page, /idle = 100 %/);
  assert.match(page, /HAProxy version 2\.6\.12/);
  assert.ok(page.includes('<title>Statistics Report for HAProxy</title>'));
});

test('hide-version hides every trace of the version', () => {
  assert.ok(!htmlPage(view(makeFixture(), { page: { ...statsPage, hideVersion: true } })).includes('2.6.12'));
});

test('names, descriptions and check results cannot bring markup in', () => {
  const evil = '"><script>alert(1)</script>';
  const model = makeModel({ proxies: [proxyOf(0, evil, 'listen', { servers: [0], description: evil, stats: statsPage })] });
  Object.assign(model.servers[0] as object, serverOf(0, 1, evil, 0, { cookie: evil }));
  Object.assign(model.global, { description: evil });
  const fixture = makeFixture(model);
  fixture.states.checks.set(0, { description: evil });
  const page = htmlPage(view(fixture, { page: { ...statsPage, showDesc: true, showNode: true, node: evil }, admin: true, scope: evil }));
  assert.ok(!page.includes('<script>alert'));
  assert.ok(page.includes('&lt;script&gt;alert'));
});

test('rows are coloured by state', () => {
  const fixture = makeFixture();
  const colours = (status: string, server: number): string => {
    fixture.states.statuses.set(server, status);
    const row = fixture.context.snapshot().rows.find(candidate => candidate.server?.index === server);
    assert.ok(row);
    return serverClass(row);
  };
  assert.deepEqual(['UP', 'UP 1/3', 'DOWN 1/2', 'DOWN', 'no check', 'MAINT (via a/b)', 'DRAIN', 'NOLB 1/2'].map(status => colours(status, 0)),
    ['active_up', 'active_going_down', 'active_going_up', 'down', 'no_check', 'maintain', 'draining', 'draining']);
  assert.deepEqual(['UP', 'UP 1/3', 'DOWN 1/2'].map(status => colours(status, 2)), ['backup_up', 'backup_going_down', 'backup_going_up']);
});

test('tick boxes and actions appear for administrators only', () => {
  const fixture = makeFixture();
  const without = htmlPage(view(fixture));
  const withActions = htmlPage(view(fixture, { admin: true }));
  assert.ok(!without.includes('type="checkbox"') && !without.includes('name=action'));
  assert.ok(withActions.includes('<input type="checkbox" name="s" value="s1">'));
  assert.ok(withActions.includes('<input type="hidden" name="b" value="#4">'));
});

test('legends, node and refresh links follow the configuration', () => {
  const fixture = makeFixture();
  const bare = htmlPage(view(fixture, { page: { ...statsPage, showLegends: false } }));
  assert.ok(!bare.includes('10.0.0.1:80') && !bare.includes('Disable refresh'));
  const full = htmlPage(view(fixture, { page: { ...statsPage, refreshSeconds: 5, showNode: true, node: 'lb1' } }));
  assert.ok(full.includes('10.0.0.1:80') && full.includes('Disable refresh') && full.includes(' on lb1'));
});

test('links keep the options of the page', () => {
  const options = { up: true, noMaint: false, noRefresh: false, scope: 'be &' };
  assert.equal(pageLink(statsPage, options, {}), '/stats;up?scope=be%20%26');
  assert.equal(pageLink(statsPage, options, { format: 'csv', noRefresh: true }), '/stats;csv;up;norefresh?scope=be%20%26');
  assert.equal(pageLink(statsPage, options, { up: false }), '/stats?scope=be%20%26');
});

test('short times show the two largest units', () => {
  assert.deepEqual([-1, 0, 7, 60, 3725, 90061].map(shortTime), ['?', '0s', '7s', '1m0s', '1h2m', '1d1h']);
});

test('results of actions are shown', () => {
  assert.ok(htmlPage(view(makeFixture(), { result: 'DONE' })).includes('Action processed successfully.'));
  assert.ok(htmlPage(view(makeFixture(), { result: 'DENY' })).includes('Action denied.'));
});

test('what a reload removed and somebody still uses is a table', () => {
  const fixture = makeFixture();
  const page = htmlPage(view(fixture, { removed: [{ name: 'server be/<s1>', removedAtMs: 0, sessions: 3, oldestMs: 61_400 }] }));
  assert.match(page, /<td>server be\/&lt;s1&gt;<\/td><td>3<\/td><td>61 s<\/td>/);
  assert.ok(!htmlPage(view(fixture)).includes('draining</th>'));
});

test('advice is a table under the title, escaped, only while it lasts and for proxies that are shown', () => {
  const fixture = makeFixture();
  const advice = { code: 'other-server', severity: 'warning', proxy: 0, server: -1, subject: 's', text: 'look <b>here</b>', sinceMs: 0, lastMs: 0, count: 3, active: true } as const;
  const page = htmlPage(view(fixture, { advice: [advice] }));
  assert.match(page, /<table class="t advice">.*look &lt;b&gt;here&lt;\/b&gt;.*<td>3<\/td>/s);
  for (const other of [{ ...advice, active: false }, { ...advice, proxy: 999 }]) assert.ok(!htmlPage(view(fixture, { advice: [other] })).includes('look'));
});
