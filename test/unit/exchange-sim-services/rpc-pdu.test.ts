/** PDUs of RPC over HTTP: where one ends, however they come; what a bind is answered with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PduReader, bindAck, readRts, rtsFlags, rtsPdu } from '../../../src/exchange-sim/services/rpc-pdu.ts';

const transferSyntax = Buffer.from('045d888aeb1cc9119fe808002b10486002000000', 'hex');

function bind(contexts: number, promised = contexts): Buffer {
  const context = Buffer.concat([Buffer.from([0, 0, 1, 0]), Buffer.alloc(20, 7), transferSyntax]);
  const pdu = Buffer.concat([Buffer.from([5, 0, 11, 3, 0x10, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0]), Buffer.from([0xb8, 0x10, 0xb8, 0x10, 1, 2, 3, 4, promised, 0, 0, 0]), ...Array.from({ length: contexts }, () => context)]);
  pdu.writeUInt16LE(pdu.length, 8);
  return pdu;
}

test('a reader finds the same PDUs at every split, and refuses what is none', () => {
  const pdus = [rtsPdu(rtsFlags.ping), bind(2), rtsPdu(rtsFlags.none, [6, 1], [3, 1, 2, 3, 4])];
  const whole = Buffer.concat(pdus);
  for (let at = 0; at <= whole.length; at += 1) {
    const reader = new PduReader();
    const found: Buffer[] = [];
    for (const part of [whole.subarray(0, at), whole.subarray(at)]) assert.ok(reader.feed(part, (pdu) => { found.push(Buffer.from(pdu)); }));
    assert.deepEqual(found, pdus);
  }
  assert.equal(new PduReader().feed(Buffer.from('GET / HTTP/1.1\r\n\r\n'), () => {}), false);
  assert.deepEqual(readRts(pdus[2] ?? Buffer.alloc(0))?.cookies, ['01000000020000000300000004000000']);
});

test('a bind is acknowledged with the transfer syntax of each context', () => {
  const answer = bindAck(bind(2)) ?? Buffer.alloc(0);
  assert.deepEqual([answer[2], answer.readUInt16LE(8), answer.readUInt32LE(12)], [12, answer.length, 9]);
  assert.equal(answer.toString('hex', 16, 24), 'b810b81001020304');
  assert.deepEqual(answer.subarray(28), Buffer.concat([Buffer.from([2, 0, 0, 0]), Buffer.alloc(4), transferSyntax, Buffer.alloc(4), transferSyntax]));
  assert.equal(bindAck(rtsPdu(rtsFlags.ping)), null);
});

test('a bind that promises more contexts than it has is answered for those it has', () => {
  const answer = bindAck(bind(1, 200)) ?? Buffer.alloc(0);
  assert.equal(answer[28], 1);
  assert.equal(answer.length, 32 + 24);
  assert.equal(bindAck(bind(0).subarray(0, 20)), null);
});
