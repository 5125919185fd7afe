/** What a service of the simulated site may do with an exchange: stream both ways at once, wait, cut, and change protocol. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { makeCertificate } from '../../../src/exchange-sim/certificate.ts';
import { ScaledClock } from '../../../src/exchange-sim/clock.ts';
import { ExchangeServer } from '../../../src/exchange-sim/server.ts';
import type { ExchangeService, SimExchange } from '../../../src/exchange-sim/service.ts';

const made = makeCertificate({ commonName: 'mail.lab.local', names: ['mail.lab.local'], validFrom: new Date(Date.now() - 60_000), validDays: 2 });
const gone: string[] = [];

/** Sends back each piece as it comes. */
function echo(exchange: SimExchange): void {
  exchange.read({ piece: (bytes) => exchange.write(bytes), end: () => exchange.end(), gone: () => gone.push(exchange.request.target) });
}

const services: readonly ExchangeService[] = [
  { directory: '/rpc', handle: (exchange) => { echo(exchange); exchange.head(200, 'Success', [], { kind: 'length', bytes: 1_073_741_824 }); } },
  { directory: '/mapi', handle: (exchange) => {
    exchange.head(200, 'OK', [], { kind: 'chunked' });
    exchange.write('PROCESSING\r\n');
    exchange.server.clock.after(6000, () => { exchange.write('DONE\r\n'); exchange.end(); });
  } },
  { directory: '/owa/ws', handle: (exchange) => {
    exchange.read({ piece: (bytes) => exchange.write(bytes), end: () => exchange.head(101, 'Switching Protocols', ['Upgrade: websocket', 'Connection: Upgrade'], { kind: 'tunnel' }), gone: () => gone.push('ws') });
  } },
  { directory: '/oab', handle: (exchange) => exchange.reset() },
];
let server: ExchangeServer;
const sockets: TLSSocket[] = [];

before(async () => {
  server = new ExchangeServer({ name: 'LAB-EX01', fqdn: 'lab-ex01.lab.local', host: '127.0.0.1', port: 0, ...made, services, clock: new ScaledClock(100) });
  await server.listen();
});
after(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
});

async function until(what: () => boolean): Promise<void> {
  for (let left = 200; left > 0 && !what(); left -= 1) await new Promise((resolve) => { setTimeout(resolve, 10); });
  assert.ok(what());
}

function open(): Promise<{ socket: TLSSocket; seen: { text: string; closed: boolean } }> {
  return new Promise((resolve) => {
    const seen = { text: '', closed: false };
    const socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }, () => resolve({ socket, seen }));
    sockets.push(socket);
    socket.on('data', (bytes: Buffer) => { seen.text += bytes.toString('latin1'); });
    socket.on('error', () => {});
    socket.on('close', () => { seen.closed = true; });
  });
}

test('a body of a gigabyte trickles both ways at once, and the service hears when the client vanishes', async () => {
  const { socket, seen } = await open();
  socket.write('RPC_IN_DATA /rpc/rpcproxy.dll HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\none');
  await until(() => /^HTTP\/1\.1 200 Success\r\n[\s\S]*Content-Length: 1073741824\r\n\r\none$/.test(seen.text));
  socket.write('two');
  await until(() => seen.text.endsWith('\r\n\r\nonetwo'));
  socket.destroy();
  await until(() => gone.includes('/rpc/rpcproxy.dll'));
});

test('a wait takes scaled time, and the request behind it waits for its turn', async () => {
  const { socket, seen } = await open();
  const began = Date.now();
  socket.write('POST /mapi/emsmdb HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET /owa/healthcheck.htm HTTP/1.1\r\n\r\n');
  await until(() => seen.text.endsWith('PROCESSING\r\n\r\n'));
  await until(() => seen.text.endsWith('200 OK<br/>LAB-EX01.LAB.LOCAL'));
  assert.match(seen.text, /\r\n\r\nc\r\nPROCESSING\r\n\r\n6\r\nDONE\r\n\r\n0\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  assert.ok(Date.now() - began >= 50);
});

test('after 101 bytes go both ways', async () => {
  const { socket, seen } = await open();
  socket.write('GET /owa/ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  await until(() => seen.text.endsWith('\r\n\r\n'));
  assert.match(seen.text, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  assert.doesNotMatch(seen.text, /Content-Length|Transfer-Encoding/);
  socket.write('frame');
  await until(() => seen.text.endsWith('\r\n\r\nframe'));
  socket.end();
  await until(() => gone.includes('ws'));
});

test('a service may cut the connection', async () => {
  const { socket, seen } = await open();
  socket.write('GET /oab/x HTTP/1.1\r\n\r\n');
  await until(() => seen.closed);
  assert.equal(seen.text, '');
});
