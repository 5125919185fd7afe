/** TLS hellos: real ones of the runtime, at every split, and rubbish. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { connect } from 'node:tls';
import { test } from 'node:test';
import { helloType, readHello } from '../../../src/wire/tls-hello.ts';
import { evaluate } from './expression-tools.ts';
import { FakeScope } from './fake-subject.ts';

/** First bytes that the runtime's TLS client sends. */
async function clientHello(options: { servername?: string; ALPNProtocols?: string[] }): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.12.0.3', resolve));
  const address = server.address();
  const bytes = await new Promise<Buffer>((resolve) => {
    const parts: Buffer[] = [];
    server.once('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (part: Buffer) => {
        parts.push(part);
        const all = Buffer.concat(parts);
        if (typeof readHello(all) !== 'string') { socket.destroy(); resolve(all); }
      });
    });
    const client = connect({ host: '127.12.0.3', port: typeof address === 'object' && address !== null ? address.port : 0, rejectUnauthorized: false, ...options });
    client.on('error', () => undefined);
  });
  server.close();
  return bytes;
}

test('server name and protocols, at every split', async () => {
  const bytes = await clientHello({ servername: 'mail.example.com', ALPNProtocols: ['h2', 'http/1.1'] });
  const hello = readHello(bytes);
  assert.ok(typeof hello !== 'string');
  assert.deepEqual([hello.type, hello.serverName, hello.protocols, hello.version >= 3 * 65536 + 3, hello.hasCurves], [1, 'mail.example.com', ['h2', 'http/1.1'], true, true]);
  for (let length = 0; length < bytes.length; length++) assert.equal(readHello(bytes.subarray(0, length)), 'more', `after ${length} bytes`);
});

test('a hello in several records reads the same', async () => {
  const bytes = await clientHello({ servername: 'x.example.com' });
  const body = bytes.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < body.length; at += 7) {
    const part = body.subarray(at, at + 7);
    records.push(Buffer.from([22, 3, 1, 0, part.length]), part);
  }
  assert.deepEqual(readHello(Buffer.concat(records)), readHello(bytes));
});

test('no server name is no sample', async () => {
  const bytes = await clientHello({});
  assert.equal(evaluate('req.ssl_sni', null, (s) => { s.bytes = bytes; }, new FakeScope('tcp-request content')), undefined);
  assert.equal(evaluate('req.ssl_hello_type', null, (s) => { s.bytes = bytes; }, new FakeScope('tcp-request content')), 1);
});

test('fetches ask for more until the inspect delay is over', () => {
  const scope = (): FakeScope => new FakeScope('tcp-request content');
  let needed = false;
  evaluate('req.ssl_sni', null, (s) => { s.complete = false; s.bytes = Buffer.from([22, 3, 1]); Object.defineProperty(s, 'needMore', { set: (value: boolean) => { needed ||= value; }, get: () => needed }); }, scope());
  assert.equal(needed, true);
  assert.equal(evaluate('req.ssl_sni', null, (s) => { s.complete = false; s.final = true; s.bytes = Buffer.from([22, 3, 1]); }, scope()), undefined);
});

test('other bytes are not TLS, whatever follows', () => {
  for (const bytes of ['GET / HTTP/1.1\r\n', '\x16\x02\x01\x00\x10\x01', '\x16\x03\x01\x00\x00\x01', '\x16\x03\x01\x00\x10\x09', '\x80\x2e\x01\x03']) assert.equal(readHello(Buffer.from(bytes, 'latin1')), 'no', JSON.stringify(bytes));
  assert.equal(helloType(Buffer.from([22, 3, 3, 0, 80, 2])), 2);
  assert.equal(readHello(Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 3])), 'no', 'a hello that ends inside its own fields');
});

test('random bytes never throw', () => {
  let state = 1;
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from([22, 3, 1, 0, 60, 1, 0, 0, 56, 3, 3, ...Array.from({ length: 60 }, () => { state = (Math.imul(state, 48271) + 11) >>> 0; return state >>> 24; })]);
    readHello(bytes);
    readHello(bytes.subarray(round % bytes.length));
  }
});
