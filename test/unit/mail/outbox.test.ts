/** The queue of letters: relays in turn, retries, digests, disk. Sending goes to a real SMTP server. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { limits } from '../../../src/model/limits.ts';
import type { Letter, Relay } from '../../../src/model/mail.ts';
import { Outbox } from '../../../src/mail/outbox.ts';
import { post } from '../../../src/mail/post.ts';
import { postWebhook } from '../../../src/mail/webhook.ts';

const letter = (rest: Partial<Letter> = {}): Letter => ({ from: 'a@lab.local', to: ['b@lab.local'], subject: 'S', text: 'T', topic: 't', atMs: 1_000_000, mailer: 'Keepalived', mailers: '', helo: '', ...rest });
const relay = (port: number, rest: Partial<Relay> = {}): Relay => ({ place: { file: '', line: 0 }, host: '127.0.0.1', port, security: 'opportunistic', user: '', password: '', helo: 'lab', connectTimeoutMs: 1000, sendTimeoutMs: 5000, verifyCertificate: true, ...rest });

async function sink(options: SMTPServerOptions = {}): Promise<{ port: number; mails: string[]; close: () => Promise<void> }> {
  const mails: string[] = [];
  const server = new SMTPServer({ authOptional: true, ...options, onData: (stream, _session, done) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => { text += chunk.toString(); });
    stream.on('end', () => { mails.push(text); done(); });
  } });
  server.on('error', () => { /* clients that give up */ });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return { port: (server.server.address() as AddressInfo).port, mails, close: () => new Promise((resolve) => { server.close(resolve); }) };
}

/** An outbox in a time of its own. `step` lets time pass and everything that is due happen. */
function outboxWith(send: (letter: Letter) => Promise<string>, folder = '', atOnce = 1): { box: Outbox; said: string[]; step: (ms: number) => Promise<void> } {
  let now = 1_000_000;
  const due: { atMs: number; run: () => void }[] = [];
  const said: string[] = [];
  const box = new Outbox({ folder, atOnce, send, nowMs: () => now, after: (delayMs, run) => { due.push({ atMs: now + delayMs, run }); }, log: (level, text) => { said.push(`${level} ${text}`); } });
  const settle = async (): Promise<void> => { for (let turn = 0; turn < 50; turn++) await Promise.resolve(); };
  return { box, said, step: async (ms) => {
    const end = now + ms;
    await settle();
    for (;;) {
      due.sort((a, b) => a.atMs - b.atMs);
      const next = due[0];
      if (next === undefined || next.atMs > end) break;
      due.shift();
      now = Math.max(now, next.atMs);
      next.run();
      await settle();
    }
    now = end;
  } };
}

describe('sending', () => {
  it('reaches a real server, with the subject and the mailer', async () => {
    const server = await sink();
    assert.equal(await post(letter({ subject: '[LAB] VRRP Instance VI_1 - Entering MASTER state' }), [relay(server.port)]), '');
    assert.match(server.mails[0] ?? '', /^Subject: \[LAB\] VRRP Instance VI_1 - Entering MASTER state\r?$/m);
    assert.match(server.mails[0] ?? '', /^X-Mailer: Keepalived\r?$/m);
    await server.close();
  });

  it('uses STARTTLS and AUTH, and the next relay when one refuses', async () => {
    const users: string[] = [];
    const server = await sink({ authOptional: false, onAuth: (auth, _session, done) => { users.push(`${auth.username}:${auth.password}`); done(null, { user: auth.username }); } });
    const refusing = await sink({ onConnect: (_session, done) => { done(new Error('go away')); } });
    assert.equal(await post(letter(), [relay(1), relay(refusing.port), relay(server.port, { user: 'u', password: 'p' })]), '');
    assert.deepEqual(users, ['u:p']);
    const why = await post(letter(), [relay(server.port, { security: 'required' })]);
    assert.notEqual(why, '', 'a certificate that nobody signed is not enough when TLS is required');
    assert.match(await post(letter(), [relay(1), relay(refusing.port)]), /127\.0\.0\.1:1: .*; 127\.0\.0\.1:\d+: .*go away/);
    await Promise.all([server.close(), refusing.close()]);
  });

  it('gives a server up that dribbles, and does not tell who sent the letter when there is no mailer', async () => {
    const sockets: Socket[] = [];
    const timers: NodeJS.Timeout[] = [];
    const dripping = createTcpServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => { /* given up */ });
      timers.push(setInterval(() => { socket.write('2'); }, 20));
    });
    await new Promise<void>((resolve) => { dripping.listen(0, '127.0.0.1', resolve); });
    const server = await sink();
    const { port } = dripping.address() as AddressInfo;
    assert.equal(await post(letter({ mailer: '', subject: '"Quoted" words, as they are' }), [relay(port, { connectTimeoutMs: 300, sendTimeoutMs: 300 }), relay(server.port)]), '');
    assert.match(await post(letter(), [relay(port, { connectTimeoutMs: 5000, sendTimeoutMs: 200 })]), /did not take the letter within 200 ms/);
    assert.match(server.mails[0] ?? '', /^Subject: "Quoted" words, as they are\r?$/m);
    assert.doesNotMatch(server.mails[0] ?? '', /x-mailer/i);
    for (const timer of timers) clearInterval(timer);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => { dripping.close(resolve); });
    await server.close();
  });

  it('greets as the letter says, else as the relay says', async () => {
    const names: string[] = [];
    const server = await sink({ onMailFrom: (_address, session, done) => { names.push(String(session.hostNameAppearsAs)); done(); } });
    await post(letter({ helo: 'proxy' }), [relay(server.port)]);
    await post(letter(), [relay(server.port)]);
    assert.deepEqual(names, ['proxy', 'lab']);
    await server.close();
  });

  it('a webhook gets JSON and has to answer 2xx', async () => {
    const bodies: string[] = [];
    let status = 200;
    const server = createServer((request, answer) => {
      request.on('data', (chunk: Buffer) => { bodies.push(chunk.toString()); });
      request.on('end', () => { answer.writeHead(status); answer.end(); });
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    assert.equal(await postWebhook(letter(), url), '');
    assert.deepEqual(JSON.parse(bodies[0] ?? ''), { subject: 'S', text: 'T', topic: 't', at: new Date(1_000_000).toISOString() });
    status = 500;
    assert.match(await postWebhook(letter(), url), /answered 500/);
    await new Promise((resolve) => { server.close(resolve); });
    assert.notEqual(await postWebhook(letter(), url), '');
  });
});

describe('the queue', () => {
  it('tries again with growing pauses and gives up after three days', async () => {
    let tries = 0;
    const { box, said, step } = outboxWith(() => { tries += 1; return Promise.resolve('down'); });
    box.post(letter());
    await step(0);
    assert.equal(tries, 1);
    await step(5000);
    assert.equal(tries, 2);
    await step(15_000);
    assert.equal(tries, 3);
    await step(73 * 3_600_000);
    assert.equal(box.waiting, 0);
    assert(said.some((line) => line.includes('given up after 72 hours')));
  });

  it('sends the first letter of a topic at once and folds the rest of the minute into one', async () => {
    const sent: string[] = [];
    const { box, step } = outboxWith((one) => { sent.push(one.subject); return Promise.resolve(''); });
    for (const state of ['MASTER', 'BACKUP', 'MASTER', 'BACKUP']) box.post(letter({ subject: state }));
    box.post(letter({ subject: 'other', topic: 'u' }));
    await step(1000);
    assert.deepEqual(sent, ['MASTER', 'other']);
    await step(60_000);
    assert.deepEqual(sent, ['MASTER', 'other', 'BACKUP (and 2 changes before)']);
  });

  it('may send several letters of a topic before it folds, and gives up what it holds when it is flushed', async () => {
    const sent: string[] = [];
    const { box, step } = outboxWith((one) => { sent.push(one.subject); return Promise.resolve(''); }, '', 2);
    for (const state of ['DOWN', 'UP', 'DOWN again', 'UP again']) box.post(letter({ subject: state }));
    await step(0);
    assert.deepEqual(sent, ['DOWN', 'UP']);
    box.flush();
    await step(0);
    assert.deepEqual(sent, ['DOWN', 'UP', 'UP again (and 1 changes before)']);
    assert.equal(box.busy, false);
  });

  it('leaves the letters of a process that lives to it, and takes those of one that has ended, at once and later', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'poise-mail-'));
    const nobody = 4_194_304;
    const put = (pid: number, subject: string): void => { writeFileSync(join(folder, `1000000-${pid}-${subject}.json`), JSON.stringify(letter({ subject }))); };
    put(process.ppid, 'living');
    put(nobody, 'left');
    const sent: string[] = [];
    const { step } = outboxWith((one) => { sent.push(one.subject); return Promise.resolve(''); }, folder);
    await step(0);
    assert.deepEqual(sent, ['left']);
    put(nobody, 'later');
    await step(5 * 60_000);
    assert.deepEqual(sent, ['left', 'later']);
    assert.deepEqual(readdirSync(folder), [`1000000-${process.ppid}-living.json`]);
    rmSync(folder, { recursive: true });
  });

  it('outlives its process on disk, and sets damaged files aside', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'poise-mail-'));
    const first = outboxWith(() => Promise.resolve('down'), folder);
    first.box.post(letter({ subject: 'kept' }));
    await first.step(0);
    first.box.close();
    writeFileSync(join(folder, '0-bad.json'), '{"from":');
    const sent: string[] = [];
    const second = outboxWith((one) => { sent.push(one.subject); return Promise.resolve(''); }, folder);
    await second.step(0);
    assert.deepEqual(sent, ['kept']);
    assert.deepEqual(readdirSync(folder), ['0-bad.json.damaged']);
    rmSync(folder, { recursive: true });
  });

  it('keeps what it holds for a digest on disk too, and folds what a process that was killed had held', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'poise-mail-'));
    try {
      const killed = outboxWith(() => Promise.resolve(''), folder);
      for (const subject of ['1', '2', '3', '4']) killed.box.post(letter({ subject }));
      await killed.step(1000);
      assert.equal(readdirSync(folder).filter((name) => name.endsWith('.held.json')).length, 3);
      const sent: string[] = [];
      const next = outboxWith((one) => { sent.push(one.subject); return Promise.resolve(''); }, folder);
      await next.step(limits.digestWindowMs + 1);
      assert.deepEqual(sent, ['2', '4 (and 1 changes before)']);
      assert.deepEqual(readdirSync(folder), []);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('drops the oldest beyond its limit and says so', async () => {
    const { box, said, step } = outboxWith(() => Promise.resolve('down'));
    for (let number = 0; number < 1002; number++) box.post(letter({ topic: String(number) }));
    await step(0);
    assert.equal(box.waiting, 1000);
    assert(said.some((line) => line.includes('the oldest was dropped')));
  });
});
