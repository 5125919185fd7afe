/** When checks run, and what they conclude, over a network and a clock made for the purpose. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { S, op } from '../../../src/model/server-state.ts';
import { HandTime, answers, fakeNet, makeWorld, silent, startFakeHealth } from './rig.ts';
import type { FakeNet, World } from './rig.ts';
import type { Health } from '../../../src/control/health/checker.ts';

interface Rig extends World {
  readonly time: HandTime;
  readonly net: FakeNet;
  readonly health: Health;
  status(name: string): string;
  result(name: string): string;
  /** Times, from the start, of the connections to a port. */
  times(port: number): number[];
}

function rig(configuration: string, servers: Record<number, Parameters<FakeNet['servers']['set']>[1]> = {}, random: () => number = () => 0.5): Rig {
  const time = new HandTime();
  const startedAtMs = time.now;
  const net = fakeNet(time);
  for (const [port, behaviour] of Object.entries(servers)) net.servers.set(Number(port), behaviour);
  const world = makeWorld(configuration, time);
  const health = startFakeHealth(world, time, net, random);
  return {
    ...world, time, net, health,
    status: (name) => world.states.statusText(world.server(name)),
    result: (name) => {
      const info = world.states.checkInfo(world.server(name));
      return `${info.status} ${info.code} ${info.durationMs}ms [${info.description}]`;
    },
    times: (port) => net.connections.filter((one) => one.port === port).map((one) => one.atMs - startedAtMs),
  };
}

describe('check times', () => {
  it('first checks are spread over the interval', () => {
    const r = rig(`backend b\n  default-server check inter 2s\n${[1, 2, 3, 4].map((port) => `  server s${port} 127.0.0.1:${port}\n`).join('')}`, { 1: silent, 2: silent, 3: silent, 4: silent });
    r.time.pass(1999);
    assert.deepEqual([1, 2, 3, 4].map((port) => r.times(port)[0]), [0, 500, 1000, 1500]);
  });

  it('max-spread-checks bounds the spreading', () => {
    const r = rig('global\n  max-spread-checks 100\nbackend b\n  default-server check inter 10s\n  server s1 127.0.0.1:1\n  server s2 127.0.0.1:2\n');
    r.time.pass(200);
    assert.deepEqual([r.times(1)[0], r.times(2)[0]], [0, 50]);
  });

  it('inter, fastinter between the states, downinter while down', () => {
    let status = 200;
    const r = rig('backend b\n  option httpchk\n  server s1 127.0.0.1:1 check inter 2s fastinter 500 downinter 5s rise 2 fall 3\n', { 1: answers(() => status) });
    // Two milliseconds: connecting and the answer.
    r.time.pass(4100);
    assert.deepEqual(r.times(1), [0, 2002, 4004]);
    status = 500;
    r.time.pass(7800);
    // Third check good at 4006, then bad at 6006, fast at 6508, 7010: down; then every 5 s.
    assert.deepEqual(r.times(1).slice(3), [6006, 6508, 7010]);
    assert.equal(r.status('b/s1'), 'DOWN');
    status = 200;
    r.time.pass(5000);
    assert.deepEqual(r.times(1).slice(6), [12012, 12514, 14516, 16518]);
    assert.equal(r.status('b/s1'), 'UP');
  });

  it('spread-checks varies the interval by so many percent', () => {
    let draw = 0;
    const r = rig('global\n  spread-checks 20\nbackend b\n  server s1 127.0.0.1:1 check inter 1s\n', { 1: silent }, () => {
      draw += 1;
      return [0, 0.999, 0.5][draw % 3] ?? 0;
    });
    r.time.pass(20_000);
    const gaps = r.times(1).slice(1).map((at, index) => at - (r.times(1)[index] ?? 0));
    assert(gaps.length > 15);
    assert(gaps.every((gap) => gap >= 800 && gap <= 1203), String(gaps));
    assert(new Set(gaps).size > 1);
  });

  it('a fake hour: one check per interval, never two at once, and the count is right', () => {
    const time = new HandTime();
    const net = fakeNet(time);
    const world = makeWorld('backend b\n  default-server check inter 1s\n  server s1 127.0.0.1:1\n  server s2 127.0.0.1:2\n', time);
    net.servers.set(1, silent);
    const health = startFakeHealth(world, time, net);
    time.pass(3_600_000);
    const first = net.connections.filter((one) => one.port === 1).length;
    const second = net.connections.filter((one) => one.port === 2).length;
    assert(Math.abs(first - 3596) < 10, String(first));
    assert(Math.abs(second - 3596) < 10, String(second));
    assert.deepEqual([...net.openMost.values(), ...net.openNow.values()], [1, 1, 0, 0]);
    assert.equal(world.segments.serverState(1)[S.chkfail], 1);
    health.stop();
    time.pass(60_000);
    assert.equal(net.connections.filter((one) => one.port === 1).length, first);
  });

  it('maintenance stops checks, leaving it starts one at once', () => {
    const r = rig('backend b\n  server s1 127.0.0.1:1 check inter 10s\n', { 1: silent });
    r.time.pass(100);
    r.states.setAdmin(0, 'maint');
    r.time.pass(60_000);
    assert.deepEqual(r.times(1), [0]);
    r.states.setAdmin(0, 'ready');
    r.time.pass(10);
    assert.deepEqual(r.times(1).length, 2);
    r.states.setHealthEnabled(0, false);
    r.time.pass(60_000);
    assert.deepEqual(r.times(1).length, 2);
    r.states.setHealthEnabled(0, true);
    r.time.pass(10);
    assert.deepEqual(r.times(1).length, 3);
  });

  it('the result of a check that maintenance overtook does not count', () => {
    const r = rig('backend b\n  option httpchk\n  server s1 127.0.0.1:1 check inter 1s\n', { 1: silent });
    r.time.pass(500);
    r.states.setAdmin(0, 'maint');
    r.time.pass(5000);
    assert.equal(r.segments.serverState(0)[S.chkfail], 0);
    assert.equal(r.states.checkInfo(0).running, false);
  });
});

describe('check timeouts', () => {
  const never = { 1: silent };
  it('without timeout check a check has inter for everything', () => {
    const r = rig('backend b\n  option httpchk\n  server s1 127.0.0.1:1 check inter 3s\n', never);
    r.time.pass(3000);
    assert.equal(r.result('b/s1'), 'L7TOUT 0 3000ms []');
  });

  it('with it, connecting has the shorter of inter and timeout connect', () => {
    const time = new HandTime();
    const net = fakeNet(time);
    const world = makeWorld('backend b\n  timeout check 700ms\n  timeout connect 300ms\n  server s1 127.0.0.1:1 check inter 3s\n', time);
    const { open } = net;
    // A network that never connects.
    net.open = (target, events) => open({ ...target, port: 1 }, { ...events, onConnected: () => undefined, onError: () => undefined });
    startFakeHealth(world, time, net);
    time.pass(299);
    assert.equal(world.states.checkInfo(0).status, 'INI');
    time.pass(1);
    assert.equal(world.states.checkInfo(0).status, 'L4TOUT');
    assert.equal(world.states.statusText(0), 'DOWN');
  });

  it('and the answer has timeout check from the connection on', () => {
    const r = rig('backend b\n  option httpchk\n  timeout check 700ms\n  timeout connect 300ms\n  server s1 127.0.0.1:1 check inter 3s\n', never);
    r.time.pass(701);
    assert.equal(r.result('b/s1'), 'L7TOUT 0 701ms []');
  });

  it('a handshake that hangs is a layer 6 timeout within the connect time', () => {
    const r = rig('backend b\n  timeout check 700ms\n  timeout connect 300ms\n  server s1 127.0.0.1:1 check inter 3s ssl verify none\n', never);
    r.time.pass(300);
    assert.equal(r.result('b/s1'), 'L6TOUT 0 300ms []');
  });
});

describe('observed errors', () => {
  const configuration = (onError: string): string => `backend b\n  option httpchk\n  server s1 127.0.0.1:1 check inter 10s fastinter 200 rise 2 fall 3 observe layer7 error-limit 5 on-error ${onError}\n`;
  const run = (onError: string): Rig => {
    const r = rig(configuration(onError), { 1: answers(() => 200) });
    r.time.pass(100);
    r.said();
    r.health.observed(0, 7, 'Wrong http response');
    return r;
  };

  it('mark-down takes the server down at once and checks it soon', () => {
    const r = run('mark-down');
    assert.deepEqual(r.said(), ['<1>Server b/s1 is DOWN, reason: Health analyze, info: "Detected 5 consecutive errors, last one was: Wrong http response". 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.', '<0>backend b has no server available!']);
    r.time.pass(1000);
    assert.equal(r.status('b/s1'), 'UP');
  });

  it('fail-check counts one failure, sudden-death leaves one', () => {
    assert.equal(run('fail-check').status('b/s1'), 'UP 2/3');
    const r = run('sudden-death');
    assert.equal(r.status('b/s1'), 'UP 1/3');
    assert.equal(r.segments.serverState(0)[S.op], op.running);
  });

  it('fastinter only hurries the next check', () => {
    const r = run('fastinter');
    assert.equal(r.status('b/s1'), 'UP');
    r.time.pass(250);
    assert.equal(r.times(1).length, 2);
    assert.equal(r.states.checkInfo(0).observedErrors, 1);
  });
});

describe('check conclusions', () => {
  it('disable-on-404: stopping while it lasts, up again after', () => {
    let status = 404;
    const r = rig('backend b\n  option httpchk\n  http-check disable-on-404\n  server s1 127.0.0.1:1 check inter 1s\n  server s2 127.0.0.1:2\n', { 1: answers(() => status) });
    r.time.pass(100);
    assert.deepEqual([r.status('b/s1'), r.result('b/s1')], ['NOLB', 'L7OKC 404 2ms []']);
    status = 200;
    r.time.pass(1000);
    assert.equal(r.status('b/s1'), 'UP');
    status = 503;
    r.time.pass(5000);
    status = 404;
    r.time.pass(10_000);
    assert.equal(r.status('b/s1'), 'DOWN', 'a 404 does not bring a stopped server up');
  });

  it('a server that flaps within rise and fall stays as it is', () => {
    let turn = 2;
    const r = rig('backend b\n  option httpchk\n  server s1 127.0.0.1:1 check inter 1s rise 2 fall 3\n', { 1: answers(() => ((turn += 1) % 3 === 0 ? 200 : 500)) });
    r.time.pass(600_000);
    assert.equal(r.segments.serverState(0)[S.chkdown], 0);
    assert.match(r.status('b/s1'), /^UP/);
  });

  it('servers without a port for checks say so', () => {
    const r = rig('backend b\n  option httpchk\n  http-check connect port 9\n  http-check send uri /a\n  http-check connect port 8\n  http-check send uri /b\n  http-check expect status 200\n  server s1 127.0.0.1:1 check inter 1s\n', { 9: silent, 8: answers(() => 200) });
    r.time.pass(100);
    assert.deepEqual([r.times(9).length, r.times(8).length, r.times(1).length], [1, 1, 0]);
    assert.equal(r.result('b/s1'), 'L7OK 200 3ms []');
  });
});
