/** RPC over HTTP against a simulated server: a pair of half-open requests, echoes, recycling, and how a pair ends. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { makeCertificate } from '../../../src/exchange-sim/certificate.ts';
import { ScaledClock } from '../../../src/exchange-sim/clock.ts';
import { ExchangeServer } from '../../../src/exchange-sim/server.ts';
import { PduReader, readRts, rtsPdu } from '../../../src/exchange-sim/services/rpc-pdu.ts';

const made = makeCertificate({ commonName: 'mail.lab.local', names: ['mail.lab.local'], validFrom: new Date(Date.now() - 60_000), validDays: 2 });
/** An IN and an OUT channel may come through different servers. */
const servers = ['LAB-EX01', 'LAB-EX02'].map((name) => new ExchangeServer({ name, fqdn: name, host: '127.0.0.1', port: 0, ...made, clock: new ScaledClock(3000) }));

before(async () => { for (const server of servers) await server.listen(); });
after(async () => { for (const server of servers) await server.close(); });

class Channel {
  text = '';
  closed = false;
  readonly socket: TLSSocket;

  constructor(at: number, method: string, length: number) {
    this.socket = connect({ host: '127.0.0.1', port: servers[at]?.port ?? 0, rejectUnauthorized: false });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (part: string) => { this.text += part; });
    this.socket.on('error', () => {});
    this.socket.on('close', () => { this.closed = true; });
    this.socket.write(`${method} /rpc/rpcproxy.dll?a@b:6001 HTTP/1.1\r\nContent-Length: ${length}\r\n\r\n`);
  }

  async until(what: (all: string) => boolean): Promise<void> {
    for (let left = 300; left > 0 && !what(this.text); left -= 1) await new Promise((resolve) => { setTimeout(resolve, 5); });
    assert.ok(what(this.text), JSON.stringify(this.text));
  }

  /** PDUs of the body without the keep-alive pings. */
  get pdus(): Buffer[] {
    const body = this.text.slice(this.text.indexOf('\r\n\r\n') + 4);
    const found: Buffer[] = [];
    new PduReader().feed(Buffer.from(body, 'latin1'), (pdu) => { if (readRts(pdu)?.flags !== 1) found.push(pdu); });
    return found;
  }
}

const words = (bytes: Buffer): number[] => [0, 4, 8, 12].map((at) => bytes.readUInt32LE(at));
const version = [6, 1];
const cookie = (bytes: Buffer): number[] => [3, ...words(bytes)];
const connA1 = (virtual: Buffer): Buffer => rtsPdu(0, version, cookie(virtual), cookie(randomBytes(16)), [0, 65_536]);
const connB1 = (virtual: Buffer): Buffer => rtsPdu(0, version, cookie(virtual), cookie(randomBytes(16)), [4, 1_073_741_824], [5, 300_000], [12, ...words(randomBytes(16))]);
const recycle = (virtual: Buffer): Buffer => rtsPdu(4, version, cookie(virtual), cookie(randomBytes(16)), cookie(randomBytes(16)));

function request(text: string): Buffer {
  const pdu = Buffer.alloc(16 + text.length);
  pdu.set([5, 0, 0, 3, 0x10]);
  pdu.writeUInt16LE(pdu.length, 8);
  pdu.write(text, 16);
  return pdu;
}

async function pair(): Promise<{ virtual: Buffer; incoming: Channel; outgoing: Channel }> {
  const virtual = randomBytes(16);
  const outgoing = new Channel(0, 'RPC_OUT_DATA', 76);
  outgoing.socket.write(connA1(virtual));
  await outgoing.until(() => outgoing.pdus.length === 1);
  const incoming = new Channel(1, 'RPC_IN_DATA', 1_073_741_824);
  incoming.socket.write(connB1(virtual));
  await outgoing.until(() => outgoing.pdus.length === 2);
  return { virtual, incoming, outgoing };
}

test('the sizes are those of the specification', () => {
  assert.equal(connA1(randomBytes(16)).length, 76);
  assert.equal(connB1(randomBytes(16)).length, 104);
  const read = readRts(connB1(Buffer.alloc(16, 1)));
  assert.deepEqual([read?.flags, read?.cookies.length, read?.cookies[0]], [0, 2, '01'.repeat(16)]);
});

test('PDUs are found in every split', () => {
  const all = Buffer.concat([request('one'), rtsPdu(1), request('')]);
  for (let at = 0; at <= all.length; at += 1) {
    const found: number[] = [];
    const reader = new PduReader();
    assert.ok(reader.feed(all.subarray(0, at), (pdu) => found.push(pdu.length)) && reader.feed(all.subarray(at), (pdu) => found.push(pdu.length)));
    assert.deepEqual(found, [19, 20, 16]);
  }
  assert.equal(new PduReader().feed(Buffer.from('GET / HTTP/1.1\r\n\r\n'), () => assert.fail()), false);
});

test('what is written on IN comes back on OUT, through another server too, and the client is pinged', async () => {
  const { incoming, outgoing } = await pair();
  assert.match(outgoing.text, /^HTTP\/1\.1 200 Success\r\n[^]*Content-Length: 1073741824\r\n/);
  for (const text of ['one', 'x'.repeat(60_000), 'three']) incoming.socket.write(request(text));
  await outgoing.until(() => outgoing.pdus.length === 5);
  assert.deepEqual(outgoing.pdus.slice(2).map((pdu) => pdu.length), [19, 60_016, 21]);
  await outgoing.until((text) => text.endsWith(rtsPdu(1).toString('latin1')));
  assert.equal(incoming.text, '');
  incoming.socket.destroy();
  await outgoing.until(() => outgoing.closed);
});

test('PDUs that come before the OUT channel wait for it', async () => {
  const virtual = randomBytes(16);
  const incoming = new Channel(0, 'RPC_IN_DATA', 1_073_741_824);
  incoming.socket.write(Buffer.concat([connB1(virtual), request('early')]));
  const outgoing = new Channel(1, 'RPC_OUT_DATA', 76);
  outgoing.socket.write(connA1(virtual));
  await outgoing.until(() => outgoing.pdus.length === 3);
  assert.equal(outgoing.pdus[2]?.toString('latin1', 16), 'early');
  outgoing.socket.destroy();
  await incoming.until(() => incoming.closed);
  assert.match(incoming.text, /^HTTP\/1\.1 503 RPC Error: 6ba\r\n/);
});

test('successors take over without losing a PDU', async () => {
  const { virtual, incoming, outgoing } = await pair();
  const successor = new Channel(0, 'RPC_IN_DATA', 1_073_741_824);
  successor.socket.write(recycle(virtual));
  await outgoing.until(() => outgoing.pdus.length === 3);
  incoming.socket.end(request('last of the first'));
  await outgoing.until(() => outgoing.pdus.length === 4);
  successor.socket.write(request('second'));
  await outgoing.until(() => outgoing.pdus.length === 5);
  const next = new Channel(0, 'RPC_OUT_DATA', 96);
  next.socket.write(rtsPdu(4, version, cookie(virtual), cookie(randomBytes(16)), cookie(randomBytes(16)), [0, 65_536]));
  await outgoing.until(() => outgoing.closed);
  successor.socket.write(request('third'));
  await next.until(() => next.pdus.length === 2);
  assert.equal(next.pdus[1]?.toString('latin1', 16), 'third');
  next.socket.destroy();
  await successor.until(() => successor.closed);
});

test('echo requests are answered at once, strangers refused', async () => {
  const asked = new Channel(0, 'RPC_IN_DATA', 16);
  asked.socket.write('0123456789abcdef');
  await asked.until((text) => /^HTTP\/1\.1 200 Success\r\n[^]*Content-Type: application\/rpc\r\n[^]*\r\n\r\n/.test(text));
  await asked.until(() => asked.pdus.length === 1);
  assert.equal(readRts(asked.pdus[0] ?? Buffer.alloc(0))?.flags, 0x40);
  asked.socket.destroy();
  for (const bytes of [Buffer.from('this is not a PDU at all'), request('not RTS'), recycle(randomBytes(16))]) {
    const stranger = new Channel(0, 'RPC_IN_DATA', 1_073_741_824);
    stranger.socket.write(bytes);
    await stranger.until(() => stranger.closed);
    assert.match(stranger.text, /^HTTP\/1\.1 503 RPC Error: 6ba\r\n[^]*Connection: close\r\n/);
  }
});
