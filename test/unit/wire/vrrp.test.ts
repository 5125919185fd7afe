/** VRRP adverts on the wire: known bytes, round trips, and everything malformed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseIp, type IpValue } from '../../../src/base/ip.ts';
import { decodeVrrp, encodeVrrp, type VrrpPacket } from '../../../src/wire/vrrp.ts';

const ip = (text: string): IpValue => parseIp(text) as IpValue;
const [source, group] = [ip('10.77.0.11'), ip('224.0.0.18')];
const [source6, group6] = [ip('fe80::1'), ip('ff02::12')];
const two: VrrpPacket = { version: 2, virtualRouterId: 51, priority: 101, advertMs: 1000, password: 'lab12345', addresses: [ip('10.77.0.100')] };
const three: VrrpPacket = { version: 3, virtualRouterId: 51, priority: 101, advertMs: 100, password: '', addresses: [ip('10.77.0.100')] };
const six: VrrpPacket = { ...three, addresses: [ip('fe80::100'), ip('2001:db8::100')] };

describe('adverts', () => {
  it('version 2 with a password is what keepalived sends', () => {
    // Captured from keepalived 2.2.7 with the same instance.
    const bytes = encodeVrrp(two, source, group);
    assert.equal(bytes.toString('hex', 0, 6), '213365010101');
    assert.equal(bytes.toString('hex', 8), '0a4d00646c61623132333435');
    assert.deepEqual(decodeVrrp(bytes, source, group), two);
  });

  it('version 3 and IPv6 come back as they went', () => {
    assert.deepEqual(decodeVrrp(encodeVrrp(three, source, group), source, group), three);
    assert.deepEqual(decodeVrrp(encodeVrrp(six, source6, group6), source6, group6), six);
  });

  it('version 3 over IPv4 is taken with and without the pseudo-header in its sum', () => {
    const plain = Buffer.from('3133650100 0a 0000 0a4d0064'.replaceAll(' ', ''), 'hex');
    let sum = 0;
    for (let index = 0; index < plain.length; index += 2) sum += plain.readUInt16BE(index);
    plain.writeUInt16BE(~((sum & 0xffff) + (sum >> 16)) & 0xffff, 6);
    assert.equal((decodeVrrp(plain, source, group) as VrrpPacket).priority, 101);
  });

  it('the sum of version 3 over IPv6 covers the addresses of the packet', () => {
    assert.equal(decodeVrrp(encodeVrrp(six, source6, group6), ip('fe80::2'), group6), 'checksum');
  });

  it('every shorter length, every flipped bit and every other version is refused', () => {
    for (const [packet, from, to] of [[two, source, group], [three, source, group], [six, source6, group6]] as const) {
      const bytes = encodeVrrp(packet, from, to);
      for (let length = 0; length < bytes.length; length++) assert.equal(typeof decodeVrrp(bytes.subarray(0, length), from, to), 'string');
      assert.equal(typeof decodeVrrp(Buffer.concat([bytes, Buffer.alloc(1)]), from, to), 'string');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const broken = Buffer.from(bytes);
        broken.writeUInt8(broken.readUInt8(bit >> 3) ^ 1 << (bit & 7), bit >> 3);
        assert.equal(typeof decodeVrrp(broken, from, to), 'string', `bit ${bit}`);
      }
    }
  });

  it('noise is never a packet and never throws', () => {
    let state = 1;
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.alloc(round % 64);
      for (let index = 0; index < bytes.length; index++) bytes[index] = (state = Math.imul(state, 1103515245) + 12345 >>> 0) >>> 16;
      const result = decodeVrrp(bytes, source, group);
      if (typeof result !== 'string') assert.equal(bytes.length, 8 + 4 * result.addresses.length + (result.version === 2 ? 8 : 0));
    }
  });
});
