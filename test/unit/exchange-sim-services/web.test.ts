/** EWS, OAB, OWA, Autodiscover and WebSocket of a simulated server, as their clients see them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { makeCertificate } from '../../../src/exchange-sim/certificate.ts';
import { ScaledClock } from '../../../src/exchange-sim/clock.ts';
import { ExchangeServer } from '../../../src/exchange-sim/server.ts';
import { FrameReader, acceptValue, frameBytes } from '../../../src/exchange-sim/services/websocket-frames.ts';
import type { Frame } from '../../../src/exchange-sim/services/websocket-frames.ts';

const made = makeCertificate({ commonName: 'mail.lab.local', names: ['mail.lab.local'], validFrom: new Date(Date.now() - 60_000), validDays: 2 });
const logged: string[] = [];
const server = new ExchangeServer({ name: 'LAB-EX01', fqdn: 'LAB-EX01.lab.local', host: '127.0.0.1', port: 0, ...made, clock: new ScaledClock(3600), log: (line) => logged.push(line) });

before(() => server.listen());
after(() => server.close());

class Talk {
  text = '';
  closed = false;
  readonly socket: TLSSocket;

  constructor(bytes: string) {
    this.socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }, () => this.socket.write(bytes, 'latin1'));
    this.socket.setEncoding('latin1');
    this.socket.on('data', (part: string) => { this.text += part; });
    this.socket.on('error', () => {});
    this.socket.on('close', () => { this.closed = true; });
  }

  async until(what: (text: string) => boolean): Promise<void> {
    for (let left = 300; left > 0 && !what(this.text); left -= 1) await new Promise((resolve) => { setTimeout(resolve, 5); });
    assert.ok(what(this.text), JSON.stringify(this.text.slice(0, 2000)));
  }
}

async function ask(method: string, target: string, lines: readonly string[] = [], body = ''): Promise<string> {
  const talk = new Talk([`${method} ${target} HTTP/1.1`, 'Host: mail.lab.local', 'Connection: close', ...lines, ...(body === '' ? [] : [`Content-Length: ${body.length}`]), '', body].join('\r\n'));
  await talk.until(() => talk.closed);
  return talk.text;
}

test('GetStreamingEvents says in chunks of their own that it is alive, until its minutes are over', async () => {
  const answer = await ask('POST', '/EWS/Exchange.asmx', [], '<s:Body><m:GetStreamingEvents><m:ConnectionTimeout>2</m:ConnectionTimeout></m:GetStreamingEvents></s:Body>');
  assert.match(answer, /Transfer-Encoding: chunked\r\n/);
  assert.deepEqual([...answer.matchAll(/ConnectionStatus>(\w+)</g)].map(([, status]) => status), ['OK', 'OK', 'OK', 'Closed']);
  const left = new Talk('POST /ews/exchange.asmx HTTP/1.1\r\nContent-Length: 25\r\n\r\n<GetStreamingEvents a="">');
  await left.until((text) => (text.match(/>OK</g) ?? []).length > 3);
  left.socket.destroy();
});

test('SOAP comes back, after 100 Continue if the client wants it, and with a cookie for affinity', async () => {
  const talk = new Talk('POST /EWS/Exchange.asmx HTTP/1.1\r\nExpect: 100-continue\r\nX-PreferServerAffinity: true\r\nContent-Length: 7\r\nConnection: close\r\n\r\n');
  await talk.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n');
  talk.socket.write('<Soap/>');
  await talk.until(() => talk.closed);
  assert.match(talk.text, /HTTP\/1\.1 200 OK\r\n[^]*Set-Cookie: X-BackEndOverrideCookie=LAB-EX01~\d+;[^]*\r\n\r\n<Soap\/>$/);
});

test('the address book comes in ranges and not at all while the copy is good', async () => {
  const whole = await ask('GET', '/OAB/3f25/book.lzx');
  const book = whole.slice(whole.indexOf('\r\n\r\n') + 4);
  assert.equal(book.length, 1_048_576);
  const etag = /\r\nETag: (\S+)\r\n/.exec(whole)?.[1] ?? '';
  const ranges: [string, RegExp, string][] = [
    ['bytes=10-19', /^HTTP\/1\.1 206 [^]*\r\nContent-Range: bytes 10-19\/1048576\r\n/, book.slice(10, 20)],
    ['bytes=1048570-', /^HTTP\/1\.1 206 [^]*\r\nContent-Range: bytes 1048570-1048575\/1048576\r\n/, book.slice(1_048_570)],
    ['bytes=-3', /^HTTP\/1\.1 206 [^]*\r\nContent-Range: bytes 1048573-1048575\/1048576\r\n/, book.slice(-3)],
    ['bytes=0-9999999', /^HTTP\/1\.1 206 /, book],
    ['bytes=1048576-', /^HTTP\/1\.1 416 [^]*\r\nContent-Range: bytes \*\/1048576\r\n/, ''],
    ['bytes=9-3', /^HTTP\/1\.1 200 /, book],
    ['bytes=0-1,3-4', /^HTTP\/1\.1 200 /, book],
  ];
  for (const [range, head, body] of ranges) {
    const answer = await ask('GET', '/oab/3F25/book.lzx', [`Range: ${range}`]);
    assert.match(answer.slice(0, 1000), head, range);
    assert.ok(answer.slice(answer.indexOf('\r\n\r\n') + 4) === body, range);
  }
  const same = await ask('GET', '/OAB/3f25/book.lzx', [`If-None-Match: "x", W/${etag}`]);
  assert.match(same, /^HTTP\/1\.1 304 Not Modified\r\n[^]*\r\n\r\n$/);
  assert.doesNotMatch(same, /Content-Length/);
  assert.match(await ask('GET', '/OAB/3f25/book.lzx', ['Range: bytes=1-2', 'If-Range: "old"']), /^HTTP\/1\.1 200 /);
  assert.match(await ask('HEAD', '/OAB/oab.xml'), /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: 2048\r\n[^]*\r\n\r\n$/);
  assert.match(await ask('GET', '/OAB/'), /LAB-EX01 GET \/OAB\/ \/OAB 0\n$/);
});

test('a poll is held, an upload is counted', async () => {
  const answer = await ask('GET', '/owa/ev.owa2?ns=PendingRequest&ev=PendingNotificationRequest');
  assert.match(answer, /\r\nCache-Control: no-cache, no-store\r\n[^]*\r\n\r\n[\da-f]+\r\n\{"id":"reachability","server":"LAB-EX01"\}\r\n0\r\n\r\n$/);
  const line = logged.at(-1) ?? '';
  assert.ok(Number(line.split(' ')[14]) >= 60, line);
  const body = 'a'.repeat(300_000);
  assert.match(await ask('POST', '/owa/service.svc?action=CreateAttachment', [], body), new RegExp(`"bytes":300000,"sha256":"${createHash('sha256').update(body).digest('hex')}"`));
  assert.match(await ask('GET', '/owa/service.svc'), /LAB-EX01 GET \/owa\/service\.svc \/owa 0\n$/);
});

test('Autodiscover answers in three languages and every capitalisation', async () => {
  for (const path of ['/autodiscover/autodiscover.xml', '/Autodiscover/Autodiscover.xml', '/AutoDiscover/AutoDiscover.xml', '/AUTODISCOVER/AUTODISCOVER.XML']) {
    const answer = await ask('POST', path, [], '<Request><EMailAddress>anna@lab.local</EMailAddress></Request>');
    assert.match(answer, /<AutoDiscoverSMTPAddress>anna@lab\.local<[^]*<EwsUrl>https:\/\/mail\.lab\.local\/EWS\/Exchange\.asmx</, path);
  }
  assert.match(await ask('POST', '/autodiscover/autodiscover.svc', [], '<a:Mailbox>anna@lab.local</a:Mailbox>'), /GetUserSettingsResponseMessage/);
  assert.match(logged.at(-1) ?? '', / anna@lab\.local -$/);
  assert.match(await ask('GET', '/Autodiscover/Autodiscover.json?Email=anna@lab.local&Protocol=ActiveSync'), /\{"Protocol":"ActiveSync","Url":"https:\/\/mail\.lab\.local\/Microsoft-Server-ActiveSync"\}/);
  assert.match(await ask('GET', '/autodiscover/autodiscover.json/v1.0/anna@lab.local?Protocol=Ews'), /EWS\/Exchange\.asmx/);
  assert.match(await ask('GET', '/autodiscover/autodiscover.json?Protocol=x'), /^HTTP\/1\.1 400 [^]*InvalidProtocol/);
});

function masked(isLast: boolean, opcode: number, text: string): Buffer {
  const plain = frameBytes({ isLast, opcode, payload: Buffer.from(text) });
  const head = plain.length - text.length;
  plain[1] = (plain[1] ?? 0) | 0x80;
  const mask = Buffer.from([1, 2, 3, 4]);
  for (let at = 0; at < text.length; at += 1) plain[head + at] = (plain[head + at] ?? 0) ^ (mask[at & 3] ?? 0);
  return Buffer.concat([plain.subarray(0, head), mask, plain.subarray(head)]);
}

test('frames are read in every split, and the example of RFC 6455 is accepted', () => {
  const all = Buffer.concat([masked(false, 1, 'Hel'), masked(true, 0, ''), masked(true, 2, 'x'.repeat(200)), masked(true, 9, 'p')]);
  for (let at = 0; at <= all.length; at += 1) {
    const found: Frame[] = [];
    const reader = new FrameReader();
    assert.equal(reader.feed(all.subarray(0, at), (frame) => found.push(frame)) + reader.feed(all.subarray(at), (frame) => found.push(frame)), 0);
    assert.deepEqual(found.map((frame) => [frame.isLast, frame.opcode, frame.payload.length]), [[false, 1, 3], [true, 0, 0], [true, 2, 200], [true, 9, 1]]);
    assert.equal(found[0]?.payload.toString(), 'Hel');
  }
  assert.equal(acceptValue('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  assert.equal(new FrameReader().feed(Buffer.from([0x81, 0x01, 0x41]), () => assert.fail()), 1002);
  assert.equal(new FrameReader().feed(Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), () => assert.fail()), 1009);
});

test('a WebSocket sends frames back, answers pings and returns the close', async () => {
  const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const talk = new Talk(`GET /owa/notificationchannel/connect HTTP/1.1\r\n${upgrade}Sec-WebSocket-Version: 13\r\n\r\n`);
  await talk.until((text) => /^HTTP\/1\.1 101 [^]*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n[^]*\r\n\r\n$/.test(text));
  talk.text = '';
  const long = 'y'.repeat(70_000);
  talk.socket.write(Buffer.concat([masked(true, 1, 'hello'), masked(true, 9, 'ping'), masked(true, 2, long), masked(true, 8, '')]));
  await talk.until(() => talk.closed);
  const expected = [[1, 'hello'], [10, 'ping'], [2, long], [8, '']] as const;
  assert.ok(talk.text === Buffer.concat(expected.map(([opcode, text]) => frameBytes({ isLast: true, opcode, payload: Buffer.from(text) }))).toString('latin1'));
  assert.match(await ask('GET', '/owa/notificationchannel/connect', ['Upgrade: websocket', 'Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: 8']), /^HTTP\/1\.1 426 /);
});
