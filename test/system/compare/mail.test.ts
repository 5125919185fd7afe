/** `email-alert`: the same letters about servers as HAProxy writes, and mail servers in trouble that nobody but the mail notices. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { BlackHole } from '../../harness/black-hole.ts';
import { comparison } from '../../harness/comparison.ts';
import { type Mail, MailSink } from '../../harness/mail-sink.ts';
import { get } from '../../harness/observe.ts';
import { named, Origin } from '../../harness/origin.ts';
import { eventually } from '../../harness/place.ts';
import { Site } from '../../harness/site.ts';

const alerts = `    email-alert mailers post
    email-alert from balancer@lab.local
    email-alert to ops@lab.local
`;

const sink = (site: Site, name = 'mail'): MailSink => site.origin(name) as MailSink;

/** What does not depend on how busy the machine is. */
const steady = (text: string): string => text.replaceAll(/check duration: \d+ms/g, 'check duration: N');

/** Letters whose subject matches, once there are so many, in the order of their subjects. */
async function letters(site: Site, about: RegExp, count: number): Promise<unknown[]> {
  const found = (): Mail[] => sink(site).mails.filter((mail) => about.test(mail.subject));
  await eventually(`${count} letters about ${String(about)} of ${site.program}, which sent ${JSON.stringify(sink(site).mails.map((mail) => mail.subject))}`, () => found().length >= count, 10_000);
  return found().map((mail) => ({
    from: mail.from, to: mail.to, header: [mail.headers.get('from'), mail.headers.get('to'), mail.headers.has('x-mailer')], subject: steady(mail.subject), body: steady(mail.body.split('\n')[0] ?? ''),
    hello: mail.hello === 'balancer-one' ? mail.hello : 'host name', dated: Math.abs(Date.now() - Date.parse((mail.headers.get('date') ?? '').replace(/ \(.*/, ''))) < 60_000,
  })).toSorted((left, right) => (left.subject < right.subject ? -1 : 1));
}

const listenAgain = (site: Site, name: string): Promise<void> => site.origin(name).listen(site.place.address, site.port(name));
const command = async (site: Site, text: string): Promise<void> => { await site.command(text); };

comparison('letters about servers', {
  origins: () => ({ mail: new MailSink(), web: named('web'), late: named('late'), steps: named('steps') }),
  configuration: `
defaults
    mode http
    timeout connect 1s
    timeout client 2s
    timeout server 2s
    timeout check 2s
    default-server inter 150ms fall 2 rise 2
${alerts}mailers post
    timeout mail 5s
    mailer one {mail}
frontend fe
    bind {front}
    default_backend alert
backend alert
    server s1 {web} check
    server s2 {web} backup track alert/s1
backend notice
    email-alert level notice
    email-alert myhostname balancer-one
    server s1 {late} check
    server s2 {late} track notice/s1
backend info
    email-alert level info
    option log-health-checks
    server s1 {steps} check
backend admin
    email-alert level debug
    server s1 {web}
backend nobody
    email-alert level emerg
    server s1 {web} check
`,
}, (situation) => {
  situation('a server that goes down: level alert tells of nothing else', async (site) => {
    await site.origin('web').close();
    const down = await letters(site, /alert\/s/, 2);
    await listenAgain(site, 'web');
    await eventually('the server is up again', async () => (await site.ask('front', get('/'))).startLine.includes('200'), 5000);
    return [down, await letters(site, /alert\/s|nobody/, 2)];
  }, { shows: ['[HAProxy Alert] Server alert/s1 is DOWN, reason: Layer4 connection problem', '[HAProxy Alert] Backup Server alert/s2 is DOWN via alert/s1', 'left. 0 sessions active, 0 requeued, 0 remaining in queue"'] });

  situation('a server that goes down and comes back: level notice tells of both', async (site) => {
    await site.origin('late').close();
    await letters(site, /notice\/s/, 2);
    await listenAgain(site, 'late');
    return letters(site, /notice\/s/, 4);
  }, { shows: ['Server notice/s1 is DOWN', 'Server notice/s2 is DOWN via notice/s1', 'Server notice/s1 is UP, reason: Layer4 check passed', 'Server notice/s2 is UP via', '"hello": "balancer-one"'] });

  situation('checks, with option log-health-checks and level info', async (site) => {
    await site.origin('steps').close();
    return letters(site, /info\/s/, 4);
  }, { shows: ['Health check for server info/s1 succeeded', 'status: 1/2 UP"', 'status: 0/2 DOWN"', 'Server info/s1 is DOWN. '] });

  situation('what an administrator does: drain and health are told, maintenance is not', async (site) => {
    for (const state of ['drain', 'ready', 'maint', 'drain', 'ready']) await command(site, `set server admin/s1 state ${state}`);
    for (const health of ['stopping', 'down', 'up']) await command(site, `set server admin/s1 health ${health}`);
    return letters(site, /admin\/s/, 3);
  }, { shows: ['Server admin/s1 enters drain state', 'Server admin/s1 is DOWN, changed from CLI', 'Server admin/s1 is UP, changed from CLI'] });
});

const troubled = (timeout: string, more: string, poise: string): string => `
defaults
    mode http
    timeout connect 1s
    timeout client 2s
    timeout server 2s
mailers post
    timeout mail ${timeout}
${more}frontend fe
    bind {front}
    default_backend be
backend be
    email-alert level notice
${alerts}    server s1 {web}
    server s2 {web}
poise
${poise}`;

describe('mail servers in trouble', () => {
  it('do not disturb traffic, and the next relay takes the letter', async () => {
    const site = await Site.start('poise', {
      origins: () => ({ web: named('web'), hole: new BlackHole(), silent: new Origin(() => undefined), dripping: dripping(), refusing: new MailSink(), mail: new MailSink() }),
      configuration: troubled('300ms', '    mailer dead {nobody}\n    mailer hole {hole}\n    mailer silent {silent}\n    mailer dripping {dripping}\n    mailer refusing {refusing}\n', '    mail-queue {dir}/queue\n    relay {mail}\n'),
    });
    try {
      sink(site, 'refusing').refuses = 'go away';
      await site.command('set server be/s1 health down');
      const slowest = await slowestAnswer(site, 100);
      assert(slowest < 1000, `a request took ${slowest} ms`);
      await eventually('the letter', () => sink(site).mails.length === 1, 15_000);
      assert.match(sink(site).mails[0]?.subject ?? '', /Server be\/s1 is DOWN/);
      await eventually('nothing waits', () => waiting(site) === 0, 3000);
    } finally {
      await site.stop();
    }
  });

  it('get the letter after a restart: it waited on disk; the webhook had it at once', async () => {
    const bodies: string[] = [];
    const hook = createServer((request, answer) => {
      request.on('data', (chunk: Buffer) => { bodies.push(chunk.toString()); });
      request.on('end', () => { answer.end(); });
    });
    await new Promise<void>((resolve) => { hook.listen(0, '127.0.0.1', () => { resolve(); }); });
    const { port } = hook.address() as { port: number };
    const site = await Site.prepare('poise', {
      origins: () => ({ web: named('web'), mail: new MailSink() }), values: () => ({ hook: String(port) }),
      configuration: troubled('5s', '    mailer one {mail}\n', '    mail-queue {dir}/queue\n    webhook http://127.0.0.1:{hook}/hook\n'),
    });
    try {
      await site.startOrigins();
      await sink(site).close();
      await site.startProgram();
      await site.command('set server be/s1 health down');
      await eventually('the webhook is told', () => bodies.length === 1, 5000);
      assert.match((JSON.parse(bodies[0] ?? '') as { subject: string }).subject, /^\[HAProxy Alert\] Server be\/s1 is DOWN, changed from CLI/);
      await eventually('the letter waits', () => waiting(site) === 1, 3000);
      await site.process?.stop();
      assert.equal(waiting(site), 1);
      await listenAgain(site, 'mail');
      await site.startProgram();
      await eventually('the letter', () => sink(site).mails.length === 1, 15_000);
      await eventually('nothing waits', () => waiting(site) === 0, 3000);
      assert.equal(sink(site).mails.length, 1);
    } finally {
      await site.stop();
      await new Promise((resolve) => { hook.close(resolve); });
    }
  });
});

/** A mail server that sends a byte now and then and never an end of line. */
function dripping(): Origin {
  return new Origin((connection) => {
    const timer = setInterval(() => { connection.send('2'); if (connection.ending !== 'open') clearInterval(timer); }, 50);
  });
}

function waiting(site: Site): number {
  return readdirSync(join(site.place.folder, 'queue/balancer')).length;
}

async function slowestAnswer(site: Site, count: number): Promise<number> {
  let slowest = 0;
  for (let number = 0; number < count; number++) {
    const startedAtMs = performance.now();
    assert.match((await site.ask('front', get('/'))).startLine, /200/);
    slowest = Math.max(slowest, performance.now() - startedAtMs);
  }
  return slowest;
}
