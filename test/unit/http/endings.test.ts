/** How exchanges end by themselves: letters, answers, retries and timeouts; gauges and log lines after each. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Proxy } from '../../../src/model/model.ts';
import { makeProxy } from '../traffic/make-model.ts';
import { endRooms, finished, Room } from './room.ts';

after(endRooms);

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const half = 'POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nab';
const switches = makeProxy(0, '').switches;
const timeouts = { ...makeProxy(0, '').timeouts, clientMs: 800, serverMs: 600, httpRequestMs: 500, httpKeepAliveMs: 400 };

test('malformed requests: 400, counted, kept for show errors', () => {
  const room = new Room();
  const client = room.client();
  client.feed('GET /\x01 HTTP/1.1\r\n\r\n');
  assert.ok(client.text.startsWith('HTTP/1.1 400 Bad request\r\nContent-length: 90\r\n'));
  assert.equal(client.ended, true);
  const captured = room.messages.find((message) => message.type === 'captured-error');
  assert.equal(captured?.type === 'captured-error' && captured.position, 5);
  assert.deepEqual([room.counter('front', 'ereq'), room.counter('front', 'req_tot'), room.counter('front', 'hrsp_4xx')], [1, 1, 1]);
  finished(room, ['fe/<NOSRV> 400 PR <BADREQ>']);
});

test('two encodings: 422', () => {
  const room = new Room();
  const client = room.client();
  client.feed('POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n');
  assert.ok(client.text.startsWith('HTTP/1.1 422 Unprocessable Content\r\nContent-length: 116\r\n'));
  finished(room, ['fe/<NOSRV> 422 PR <BADREQ>']);
});

test('a broken chunked body after the head: the server gets no end, the client 400', () => {
  const room = new Room();
  const server = room.server();
  const client = room.client();
  client.feed('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n');
  client.feed('zz\r\n');
  assert.ok(client.text.startsWith('HTTP/1.1 400'));
  room.settle();
  assert.equal(server.closed, true);
  finished(room, ['be/s1 400 PH POST / HTTP/1.1']);
});

const silent: [string, Partial<Proxy>, string, string[]][] = [
  ['nothing set', {}, 'HTTP/1.1 408', ['fe/<NOSRV> 408 cR <BADREQ>']],
  ['dontlognull', { switches: { ...switches, dontlognull: true } }, 'HTTP/1.1 408', []],
  ['http-ignore-probes', { switches: { ...switches, httpIgnoreProbes: true } }, '', []],
];
for (const [name, front, answer, lines] of silent) {
  test(`a client that says nothing, ${name}`, () => {
    const room = new Room({ timeouts, ...front });
    const client = room.client();
    room.pass(600);
    assert.equal(client.text.slice(0, 12), answer);
    assert.equal(client.ended, true);
    finished(room, lines);
  });
  test(`a client that closes without a byte, ${name}`, () => {
    const room = new Room({ timeouts, ...front });
    room.client().close();
    finished(room, name === 'nothing set' ? ['fe/<NOSRV> 400 CR <BADREQ>'] : []);
  });
}

test('half a head: 408 in time, 400 when the client half-closes, both logged', () => {
  for (const [event, line] of [['time', 'fe/<NOSRV> 408 cR <BADREQ>'], ['end', 'fe/<NOSRV> 400 CR <BADREQ>'], ['close', 'fe/<NOSRV> 400 CR <BADREQ>']] as const) {
    const room = new Room({ timeouts, switches: { ...switches, dontlognull: true } });
    const client = room.client();
    client.feed('GET / HT');
    if (event === 'time') room.pass(600);
    else if (event === 'end') client.peerEnd();
    else client.close();
    assert.equal(client.text !== '', event !== 'close');
    finished(room, [line]);
  }
});

test('timeout http-request counts from the first byte and does not end with each further one', () => {
  const room = new Room({ timeouts });
  const server = room.server();
  const client = room.client();
  client.feed(get);
  server.feed(ok);
  room.pass(300);
  client.feed('G');
  for (let index = 0; index < 4; index += 1) {
    room.pass(120);
    client.feed('E');
  }
  room.pass(120);
  assert.ok(client.text.includes('HTTP/1.1 408'));
  finished(room, ['be/s1 200 -- GET /a HTTP/1.1', 'fe/<NOSRV> 408 cR <BADREQ>']);
});

test('an idle connection ends in silence', () => {
  const room = new Room({ timeouts });
  const server = room.server();
  const client = room.client();
  client.feed(get);
  server.feed(ok);
  room.pass(500);
  room.settle();
  assert.equal(client.text, ok);
  assert.equal(client.closed, true);
  finished(room, ['be/s1 200 -- GET /a HTTP/1.1']);
});

const server: [string, (room: Room, server: ReturnType<Room['server']>) => void, string, string][] = [
  ['closes before an answer', (_room, one) => one.peerEnd(), 'HTTP/1.1 502', 'be/s1 502 SH GET /a HTTP/1.1'],
  ['resets before an answer', (_room, one) => one.peerReset(), 'HTTP/1.1 502', 'be/s1 502 SH GET /a HTTP/1.1'],
  ['closes in the head', (_room, one) => { one.feed('HTTP/1.1 200 OK\r\nA'); one.peerEnd(); }, 'HTTP/1.1 502', 'be/s1 502 SH GET /a HTTP/1.1'],
  ['says rubbish', (_room, one) => one.feed('hello\r\n'), 'HTTP/1.1 502', 'be/s1 502 PH GET /a HTTP/1.1'],
  ['sends a broken chunk with the head', (_room, one) => one.feed('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'), 'HTTP/1.1 502', 'be/s1 502 PH GET /a HTTP/1.1'],
  ['sends a broken chunk later', (_room, one) => { one.feed('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'); one.feed('zz\r\n'); }, 'HTTP/1.1 200', 'be/s1 200 SD GET /a HTTP/1.1'],
  ['closes in the body', (_room, one) => { one.feed('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab'); one.peerEnd(); }, 'HTTP/1.1 200', 'be/s1 200 SD GET /a HTTP/1.1'],
  ['stays silent', (room) => room.pass(700), 'HTTP/1.1 504', 'be/s1 504 sH GET /a HTTP/1.1'],
  ['stalls in the body', (room, one) => { one.feed('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab'); room.pass(700); }, 'HTTP/1.1 200', 'be/s1 200 sD GET /a HTTP/1.1'],
];
for (const [name, act, answer, line] of server) {
  test(`a server that ${name}`, () => {
    const room = new Room({ timeouts }, { timeouts });
    const one = room.server();
    const client = room.client();
    // A connection of its own: not the reuse of an idle one, which has its own rules.
    client.feed(get);
    room.context.plan.servers[0]!.pool.closeAll();
    const { exchange } = (client.handler as unknown as { exchange: { reused: boolean } });
    exchange.reused = false;
    act(room, one);
    assert.ok(client.text.startsWith(answer), client.text);
    room.settle();
    assert.equal(one.closed, true);
    finished(room, [line]);
  });
}

test('an idle connection that was just closing: repeatable requests go again, others are the client\'s to repeat', () => {
  for (const method of ['GET', 'POST'] as const) {
    const room = new Room();
    const first = room.server();
    const client = room.client();
    client.feed(get);
    first.feed(ok);
    const second = room.server();
    client.feed(`${method} /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nab`);
    second.peerEnd();
    room.settle();
    if (method === 'GET') {
      // The retry opens a connection of its own, which these tests have no sockets for: the client goes first.
      assert.equal(room.log().length, 1);
      client.close();
      finished(room, ['be/s1 200 -- GET /a HTTP/1.1', 'be/s1 -1 CC GET /b HTTP/1.1']);
    } else {
      assert.equal(client.text, ok);
      assert.equal(client.ended, true);
      finished(room, ['be/s1 200 -- GET /a HTTP/1.1', 'be/s1 -1 SH POST /b HTTP/1.1']);
    }
  }
});

test('observe layer7 is told why there was no answer', () => {
  const reasons: [string, (room: Room, one: ReturnType<Room['server']>) => void][] = [
    ['Close from server (http)', (_room, one) => one.peerEnd()],
    ['Close from server (http)', (_room, one) => { one.feed('HTTP/1.1 200 OK\r\nA'); one.peerEnd(); }],
    ['Read error (http)', (_room, one) => one.peerReset()],
    ['Read timeout (http)', (room) => room.pass(700)],
    ['Invalid http response (headers)', (_room, one) => one.feed('hello\r\n')],
    ['Wrong http response', (_room, one) => one.feed('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n')],
  ];
  for (const [why, act] of reasons) {
    const room = new Room({ timeouts }, { timeouts }, { observe: 'layer7', errorLimit: 1 });
    const one = room.server();
    const client = room.client();
    client.feed(get);
    room.context.plan.servers[0]!.pool.closeAll();
    (client.handler as unknown as { exchange: { reused: boolean } }).exchange.reused = false;
    act(room, one);
    room.settle();
    assert.deepEqual(room.messages.flatMap((message) => (message.type === 'observed-errors' ? [message.why] : [])), [why]);
  }
});

test('retry-on without a retry left: the client gets the answer that is there', () => {
  const room = new Room({}, { retryOn: ['503'], retries: 0 });
  const one = room.server();
  const client = room.client();
  client.feed(get);
  const { exchange } = (client.handler as unknown as { exchange: { dispatch: { freshOnly: boolean } } });
  exchange.dispatch.freshOnly = true;
  one.feed('HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nwa');
  one.feed('it');
  assert.equal(client.text, 'HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nwait');
  finished(room, ['be/s1 503 -- GET /a HTTP/1.1']);
});

test('a client that goes: letters by the stage', () => {
  const stages: [string, (room: Room, one: ReturnType<Room['server']>, client: ReturnType<Room['client']>) => void, string][] = [
    ['in its body, FIN', (_room, _one, client) => { client.feed(half); client.peerEnd(); }, 'be/s1 -1 CD POST /a HTTP/1.1'],
    ['in its body, reset', (_room, _one, client) => { client.feed(half); client.peerReset(); }, 'be/s1 -1 CD POST /a HTTP/1.1'],
    ['waiting, reset', (_room, _one, client) => { client.feed(get); client.peerReset(); }, 'be/s1 -1 CH GET /a HTTP/1.1'],
    ['in the answer', (_room, one, client) => { client.feed(get); one.feed('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab'); client.peerReset(); }, 'be/s1 200 CD GET /a HTTP/1.1'],
  ];
  for (const [name, act, line] of stages) {
    const room = new Room();
    const one = room.server();
    act(room, one, room.client());
    room.settle();
    assert.equal(one.closed, true, name);
    assert.equal(room.counter('front', 'cli_abrt'), 1, name);
    finished(room, [line]);
  }
});

test('a half-close while waiting ends the request only with abortonclose', () => {
  for (const abortonclose of [false, true]) {
    const room = new Room({}, { switches: { ...switches, abortonclose } });
    const one = room.server();
    const client = room.client();
    client.feed(get);
    client.peerEnd();
    room.settle();
    assert.equal(one.closed, abortonclose);
    if (!abortonclose) one.feed(ok);
    finished(room, [abortonclose ? 'be/s1 400 CH GET /a HTTP/1.1' : 'be/s1 200 -- GET /a HTTP/1.1']);
  }
});

test('a client that stops sending its body, or never reads', () => {
  // The server's timeout counts between two parts of a body, and the client's only where the server has none.
  for (const [serverMs, status, letters] of [[2000, 504, 'sH'], [0, 408, 'cH']] as const) {
    const room = new Room({ timeouts }, { timeouts: { ...timeouts, serverMs } });
    room.server();
    const client = room.client();
    client.feed(half);
    room.pass(900);
    assert.equal(client.text === '', serverMs > 0);
    room.pass(1500);
    assert.ok(client.text.startsWith(`HTTP/1.1 ${status}`), client.text);
    finished(room, [`be/s1 ${status} ${letters} POST /a HTTP/1.1`]);
  }
  const other = new Room({ timeouts }, { timeouts });
  const one = other.server();
  const reader = other.client();
  reader.feed(get);
  reader.blocked = true;
  one.feed('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n');
  one.feed(Buffer.alloc(100_000));
  other.pass(900);
  finished(other, ['be/s1 200 cD GET /a HTTP/1.1']);
});
