/** Letters about servers: which changes, at which level, in which words. What HAProxy 2.6 writes is compared in test/system/compare/mail.test.ts. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { alertLetter, prepareMailQueue } from '../../../src/control/alert-mail.ts';
import type { CheckResult } from '../../../src/control/check-result.ts';
import type { Letter } from '../../../src/model/mail.ts';
import { HandTime, makeWorld } from '../health/rig.ts';
import type { World } from '../health/rig.ts';

const good: CheckResult = { outcome: 'passed', status: 'L4OK', code: 0, durationMs: 1, description: '' };
const refused: CheckResult = { outcome: 'failed', status: 'L4CON', code: 0, durationMs: 0, description: 'Connection refused' };
const reason = 'reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms';

/** A backend with one checked server, and the letters about it. */
function letters(lines: string, more = ''): World & { subjects(): string[]; all: Letter[]; check(...results: CheckResult[]): void } {
  const world = makeWorld(`mailers post\n  mailer one 127.0.0.1:25\nbackend be\n  email-alert mailers post\n  email-alert from lb@lab.local\n  email-alert to "a@lab.local, b@lab.local"\n${lines}  server s1 127.0.0.1:1 check inter 1s rise 2 fall 2 ${more}\n`, new HandTime());
  const all: Letter[] = [];
  let told = 0;
  world.events.listen((event) => {
    const letter = alertLetter(event, world.model, 'lb1');
    if (letter !== undefined) all.push(letter);
  });
  return {
    ...world, all,
    check: (...results) => { for (const result of results) world.states.checkEnded(world.server('be/s1'), result); },
    subjects: () => {
      const fresh = all.slice(told).map((letter) => letter.subject);
      told = all.length;
      return fresh;
    },
  };
}

describe('letters about servers', () => {
  it('have the log line as subject and first line, and say which node writes', () => {
    const of = letters('');
    of.check(good, refused, refused);
    const [letter] = of.all;
    const line = `Server be/s1 is DOWN, ${reason}. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue`;
    assert.deepEqual(of.all.length, 1);
    assert.deepEqual(letter, {
      from: 'lb@lab.local', to: ['a@lab.local', 'b@lab.local'], subject: `[HAProxy Alert] ${line}`, topic: 'be/s1', atMs: letter?.atMs, mailer: '', mailers: 'post', helo: 'lb1',
      text: `${line}\n\nNode: lb1\nTime: ${new Date(letter?.atMs ?? 0).toISOString()}\n`,
    });
  });

  it('tell at level alert that a server is down, at notice also that it is up, at info also of checks', () => {
    const seen = (level: string, options = ''): string[] => {
      const of = letters(`${options}  email-alert level ${level}\n`);
      of.check(good, refused, refused, good, good);
      return of.subjects().map((subject) => subject.replace(/^\[HAProxy Alert\] |[.,].*/g, ''));
    };
    assert.deepEqual(seen('emerg'), []);
    assert.deepEqual(seen('alert'), ['Server be/s1 is DOWN']);
    assert.deepEqual(seen('warning'), ['Server be/s1 is DOWN']);
    assert.deepEqual(seen('notice'), ['Server be/s1 is DOWN', 'Server be/s1 is UP']);
    assert.deepEqual(seen('info'), ['Server be/s1 is DOWN', 'Server be/s1 is UP']);
    const checks = 'Health check for server be/s1';
    assert.deepEqual(seen('notice', '  option log-health-checks\n'), ['Server be/s1 is DOWN', 'Server be/s1 is UP']);
    assert.deepEqual(seen('info', '  option log-health-checks\n'), [
      `${checks} succeeded`, `${checks} failed`, `${checks} failed`, 'Server be/s1 is DOWN', `${checks} succeeded`, `${checks} succeeded`, 'Server be/s1 is UP',
    ]);
  });

  it('tell of drain, not of maintenance, and of the last server without naming the backend', () => {
    const of = letters('  email-alert level debug\n');
    of.check(good);
    const server = of.server('be/s1');
    of.states.setAdmin(server, 'maint');
    of.states.setAdmin(server, 'ready');
    of.check(good, good);
    assert.deepEqual(of.subjects(), []);
    of.states.setAdmin(server, 'drain');
    assert.deepEqual(of.subjects(), ['[HAProxy Alert] Server be/s1 enters drain state. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue']);
    of.states.setAdmin(server, 'ready');
    of.states.setHealth(server, 'stopping');
    assert.deepEqual(of.subjects(), []);
  });

  it('a server that is down while it drains is no alert', () => {
    const of = letters('');
    of.check(good);
    of.states.setAdmin(of.server('be/s1'), 'drain');
    of.check(refused, refused);
    assert.deepEqual(of.subjects(), []);
  });

  it('greet with myhostname', () => {
    const of = letters('  email-alert myhostname balancer-one\n');
    of.check(good, refused, refused);
    assert.equal(of.all[0]?.helo, 'balancer-one');
  });
});

describe('the folder of the queue', () => {
  it('is made for the balancer alone, and only with a poise section', () => {
    const folder = mkdtempSync(join(tmpdir(), 'poise-queue-'));
    const { model } = letters('');
    const queue = join(folder, 'lib', 'mail');
    prepareMailQueue({ ...model, poise: { ...model.poise, mailQueue: queue } });
    assert.equal(statSync(queue, { throwIfNoEntry: false }), undefined);
    prepareMailQueue({ ...model, poise: { ...model.poise, given: true, mailQueue: queue } });
    assert.equal(statSync(join(queue, 'balancer')).isDirectory(), true);
    rmSync(folder, { recursive: true });
  });
});
