/**
 * Two simulated hours of everything that Exchange's clients do at once, through the configuration of the layer 7 article, while
 * the other server fails and the configuration is reloaded, again and again: what is under way on the good one notices nothing, nor do those who
 * have logged in there; what meets the bad one is repeated, logins by those who logged in.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { it } from 'node:test';
import { frameBytes } from '../../../src/exchange-sim/services/websocket-frames.ts';
import type { Client } from '../../harness/client.ts';
import { echoMs, head, masked, ntlmLogin, open, openPair, pduEcho, pingBody, whole } from '../../harness/exchange-clients.ts';
import { ExchangeOrigin, layerSeven, mailCertificate, twoServers } from '../../harness/exchange-origin.ts';
import type { Message } from '../../harness/http.ts';
import { accounts } from '../../harness/outside.ts';
import { eventually, sleep } from '../../harness/place.ts';
import { Site } from '../../harness/site.ts';

const scale = 1200;
/** Real milliseconds of simulated minutes. */
const minutes = (count: number): number => (count * 60_000) / scale;
const hoursMs = minutes(120);
const backends = ['', '_autodiscover', '_mapi', '_rpc', '_owa', '_eas', '_ecp', '_ews', '_oab'].map((service) => `be_ex2013${service}`);

/** Requests that the good server has begun. */
function begun(site: Site): number {
  const origin = site.origin('ex1');
  return origin instanceof ExchangeOrigin ? origin.exchange?.requests ?? 0 : 0;
}

/** Long exchanges on the good server; each must be whole. */
type Watch = Promise<unknown>;

async function rpc(site: Site, end: () => boolean): Promise<string> {
  const { incoming, outgoing } = await openPair(site);
  const smallWrites = async (): Promise<void> => {
    const quick = await echoMs(incoming, outgoing, 5);
    assert(quick < 5, `small writes took ${quick} ms`);
  };
  await smallWrites();
  let count = 0;
  for (; !end() || count <= 5; count += 1) {
    await pduEcho(incoming, outgoing, `${count} ${'x'.repeat((count * 997) % 20_000)}`);
    await sleep(minutes(5));
  }
  // After all reloads, on the connections of the first configuration.
  await smallWrites();
  incoming.close();
  outgoing.close();
  return `${count > 5}`;
}

async function webSocket(site: Site, end: () => boolean): Promise<string> {
  const client = await open(site);
  client.send(head('GET', '/owa/notificationchannel/connect', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'));
  assert.match(await client.until(/\r\n\r\n/), /^HTTP\/1.1 101 [^]*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
  for (let count = 0; !end(); count += 1) {
    const text = `${count}`.repeat(count * 50 + 1);
    const expected = frameBytes({ isLast: true, opcode: 2, payload: Buffer.from(text) }).toString('latin1');
    assert.equal(await client.send(masked(2, text)).bytes(expected.length), expected);
    await sleep(minutes(7));
  }
  return JSON.stringify(await client.send(masked(8, '')).rest());
}

async function mapi(site: Site): Promise<string> {
  const client = await open(site);
  client.send(whole('POST', '/mapi/emsmdb/?MailboxId=a@lab.local', 'wait', 'X-RequestType: NotificationWait'));
  return (await client.answer('POST', 15_000)).body.replaceAll('PENDING\r\n', '.').replace(/X-(\w+): [^\r]+\r\n/g, '');
}

async function ping(site: Site): Promise<string> {
  const client = await open(site);
  const began = performance.now();
  const answer = await client.send(whole('POST', '/Microsoft-Server-ActiveSync?Cmd=Ping&User=anna&DeviceId=1&DeviceType=WP', pingBody(3540))).answer('POST', 20_000);
  return `${answer.status} ${answer.body.length} ${performance.now() - began >= minutes(59)}`;
}

async function streaming(site: Site): Promise<string> {
  const client = await open(site);
  client.send(whole('POST', '/EWS/Exchange.asmx', '<m:GetStreamingEvents><t:ConnectionTimeout>30</t:ConnectionTimeout></m:GetStreamingEvents>'));
  const { body, lines } = await client.answer('POST', 20_000);
  return `${(body.match(/<\/Envelope>/g) ?? []).length} ${body.includes('>Closed<')} ${lines.some((line) => line === 'Transfer-Encoding: chunked')}`;
}

async function poll(site: Site): Promise<string> {
  const client = await open(site);
  const answer = await client.send(head('GET', '/owa/ev.owa2?ns=PendingRequest&ev=PendingNotificationRequest')).answer('GET', 15_000);
  return `${answer.status} ${answer.body.includes('reachability')}`;
}

const inbox = '/EWS/Exchange.asmx';

/** The answer is one to somebody whose login is known on the server connection, not to a guest on another one. */
function isKnown(answer: Message): void {
  assert.deepEqual([answer.status, answer.header('persistent-auth'), answer.body], [200, 'true', '<GetItem/>'], answer.raw.slice(0, 300));
}

/** Logs in once per backend and stays on the connection; nothing proves later who it is. Gives the reloads that it lived through. */
async function loggedIn(site: Site, end: () => boolean): Promise<number> {
  const client = await open(site);
  const reloads = new Set<string>();
  const services = [inbox, '/autodiscover/autodiscover.svc'];
  isKnown(await ntlmLogin(client, inbox, 'alice', 'secret'));
  assert.equal((await ntlmLogin(client, services[1] ?? '', 'alice', 'secret')).header('persistent-auth'), 'true');
  while (!end()) {
    isKnown(await client.send(whole('POST', inbox, '<GetItem/>')).answer('POST', 10_000));
    const other = await client.send(whole('POST', services[1] ?? '', '<EMailAddress>alice@lab.local</EMailAddress>')).answer('POST', 10_000);
    assert.deepEqual([other.status, other.header('persistent-auth'), other.header('x-feserver')], [200, 'true', 'LAB-EX01']);
    reloads.add(other.header('x-reload') ?? '');
    await sleep(minutes(1));
  }
  client.close();
  return reloads.size;
}

/** Logs in on the failing server again and again; each time it fails, its client sees an end and nothing else. */
async function loggedOut(site: Site, seen: { ends: number }, end: () => boolean): Promise<void> {
  while (!end()) {
    const client = await open(site);
    try {
      let answer = await ntlmLogin(client, inbox, 'bob', 'other');
      while (!end() && answer.status < 500) {
        isKnown(answer);
        if (answer.header('x-feserver') !== 'LAB-EX02') break;
        await sleep(minutes(0.5));
        answer = await client.send(whole('POST', inbox, '<GetItem/>')).answer('POST', 10_000);
      }
      if (answer.status >= 500) seen.ends += 1;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      // Whoever asks at that very moment meets a connection that is closed.
      assert.notEqual(client.ending, 'open', String(error));
      seen.ends += 1;
    }
    client.close();
  }
}

/** Connections on which the server knew the user, of its log. */
function connectionsOf(site: Site, user: string): number {
  const origin = site.origin('ex1');
  const lines = origin instanceof ExchangeOrigin ? origin.lines.map((line) => line.split(' ')) : [];
  return new Set(lines.filter((fields) => fields[7] === user).map((fields) => fields[15])).size;
}

/** Short requests, on connections that last; what the failing server cut is asked again, as clients do. */
class Visitor {
  cut = 0;
  whole = 0;
  readonly servers = new Set<string>();
  private client: Client | null = null;
  private readonly site: Site;

  constructor(site: Site) {
    this.site = site;
  }

  async ask(bytes: string, right: (answer: Message) => boolean): Promise<void> {
    const method = bytes.slice(0, bytes.indexOf(' '));
    for (let attempt = 0; ; attempt += 1) {
      assert(attempt < 6, `${bytes.slice(0, 60)} was cut ${attempt} times`);
      this.client ??= await open(this.site);
      const answer = await this.client.send(bytes).answer(method, 10_000).catch(() => null);
      if (answer === null || answer.status >= 502) {
        this.cut += 1;
        this.client.close();
        this.client = null;
        await sleep(20);
        continue;
      }
      assert(right(answer), `${bytes.slice(0, 60)}: ${answer.raw.slice(0, 300)}`);
      this.whole += 1;
      this.servers.add(answer.header('x-feserver') ?? '');
      if (answer.header('connection') === 'close') this.client = null;
      return;
    }
  }

  async stay(end: () => boolean): Promise<void> {
    const upload = 'y'.repeat(200_000);
    const sum = createHash('sha256').update(upload).digest('hex');
    while (!end()) {
      await this.ask(head('GET', '/OAB/3f2504e0/book.lzx', 'Range: bytes=1000-300999'), (answer) => answer.status === 206 && answer.body.length === 300_000);
      await this.ask(whole('POST', '/owa/service.svc?action=CreateAttachment', upload), (answer) => answer.body.includes(sum));
      await this.ask(whole('POST', '/Autodiscover/Autodiscover.xml', '<EMailAddress>anna@lab.local</EMailAddress>'), (answer) => answer.status === 200);
      await this.ask(whole('POST', '/EWS/Exchange.asmx', '<GetItem/>'), (answer) => answer.body === '<GetItem/>');
      await this.ask(head('OPTIONS', '/Microsoft-Server-ActiveSync'), (answer) => answer.header('ms-asprotocolversions')?.includes('16.1') === true);
      await this.ask(whole('POST', '/mapi/nspi/', 'x', 'X-RequestType: PING'), (answer) => answer.body.includes('DONE'));
      await sleep(30);
    }
  }
}

/** The second server goes, takes what it works on with it, and comes back; rules and proxies come and go. */
async function failing(site: Site, seen: { failures: number }, end: () => boolean): Promise<void> {
  const text = readFileSync(site.file, 'latin1');
  for (; !end(); seen.failures += 1) {
    writeFileSync(site.file, `backend before${seen.failures}\n${text.replace('frontend fe_ex2013', `frontend fe_ex2013\n    http-response set-header X-Reload ${seen.failures}`)}`);
    assert.match(await site.command('reload'), /^Success=1\n/);
    await sleep(300);
    await site.origin('ex2').close();
    await sleep(200);
    await site.origin('ex2').listen(site.place.address, site.port('ex2'));
  }
}

it('hours of everything at once, while the other server fails and the configuration is reloaded', { timeout: 180_000 }, async () => {
  const site = await Site.start('poise', { configuration: layerSeven(), origins: twoServers({ scale, accounts: { ...accounts, guests: true } }), values: mailCertificate });
  try {
    for (const backend of backends) await site.command(`set server ${backend}/lab-ex02 state maint`);
    const until = performance.now() + hoursMs;
    const other = { failures: 0, ends: 0 };
    const end = (): boolean => performance.now() > until && other.failures >= 4 && other.ends >= 2;
    const watches: Watch[] = [rpc(site, end), webSocket(site, end), mapi(site), ping(site), streaming(site), poll(site)];
    const whatTheySaw = Promise.all(watches);
    whatTheySaw.catch(() => {});
    await eventually('all are under way', () => begun(site) === 7, 20_000);
    const alice = loggedIn(site, end);
    alice.catch(() => {});
    await eventually('alice is logged in twice', () => connectionsOf(site, 'alice') === 2, 20_000);
    for (const backend of backends) await site.command(`set server ${backend}/lab-ex02 state ready`);
    const visitors = Array.from({ length: 4 }, () => new Visitor(site));
    const stays = Promise.all(visitors.map((visitor) => visitor.stay(end)));
    const bob = loggedOut(site, other, end);
    bob.catch(() => {});
    await failing(site, other, end);
    await stays;
    assert(await alice >= other.failures, 'the login lasts over reloads');
    assert.equal(connectionsOf(site, 'alice'), 2, 'one server connection for each backend');
    await bob;
    assert.deepEqual(await whatTheySaw, [
      'true', JSON.stringify({ bytes: '\x88\x00', ending: 'fin' }), `PROCESSING\r\n${'.'.repeat(19)}DONE\r\n\r\nwait`, '200 13 true', '41 true true', '200 true',
    ]);
    const servers = visitors.reduce((all, visitor) => all.union(visitor.servers), new Set<string>());
    assert.deepEqual([...servers].sort(), ['LAB-EX01', 'LAB-EX02']);
    assert(visitors.every((visitor) => visitor.whole >= 6), visitors.map((visitor) => visitor.whole).join());
    assert.deepEqual([site.origin('ex1'), site.origin('ex2')].flatMap((origin) => (origin instanceof ExchangeOrigin ? origin.lines : [])).filter((line) => line.includes('FAULT')), []);
    // Every line that tells of trouble names the server that failed; the RPC channels end as their clients do.
    for (const line of site.log.lines.filter((one) => !one.includes('RPC_'))) assert.doesNotMatch(line, /\/lab-ex01 \S+ \S+ \d+ \S+ \S+ (SH|SD|SC|PH|sH|sD)/);
  } finally {
    await site.stop();
  }
});
