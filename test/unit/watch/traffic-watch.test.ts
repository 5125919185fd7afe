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
  /** In one message of a thread, in the order in which they happened unless they say another. */
  login(...several: readonly Partial<LoginSighting>[]): void;
  /** Lets what came be judged. */
  settle(): void;
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
  let order = 0;
  return {
    time,
    login: (...several) => watch.take(several.map((parts) => ({ client: '192.0.2.7', backend, order: order += 1, kind: 'refused', server: 0, scheme: 'none', times: 1, ...parts })), []),
    settle: () => {
      time.pass(trafficWatchPeriodMs);
      watch.look();
    },
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
      r.login({ times: 2, scheme: 'ntlm', server: round % 2 });
      r.pass(1000);
    }
    assert.deepEqual(r.said(), []);
    r.login({ times: 2, scheme: 'ntlm', server: 1 });
    r.settle();
    const [text = '', ...more] = r.said();
    assert.deepEqual(more, []);
    assert.match(text, /^401 loop: client 192\.0\.2\.7 was refused 20 times in 9 s at backend owa \(servers ex1, ex2\) and let in not once, with credentials of the kind 'ntlm'\. .*0xC000035B/);
    for (let round = 0; round < 100; round += 1) r.login({ times: 2, scheme: 'ntlm' });
    r.settle();
    assert.deepEqual(r.said(), []);
    assert.equal(r.active()[0]?.count, 220, 'the entry counts on');
  });

  it('say nothing during an hour of ordinary logins', () => {
    const r = rig();
    for (let second = 0; second < 3600; second += 1) {
      // Eight connections at once, two 401 each, before the first is let in.
      if (second % 60 === 0) r.login({ times: 16, scheme: 'ntlm' });
      if (second % 60 === 1) r.login({ kind: 'accepted' });
      // A phone with an old password, every half a minute.
      if (second % 30 === 0) r.login({ client: '192.0.2.8', scheme: 'basic' });
      r.pass(1000);
    }
    assert.deepEqual([r.said(), r.active()], [[], []]);
  });

  it('are over when they are let in, and when they are gone', () => {
    const r = rig();
    r.login({ times: 20, scheme: 'basic' });
    r.settle();
    assert.equal(r.active().length, 1);
    r.login({ kind: 'accepted' }, { times: 1 });
    r.settle();
    assert.equal(r.active().length, 0);
    r.login({ times: 20, scheme: 'basic' });
    r.settle();
    assert.equal(r.said().length, 2, 'what returns is told again');
    r.pass(290_000);
    assert.equal(r.active().length, 1);
    r.pass(30_000);
    assert.equal(r.active().length, 0);
  });

  it('of whom there are many share an entry', () => {
    const r = rig();
    const numbers = Array.from({ length: limits.adviceClientsMax + 50 }, (_, at) => at);
    for (const client of numbers) r.login({ client: `192.0.2.${client}`, times: 20, scheme: 'ntlm' });
    r.settle();
    assert.equal(r.said().length, limits.adviceClientsMax + 1);
    const others = r.active().find(({ subject }) => subject === 'owa: other clients');
    assert.equal(others?.count, 50 * 20);
    assert.match(others?.text ?? '', /like more than 8 others/);
    for (const client of numbers.slice(0, -1)) r.login({ client: `192.0.2.${client}`, kind: 'accepted' });
    r.settle();
    assert.equal(r.active().length, 1);
    r.login({ client: `192.0.2.${numbers.length - 1}`, kind: 'accepted' });
    r.settle();
    assert.equal(r.active().length, 0);
  });

  it('are remembered in bounded number, whatever an attacker does', () => {
    const r = rig();
    for (let client = 0; client < 2 * limits.watchedClientsMax; client += 1) r.login({ client: `c${client}`, times: 19 }, { client: `c${client}`, kind: 'logged-in' });
    r.settle();
    r.login({ client: 'c0' });
    r.settle();
    assert.deepEqual(r.said(), [], 'forgotten');
    r.login({ client: `c${2 * limits.watchedClientsMax - 1}` });
    r.settle();
    assert.equal(r.said().length, 1);
  });

  it('wait for their order, but not when there are too many', () => {
    const r = rig();
    r.login(...Array.from({ length: limits.unsettledSightingsMax }, () => ({})));
    assert.deepEqual(r.said(), []);
    r.login({});
    assert.equal(r.said().length, 1);
  });
});

const login = { kind: 'logged-in', server: 0 } as const;
const back = { kind: 'sent-back', server: 1 } as const;

describe('OWA logins', () => {
  it('that lead back to the logon page are told, with the servers', () => {
    const r = rig();
    // Login and what follows in one message, and in two.
    r.login(login, back);
    r.pass(2000);
    r.login(login);
    r.settle();
    r.login(back);
    r.settle();
    assert.deepEqual(r.said(), []);
    r.login(login, back);
    r.settle();
    assert.match(r.said()[0] ?? '', /^OWA login loop: client 192\.0\.2\.7 logged in 3 times in 4 s at backend owa and was sent back .* \(servers ex1, ex2\)\. .*same certificate.*balance source/);
    r.login({ kind: 'accepted' });
    r.settle();
    assert.deepEqual(r.active(), []);
  });

  it('are put in order, whichever thread tells first', () => {
    const r = rig();
    // Three rounds within the time that threads gather: one thread saw the logins, another where they led.
    r.login(...[2, 4, 6].map((order) => ({ ...back, order })));
    r.login(...[1, 3, 5].map((order) => ({ ...login, order })));
    r.settle();
    assert.match(r.said()[0] ?? '', /^OWA login loop: client 192\.0\.2\.7 logged in 3 times/);
    // They were let in after all that, of which a busy thread tells late.
    r.login({ kind: 'accepted', order: 20 });
    r.pass(trafficWatchPeriodMs / 2);
    r.login(...[7, 8, 9, 10].map((order) => (order % 2 === 1 ? { ...login, order } : { ...back, order })));
    r.pass(3 * trafficWatchPeriodMs);
    assert.deepEqual([r.said(), r.active()], [[], []]);
  });

  it('are put in order when the numbers start again', () => {
    const r = rig();
    const last = 2 ** 31 - 1;
    r.login({ ...back, order: -last - 1 }, { ...back, order: -last + 1 }, { ...back, order: last - 1 });
    r.login({ ...login, order: -last }, { ...login, order: last }, { ...login, order: last - 2 });
    r.settle();
    assert.match(r.said()[0] ?? '', /logged in 3 times/);
  });

  it('of one server point at its key', () => {
    const r = rig();
    for (let round = 0; round < 3; round += 1) r.login(login, { ...back, server: 0 });
    r.settle();
    assert.match(r.said()[0] ?? '', /\(server ex1\)\. One server refuses its own login cookies: .*CNG/);
  });

  it('that end well, or whose sessions end, say nothing', () => {
    const r = rig();
    for (let minute = 0; minute < 60; minute += 1) {
      r.login(back, login);
      r.pass(30_000);
      // Eight hours would be usual; the page is another visit's.
      r.login(back, { kind: 'accepted' });
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
