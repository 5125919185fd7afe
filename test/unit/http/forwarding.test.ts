/** Requests and answers through the HTTP room: bytes, framing, connection lines, backpressure. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Proxy } from '../../../src/model/model.ts';
import { endRooms, Room, type FakeTransport } from './room.ts';

after(endRooms);

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';

function exchange(request: string, answer: string, front: Partial<Proxy> = {}, back: Partial<Proxy> = {}): { toServer: string; toClient: string; ended: boolean; server: FakeTransport; log: string[] } {
  const room = new Room(front, back);
  const server = room.server();
  const client = room.client();
  client.feed(request);
  server.feed(answer);
  room.settle();
  const result = { toServer: server.text, toClient: client.text, ended: client.ended, server, log: [...room.log()] };
  room.end();
  return result;
}

test('an untouched request and its answer leave as the very buffers they came in', () => {
  const room = new Room();
  const server = room.server();
  const client = room.client();
  const request = Buffer.from(get);
  const answer = Buffer.from(ok);
  client.feed(request);
  assert.equal(server.writes.length, 1);
  assert.equal(server.writes[0], request);
  server.feed(answer);
  assert.deepEqual(client.writes.length, 1);
  assert.equal(client.writes[0], answer);
  assert.deepEqual(room.log(), ['be/s1 200 -- GET /a HTTP/1.1']);
  assert.deepEqual(room.gauges(), [0, 0, 0, 0]);
  room.end();
});

test('spelling, order and repetition pass in both directions', () => {
  const { toServer, toClient } = exchange('RPC_IN_DATA /rpc?a:6001 HTTP/1.1\r\nhOST:  x\r\nX-a: 1\r\nX-A: 2 \r\n\r\n', 'HTTP/1.1 200 Great  Day\r\nSet-cookie: a\r\nSET-COOKIE: b\r\nContent-Length: 0\r\n\r\n');
  assert.equal(toServer, 'RPC_IN_DATA /rpc?a:6001 HTTP/1.1\r\nhOST:  x\r\nX-a: 1\r\nX-A: 2 \r\n\r\n');
  assert.equal(toClient, 'HTTP/1.1 200 Great  Day\r\nSet-cookie: a\r\nSET-COOKIE: b\r\nContent-Length: 0\r\n\r\n');
});

const requests = [
  get,
  'POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello',
  'POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nabc\r\n0\r\nT: v\r\n\r\n',
];
const answers = [
  ok,
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nT: v\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No\r\nA: b\r\n\r\n',
];

test('requests cut anywhere reach the server whole, and the next one follows', () => {
  for (const request of requests) {
    for (let cut = 1; cut < request.length; cut += 1) {
      const room = new Room();
      const server = room.server();
      const client = room.client();
      client.feed(request.slice(0, cut));
      client.feed(request.slice(cut) + get.slice(0, 7));
      server.feed(ok);
      client.feed(get.slice(7));
      server.feed(ok);
      assert.equal(server.text, request + get, `cut at ${cut} of ${JSON.stringify(request)}`);
      assert.equal(client.text, ok + ok);
      assert.equal(room.log().length, 2);
      room.end();
    }
  }
});

test('answers cut anywhere and byte by byte reach the client whole', () => {
  for (const answer of answers) {
    const cuts: number[][] = Array.from({ length: answer.length - 1 }, (_, index) => [index + 1]);
    cuts.push(Array.from({ length: answer.length - 1 }, (_, index) => index + 1));
    for (const list of cuts) {
      const room = new Room();
      const server = room.server();
      const client = room.client();
      client.feed(get);
      let from = 0;
      for (const to of [...list, answer.length]) {
        server.feed(answer.slice(from, to));
        from = to;
      }
      const seen = client.text.replaceAll(/\r\n[0-9a-f]+\r\n/g, '');
      assert.equal(seen, answer.replaceAll(/\r\n[0-9a-f]+\r\n/g, ''), `cut at ${list.join()} of ${JSON.stringify(answer)}`);
      assert.equal(room.log().length, 1, `cut at ${list.join()}`);
      assert.deepEqual(room.gauges(), [0, 0, 0, 0]);
      room.end();
    }
  }
});

test('pipelined requests are answered one after the other, whatever the cut', () => {
  const all = get + requests[1]! + requests[2]! + get;
  for (let cut = 1; cut < all.length; cut += 3) {
    const room = new Room();
    const server = room.server();
    const client = room.client();
    client.feed(all.slice(0, cut));
    client.feed(all.slice(cut));
    for (let index = 0; index < 4; index += 1) server.feed(ok);
    assert.equal(server.text, all);
    assert.equal(client.text, ok.repeat(4));
    assert.equal(room.log().length, 4);
    room.end();
  }
});

test('a client that ends its side after several requests gets all answers', () => {
  for (const late of [false, true]) {
    const room = new Room();
    const server = room.server();
    const client = room.client();
    client.feed(get + get.slice(0, 9));
    client.feed(get.slice(9));
    if (!late) client.peerEnd();
    server.feed(ok);
    if (late) client.peerEnd();
    server.feed(ok);
    assert.equal(client.text.replaceAll('connection: close\r\n', ''), ok + ok);
    assert.equal(client.ended, true);
    assert.equal(room.log().length, 2);
    room.end();
  }
});

test('a body goes on to the server after an early answer, and the next request waits for its end', () => {
  const room = new Room();
  const server = room.server();
  const client = room.client();
  client.feed('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe');
  server.feed(ok);
  assert.equal(client.text, ok);
  assert.equal(room.log().length, 0);
  client.feed(`llo${get}`);
  assert.equal(room.log().length, 1);
  server.feed(ok);
  assert.equal(server.text, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello${get}`);
  assert.equal(client.text, ok + ok);
  room.end();
});

test('a server that answers early and closes: the rest of the body is read and thrown away', () => {
  const room = new Room();
  const other = room.server();
  const server = room.server();
  const client = room.client();
  client.feed('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe');
  server.feed('HTTP/1.1 413 Big\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  server.peerEnd();
  client.feed(`llo${get}`);
  other.feed(ok);
  assert.equal(other.text, get);
  assert.equal(client.text, `HTTP/1.1 413 Big\r\nContent-Length: 0\r\n\r\n${ok}`);
  room.end();
});

test('both bodies stream at once', () => {
  const room = new Room();
  const server = room.server();
  const client = room.client();
  client.feed('RPC_IN_DATA / HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n');
  server.feed('HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n');
  client.feed('ping');
  assert.ok(server.text.endsWith('\r\n\r\nping'));
  server.feed('pong');
  assert.ok(client.text.endsWith('\r\n\r\npong'));
  client.close();
  room.settle();
  assert.deepEqual(room.log(), ['be/s1 200 CD RPC_IN_DATA / HTTP/1.1']);
  room.end();
});

test('connection lines fit the versions of both sides', () => {
  const modes: Record<string, Partial<Proxy>> = { keep: {}, server: { connectionMode: 'server-close' }, close: { connectionMode: 'close' } };
  const cases: [string, string, string, string, string][] = [
    ['keep', 'GET / HTTP/1.1\r\nConnection: keep-alive\r\n', ok, 'GET / HTTP/1.1\r\n\r\n', ok],
    ['keep', 'GET / HTTP/1.1\r\nConnection: close\r\n', ok, 'GET / HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nconnection: close\r\n\r\nok'],
    ['keep', 'GET / HTTP/1.0\r\n', ok, 'GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nconnection: close\r\n\r\nok'],
    ['keep', 'GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n', ok, 'GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nconnection: keep-alive\r\n\r\nok'],
    ['keep', 'GET / HTTP/1.1\r\n', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', 'GET / HTTP/1.1\r\n\r\n', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\nconnection: keep-alive\r\n\r\nok'],
    ['keep', 'GET / HTTP/1.1\r\n', 'HTTP/1.1 200 OK\r\nConnection: foo, close\r\nContent-Length: 2\r\n\r\nok', 'GET / HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK\r\nConnection: foo\r\nContent-Length: 2\r\n\r\nok'],
    ['server', 'GET / HTTP/1.1\r\n', ok, 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n', ok],
    ['server', 'GET / HTTP/1.0\r\n', ok, 'GET / HTTP/1.0\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nconnection: close\r\n\r\nok'],
    ['close', 'GET / HTTP/1.1\r\n', ok, 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nconnection: close\r\n\r\nok'],
    ['close', 'GET / HTTP/1.1\r\n', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ];
  for (const [mode, request, answer, toServer, toClient] of cases) {
    const seen = exchange(`${request}\r\n`, answer, modes[mode], {});
    assert.equal(seen.toServer, toServer, `${mode} ${request}`);
    assert.equal(seen.toClient, toClient, `${mode} ${request}`);
    assert.equal(seen.ended, toClient.includes('connection: close') || (mode === 'close'), `${mode} ${request}`);
  }
});

test('an answer that only the end of the connection ends closes the client connection too', () => {
  const room = new Room();
  const server = room.server();
  const client = room.client();
  client.feed(get);
  server.feed('HTTP/1.1 200 OK\r\n\r\nhel');
  server.feed('lo');
  assert.equal(client.text, 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello');
  assert.equal(client.ended, false);
  server.peerEnd();
  assert.equal(client.ended, true);
  assert.deepEqual(room.log(), ['be/s1 200 -- GET /a HTTP/1.1']);
  room.end();
});

test('HEAD, 204 and 304 have no body', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n';
  assert.equal(exchange('HEAD / HTTP/1.1\r\n\r\n', head).toClient, head);
  assert.equal(exchange(get, 'HTTP/1.1 304 No\r\nContent-Length: 20\r\n\r\n').toClient, 'HTTP/1.1 304 No\r\nContent-Length: 20\r\n\r\n');
  assert.equal(exchange(get, 'HTTP/1.1 204 No\r\nContent-Length: 20\r\n\r\n').toClient, 'HTTP/1.1 204 No\r\n\r\n');
});

test('surplus bytes after an answer reach nobody, and the connection is not used again', () => {
  const { toClient, server } = exchange(get, `${ok}HTTP/1.1 200 Forged\r\n\r\n`);
  assert.equal(toClient, ok);
  assert.equal(server.closed, true);
});

test('X-Forwarded-For is a new last line', () => {
  const forwardfor = { header: 'X-Forwarded-For', except: ['10.0.0.0/8'], ifNone: false };
  const { toServer } = exchange('GET / HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1\r\nA: b\r\n\r\n', ok, { forwardfor });
  assert.equal(toServer, 'GET / HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1\r\nA: b\r\nx-forwarded-for: 192.0.2.7\r\n\r\n');
  assert.equal(exchange('GET / HTTP/1.1\r\nX-Forwarded-For: 1\r\n\r\n', ok, { forwardfor: { ...forwardfor, ifNone: true } }).toServer, 'GET / HTTP/1.1\r\nX-Forwarded-For: 1\r\n\r\n');
  assert.equal(exchange('GET / HTTP/1.1\r\n\r\n', ok, { forwardfor: { ...forwardfor, except: ['192.0.2.0/24'] } }).toServer, 'GET / HTTP/1.1\r\n\r\n');
});

test('a client that does not read pauses the server, and what waits stays bounded', () => {
  const room = new Room();
  const server = room.server();
  const client = room.client();
  client.feed(get);
  client.blocked = true;
  server.feed('HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n');
  const part = Buffer.alloc(16384, 'x');
  for (let index = 0; index < 600; index += 1) server.feed(part);
  assert.equal(server.paused, true);
  assert.ok(client.pendingBytes < 65536 + 2 * part.length, String(client.pendingBytes));
  client.drain();
  assert.equal(client.writes.length > 500, true);
  client.close();
  room.settle();
  assert.deepEqual(room.gauges(), [0, 0, 0, 0]);
  room.end();
});

test('a server that does not read pauses the client', () => {
  const room = new Room();
  const server = room.server();
  const client = room.client();
  server.blocked = true;
  client.feed('POST / HTTP/1.1\r\nContent-Length: 10000000\r\n\r\n');
  const part = Buffer.alloc(16384, 'x');
  for (let index = 0; index < 600; index += 1) client.feed(part);
  assert.equal(client.paused, true);
  assert.ok(server.pendingBytes < 65536 + 2 * part.length, String(server.pendingBytes));
  server.drain();
  assert.equal(client.paused, false);
  client.close();
  room.settle();
  room.end();
});

test('upgrade: bytes pass both ways until both sides have ended', () => {
  const room = new Room();
  const server = room.server();
  const client = room.client();
  client.feed('GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n');
  server.feed('HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\nhello');
  client.feed('ping');
  server.feed('pong');
  assert.ok(server.text.endsWith('ping'));
  assert.equal(client.text, 'HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\nhellopong');
  assert.equal(room.log().length, 0);
  client.peerEnd();
  assert.equal(server.ended, true);
  server.peerEnd();
  server.close();
  client.close();
  room.settle();
  assert.deepEqual(room.log(), ['be/s1 101 -- GET / HTTP/1.1']);
  assert.deepEqual(room.gauges(), [0, 0, 0, 0]);
  room.end();
});

test('a 101 nobody asked for is a bad answer', () => {
  const { toClient, log } = exchange(get, 'HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n');
  assert.ok(toClient.startsWith('HTTP/1.1 502'));
  assert.deepEqual(log, ['be/s1 502 PH GET /a HTTP/1.1']);
});

test('limits: a head beyond the limit is refused, Kerberos tokens pass', () => {
  const token = 'A'.repeat(48_000);
  assert.ok(exchange(`GET / HTTP/1.1\r\nAuthorization: Negotiate ${token}\r\n\r\n`, ok).toServer.includes(token));
  const room = new Room();
  const client = room.client();
  client.feed(`GET / HTTP/1.1\r\nA: ${'x'.repeat(70_000)}`);
  assert.ok(client.text.startsWith('HTTP/1.1 400'));
  assert.deepEqual(room.log(), ['fe/<NOSRV> 400 PR <BADREQ>']);
  room.settle();
  room.end();
});
