/** HTTP/1 heads: parsed over every split, framed as HAProxy 2.6 does, written back unchanged unless edited. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Framing, body, flaw, frameRequest, frameResponse } from '../../../src/wire/http1/framing.ts';
import { Http1Head } from '../../../src/wire/http1/head.ts';
import { HeadParser, parsed } from '../../../src/wire/http1/head-parser.ts';
import { leavesAsItCame, writeHead } from '../../../src/wire/http1/write-head.ts';

const none = Buffer.alloc(0);

interface Read { result: number; head: Http1Head; parser: HeadParser }

function read(text: string, isResponse = false, relaxed = false, cuts: number[] = []): Read {
  const whole = Buffer.from(text, 'latin1');
  const head = new Http1Head(isResponse);
  const parser = new HeadParser(head, 65536, 100);
  parser.relaxed = relaxed;
  let kept = Buffer.from(whole.subarray(0, cuts[0] ?? whole.length));
  parser.begin(kept, 0);
  let result = parser.parse(kept.length);
  for (let index = 0; index < cuts.length && result === parsed.more; index += 1) {
    kept = Buffer.concat([kept, whole.subarray(cuts[index], cuts[index + 1] ?? whole.length)]);
    parser.rebase(kept, 0);
    result = parser.parse(kept.length);
  }
  return { result, head, parser };
}

function events(text: string, isResponse: boolean, relaxed: boolean, cuts: number[]): unknown {
  const { result, head } = read(text, isResponse, relaxed, cuts);
  if (result !== parsed.done) return { result };
  const lines: string[][] = [];
  for (let index = 0; index < head.lineCount; index += 1) lines.push([head.name(index), head.value(index)]);
  return { result, method: head.method, uri: head.uri, status: head.status, reason: head.reason, minor: head.minorVersion, lines, end: head.end, irregular: head.irregular,
    written: writeHead(head, '', none).toString('latin1') };
}

const samples: [string, boolean][] = [
  ['GET / HTTP/1.1\r\nHost: x\r\nA:  b \r\nEmpty:\r\n\r\nrest', false],
  ['\r\n\r\nRPC_IN_DATA /rpc/rpcproxy.dll?a:6001 HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n', false],
  ['GET /a?b HTTP/1.0\nHost: x\nA: b\n\n', false],
  ['GET  /\tHTTP/1.2\r\nA: x\r\n y\r\n\t z\r\nB:\r\n c\r\n\r\n', false],
  ['GET / HTTP/1.1\r\nA : b\r\n\r\n', false],
  ['GET / HTTP/1.1\r\nA: b\rc\r\n\r\n', false],
  ['HTTP/1.1 200 OK\r\nServer: a\r\nSet-Cookie: 1\r\nset-cookie: 2\r\n\r\nbody', true],
  ['HTTP/1.0 404\r\n\r\n', true],
  ['HTTP/1.1 302 Moved  here \r\nLocation: /x\r\n\r\n', true],
  ['HTTX/1.1 200 OK\r\n\r\n', true],
];

test('every split gives the same events as the whole', () => {
  for (const [text, isResponse] of samples) {
    const whole = events(text, isResponse, false, []);
    for (let cut = 1; cut < text.length; cut += 1) assert.deepEqual(events(text, isResponse, false, [cut]), whole, `${JSON.stringify(text)} cut at ${cut}`);
    const each = Array.from({ length: text.length - 1 }, (_, index) => index + 1);
    assert.deepEqual(events(text, isResponse, false, each), whole, `${JSON.stringify(text)} byte by byte`);
  }
});

test('lines keep spelling, order and repetition, and are found in any case', () => {
  const { head } = read('GET / HTTP/1.1\r\nhOsT: x\r\nX-A: 1\r\nx-a: 2\r\nX-b:\t 3 \r\n\r\n');
  assert.equal(head.name(0), 'hOsT');
  assert.equal(head.find('host', 0), 0);
  assert.equal(head.find('x-a', 0), 1);
  assert.equal(head.find('x-a', 2), 2);
  assert.equal(head.find('x-a', 3), -1);
  assert.equal(head.value(3), '3');
  assert.equal(head.lineCount, 4);
  assert.ok(leavesAsItCame(head));
});

test('edits change only the edited lines', () => {
  const { head } = read('GET /a HTTP/1.1\r\nHost:   x\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n');
  head.remove(1);
  head.setValue(2, 'two');
  head.append('X-New', 'v');
  head.append('X-Gone', 'v');
  head.remove(head.find('x-gone', 0));
  head.uri = '/b?c=d';
  assert.equal(head.path(), '/b');
  assert.equal(head.query(), 'c=d');
  assert.equal(head.find('x-new', 0), 4);
  assert.equal(writeHead(head, 'Connection: close\r\n', Buffer.from('body')).toString('latin1'),
    'GET /b?c=d HTTP/1.1\r\nHost:   x\r\nB: two\r\nA: 3\r\nX-New: v\r\nConnection: close\r\n\r\nbody');
});

test('a head that only gets lines added keeps its bytes', () => {
  const { head } = read('\r\nGET /a HTTP/1.1\r\nHost:   x \r\n\r\nbody');
  assert.equal(writeHead(head, 'X: y\r\n', none).toString('latin1'), 'GET /a HTTP/1.1\r\nHost:   x \r\nX: y\r\n\r\n');
});

test('a line taken out leaves one slice, and what came before it in its words', () => {
  const { head } = read('HTTP/1.1 200 OK\r\nA: 1\r\nConnection: keep-alive\r\nB: 2\r\n\r\nbody', true);
  assert.equal(frameResponse(head, new Framing(), false, false), flaw.none);
  assert.ok(leavesAsItCame(head));
  assert.equal(head.bytes.subarray(head.start).toString(), 'HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\nbody');
  assert.deepEqual([head.find('a', 0), head.find('connection', 0), head.find('b', 0), head.value(0), head.value(2), head.reason], [0, -1, 2, '1', '2', 'OK']);
  head.remove(0);
  assert.equal(writeHead(head, 'C: 3\r\n', none).toString(), 'HTTP/1.1 200 OK\r\nB: 2\r\nC: 3\r\n\r\n');
});

test('bare line feeds and odd start lines are spelled anew', () => {
  assert.equal(writeHead(read('GET  /\tHTTP/2.0\nA:b\n\n').head, '', none).toString('latin1'), 'GET / HTTP/1.1\r\nA: b\r\n\r\n');
});

test('obs-fold becomes blanks', () => {
  const { head } = read('GET / HTTP/1.1\r\nA: x\r\n y\r\nB: x\r\n  \r\nC:\r\n z\r\n\r\n');
  assert.deepEqual([head.value(0), head.value(1), head.value(2)], ['x   y', 'x', 'z']);
  assert.ok(!writeHead(head, '', none).toString('latin1').includes('\r\n '));
});

const refused: [string, string][] = [
  ['CR before the request', '\rGET / HTTP/1.1\r\n\r\n'], ['blank first', ' GET / HTTP/1.1\r\n\r\n'], ['HTTP/0.9', 'GET /\r\n'], ['blank after version', 'GET / HTTP/1.1 \r\n\r\n'],
  ['version with two digits', 'GET / HTTP/1.10\r\n\r\n'], ['lower-case version', 'GET / http/1.1\r\n\r\n'], ['other protocol', 'GET / RTSP/1.0\r\n\r\n'],
  ['bad method', 'G(T / HTTP/1.1\r\n\r\n'], ['8-bit target', 'GET /\xe9 HTTP/1.1\r\n\r\n'], ['control in target', 'GET /\x01 HTTP/1.1\r\n\r\n'], ['NUL in target', 'GET /\0 HTTP/1.1\r\n\r\n'],
  ['fragment', 'GET /a#b HTTP/1.1\r\n\r\n'], ['blank before colon', 'GET / HTTP/1.1\r\nA : b\r\n\r\n'], ['no colon', 'GET / HTTP/1.1\r\nAbc\r\n\r\n'], ['empty name', 'GET / HTTP/1.1\r\n: b\r\n\r\n'],
  ['bad name', 'GET / HTTP/1.1\r\nA(: b\r\n\r\n'], ['NUL in value', 'GET / HTTP/1.1\r\nA: \0\r\n\r\n'], ['bare CR', 'GET / HTTP/1.1\r\nA: x\ry\r\n\r\n'], ['CR CR', 'GET / HTTP/1.1\r\nA: x\r\r\n\r\n'],
  ['fold before the first line', 'GET / HTTP/1.1\r\n A: b\r\n\r\n'], ['CR without LF at the end', 'GET / HTTP/1.1\r\nA: b\r\n\rX'], ['TLS hello', '\x16\x03\x01\x02\x00'],
];
for (const [name, text] of refused) {
  test(`refused: ${name}`, () => { assert.equal(read(text).result, parsed.bad); });
}

test('accept-invalid-http-request takes what HAProxy takes', () => {
  for (const text of ['GET /\r\n', 'GET / RTSP/1.0\r\n\r\n', 'GET / HTTP/1.10\r\n\r\n', 'GET /\xe9#f HTTP/1.1\r\n\r\n', 'GET / HTTP/1.1\r\nA : b\r\nB(: c\r\nC: \0\r\n\r\n']) {
    assert.equal(read(text, false, true).result, parsed.done, JSON.stringify(text));
  }
  assert.equal(read('GET / HTTP/1.1\r\nAbc\r\n\r\n', false, true).result, parsed.bad);
  assert.equal(read('GET /\x01 HTTP/1.1\r\n\r\n', false, true).result, parsed.bad);
});

test('limits of size and line count', () => {
  const head = new Http1Head(false);
  const parser = new HeadParser(head, 100, 3);
  const big = Buffer.from(`GET / HTTP/1.1\r\nA: ${'x'.repeat(200)}`);
  parser.begin(big, 0);
  assert.equal(parser.parse(big.length), parsed.tooLarge);
  const many = Buffer.from('GET / HTTP/1.1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n\r\n');
  parser.begin(many, 0);
  assert.equal(parser.parse(many.length), parsed.tooLarge);
  const wide = Buffer.from(`GET / HTTP/1.1\r\n${Array.from({ length: 90 }, (_, index) => `H${index}: ${index}\r\n`).join('')}\r\n`);
  const wideParser = new HeadParser(new Http1Head(false), 65536, 100);
  wideParser.begin(wide, 0);
  assert.equal(wideParser.parse(wide.length), parsed.done);
  assert.equal(wideParser.head.value(89), '89');
});

function frame(lines: string, start = 'POST / HTTP/1.1', relaxed = false): { wrong: number; framing: Framing; head: Http1Head } {
  const { head, result } = read(`${start}\r\n${lines}\r\n`, false, relaxed);
  assert.equal(result, parsed.done);
  const framing = new Framing();
  return { wrong: frameRequest(head, framing, relaxed), framing, head };
}

test('request bodies', () => {
  assert.equal(frame('').framing.kind, body.none);
  const two = frame('Content-Length: 2\r\ncontent-length: 2 ,\t2\r\n');
  assert.deepEqual([two.wrong, two.framing.kind, two.framing.length], [flaw.none, body.length, 2]);
  assert.equal(writeHead(two.head, '', none).toString(), 'POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n');
  for (const bad of ['2, 3', '', ',2', '2,', '+2', '-2', '0x2', '2 2', '99999999999999999999']) assert.equal(frame(`Content-Length: ${bad}\r\n`).wrong, flaw.bad, bad);
  assert.equal(frame('Content-Length: 2\r\nContent-Length: 3\r\n').wrong, flaw.bad);
  const both = frame('Content-Length: 2\r\nTransfer-Encoding: Chunked\r\n');
  assert.deepEqual([both.framing.kind, both.framing.doubtful, both.head.find('content-length', 0)], [body.chunked, true, -1]);
  assert.equal(frame('Content-Length: 2,3\r\nTransfer-Encoding: chunked\r\n').wrong, flaw.bad);
  for (const bad of ['gzip', 'identity', 'chunked, gzip', 'chunked, chunked', '', 'xchunked', '"chunked"', 'chunked;a=b']) assert.equal(frame(`Transfer-Encoding: ${bad}\r\n`).wrong, flaw.bad, bad);
  for (const odd of ['gzip, chunked', ',chunked']) assert.equal(frame(`Transfer-Encoding: ${odd}\r\n`).wrong, flaw.unprocessable, odd);
  assert.equal(frame('Transfer-Encoding: chunked,\r\n').wrong, flaw.none);
  assert.equal(frame('Transfer-Encoding: chunked\r\n', 'POST / HTTP/1.0').framing.doubtful, true);
});

test('authorities have to agree', () => {
  const ok: [string, string][] = [['GET http://x/a', 'x'], ['GET http://x:80/a', 'x'], ['GET https://x/a', 'x:443'], ['GET http://X/a', 'x'], ['GET http://u@x/a', 'x'], ['GET http:///a', 'x'],
    ['GET http://x', 'x'], ['CONNECT x:443', 'x:443'], ['CONNECT x:443', 'x'], ['CONNECT x:80', 'x'], ['OPTIONS *', 'x']];
  for (const [start, host] of ok) assert.equal(frame(`Host: ${host}\r\n`, `${start} HTTP/1.1`).wrong, flaw.none, start);
  const port = frame('Host: x:80\r\nA: b\r\n', 'GET http://X:80/a?x:80 HTTP/1.1').head;
  assert.equal(writeHead(port, '', none).toString(), 'GET http://X/a?x:80 HTTP/1.1\r\nHost: X\r\nA: b\r\n\r\n');
  assert.equal(port.lineAsCame(), 'GET http://X/a?x:80 HTTP/1.1');
  for (const [start, host] of [['GET http://y/a', 'x'], ['GET http://x:8080/a', 'x'], ['CONNECT y:443', 'x'], ['CONNECT x', 'x'], ['GET foo', 'x']] as [string, string][]) {
    assert.equal(frame(`Host: ${host}\r\n`, `${start} HTTP/1.1`).wrong, flaw.bad, start);
  }
  assert.equal(frame('Host: x\r\nHost: y\r\n').wrong, flaw.bad);
  assert.equal(frame('Host: x\r\nHost: x\r\n').wrong, flaw.none);
});

test('connection words of this hop are taken out', () => {
  const list = frame('Connection: keep-alive, Foo\r\nConnection: Close\r\nFoo: bar\r\n');
  assert.deepEqual([list.framing.close, list.framing.keepAlive], [true, false]);
  assert.equal(writeHead(list.head, '', none).toString(), 'POST / HTTP/1.1\r\nConnection: Foo\r\nFoo: bar\r\n\r\n');
  assert.equal(frame('').framing.close, false);
  assert.equal(frame('', 'GET / HTTP/1.0').framing.close, true);
  assert.equal(frame('Connection: Keep-Alive\r\n', 'GET / HTTP/1.0').framing.close, false);
  assert.equal(frame('Connection: upgrade\r\nUpgrade: foo\r\n').framing.upgrade, true);
  const withBody = frame('Connection: upgrade\r\nUpgrade: foo\r\nContent-Length: 2\r\n');
  assert.deepEqual([withBody.framing.upgrade, withBody.head.find('upgrade', 0)], [false, -1]);
  assert.equal(frame('Connection: upgrade\r\nUpgrade: websocket\r\n').wrong, flaw.bad);
});

function answer(text: string, isHead = false, isConnect = false): { wrong: number; framing: Framing; head: Http1Head } {
  const { head, result } = read(text, true);
  assert.equal(result, parsed.done);
  const framing = new Framing();
  return { wrong: frameResponse(head, framing, isHead, isConnect), framing, head };
}

test('answer bodies', () => {
  const kinds: [string, boolean, number][] = [
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', false, body.length], ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', false, body.none],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', true, body.none], ['HTTP/1.1 200 OK\r\n\r\n', false, body.untilClose], ['HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n', false, body.none],
    ['HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n', false, body.none], ['HTTP/1.1 100 Go\r\n\r\n', false, body.none], ['HTTP/1.1 101 Go\r\n\r\n', false, body.tunnel],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n', false, body.chunked],
  ];
  for (const [text, isHead, kind] of kinds) assert.equal(answer(text, isHead).framing.kind, kind, JSON.stringify(text));
  assert.equal(answer('HTTP/1.1 200 OK\r\n\r\n', false, true).framing.kind, body.tunnel);
  assert.equal(answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n').wrong, flaw.bad);
  assert.equal(answer('HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n').head.find('content-length', 0), -1);
  assert.equal(answer('HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n').head.find('content-length', 0), 0);
});

test('status lines that no server should send are refused', () => {
  for (const text of ['HTTP/1.1 20 OK', 'HTTP/1.1 099 OK', 'HTTP/1.1 2x0 OK', 'HTTX/1.1 200 OK', 'hello world']) assert.equal(read(`${text}\r\n\r\n`, true).result, parsed.bad, text);
});

test('mutated heads: nothing throws, and random cuts give the same events as the whole', () => {
  let seed = 11;
  const random = (limit: number): number => {
    // mulberry32
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * limit);
  };
  const pieces = ['\r', '\n', '\r\n', ' ', '\t', ':', '\0', 'Content-Length: 1\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: y\r\n', 'Connection: close, x\r\n', '\xe9', ',', 'HTTP/1.1'];
  for (let round = 0; round < 3000; round += 1) {
    const [base, isResponse] = samples[random(samples.length)]!;
    let text = base;
    for (let edits = 1 + random(3); edits > 0; edits -= 1) {
      const at = random(text.length);
      text = text.slice(0, at) + (random(2) === 0 ? pieces[random(pieces.length)] : '') + text.slice(at + random(3));
    }
    const relaxed = random(3) === 0;
    const whole = events(text, isResponse, relaxed, []);
    const cuts = Array.from({ length: 1 + random(4) }, () => 1 + random(Math.max(text.length - 1, 1))).sort((a, b) => a - b).filter((cut, index, all) => cut < text.length && cut !== all[index - 1]);
    assert.deepEqual(events(text, isResponse, relaxed, cuts), whole, JSON.stringify([text, cuts]));
    const { result, head } = read(text, isResponse, relaxed);
    if (result !== parsed.done) continue;
    const framing = new Framing();
    const wrong = isResponse ? frameResponse(head, framing, false, false) : frameRequest(head, framing, relaxed);
    if (wrong !== flaw.none) continue;
    // What is sent on can be read in one way only: strictly, with the same framing, without bare line breaks.
    const sent = writeHead(head, '', none).toString('latin1');
    assert.ok(!/[^\r]\n|\r[^\n]|\r\n[ \t]/.test(sent), JSON.stringify(sent));
    const again = read(sent, isResponse, relaxed);
    assert.equal(again.result, parsed.done, JSON.stringify(sent));
    const reframed = new Framing();
    assert.equal(isResponse ? frameResponse(again.head, reframed, false, false) : frameRequest(again.head, reframed, relaxed), flaw.none, JSON.stringify(sent));
    assert.deepEqual([reframed.kind, reframed.length, reframed.doubtful && reframed.kind !== body.chunked], [framing.kind, framing.length, false], JSON.stringify([text, sent]));
  }
});
