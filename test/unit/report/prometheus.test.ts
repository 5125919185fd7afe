/** The exporter: names, labels, parameters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricOptions } from '../../../src/report/prometheus.ts';
import { metricOptions, prometheus } from '../../../src/report/prometheus.ts';
import { makeFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';

function options(query: string): MetricOptions {
  const read = metricOptions(new URLSearchParams(query));
  assert.ok(read);
  return read;
}

function lines(fixture: Fixture, query = ''): string[] {
  return prometheus(fixture.context.snapshot(), [{ name: 'bt', type: 'ip', size: 1024, used: 3 }], options(query)).trimEnd().split('\n');
}

function samples(fixture: Fixture, name: string, query = ''): string[] {
  return lines(fixture, query).filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

test('samples of one metric stand together after its help and type', () => {
  const seen = new Set<string>();
  let current = '';
  for (const line of lines(makeFixture())) {
    const name = /^(?:# (?:HELP|TYPE) )?([a-z0-9_]+)/.exec(line)?.[1] ?? '';
    if (line.startsWith('# HELP')) {
      assert.ok(!seen.has(name), name);
      seen.add(name);
      current = name;
    }
    assert.equal(name, current);
  }
  assert.ok(seen.size > 150);
});

test('states are labels with one 1', () => {
  const fixture = makeFixture();
  fixture.states.statuses.set(0, 'UP 1/3').set(2, 'DOWN 1/2').set(3, 'MAINT (via a/b)').set(4, 'no check');
  const of = (server: string): string[] => samples(fixture, 'haproxy_server_status').filter(line => line.includes(`server="${server}"`) && line.endsWith(' 1'));
  assert.deepEqual(of('s1'), ['haproxy_server_status{proxy="app",server="s1",state="UP"} 1']);
  assert.deepEqual(of('s3'), ['haproxy_server_status{proxy="app",server="s3",state="DOWN"} 1']);
  assert.deepEqual(of('s4'), ['haproxy_server_status{proxy="app",server="s4",state="MAINT"} 1']);
  assert.deepEqual(of('s5'), ['haproxy_server_status{proxy="app",server="s5",state="UP"} 1']);
  assert.ok(samples(fixture, 'haproxy_backend_agg_server_status').includes('haproxy_backend_agg_server_status{proxy="app",state="UP"} 5'));
  assert.ok(samples(fixture, 'haproxy_server_check_status').includes('haproxy_server_check_status{proxy="app",server="s1",state="L7OK"} 1'));
  assert.ok(!samples(fixture, 'haproxy_server_check_status').some(line => line.includes('server="s2"')));
});

test('milliseconds become seconds, response classes become labels, empty columns NaN', () => {
  const fixture = makeFixture();
  fixture.count(fixture.segments.serverObject(0), 0, { ttime_max: 1500, hrsp_4xx: 3 });
  assert.ok(samples(fixture, 'haproxy_server_max_total_time_seconds').includes('haproxy_server_max_total_time_seconds{proxy="app",server="s1"} 1.500000'));
  assert.ok(samples(fixture, 'haproxy_server_http_responses_total').includes('haproxy_server_http_responses_total{proxy="app",server="s1",code="4xx"} 3'));
  assert.ok(samples(fixture, 'haproxy_server_limit_sessions').includes('haproxy_server_limit_sessions{proxy="app",server="s1"} NaN'));
  assert.ok(samples(fixture, 'haproxy_server_check_code').every(line => !line.includes('server="s2"')));
});

test('scope, metrics, no-maint and extra-counters choose', () => {
  const fixture = makeFixture();
  fixture.states.statuses.set(3, 'MAINT');
  assert.ok(lines(fixture, 'scope=frontend').every(line => /haproxy_frontend_/.test(line)));
  assert.equal(samples(fixture, 'haproxy_server_weight', 'scope=server&metrics=haproxy_server_weight').length, 6);
  assert.equal(lines(fixture, 'metrics=haproxy_server_weight').length, 8);
  assert.equal(samples(fixture, 'haproxy_server_weight', 'metrics=-haproxy_server_weight').length, 0);
  assert.equal(samples(fixture, 'haproxy_server_weight', 'no-maint').length, 5);
  assert.equal(samples(fixture, 'haproxy_frontend_h1_total_connections').length, 0);
  assert.equal(samples(fixture, 'haproxy_frontend_h1_total_connections', 'extra-counters').length, 3);
  assert.deepEqual(samples(fixture, 'haproxy_sticktable_used', 'scope=sticktable'), ['haproxy_sticktable_used{name="bt",type="ip"} 3']);
  assert.equal(metricOptions(new URLSearchParams('scope=nothing')), undefined);
});

test('labels are escaped', () => {
  const fixture = makeFixture();
  Object.assign(fixture.model.proxies[5] as object, { name: 'a"b\\c\nd' });
  assert.ok(samples(fixture, 'haproxy_backend_current_queue').includes('haproxy_backend_current_queue{proxy="a\\"b\\\\c\\nd"} 0'));
});

test('process metrics: node and version are labels', () => {
  const fixture = makeFixture();
  assert.deepEqual(samples(fixture, 'haproxy_process_node'), ['haproxy_process_node{node="n1"} 1']);
  assert.match(samples(fixture, 'haproxy_process_build_info')[0] ?? '', /version="2\.6\.12-.*"\} 1$/);
  assert.deepEqual(samples(fixture, 'haproxy_process_uptime_seconds'), ['haproxy_process_uptime_seconds 6']);
});
