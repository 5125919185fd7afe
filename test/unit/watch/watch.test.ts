/** What the watch concludes from checks, and when the list of advice speaks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Events } from '../../../src/control/events.ts';
import { AdviceList } from '../../../src/control/watch/advice-list.ts';
import { ProbeWatch } from '../../../src/control/watch/probe-watch.ts';
import { Sighting } from '../../../src/control/watch/sighting.ts';
import { limits } from '../../../src/model/limits.ts';
import { HandTime, makeWorld } from '../health/rig.ts';

const silent = { onConnected: () => undefined, onSecured: () => undefined, onData: () => undefined, onEnd: () => undefined, onError: () => undefined };

function sighting(body: string | null, leaf = ''): Sighting {
  const made = new Sighting();
  const events = made.between(silent);
  events.onConnected();
  if (leaf !== '') events.onSecured(Buffer.from(leaf));
  if (body !== null) events.onData(Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
  return made;
}

const servers = '  server ex1 10.0.0.1:443 check ssl verify none\n  server ex2 10.0.0.2:443 check ssl verify none\n';
const configuration = `frontend fe\n  bind :8080\n  use_backend owa if { path_beg -i /owa }\n  use_backend ews if { path_beg -i /ews }\n  default_backend rest
backend owa\n  option httpchk GET /owa/healthcheck.htm\n${servers}backend ews\n  option httpchk GET /EWS/healthcheck.htm\n${servers}backend rest\n${servers}
frontend shop\n  bind :8081\n  default_backend goods\nbackend goods\n  option httpchk GET /alive\n${servers}`;

function rig(): { time: HandTime; watch: ProbeWatch; server: (name: string) => number; said: () => string[]; active: () => string[] } {
  const time = new HandTime();
  const world = makeWorld(configuration, time);
  const events = new Events();
  const heard: string[] = [];
  events.listen((event) => heard.push(event.text));
  const list = new AdviceList(time, events);
  return {
    time, server: world.server,
    watch: new ProbeWatch(world.model, list, (index) => world.states.address(index)),
    said: () => heard.splice(0),
    active: () => list.entries().filter((advice) => advice.active).map((advice) => advice.code),
  };
}

const ok = (fqdn: string): string => `200 OK<br/>${fqdn}`;

describe('probe watch', () => {
  it('watches what stands behind an Exchange frontend and nothing else', () => {
    const r = rig();
    assert.deepEqual(['owa/ex1', 'rest/ex1', 'goods/ex1'].map((name) => r.watch.watches(r.server(name))), [true, true, false]);
  });

  it('tells once of another server, and again when it returns', () => {
    const r = rig();
    const index = r.server('owa/ex1');
    for (let check = 0; check < 3; check += 1) r.watch.checked(index, true, sighting(ok('EX7.lab.local')));
    const said = r.said();
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /owa\/ex1 \(10\.0\.0\.1:443\) is answered by EX7\.lab\.local, not by ex1/);
    r.watch.checked(index, true, sighting(ok('EX1.lab.local')));
    assert.deepEqual(r.active(), []);
    r.watch.checked(index, true, sighting(ok('EX7.lab.local')));
    assert.equal(r.said().length, 1);
  });

  it('sees one machine behind two names, until it is put right', () => {
    const r = rig();
    r.watch.checked(r.server('owa/ex1'), true, sighting(ok('ex1.lab.local')));
    r.watch.checked(r.server('owa/ex2'), true, sighting(ok('EX1.lab.local')));
    assert.deepEqual(r.active(), ['other-server', 'same-server-twice']);
    r.watch.checked(r.server('owa/ex2'), true, sighting(ok('ex2.lab.local')));
    assert.deepEqual(r.active(), []);
  });

  it('tells of a copied address once for all backends, until all of them see it put right', () => {
    const r = rig();
    const look = (ex2: string): void => {
      for (const backend of ['owa', 'ews']) {
        r.watch.checked(r.server(`${backend}/ex1`), true, sighting(ok('EX1.lab.local')));
        r.watch.checked(r.server(`${backend}/ex2`), true, sighting(ok(ex2)));
      }
    };
    look('EX1.lab.local');
    look('EX1.lab.local');
    const said = r.said();
    assert.equal(said.length, 2, said.join('\n'));
    assert.match(said[0] ?? '', /owa\/ex2 \(.*\) is answered by EX1\.lab\.local.* on the server line and in 2 other backends, or its name\./);
    assert.match(said[1] ?? '', /ex1 and ex2 of backend owa are the same machine.* of one and in 2 other backends\./);
    r.watch.checked(r.server('owa/ex2'), true, sighting(ok('EX2.lab.local')));
    assert.deepEqual(r.active(), ['other-server', 'same-server-twice'], 'ews still goes to the other one');
    look('EX2.lab.local');
    look('EX2.lab.local');
    assert.deepEqual([r.active(), r.said()], [[], []]);
  });

  it('takes an empty body for advice, and a missing one for nothing', () => {
    const r = rig();
    r.watch.checked(r.server('owa/ex1'), true, sighting(''));
    assert.deepEqual(r.active(), ['empty-healthcheck']);
    r.watch.checked(r.server('owa/ex2'), false, sighting(null));
    assert.deepEqual(r.active(), ['empty-healthcheck']);
  });

  it('tells of servers whose certificates differ, with both fingerprints', () => {
    const r = rig();
    r.watch.checked(r.server('owa/ex1'), true, sighting(null, 'one'));
    assert.deepEqual(r.said(), []);
    r.watch.checked(r.server('owa/ex2'), true, sighting(null, 'two'));
    assert.match(r.said()[0] ?? '', /^OWA will loop: .*ex1 7692c3ad[0-9a-f]{56}, ex2 3fc4ccfe[0-9a-f]{56}/);
    r.watch.checked(r.server('rest/ex1'), true, sighting(null, 'one'));
    r.watch.checked(r.server('rest/ex2'), true, sighting(null, 'two'));
    assert.deepEqual(r.said(), [], 'the same servers in another backend are no news');
    assert.deepEqual(r.active(), ['certificates-of-servers']);
  });

  it('tells of a service that is down alone, not of a site that is down', () => {
    const r = rig();
    const check = (name: string, passed: boolean): void => r.watch.checked(r.server(name), passed, sighting(null));
    for (const name of ['owa/ex1', 'owa/ex2', 'rest/ex1', 'rest/ex2']) check(name, true);
    for (const name of ['owa/ex1', 'owa/ex2', 'rest/ex1', 'rest/ex2']) check(name, false);
    assert.deepEqual(r.active(), []);
    check('rest/ex2', true);
    check('owa/ex1', false);
    assert.deepEqual(r.active(), ['service-down']);
    check('owa/ex1', true);
    assert.deepEqual(r.active(), []);
  });

  it('takes a failed check that leaves its server up for a slow moment', () => {
    const r = rig();
    const fail = (name: string, down: boolean): void => r.watch.checked(r.server(name), false, sighting(null), down);
    for (const down of [false, true]) {
      fail('owa/ex1', down);
      fail('owa/ex2', down);
      assert.deepEqual(r.active(), []);
      r.watch.checked(r.server('rest/ex1'), true, sighting(null));
      assert.deepEqual(r.active(), down ? ['service-down'] : []);
    }
  });
});

describe('list of advice', () => {
  it('holds a bounded number and lets go of what is over first', () => {
    const list = new AdviceList(new HandTime(), new Events());
    const raise = (subject: string): void => list.raise({ code: 'other-server', severity: 'warning', proxy: 0, server: 0, subject, text: subject });
    for (let entry = 0; entry < limits.adviceEntriesMax; entry += 1) raise(`s${entry}`);
    list.clear('other-server', 's5');
    raise('more');
    assert.equal(list.entries().length, limits.adviceEntriesMax);
    assert.equal(list.entries().some(({ subject }) => subject === 's5'), false);
    assert.equal(list.entries().some(({ subject }) => subject === 's0'), true);
  });

  it('counts, and keeps the first and the last time', () => {
    const time = new HandTime();
    const list = new AdviceList(time, new Events());
    const raise = (): void => list.raise({ code: 'other-server', severity: 'warning', proxy: 0, server: 0, subject: 's', text: 't' });
    raise();
    time.pass(3_600_000);
    raise();
    const [entry] = list.entries();
    assert.deepEqual([entry?.count, (entry?.lastMs ?? 0) - (entry?.sinceMs ?? 0)], [2, 3_600_000]);
  });

  it('ends after a reload what is no longer configured, and what nobody finds again', () => {
    const time = new HandTime();
    const events = new Events();
    const heard: string[] = [];
    events.listen((event) => heard.push(event.text));
    const list = new AdviceList(time, events);
    const raise = (subject: string, proxy: number, server = -1): void => list.raise({ code: 'other-server', severity: 'warning', proxy, server, subject, text: subject });
    const active = (): string[] => list.entries().filter((entry) => entry.active).map(({ subject, proxy }) => `${subject} ${proxy}`);
    raise('removed', 0);
    raise('mended', 1);
    raise('still there', 2, 7);
    raise('server removed', 2, 8);
    list.reloaded((proxy) => proxy - 1, (server) => (server === 7 ? 3 : -1));
    assert.deepEqual(active(), ['mended 0', 'still there 1']);
    time.pass(200_000);
    raise('still there', 1, 3);
    list.look();
    assert.deepEqual(active(), ['mended 0', 'still there 1']);
    // Another reload gives no more time.
    list.reloaded((proxy) => proxy, (server) => server);
    time.pass(100_000);
    list.look();
    assert.deepEqual(active(), ['still there 1']);
    assert.equal(heard.length, 4, 'what stays is not told again');
    time.pass(200_000);
    list.look();
    assert.deepEqual(active(), []);
  });
});
