/** Why an exchange ended, in words: `log-why` after the exchanges of the HTTP room. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { faults } from '../../../src/model/fault.ts';
import type { Proxy } from '../../../src/model/model.ts';
import { why } from '../../../src/rules/why.ts';
import type { LogFacts, Subject } from '../../../src/rules/subject.ts';
import { fakeFacts, FakeScope, fakeSubject } from '../rules/fake-subject.ts';
import { makeProxy } from '../traffic/make-model.ts';
import { endRooms, Room } from './room.ts';

after(endRooms);

const timeouts = { ...makeProxy(0, '').timeouts, clientMs: 800, serverMs: 600, httpRequestMs: 500 };

/** The words of the second lines. */
function told(room: Room): string[] {
  room.settle();
  return room.log().flatMap((line) => / why: (.*)$/.exec(line)?.[1] ?? []);
}

function speaking(front: Partial<Proxy> = {}, back: Partial<Proxy> = {}): Room {
  const room = new Room({ timeouts, ...front }, { timeouts, ...back });
  (room.context.plan.proxies[0]!.rules as { logWhy: boolean }).logWhy = true;
  return room;
}

const requests: readonly (readonly [string, string, string])[] = [
  ['target', 'GET /\x01 HTTP/1.1\r\n\r\n', 'the request target is empty or holds a character that is not allowed there (RFC 9112 3.2)'],
  ['method', 'G@T / HTTP/1.1\r\n\r\n', 'the method holds a character that is not allowed there (RFC 9110 9.1)'],
  ['version', 'GET / HTTQ/1.1\r\n\r\n', 'the version is not HTTP/1.x (RFC 9112 2.3)'],
  ['name', 'GET / HTTP/1.1\r\nA b: c\r\n\r\n', 'a header name is empty, holds a character that is not allowed there, or is not followed by a colon (RFC 9112 5.1)'],
  ['lengths', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 'Content-Length is not one number, or differs between lines (RFC 9110 8.6, RFC 9112 6.3)'],
  ['encoding', 'POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n', 'Transfer-Encoding does not end with chunked, or names it twice (RFC 9112 6.1)'],
  ['hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'Host lines differ (RFC 9112 3.2)'],
  ['authority', 'GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n', 'the Host line names another host than the request target (RFC 9112 3.2.2)'],
  ['websocket', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n', 'a WebSocket handshake comes without Sec-WebSocket-Key (RFC 6455 4.1)'],
  ['chunk', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'a chunk size is not a hexadecimal number, or is too large (RFC 9112 7.1)'],
  ['large', `GET /${'a'.repeat(70_000)} HTTP/1.1\r\n\r\n`, 'the head is larger than the limit of 65536 bytes'],
  ['many', `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(300)}\r\n`, 'the head has more header lines than the limit of 256 lines'],
];
for (const [name, request, words] of requests) {
  test(`a refused request names what it broke: ${name}`, () => {
    const room = speaking();
    room.client().feed(request);
    assert.deepEqual(told(room), [`request refused: ${words}`]);
  });
}

test('who left, and when', () => {
  const head = speaking();
  head.client().feed('GET / HT');
  head.pass(600);
  assert.deepEqual(told(head), ['timeout http-request (500 ms) while waiting for the request head']);

  const silent = speaking({ timeouts: { ...timeouts, httpRequestMs: null } });
  silent.client();
  silent.pass(900);
  assert.deepEqual(told(silent), ['timeout client (800 ms) while waiting for the request head (no byte came)']);

  const body = speaking();
  body.server();
  const client = body.client();
  client.feed('POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nab');
  client.peerReset();
  assert.deepEqual(told(body), ['client closed while sending the request body']);

  const answer = speaking();
  const server = answer.server();
  const reader = answer.client();
  reader.feed('GET /a HTTP/1.1\r\n\r\n');
  server.feed('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok');
  reader.peerReset();
  assert.deepEqual(told(answer), ['client closed during response']);
});

test('what the server did', () => {
  const slow = speaking();
  slow.server();
  slow.client().feed('GET /a HTTP/1.1\r\n\r\n');
  slow.pass(700);
  assert.deepEqual(told(slow), ['timeout server (600 ms) while waiting for the answer of server s1']);

  const gone = speaking();
  const server = gone.server();
  gone.client().feed('GET /a HTTP/1.1\r\n\r\n');
  server.feed('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok');
  server.close();
  assert.deepEqual(told(gone), ['server s1 closed during response']);

  const junk = speaking();
  const talker = junk.server();
  junk.client().feed('GET /a HTTP/1.1\r\n\r\n');
  talker.feed('HTTP/1.1 2x0 OK\r\n\r\n');
  assert.deepEqual(told(junk), ['answer of server s1 refused: the status code is not a number of three digits (RFC 9112 4)']);

  const error = speaking();
  const failing = error.server();
  error.client().feed('GET /a HTTP/1.1\r\n\r\n');
  failing.feed('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n');
  assert.deepEqual(told(error), ['server s1 answered 500']);
});

test('with logasap the cause is told at the end, once', () => {
  const room = speaking({ switches: { ...makeProxy(0, '').switches, logasap: true } });
  const server = room.server();
  const client = room.client();
  client.feed('GET /a HTTP/1.1\r\n\r\n');
  server.feed('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok');
  assert.deepEqual([room.log().length, told(room)], [1, []]);
  client.peerReset();
  assert.deepEqual(told(room), ['client closed during response']);
  assert.equal(room.log().length, 2);
});

test('what ended well is not told of', () => {
  const room = speaking();
  const server = room.server();
  room.client().feed('GET /a HTTP/1.1\r\n\r\n');
  server.feed('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  assert.deepEqual(told(room), []);
  assert.equal(room.log().length, 1);
});

test('without log-why there is one line', () => {
  const room = new Room();
  room.client().feed('GET /\x01 HTTP/1.1\r\n\r\n');
  room.settle();
  assert.equal(room.log().length, 1);
});

function words(facts: Partial<LogFacts>, change: (s: Subject) => void = () => undefined): string {
  const subject = fakeSubject(new FakeScope().model());
  Object.assign(subject.facts, fakeFacts(facts));
  change(subject);
  return why(subject);
}

const rule = { action: { kind: 'deny' }, condition: null, place: { file: 'lb.cfg', line: 12 }, text: 'http-request deny unless { hdr(x-key) secret }' } as unknown as LogFacts['rule'];

test('denies name the rule and never its condition', () => {
  assert.equal(words({ fault: faults.denied, rule }), 'denied by http-request deny (lb.cfg:12)');
  assert.equal(words({ fault: faults.tarpit, rule }), 'tarpitted by http-request deny (lb.cfg:12)');
  assert.equal(words({ cause: 'L', stage: 'R', rule }), 'answered by http-request deny (lb.cfg:12)');
  assert.equal(words({ fault: faults.denied, detail: 'option http-restrict-req-hdr-names' }), 'denied by option http-restrict-req-hdr-names');
});

test('attempts before the last one', () => {
  const named = (s: Subject): void => { s.server = { name: 'lab-ex02', maxqueue: 3 } as Subject['server']; };
  const first = { firstServer: 'lab-ex01', firstDetail: 'ECONNREFUSED', redispatched: true, retries: 1, serverName: 'lab-ex02' };
  assert.equal(words(first, named), 'server lab-ex01 refused connection, redispatched to lab-ex02');
  assert.equal(words({ ...first, retries: 3 }, named), 'server lab-ex01 refused connection, redispatched to lab-ex02 after 3 retries');
  assert.equal(words({ ...first, fault: faults.connectRefused, detail: 'CERT_HAS_EXPIRED' }, named),
    'server lab-ex01 refused connection, redispatched to lab-ex02; server lab-ex02 showed a certificate that has expired');
  assert.equal(words({ ...first, redispatched: false, serverName: 'lab-ex01', retries: 2 }), 'server lab-ex01 refused connection, 2 retries');
  assert.equal(words({ ...first, redispatched: false, serverName: 'lab-ex02', retries: 3, fault: faults.connectRefused, detail: 'ECONNREFUSED' }, named), 'server lab-ex02 refused connection, 3 retries before it');
  assert.equal(words({ fault: faults.queueFull, serverName: 'lab-ex02' }, named), 'queue of server lab-ex02 is full (maxqueue 3)');
});

test('every fault has words of its own', () => {
  for (const fault of Object.values(faults)) assert.match(words({ fault }), /^[a-z].*[^ .]$/i, fault.name);
});
