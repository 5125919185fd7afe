/** The simulated servers' own HTTP reader: the same requests whatever way the bytes are cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestReader } from '../../../src/exchange-sim/request-reader.ts';

function read(pieces: readonly Buffer[]): string[] {
  const seen: string[] = [];
  let body = 0;
  const reader = new RequestReader({
    onHead: (request) => seen.push(`head ${request.method}`),
    onBody: (bytes) => { body += bytes.length; },
    onRequest: (request) => seen.push(`done ${request.method} ${request.target} ${request.bodyBytes} ${request.headers.get('x') ?? ''}`),
    onBad: (why) => seen.push(`bad ${why}`),
  });
  for (const piece of pieces) reader.feed(piece);
  if (seen.length > 3) assert.equal(body, 18);
  return seen;
}

const text = [
  'GET /owa/ HTTP/1.1\r\nHost: a\r\nX: 1\r\nx:  2 \r\n\r\n',
  'RPC_IN_DATA /rpc/rpcproxy.dll?a:6001 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello',
  'POST /EWS HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;ext\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n',
  'HEAD /oab HTTP/1.0\r\n\r\n',
].join('');
const expected = [
  'head GET', 'done GET /owa/ 0 1, 2', 'head RPC_IN_DATA', 'done RPC_IN_DATA /rpc/rpcproxy.dll?a:6001 5 ',
  'head POST', 'done POST /EWS 13 ', 'head HEAD', 'done HEAD /oab 0 ',
];

test('pipelined requests, cut at every place', () => {
  const bytes = Buffer.from(text, 'latin1');
  assert.deepEqual(read([bytes]), expected);
  for (let at = 1; at < bytes.length; at += 1) assert.deepEqual(read([bytes.subarray(0, at), bytes.subarray(at)]), expected, `cut at ${at}`);
  assert.deepEqual(read(Array.from(bytes, (byte) => Buffer.from([byte]))), expected);
});

test('rubbish is told once', () => {
  assert.deepEqual(read([Buffer.from('hello\r\n\r\nworld\r\n\r\n')]), ['bad Invalid Verb']);
  assert.deepEqual(read([Buffer.alloc(300_000, 97)]), ['bad Request Too Long']);
  assert.deepEqual(read([Buffer.from('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n')]), ['head POST', 'bad Bad Chunk']);
});

test('lines and heads that IIS takes are taken, longer ones are refused', () => {
  const asked = (...lengths: number[]): string[] => read([Buffer.from(`GET / HTTP/1.1\r\n${lengths.map((length) => `A: ${'a'.repeat(length - 3)}\r\n`).join('')}\r\n`)]);
  assert.deepEqual(asked(65_534, 65_000), ['head GET', 'done GET / 0 ']);
  assert.deepEqual(asked(65_535), ['bad Request Too Long']);
  assert.deepEqual(asked(50_000, 50_000, 50_000), ['bad Request Too Long']);
});
