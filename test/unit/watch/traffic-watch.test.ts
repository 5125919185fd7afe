/** What the control thread concludes from live traffic, over hours that pass in milliseconds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Events } from '../../../src/control/events.ts';
import { AdviceList } from '../../../src/control/watch/advice-list.ts';
import { TrafficWatch, trafficWatchPeriodMs } from '../../../src/control/watch/traffic-watch.ts';
import type { Advice } from '../../../src/model/advice.ts';
import { limits } from '../../../src/model/limits.ts';
import type { LoginSighting, MissedRouteSighting } from '../../../src/model/messages.ts';
import { HandTime, makeWorld } from '../health/rig.ts';

const servers = '  server ex1 10.0.0.1:443\n  server ex2 10.0.0.2:443\n';
const configuration = `frontend fe\n  bind :8080\n  use_backend owa if { path_beg /owa }\n  default_backend rest\nbackend owa\n${servers}backend rest\n${servers}`;
const backend = 1;

interface Rig {
  readonly time: HandTime;
  login(parts: Partial<LoginSighting>): void;
  missed(parts: Partial<MissedRouteSighting>): void;
  pass(ms: number): void;
  said(): string[];
  active(): Advice[];
}

function rig(): Rig {
  const time = new HandTime();
  const { model } = makeWorld(configuration, time);
  const events = new Events();
  const heard: string[] = [];
  events.listen((event) => heard.push(event.text));
  const list = new AdviceList(time, events);
  const watch = new TrafficWatch(model, list, time);
  const nothing: LoginSighting = {
    client: '192.0.2.7', backend, accepted: false, refused: 0, scheme: 'none', refusedBy: -1, sentBackFirst: false, bounces: 0, loginOpen: false, loginServer: -1, bounceServer: -1,
  };
  return {
    time,
    login: (parts) => watch.take([{ ...nothing, ...parts }], []),
    missed: (parts) => watch.take([], [{ frontend: 0, target: 1, pattern: '/Autodiscover', path: '/autodiscover/autodiscover.xml', client: '192.0.2.7', count: 1, ...parts }]),
    pass: (ms) => {
      for (let left = ms; left > 0; left -= trafficWatchPeriodMs) {
        time.pass(Math.min(left, trafficWatchPeriodMs));
        watch.look();
      }
    },
    said: () => heard.splice(0),
    active: () => list.entries().filter((advice) => advice.active),
  };
}

describe('refused clients', () => {
  it('are told once, with numbers, servers and what to do', () => {
    const r = rig();
    for (let round = 0; round < 9; round += 1) {
      r.login({ refused: 2, scheme: 'ntlm', refusedBy: round % 2 });
      r.pass(1000);
    }
    assert.deepEqual(r.said(), []);
    r.login({ refused: 2, scheme: 'ntlm', refusedBy: 1 });
    const [text = '', ...more] = r.said();
    assert.deepEqual(more, []);
    assert.match(text, /^401 loop: client 192\.0\.2\.7 was refused 20 times in 9 s at backend owa \(servers ex1, ex2\) and let in not once, with credentials of the kind 'ntlm'\. .*0xC000035B/);
    for (let round = 0; round < 100; round += 1) r.login({ refused: 2, scheme: 'ntlm', refusedBy: 0 });
    assert.deepEqual(r.said(), []);
    assert.equal(r.active()[0]?.count, 220, 'the entry counts on');
  });

  it('say nothing during an hour of ordinary logins', () => {
    const r = rig();
    for (let second = 0; second < 3600; second += 1) {
      // Eight connections at once, two 401 each, before the first is let in.
      if (second % 60 === 0) r.login({ refused: 16, scheme: 'ntlm', refusedBy: 0 });
      if (second % 60 === 1) r.login({ accepted: true });
      // A phone with an old password, every half a minute.
      if (second % 30 === 0) r.login({ client: '192.0.2.8', refused: 1, scheme: 'basic', refusedBy: 0 });
      r.pass(1000);
    }
    assert.deepEqual([r.said(), r.active()], [[], []]);
  });

  it('are over when they are let in, and when they are gone', () => {
    const r = rig();
    r.login({ refused: 20, scheme: 'basic', refusedBy: 0 });
    assert.equal(r.active().length, 1);
    r.login({ accepted: true, refused: 1 });
    assert.equal(r.active().length, 0);
    r.login({ refused: 20, scheme: 'basic', refusedBy: 0 });
    assert.equal(r.said().length, 2, 'what returns is told again');
    r.pass(290_000);
    assert.equal(r.active().length, 1);
    r.pass(30_000);
    assert.equal(r.active().length, 0);
  });

  it('of whom there are many share an entry', () => {
    const r = rig();
    for (let client = 0; client < limits.adviceClientsMax + 50; client += 1) r.login({ client: `192.0.2.${client}`, refused: 20, scheme: 'ntlm', refusedBy: 0 });
    assert.equal(r.said().length, limits.adviceClientsMax + 1);
    const others = r.active().find(({ subject }) => subject === 'owa: other clients');
    assert.equal(others?.count, 50 * 20);
    assert.match(others?.text ?? '', /like more than 8 others/);
    for (let client = 0; client < limits.adviceClientsMax + 49; client += 1) r.login({ client: `192.0.2.${client}`, accepted: true });
    assert.equal(r.active().length, 1);
    r.login({ client: `192.0.2.${limits.adviceClientsMax + 49}`, accepted: true });
    assert.equal(r.active().length, 0);
  });

  it('are remembered in bounded number, whatever an attacker does', () => {
    const r = rig();
    for (let client = 0; client < 2 * limits.watchedClientsMax; client += 1) r.login({ client: `c${client}`, refused: 19, loginOpen: true });
    r.login({ client: 'c0', refused: 1 });
    assert.deepEqual(r.said(), [], 'forgotten');
    r.login({ client: `c${2 * limits.watchedClientsMax - 1}`, refused: 1 });
    assert.equal(r.said().length, 1);
  });
});

describe('OWA logins', () => {
  it('that lead back to the logon page are told, with the servers', () => {
    const r = rig();
    // Login and what follows in one message, and in two.
    r.login({ bounces: 1, loginServer: 0, bounceServer: 1 });
    r.pass(2000);
    r.login({ loginOpen: true, loginServer: 0 });
    r.login({ sentBackFirst: true, bounceServer: 1 });
    assert.deepEqual(r.said(), []);
    r.pass(2000);
    r.login({ bounces: 1, loginServer: 0, bounceServer: 1 });
    assert.match(r.said()[0] ?? '', /^OWA login loop: client 192\.0\.2\.7 logged in 3 times in 4 s at backend owa and was sent back .* \(servers ex1, ex2\)\. .*same certificate.*balance source/);
    r.login({ accepted: true });
    assert.deepEqual(r.active(), []);
  });

  it('of one server point at its key', () => {
    const r = rig();
    for (let round = 0; round < 3; round += 1) r.login({ bounces: 1, loginServer: 0, bounceServer: 0 });
    assert.match(r.said()[0] ?? '', /\(server ex1\)\. One server refuses its own login cookies: .*CNG/);
  });

  it('that end well, or whose sessions end, say nothing', () => {
    const r = rig();
    for (let minute = 0; minute < 60; minute += 1) {
      r.login({ sentBackFirst: true, bounceServer: 0 });
      r.login({ loginOpen: true, loginServer: 0 });
      r.pass(30_000);
      // Eight hours would be usual; the page is another visit's.
      r.login({ sentBackFirst: true, bounceServer: 1 });
      r.login({ accepted: true });
      r.pass(30_000);
    }
    assert.deepEqual(r.said(), []);
  });
});

describe('missed rules', () => {
  it('are told once, name the rule to write, and are over an hour after the last request', () => {
    const r = rig();
    r.missed({ count: 3 });
    r.missed({ count: 40 });
    const said = r.said();
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /frontend fe sends "\/Autodiscover" to backend owa, but 3 requests such as "\/autodiscover\/autodiscover\.xml" of client 192\.0\.2\.7 went to the default backend rest.*"path_beg -i \/autodiscover"/);
    assert.equal(r.active()[0]?.count, 43);
    r.pass(3_500_000);
    assert.equal(r.active().length, 1);
    r.pass(120_000);
    assert.equal(r.active().length, 0);
  });

  it('keep control characters of a path out of the log', () => {
    const r = rig();
    r.missed({ path: '/autodiscover/\u001b[2J"' });
    assert.match(r.said()[0] ?? '', /\\u001b\[2J\\"/);
  });
});
