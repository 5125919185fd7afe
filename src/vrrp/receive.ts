/**
 * Which packets of protocol 112 are adverts that an instance has to believe: of its router, from this network, as the pair has agreed. Gives
 * the advert, or what is wrong with the packet and the counter for it. Pure; called by vrrp/instance-runner.ts for every packet that comes.
 */
import { type IpValue, ipEquals } from '../base/ip.ts';
import type { UnicastPeer, VrrpInstance } from '../model/keepalived.ts';
import type { VrrpCounters } from '../model/vrrp-messages.ts';
import { decodeVrrp, type VrrpPacket, type VrrpPacketFault } from '../wire/vrrp.ts';
import { type ReceivedAdvert, timeToLive } from './sockets.ts';

/** `why` is empty for packets that are none of our business: they are counted and not told. */
interface Refusal { readonly counter: keyof VrrpCounters; readonly why: string }

/** What is known of the node that receives. */
interface Receiver {
  readonly source: IpValue;
  /** Priorities of the adverts it has sent last, besides 0: what the network may send back. */
  readonly sentPriorities: readonly number[];
  /** Whether an address is on a network of the instance's interface, so that no router lies between. */
  readonly onLink: (address: IpValue) => boolean;
}

const faultCounters: Readonly<Record<VrrpPacketFault, keyof VrrpCounters>> = {
  truncated: 'packetLengthErrors', version: 'versionErrors', type: 'invalidTypeReceived', checksum: 'checksumErrors', 'authentication type': 'invalidAuthType',
};

export function readAdvert(packet: ReceivedAdvert, instance: VrrpInstance, receiver: Receiver): VrrpPacket | Refusal {
  if (packet.message[1] !== instance.virtualRouterId) return { counter: 'otherRouterIds', why: '' };
  const peer = instance.unicastPeers.find((one) => ipEquals(one.address, packet.source));
  if (instance.unicastPeers.length === 0) {
    if (!ipEquals(packet.destination, instance.multicastGroup)) return { counter: 'foreignSources', why: 'it was not sent to the multicast group' };
  } else if (peer === undefined) {
    return { counter: 'foreignSources', why: 'it is not one of the unicast peers' };
  }
  const strange = wrongTimeToLive(packet, peer, instance, receiver);
  if (strange !== undefined) return strange;
  const advert = decodeVrrp(packet.message, packet.source, packet.destination);
  if (typeof advert === 'string') return { counter: faultCounters[advert], why: `wrong ${advert}` };
  // A machine that has our address by mistake says other priorities, and is judged by them: otherwise both would stay MASTER.
  if (ipEquals(packet.source, receiver.source) && (advert.priority === 0 || receiver.sentPriorities.includes(advert.priority))) {
    return { counter: 'ownAdverts', why: 'this node has sent it itself, and the network brings it back (a loop, a bridge port in hairpin mode), or another machine has this node\'s address' };
  }
  return disagreement(advert, instance) ?? advert;
}

/** RFC 5798 5.1.1.3: 255, as every router takes one off. Unicast adverts may pass routers, when their sender is on another network. */
function wrongTimeToLive(packet: ReceivedAdvert, peer: UnicastPeer | undefined, instance: VrrpInstance, receiver: Receiver): Refusal | undefined {
  const found = packet.timeToLive;
  if (peer === undefined) return found === timeToLive ? undefined : { counter: 'timeToLiveErrors', why: `its TTL is ${found}, not ${timeToLive}: it does not come from this network` };
  const min = peer.ttlMin ?? (receiver.onLink(peer.address) ? instance.unicastTtl : 0);
  if (found > peer.ttlMax) return { counter: 'timeToLiveErrors', why: `its TTL is ${found}, above ${peer.ttlMax} (max_ttl)` };
  if (found >= min) return undefined;
  const remedy = peer.ttlMin === undefined ? 'it came through a router, though its address is on this network, or its unicast_ttl is another one; min_ttl after the peer\'s address allows less' : 'min_ttl of the peer';
  return { counter: 'timeToLiveErrors', why: `its TTL is ${found}, below ${min} (${remedy})` };
}

function disagreement(advert: VrrpPacket, instance: VrrpInstance): Refusal | undefined {
  if (advert.version !== instance.version) return { counter: 'versionErrors', why: `it speaks version ${advert.version}, this node ${instance.version}` };
  if (instance.version === 3) return undefined;
  if ((advert.password === '') !== (instance.password === '')) return { counter: 'authTypeMismatch', why: 'one node has a password and the other has none' };
  if (advert.password !== instance.password) return { counter: 'authFailure', why: 'its auth_pass is another one' };
  if (advert.advertMs !== instance.advertMs) return { counter: 'advertIntervalErrors', why: `its advert_int is ${advert.advertMs / 1000} s, not ${instance.advertMs / 1000} s` };
  return undefined;
}
