/**
 * Ethernet frames that tell a network where an address is: gratuitous ARP and ARP probes (RFC 826, RFC 5227), unsolicited neighbour
 * advertisements (RFC 4861 4.4). Values to bytes and back; does no I/O. Used by vrrp/.
 */
import { IpValue } from '../base/ip.ts';
import { onesComplement } from './vrrp.ts';

export const etherTypes = { arp: 0x0806, ipv6: 0x86dd } as const;
const ethernetBytes = 14;
const arpBytes = 28;
const broadcast = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
const allNodes = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const allNodesHardware = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);
const icmpv6 = 58;
const neighbourAdvertisement = 136;
/** Router, override: the entry of whoever had the address before is replaced. */
const advertisementFlags = 0xa0;
const targetLinkLayerAddress = 2;

function ethernet(to: Uint8Array, from: Uint8Array, type: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(ethernetBytes + payload.length);
  bytes.set(to, 0);
  bytes.set(from, 6);
  bytes.writeUInt16BE(type, 12);
  bytes.set(payload, ethernetBytes);
  return bytes;
}

/** Request with sender and target the same address: everybody who knows the address learns the new place. */
export function gratuitousArp(address: IpValue, hardware: Uint8Array): Buffer {
  return arpRequest(address.bytes, address, hardware);
}

/** Request without a sender's address: whoever has the target's answers, and nobody learns anything from it (RFC 5227 2.1.1). */
export function arpProbe(address: IpValue, hardware: Uint8Array): Buffer {
  return arpRequest(new Uint8Array(4), address, hardware);
}

function arpRequest(sender: Uint8Array, target: IpValue, hardware: Uint8Array): Buffer {
  const arp = Buffer.alloc(arpBytes);
  arp.writeUInt16BE(1, 0);
  arp.writeUInt16BE(0x0800, 2);
  arp[4] = 6;
  arp[5] = 4;
  arp.writeUInt16BE(1, 6);
  arp.set(hardware, 8);
  arp.set(sender, 14);
  arp.set(target.bytes, 24);
  return ethernet(broadcast, hardware, etherTypes.arp, arp);
}

/** Who says in an ARP frame that it has which address; undefined for anything else, probes included. */
export function arpSender(frame: Uint8Array): { readonly hardware: Uint8Array; readonly address: IpValue } | undefined {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  if (bytes.length < ethernetBytes + arpBytes || bytes.readUInt16BE(12) !== etherTypes.arp || bytes.readUInt32BE(14) !== 0x00010800) return undefined;
  const sender = Uint8Array.from(bytes.subarray(28, 32));
  if (sender.every((byte) => byte === 0)) return undefined;
  return { hardware: Uint8Array.from(bytes.subarray(22, 28)), address: new IpValue(4, sender) };
}

export function neighbourAdvert(address: IpValue, hardware: Uint8Array): Buffer {
  const message = Buffer.alloc(32);
  message[0] = neighbourAdvertisement;
  message[4] = advertisementFlags;
  message.set(address.bytes, 8);
  message[24] = targetLinkLayerAddress;
  message[25] = 1;
  message.set(hardware, 26);
  const packet = Buffer.alloc(40 + message.length);
  packet[0] = 0x60;
  packet.writeUInt16BE(message.length, 4);
  packet[6] = icmpv6;
  packet[7] = 255;
  packet.set(address.bytes, 8);
  packet.set(allNodes, 24);
  const pseudo = Buffer.alloc(8);
  pseudo.writeUInt32BE(message.length, 0);
  pseudo[7] = icmpv6;
  // The sum covers addresses, length and next header, then the message (RFC 8200 8.1).
  message.writeUInt16BE(onesComplement(Buffer.concat([packet.subarray(8, 40), pseudo, message]), 0), 2);
  packet.set(message, 40);
  return ethernet(allNodesHardware, hardware, etherTypes.ipv6, packet);
}
