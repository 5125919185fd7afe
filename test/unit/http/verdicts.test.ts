/** What rules and options make of an exchange: answers, captures, NTLM, log options; gauges and log lines after each. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { faults } from '../../../src/model/fault.ts';
import type { Verdict } from '../../../src/rules/subject.ts';
import { makeProxy } from '../traffic/make-model.ts';
import { endRooms, finished, Room } from './room.ts';

after(endRooms);

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const half = 'POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nab';
const switches = makeProxy(0, '').switches;
const timeouts = { ...makeProxy(0, '').timeouts, clientMs: 800, serverMs: 600, httpRequestMs: 500, httpKeepAliveMs: 400 };

const made: Verdict = { kind: 'answer', cause: 'deny', status: 403, keepAlive: true, bytes: Buffer.from('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno') };
test('denied, returned, rejected', () => {
  const verdicts: [Verdict, string, string][] = [
    [made, 'HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno', 'fe/<NOSRV> 403 PR GET /a HTTP/1.1'],
    [{ ...made, cause: 'redirect', bytes: Buffer.from('HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: /b\r\n\r\n') }, 'HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: /b\r\n\r\n', 'fe/<NOSRV> 302 LR GET /a HTTP/1.1'],
    [{ ...made, cause: 'return', keepAlive: false }, 'HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno', 'fe/<NOSRV> 403 LR GET /a HTTP/1.1'],
    [{ kind: 'reject' }, '', 'fe/<NOSRV> -1 PR GET /a HTTP/1.1'],
  ];
  for (const [verdict, answer, line] of verdicts) {
    const room = new Room();
    room.rule('request', () => verdict);
    const client = room.client();
    client.feed(get);
    assert.equal(client.text, answer);
    assert.equal(room.counter('front', 'dreq'), line.includes(' PR ') ? 1 : 0);
    assert.equal(room.counter('front', 'intercepted'), line.includes(' LR ') ? 1 : 0);
    finished(room, [line]);
  }
});

test('an answer made here: no body for HEAD, close when the request is not read, keep-alive when it is', () => {
  const room = new Room();
  room.rule('request', () => made);
  const client = room.client();
  client.feed('HEAD /a HTTP/1.1\r\n\r\n');
  client.feed('POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nab');
  client.feed(half);
  const head = 'HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n';
  assert.equal(client.text, `${head}\r\n${head}\r\nno${head}connection: close\r\n\r\nno`);
  assert.equal(client.ended, true);
  finished(room, ['fe/<NOSRV> 403 PR HEAD /a HTTP/1.1', 'fe/<NOSRV> 403 PR POST /a HTTP/1.1', 'fe/<NOSRV> 403 PR POST /a HTTP/1.1']);
});

test('tarpit holds its answer back', () => {
  const room = new Room({ timeouts: { ...timeouts, tarpitMs: 300 } });
  room.rule('request', () => ({ ...made, cause: 'tarpit' }));
  const client = room.client();
  client.feed(get);
  room.pass(200);
  assert.equal(client.text, '');
  room.pass(200);
  assert.ok(client.text.startsWith('HTTP/1.1 403'));
  finished(room, ['fe/<NOSRV> 403 PT GET /a HTTP/1.1']);
});

test('waiting for a body: the rules see it, then it goes out whole', () => {
  const room = new Room({ timeouts });
  const one = room.server();
  const bodies: string[] = [];
  room.rule('request', (subject) => {
    bodies.push(Buffer.from(subject.requestBytes()).toString());
    return bodies.length === 1 ? { kind: 'wait-for-body', timeMs: 100, atLeastBytes: 4 } : null;
  });
  const client = room.client();
  client.feed('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n');
  assert.equal(one.text, '');
  client.feed('2\r\ncd\r\n');
  assert.equal(one.text, 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n');
  assert.deepEqual(bodies, ['ab']);
  client.feed('2\r\nef\r\n0\r\n\r\n');
  const { requestBody } = (client.handler as unknown as { exchange: { requestBody: { chunks: { data: unknown } } } }).exchange;
  assert.equal(requestBody.chunks.data, null, 'nothing is kept once the request is on its way');
  one.feed(ok);
  finished(room, ['be/s1 200 -- POST / HTTP/1.1']);
});

test('a request whose first chunk is broken is counted once', () => {
  const room = new Room();
  const client = room.client();
  client.feed('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
  assert.ok(client.text.startsWith('HTTP/1.1 400'));
  assert.equal(room.counter('front', 'req_tot'), 1);
  finished(room, ['fe/<NOSRV> 400 PR <BADREQ>']);
});

test('a body that does not come in time: 408', () => {
  const room = new Room({ timeouts });
  room.rule('request', () => ({ kind: 'wait-for-body', timeMs: 100, atLeastBytes: 4 }));
  const client = room.client();
  client.feed(half);
  room.pass(200);
  assert.ok(client.text.startsWith('HTTP/1.1 408'));
  finished(room, ['fe/<NOSRV> 408 cR POST /a HTTP/1.1']);
});

test('option http-buffer-request waits for the body, or answers 408', () => {
  const room = new Room({ timeouts, switches: { ...switches, httpBufferRequest: true } });
  const one = room.server();
  const client = room.client();
  client.feed('POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe');
  assert.equal(one.text, '');
  client.feed('llo');
  assert.ok(one.text.endsWith('hello'));
  one.feed(ok);
  client.feed('POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe');
  room.pass(600);
  assert.ok(client.text.includes('HTTP/1.1 408'));
  finished(room, ['be/s1 200 -- POST / HTTP/1.1', 'fe/<NOSRV> 408 cR POST / HTTP/1.1']);
});

test('http-response deny: 502 for the client, the server\'s connection is not used again', () => {
  const room = new Room();
  const one = room.server();
  room.rule('response', () => ({ ...made, bytes: Buffer.from('HTTP/1.1 502 Bad\r\ncontent-length: 0\r\n\r\n'), status: 502 }), 1);
  const client = room.client();
  client.feed(get);
  one.feed(ok);
  assert.equal(client.text, 'HTTP/1.1 502 Bad\r\ncontent-length: 0\r\n\r\n');
  assert.deepEqual([room.counter('front', 'dresp'), room.counter('back', 'dresp'), room.counter('server', 'dresp')], [1, 1, 1]);
  finished(room, ['be/s1 502 PH GET /a HTTP/1.1']);
});

test('http-after-response sees every answer', () => {
  const room = new Room();
  const one = room.server();
  room.rule('afterResponse', (subject) => {
    subject.response?.append('X-After', '1');
    return null;
  });
  room.rule('request', (subject) => (subject.request?.uri === '/deny' ? made : null));
  const client = room.client();
  client.feed(`${get}GET /deny HTTP/1.1\r\n\r\n`);
  one.feed(ok);
  assert.equal(client.text, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-After: 1\r\n\r\nokHTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nX-After: 1\r\n\r\nno');
  finished(room, ['be/s1 200 -- GET /a HTTP/1.1', 'fe/<NOSRV> 403 PR GET /deny HTTP/1.1']);
});

test('NTLM and Negotiate bind the server connection to the client', () => {
  const triggers: [string, string][] = [
    ['GET /a HTTP/1.1\r\nAuthorization: NTLM TlRM\r\n\r\n', ok], ['GET /a HTTP/1.1\r\nAuthorization: Negotiate YII\r\n\r\n', ok],
    ['GET /a HTTP/1.1\r\nProxy-Authorization: negotiate YII\r\n\r\n', ok], ['GET /a HTTP/1.1\r\nAuthorization: Kerberos YII\r\n\r\n', ok],
    [get, 'HTTP/1.1 407 P\r\nProxy-Authenticate: Nego2\r\nContent-Length: 0\r\n\r\n'],
    [get, 'HTTP/1.1 401 U\r\nWWW-Authenticate: Basic\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n'], [get, 'HTTP/1.1 200 OK\r\nPersistent-Auth: true\r\nContent-Length: 0\r\n\r\n'],
  ];
  for (const [request, answer] of triggers) {
    const room = new Room();
    const one = room.server();
    const client = room.client();
    client.feed(request);
    one.feed(answer);
    const { pool } = room.context.plan.servers[0]!;
    assert.equal(pool.size, 0, request);
    const stranger = room.server();
    client.feed(get);
    assert.ok(one.text.endsWith(get), 'the next request stays on it');
    assert.equal(stranger.text, '');
    one.feed(ok);
    // Its death leaves the client unauthenticated: the client is told by the end of its connection.
    one.close();
    assert.equal(client.ended, true);
    finished(room, ['be/s1 200 -- GET /a HTTP/1.1', 'be/s1 401 -- GET /a HTTP/1.1', 'be/s1 407 -- GET /a HTTP/1.1'].filter((line) => line.includes(answer.slice(9, 12))).concat(['be/s1 200 -- GET /a HTTP/1.1']));
  }
});

test('redir on a server sends GET and HEAD there', () => {
  const room = new Room({}, {}, { redirectPrefix: 'http://other' });
  const one = room.server();
  const client = room.client();
  client.feed('POST /p HTTP/1.1\r\nContent-Length: 0\r\n\r\n');
  one.feed(ok);
  client.feed('GET /a?b HTTP/1.1\r\n\r\n');
  assert.ok(client.text.endsWith('HTTP/1.1 302 Found\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: http://other/a?b\r\nconnection: close\r\n\r\n'));
  finished(room, ['be/s1 200 -- POST /p HTTP/1.1', 'be/s1 302 LC GET /a?b HTTP/1.1']);
});

test('option http-restrict-req-hdr-names', () => {
  for (const mode of ['delete', 'reject'] as const) {
    const room = new Room({ switches: { ...switches, httpRestrictReqHdrNames: mode } });
    const one = room.server();
    const client = room.client();
    client.feed('GET / HTTP/1.1\r\nA_b: c\r\nD-e: f\r\n\r\n');
    assert.equal(one.text, mode === 'delete' ? 'GET / HTTP/1.1\r\nD-e: f\r\n\r\n' : '');
    assert.equal(client.text.startsWith('HTTP/1.1 403'), mode === 'reject');
    client.close();
    finished(room, [mode === 'delete' ? 'be/s1 -1 CH GET / HTTP/1.1' : 'fe/<NOSRV> 403 PR GET / HTTP/1.1']);
  }
});

test('monitor-uri is answered and not logged', () => {
  const room = new Room({ monitorUri: '/mon' });
  const client = room.client();
  client.feed('GET /mon HTTP/1.1\r\n\r\n');
  assert.ok(client.text.startsWith('HTTP/1.1 200 OK\r\ncontent-length: 58\r\n'));
  assert.equal(client.ended, false);
  client.close();
  finished(room, []);
});

test('log options: logasap once and early, dontlog-normal only failures', () => {
  const early = new Room({ switches: { ...switches, logasap: true } });
  const one = early.server();
  const client = early.client();
  client.feed(get);
  one.feed('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok');
  assert.equal(early.log().length, 1);
  one.feed('ok');
  finished(early, ['be/s1 200 -- GET /a HTTP/1.1']);
  const quiet = new Room({ switches: { ...switches, dontlogNormal: true } });
  const two = quiet.server();
  const other = quiet.client();
  other.feed(get);
  two.feed(ok);
  other.feed('G(T / HTTP/1.1\r\n\r\n');
  finished(quiet, ['fe/<NOSRV> 400 PR <BADREQ>']);
});

test('a server marked down and an administrator end what runs', () => {
  const room = new Room();
  const one = room.server();
  const client = room.client();
  client.feed(get);
  one.feed('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok');
  room.context.plan.servers[0]!.work.first?.client.onServerKilled(faults.serverKilled);
  room.settle();
  assert.equal(one.closed, true);
  finished(room, ['be/s1 200 DD GET /a HTTP/1.1']);

  const early = new Room();
  const two = early.server();
  const waiting = early.client();
  waiting.feed(get);
  early.context.plan.servers[0]!.work.first?.client.onServerKilled(faults.serverKilled);
  early.settle();
  assert.equal(two.closed, true);
  assert.match(waiting.text, /^HTTP\/1\.1 502 /);
  assert.equal(early.counter('server', 'eresp'), 1);
  assert.equal(early.counter('server', 'srv_abrt'), 0);
  finished(early, ['be/s1 502 DH GET /a HTTP/1.1']);
});

test('white space that HTTP does not know is no white space', () => {
  for (const blank of ['\x0b', '\x0c', '\xa0']) {
    const room = new Room();
    const one = room.server();
    const client = room.client();
    client.feed(Buffer.from(`POST / HTTP/1.1\r\nTransfer-Encoding: chunked${blank}\r\n\r\n0\r\n\r\n`, 'latin1'));
    assert.equal(one.text, '');
    assert.match(client.text, /^HTTP\/1\.1 400 /);
    room.end();
  }
});

test('counters of a plain request', () => {
  const room = new Room();
  const one = room.server();
  const client = room.client();
  client.feed('POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe');
  client.feed('llo');
  one.feed(ok);
  for (const side of ['front', 'back', 'server'] as const) {
    assert.deepEqual([room.counter(side, 'bin'), room.counter(side, 'bout'), room.counter(side, 'hrsp_2xx'), room.counter(side, 'req_tot')], [43, ok.length, 1, 1], side);
  }
  assert.equal(room.counter('back', 'stot'), 1);
  finished(room, ['be/s1 200 -- POST / HTTP/1.1']);
});
