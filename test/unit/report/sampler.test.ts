/** Rates over the last second, and `clear counters`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { G } from '../../../src/model/counters.ts';
import { P } from '../../../src/shared/segments.ts';
import { makeFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';

function rates(fixture: Fixture, object: number): number[] {
  const gauges = fixture.segments.gauges(object);
  return [G.rate, G.rate_max, G.req_rate, G.req_rate_max, G.conn_rate, G.conn_rate_max].map(field => gauges[field] ?? -1);
}

test('rates cover the last second over all threads and remember the highest', () => {
  const fixture = makeFixture();
  const object = fixture.segments.frontendObject(1);
  fixture.sampler.tick(0);
  fixture.count(object, 0, { stot: 10, req_tot: 40, conn_tot: 9 });
  fixture.count(object, 1, { stot: 5, req_tot: 2, conn_tot: 1 });
  fixture.sampler.tick(250);
  assert.deepEqual(rates(fixture, object), [15, 15, 42, 42, 10, 10]);
  for (const at of [500, 750, 1000]) fixture.sampler.tick(at);
  assert.deepEqual(rates(fixture, object), [15, 15, 42, 42, 10, 10]);
  fixture.sampler.tick(1250);
  assert.deepEqual(rates(fixture, object), [0, 15, 0, 42, 0, 10]);
});

test('a report refreshes the rates without shortening the window', () => {
  const fixture = makeFixture();
  const object = fixture.segments.frontendObject(1);
  for (const at of [0, 250, 500]) fixture.sampler.tick(at);
  fixture.count(object, 0, { stot: 10 });
  fixture.sampler.refresh(510);
  assert.equal(rates(fixture, object)[0], 10);
  for (let at = 520; at < 740; at += 10) fixture.sampler.refresh(at);
  for (const at of [750, 1000, 1250]) fixture.sampler.tick(at);
  assert.equal(rates(fixture, object)[0], 10);
});

test('a late sample is scaled to one second', () => {
  const fixture = makeFixture();
  const object = fixture.segments.serverObject(0);
  fixture.sampler.tick(0);
  fixture.count(object, 0, { stot: 400 });
  fixture.sampler.tick(4000);
  assert.equal(rates(fixture, object)[0], 100);
});

test('cleared counters give no negative rate', () => {
  const fixture = makeFixture();
  const object = fixture.segments.serverObject(0);
  fixture.count(object, 0, { stot: 400 });
  fixture.sampler.tick(0);
  fixture.count(object, 0, { stot: 0 });
  fixture.sampler.tick(250);
  assert.equal(rates(fixture, object)[0], 0);
});

test('process rates: connections, TLS reuse, bytes and idle time', () => {
  const fixture = makeFixture();
  fixture.sampler.tick(0);
  const [first, second] = [fixture.segments.process(0), fixture.segments.process(1)];
  first[P.connections] = 3;
  second[P.connections] = 4;
  first[P.ssl_handshakes] = 8;
  first[P.ssl_reused] = 6;
  first[P.bytes_out] = 1000;
  first[P.loop_busy_ms] = 500;
  fixture.sampler.tick(1000);
  const { connRate, connRateMax, sslKeyRate, sslReusePercent, bytesOutRate, idlePercent } = fixture.sampler.process;
  assert.deepEqual([connRate, connRateMax, sslKeyRate, sslReusePercent, bytesOutRate, idlePercent], [7, 7, 2, 75, 1000, 75]);
});

test('clear counters clears the highest rates', () => {
  const fixture = makeFixture();
  const object = fixture.segments.frontendObject(1);
  fixture.sampler.tick(0);
  fixture.count(object, 0, { stot: 10 });
  fixture.sampler.tick(250);
  fixture.gauge(object, { scur: 2, smax: 9 });
  fixture.context.clearCounters(false);
  const gauges = fixture.segments.gauges(object);
  assert.deepEqual([gauges[G.rate_max], gauges[G.smax]], [0, 2]);
  assert.deepEqual(fixture.sent, [{ type: 'clear-counters', all: false }]);
});

test('a thread clears its own counters: maxima only, or all but open connections', () => {
  const fixture = makeFixture();
  const object = fixture.segments.frontendObject(1);
  fixture.count(object, 1, { stot: 10, ttime_max: 7, lastsess_ms: 5, h1_open_conns: 3 });
  fixture.count(object, 0, { stot: 1 });
  fixture.segments.clearCounters(1, false);
  const counters = (): number[] => fixture.context.snapshot().rows.filter(row => row.cells[0] === 'fe' && row.cells[1] === 'FRONTEND').map(row => Number(row.cells[7]));
  assert.deepEqual(counters(), [11]);
  fixture.segments.clearCounters(1, true);
  assert.deepEqual(counters(), [1]);
});
