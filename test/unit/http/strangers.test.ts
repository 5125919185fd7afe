/** Late events and repetitions of one request that must not reach the next, and slow or careless clients that must neither lose bytes nor cost memory. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeProxy } from '../traffic/make-model.ts';
import { endRooms, Room } from './room.ts';

after(endRooms);

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const timeouts = { ...makeProxy(0, '').timeouts, clientMs: 800, serverMs: 600, httpRequestMs: 500, httpKeepAliveMs: 400 };

test('a server connection that the pool refuses closes without touching the next request of the same exchange', () => {
  // No more than two requests per connection: the first connection is worn out after its second.
  const room = new Room({}, {}, { maxReuse: 1 });
  const next = room.server();
  const worn = room.server();
  const client = room.client();
  client.feed(get);
  worn.feed(ok);
  // The second and third request come together: the third starts before the close of the first connection is told.
  client.feed(`${get}POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi`);
  worn.feed(ok);
  assert.match(next.text, /POST \/b/);
  room.settle();
  assert.equal(worn.closed, true);
  next.feed(ok);
  assert.equal(client.text, ok.repeat(3));
  assert.deepEqual(room.log(), ['be/s1 200 -- GET /a HTTP/1.1', 'be/s1 200 -- GET /a HTTP/1.1', 'be/s1 200 -- POST /b HTTP/1.1']);
  room.end();
});

test('requests of a client that reads no answers wait until it does', () => {
  const page = Buffer.alloc(50_000, 'x');
  const room = new Room({ timeouts }, { timeouts });
  room.rule('request', () => ({ kind: 'answer', status: 200, bytes: Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n'), page]), cause: 'return', keepAlive: true }) as never);
  const client = room.client();
  client.blocked = true;
  for (let sent = 0; sent < 100; sent += 1) client.feed(get);
  assert.ok(client.pendingBytes < 200_000, `${client.pendingBytes} bytes wait`);
  assert.equal(client.paused, true);
  for (let turn = 0; turn < 100 && room.log().length < 100; turn += 1) client.drain();
  assert.equal(room.log().length, 100);
  assert.equal(client.paused, false);
  client.blocked = true;
  client.feed(get.repeat(10));
  room.pass(2000);
  assert.equal(client.closed, true);
  room.end();
  assert.equal(room.openSessions, 0);
});

test('answers that a client has not read yet survive its half-close and the keep-alive timeout', () => {
  for (const ending of ['half-close', 'timeout']) {
    const room = new Room({ timeouts }, { timeouts });
    const server = room.server();
    const client = room.client();
    client.blocked = true;
    client.feed(get);
    server.feed(ok);
    if (ending === 'timeout') room.pass(450);
    else client.peerEnd();
    room.settle();
    assert.equal(client.closed, false, ending);
    client.pendingBytes = 0;
    room.pass(100);
    assert.equal(client.closed, true, ending);
    room.end();
  }
});

test('a slow reader that still reads is not timed out', () => {
  const room = new Room({ timeouts }, { timeouts: { ...timeouts, serverMs: 60_000 } });
  const server = room.server();
  const client = room.client();
  client.feed(get);
  client.blocked = true;
  server.feed(`HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n${'x'.repeat(100_000)}`);
  assert.equal(server.paused, true);
  for (let look = 0; look < 4; look += 1) {
    client.pendingBytes -= 10_000;
    room.pass(850);
    assert.equal(client.ended, false);
  }
  room.pass(850);
  assert.equal(client.ended, true);
  assert.deepEqual(room.log(), ['be/s1 200 cD GET /a HTTP/1.1']);
  room.end();
});

test('what a client sends beyond its request stays bounded when the server lets it go on', () => {
  const room = new Room();
  const server = room.server();
  const client = room.client();
  server.blocked = true;
  client.feed(`POST / HTTP/1.1\r\nContent-Length: 70000\r\n\r\n${'x'.repeat(60_000)}`);
  client.feed(Buffer.from(`${'x'.repeat(10_000)}${get.repeat(3000)}`));
  assert.equal(client.paused, true);
  server.drain();
  client.feed(get);
  assert.equal(client.paused, true);
  client.close();
  room.end();
});

test('a connection kept for one client is heard although a slow reader had stopped it', () => {
  const room = new Room();
  const server = room.server();
  const client = room.client();
  client.feed('GET / HTTP/1.1\r\nHost: x\r\nAuthorization: NTLM abc\r\n\r\n');
  client.blocked = true;
  client.pendingBytes = 70_000;
  server.feed(ok);
  assert.equal(server.paused, false);
  client.drain();
  server.peerEnd();
  room.settle();
  assert.equal(client.ended, true);
  room.end();
});

test('disable-l7-retry: what was sent is not sent again', () => {
  const room = new Room({}, { retryOn: ['503'], retries: 3 });
  room.rule('request', (subject) => {
    subject.sentOnce = true;
    return null;
  });
  const server = room.server();
  const client = room.client();
  client.feed(get);
  const answer = 'HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno';
  server.feed(answer);
  assert.equal(client.text, answer);
  assert.deepEqual(room.log(), ['be/s1 503 -- GET /a HTTP/1.1']);
  room.end();
});

test('what a client said to prove itself is not said again, whatever retry-on allows', () => {
  const room = new Room({}, { retryOn: ['401', '503', 'all-retryable-errors'], retries: 3 });
  const other = room.server();
  const server = room.server();
  const client = room.client();
  client.feed('GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Negotiate abc\r\n\r\n');
  const refusal = 'HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno';
  server.feed(refusal);
  client.feed(get);
  server.peerReset();
  room.settle();
  assert.equal(client.text, refusal);
  assert.equal(client.ended || client.closed, true);
  assert.equal(other.text, '');
  assert.deepEqual(room.log(), ['be/s1 503 -- GET / HTTP/1.1', 'be/s1 -1 SH GET /a HTTP/1.1']);
  room.end();
});

test('with the server connection that knows the client ends the client connection', () => {
  for (const ending of ['silent', 'announced']) {
    const room = new Room();
    const server = room.server();
    const client = room.client();
    client.feed(get);
    const close = ending === 'announced' ? 'Connection: close\r\n' : '';
    server.feed(`HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM abc\r\n${close}Content-Length: 2\r\n\r\nn`);
    assert.equal(client.ended || client.closed, false, ending);
    server.feed('o');
    if (ending === 'silent') server.peerEnd();
    room.settle();
    assert.equal(client.ended || client.closed, true, ending);
    assert.match(client.text, ending === 'announced' ? /connection: close\r\n/ : /NTLM abc\r\n/);
    room.end();
    assert.equal(room.openSessions, 0);
  }
});
