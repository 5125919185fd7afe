/** Which packets an instance believes: its own router's, from this network, as agreed; and what is said of all the others. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type IpValue, parseIp } from '../../../src/base/ip.ts';
import type { VrrpInstance } from '../../../src/model/keepalived.ts';
import { readAdvert } from '../../../src/vrrp/receive.ts';
import type { ReceivedAdvert } from '../../../src/vrrp/sockets.ts';
import { encodeVrrp, type VrrpPacket } from '../../../src/wire/vrrp.ts';
import { instanceWith } from './network.ts';

const address = (text: string): IpValue => parseIp(text) as IpValue;
const [own, other, group] = [address('10.0.0.1'), address('10.0.0.2'), address('224.0.0.18')];
const good: VrrpPacket = { version: 2, virtualRouterId: 51, priority: 150, advertMs: 1000, password: '', addresses: [] };

function packet(change: Partial<VrrpPacket> = {}, rest: Partial<ReceivedAdvert> = {}): ReceivedAdvert {
  const [source, destination] = [rest.source ?? other, rest.destination ?? group];
  return { message: encodeVrrp({ ...good, ...change }, source, destination), timeToLive: 255, sentAsMaster: undefined, ...rest, source, destination };
}

/** 'believed', or the counter and the reason. */
function read(one: ReceivedAdvert, options: Partial<VrrpInstance> = {}, onLink = true): string {
  const found = readAdvert(one, instanceWith(options), { source: own, sentPriorities: [100, 80], onLink: () => onLink });
  return 'counter' in found ? `${found.counter}: ${found.why}` : 'believed';
}

const unicast = (ttlMin?: number, ttlMax = 255): Partial<VrrpInstance> => ({ unicastPeers: [{ address: other, ttlMin, ttlMax }, { address: own, ttlMin: undefined, ttlMax: 255 }] });

describe('packets of protocol 112', () => {
  it('are believed when they are of this router, group and agreement', () => {
    assert.equal(read(packet()), 'believed');
    assert.equal(read(packet({ priority: 0 })), 'believed');
    assert.match(read(packet({ virtualRouterId: 52 })), /^otherRouterIds: $/);
    assert.match(read(packet({}, { destination: address('224.0.0.19') })), /^foreignSources: it was not sent to the multicast group/);
    assert.match(read(packet({ version: 3 })), /^versionErrors: it speaks version 3, this node 2/);
    assert.match(read(packet({ password: 'lab' })), /^authTypeMismatch/);
    assert.match(read(packet({ password: 'lab' }), { password: 'bal' }), /^authFailure/);
    assert.match(read(packet({ advertMs: 3000 })), /^advertIntervalErrors: its advert_int is 3 s, not 1 s/);
    assert.match(read({ ...packet(), message: packet().message.subarray(0, 9) }), /^packetLengthErrors/);
  });

  it('of this node itself are never believed, whatever brings them back', () => {
    for (const priority of [100, 80, 0]) assert.match(read(packet({ priority }, { source: own })), /^ownAdverts: .* (loop|hairpin)/);
    assert.match(read(packet({ priority: 100 }, { source: own, destination: own }), unicast()), /^ownAdverts/);
    assert.equal(read(packet({ priority: 150 }, { source: own })), 'believed', 'another machine with the same address: one of the two has to yield');
    assert.equal(read(packet({ priority: 100 })), 'believed');
  });

  it('have TTL 255 in multicast', () => {
    for (const timeToLive of [0, 1, 64, 254]) assert.match(read(packet({}, { timeToLive })), new RegExp(`^timeToLiveErrors: its TTL is ${timeToLive}, not 255`));
  });

  it('have TTL 255 in unicast too, unless the peer is on another network', () => {
    const through = (timeToLive: number): ReceivedAdvert => packet({}, { timeToLive, destination: own });
    assert.equal(read(through(255), unicast()), 'believed');
    assert.match(read(through(254), unicast()), /^timeToLiveErrors: its TTL is 254, below 255 \(it came through a router/);
    assert.equal(read(through(250), unicast(), false), 'believed');
    assert.match(read(packet({}, { source: address('10.0.0.3'), destination: own }), unicast()), /^foreignSources: it is not one of the unicast peers/);
  });

  it('have the TTL that unicast_ttl, min_ttl and max_ttl say', () => {
    const through = (timeToLive: number): ReceivedAdvert => packet({}, { timeToLive, destination: own });
    assert.equal(read(through(64), { ...unicast(), unicastTtl: 64 }), 'believed');
    assert.match(read(through(63), { ...unicast(), unicastTtl: 64 }), /^timeToLiveErrors: its TTL is 63, below 64/);
    assert.equal(read(through(250), unicast(250)), 'believed');
    assert.match(read(through(249), unicast(250), false), /^timeToLiveErrors: its TTL is 249, below 250 \(min_ttl/);
    assert.match(read(through(255), unicast(0, 254)), /^timeToLiveErrors: its TTL is 255, above 254 \(max_ttl\)/);
  });
});
