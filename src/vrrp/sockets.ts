/**
 * The sockets of one VRRP instance: adverts by raw IP (protocol 112, TTL 255) and announcements by packet socket, on one interface.
 * Made when the interface is there, closed when it goes. Used by vrrp/engine.ts.
 */
import { type IpValue, ipEquals, IpValue as Ip } from '../base/ip.ts';
import type { VrrpInstance } from '../model/keepalived.ts';
import { arpSender, etherTypes } from '../wire/announce.ts';
import { vrrpProtocolNumber } from '../wire/vrrp.ts';
import { bindSocket, closeSocket, families, openRaw, receive, sendTo, setOption } from './kernel.ts';
import type { Link } from './links.ts';

const levels = { socket: 1, ip: 0, ipv6: 41 } as const;
const bindToDevice = 25;
const ip = { headerIncluded: 3, multicastInterface: 32, multicastLoop: 34, addMembership: 35, multicastAll: 49 } as const;
const ipv6 = { unicastHops: 16, multicastInterface: 17, multicastHops: 18, multicastLoop: 19, joinGroup: 20, receivePacketInfo: 49, packetInfo: 50, receiveHopLimit: 51, hopLimit: 52, receiveTrafficClass: 66, trafficClass: 67 } as const;
const ipHeaderBytes = 20;
/** Internetwork control: routers and switches let it through first. */
const precedence = 0xc0;
export const timeToLive = 255;
/**
 * The identification field of the IPv4 header tells how many adverts a master has sent, from 0x5000 on: whoever hears a second master
 * can tell a split network from a preemption. IPv6 has no such field: there the two last bits of the traffic class tell a new master (01) from
 * one that has sent more than two (10). Other programs ignore both and send neither.
 */
const identificationBase = 0x5000;
const identificationMax = 0xfff;
const adverts = { isNew: 1, isOld: 2, ofNewMax: 2 } as const;

export interface ReceivedAdvert {
  readonly message: Uint8Array;
  readonly source: IpValue;
  readonly destination: IpValue;
  readonly timeToLive: number;
  readonly sentAsMaster: number | undefined;
}

function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, 'latin1');
}

function socketAddress(address: IpValue, index: number): Uint8Array {
  if (address.family === 4) {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt16LE(families.inet, 0);
    bytes.set(address.bytes, 4);
    return bytes;
  }
  const bytes = Buffer.alloc(28);
  bytes.writeUInt16LE(families.inet6, 0);
  bytes.set(address.bytes, 8);
  bytes.writeUInt32LE(address.bytes[0] === 0xfe || address.bytes[0] === 0xff ? index : 0, 24);
  return bytes;
}

function packetAddress(index: number, protocol: number): Uint8Array {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16LE(families.packet, 0);
  bytes.writeUInt16BE(protocol, 2);
  bytes.writeInt32LE(index, 4);
  bytes[11] = 6;
  return bytes;
}

export class AdvertSocket {
  readonly fd: number;
  readonly link: Link;
  readonly source: IpValue;
  readonly #instance: VrrpInstance;
  #trafficClass: number = precedence;

  /** Throws KernelFault: no permission, no such interface, no such source address. */
  constructor(instance: VrrpInstance, link: Link, source: IpValue) {
    this.#instance = instance;
    this.link = link;
    this.source = source;
    this.fd = openRaw(instance.family === 4 ? families.inet : families.inet6, vrrpProtocolNumber);
    try {
      setOption(this.fd, levels.socket, bindToDevice, cString(link.name));
      if (instance.family === 4) this.#setUp4();
      else this.#setUp6();
    } catch (fault) {
      closeSocket(this.fd);
      throw fault;
    }
  }

  #setUp4(): void {
    setOption(this.fd, levels.ip, ip.headerIncluded, 1);
    if (this.#instance.unicastPeers.length > 0) return;
    const request = Buffer.alloc(12);
    request.set(this.#instance.multicastGroup.bytes, 0);
    request.writeInt32LE(this.link.index, 8);
    setOption(this.fd, levels.ip, ip.addMembership, request);
    setOption(this.fd, levels.ip, ip.multicastInterface, request);
    setOption(this.fd, levels.ip, ip.multicastLoop, 0);
    setOption(this.fd, levels.ip, ip.multicastAll, 0);
  }

  #setUp6(): void {
    for (const option of [ipv6.receiveHopLimit, ipv6.receivePacketInfo, ipv6.receiveTrafficClass]) setOption(this.fd, levels.ipv6, option, 1);
    setOption(this.fd, levels.ipv6, ipv6.unicastHops, this.#instance.unicastTtl);
    setOption(this.fd, levels.ipv6, ipv6.multicastHops, timeToLive);
    setOption(this.fd, levels.ipv6, ipv6.trafficClass, this.#trafficClass);
    // Otherwise the kernel may send from the virtual address; groups that were joined are received all the same.
    bindSocket(this.fd, socketAddress(this.source, this.link.index));
    if (this.#instance.unicastPeers.length > 0) return;
    const request = Buffer.alloc(20);
    request.set(this.#instance.multicastGroup.bytes, 0);
    request.writeInt32LE(this.link.index, 16);
    setOption(this.fd, levels.ipv6, ipv6.joinGroup, request);
    setOption(this.fd, levels.ipv6, ipv6.multicastInterface, this.link.index);
    setOption(this.fd, levels.ipv6, ipv6.multicastLoop, 0);
  }

  send(message: Uint8Array, destination: IpValue, sentAsMaster: number): void {
    if (this.#instance.family === 6) this.#tell(sentAsMaster);
    const bytes = this.#instance.family === 4 ? this.#withHeader(message, destination, sentAsMaster) : message;
    sendTo(this.fd, bytes, socketAddress(destination, this.link.index));
  }

  #tell(sentAsMaster: number): void {
    const wanted = precedence | (sentAsMaster > adverts.ofNewMax ? adverts.isOld : adverts.isNew);
    if (wanted === this.#trafficClass) return;
    setOption(this.fd, levels.ipv6, ipv6.trafficClass, wanted);
    this.#trafficClass = wanted;
  }

  /** The kernel fills in the checksum of the header. */
  #withHeader(message: Uint8Array, destination: IpValue, sentAsMaster: number): Uint8Array {
    const bytes = Buffer.alloc(ipHeaderBytes + message.length);
    bytes[0] = 0x45;
    bytes[1] = precedence;
    bytes.writeUInt16BE(bytes.length, 2);
    bytes.writeUInt16BE(identificationBase + Math.min(sentAsMaster, identificationMax), 4);
    bytes[8] = this.#instance.unicastPeers.length > 0 ? this.#instance.unicastTtl : timeToLive;
    bytes[9] = vrrpProtocolNumber;
    bytes.set(this.source.bytes, 12);
    bytes.set(destination.bytes, 16);
    bytes.set(message, ipHeaderBytes);
    return bytes;
  }

  /** The next packet of protocol 112 on the interface; undefined when none waits. */
  receive(): ReceivedAdvert | 'malformed' | undefined {
    const received = receive(this.fd);
    if (received === undefined) return undefined;
    return (this.#instance.family === 4 ? readPacket4(received.bytes) : readPacket6(received.bytes, received.from, received.control)) ?? 'malformed';
  }

  close(): void {
    closeSocket(this.fd);
  }
}

function readPacket4(bytes: Buffer): ReceivedAdvert | undefined {
  const headerLength = ((bytes[0] ?? 0) & 0x0f) * 4;
  if (bytes.length < ipHeaderBytes || headerLength < ipHeaderBytes || bytes.length < headerLength) return undefined;
  const identification = bytes.readUInt16BE(4) - identificationBase;
  return {
    message: Uint8Array.from(bytes.subarray(headerLength)),
    source: new Ip(4, Uint8Array.from(bytes.subarray(12, 16))),
    destination: new Ip(4, Uint8Array.from(bytes.subarray(16, 20))),
    timeToLive: bytes.readUInt8(8),
    sentAsMaster: identification >= 0 && identification <= identificationMax ? identification : undefined,
  };
}

/** At least so many; undefined when another program says nothing of it. */
function sentByClass(trafficClass: number): number | undefined {
  const mark = trafficClass & 3;
  return mark === adverts.isNew ? 1 : mark === adverts.isOld ? adverts.ofNewMax + 1 : undefined;
}

function readPacket6(bytes: Buffer, from: Buffer, control: Buffer): ReceivedAdvert | undefined {
  let [hopLimit, trafficClass, destination] = [-1, precedence, undefined as IpValue | undefined];
  for (let at = 0; at + 16 <= control.length;) {
    const length = Number(control.readBigUInt64LE(at));
    if (length < 16) break;
    const type = control.readInt32LE(at + 12);
    if (type === ipv6.hopLimit) hopLimit = control.readInt32LE(at + 16);
    else if (type === ipv6.trafficClass) trafficClass = control.readInt32LE(at + 16);
    else if (type === ipv6.packetInfo) destination = new Ip(6, Uint8Array.from(control.subarray(at + 16, at + 32)));
    at += length + 7 & ~7;
  }
  if (from.length < 24 || destination === undefined) return undefined;
  return { message: Uint8Array.from(bytes), source: new Ip(6, Uint8Array.from(from.subarray(8, 24))), destination, timeToLive: hopLimit, sentAsMaster: sentByClass(trafficClass) };
}

/** Announcements of addresses, and who else says that it has one of them. */
export class AnnounceSocket {
  readonly fd: number;
  readonly link: Link;

  constructor(link: Link) {
    this.link = link;
    this.fd = openRaw(families.packet, 0);
    try {
      bindSocket(this.fd, packetAddress(link.index, etherTypes.arp));
    } catch (fault) {
      closeSocket(this.fd);
      throw fault;
    }
  }

  send(frame: Uint8Array): void {
    sendTo(this.fd, frame, packetAddress(this.link.index, Buffer.from(frame.buffer, frame.byteOffset).readUInt16BE(12)));
  }

  /** Hardware address of somebody else who claims one of `addresses`, as text; undefined when the packets that waited hold none. */
  foreignOwner(addresses: readonly IpValue[]): { readonly address: IpValue; readonly hardware: string } | undefined {
    let found: { address: IpValue; hardware: string } | undefined;
    for (let received = receive(this.fd); received !== undefined; received = receive(this.fd)) {
      const sender = arpSender(received.bytes);
      if (sender === undefined || Buffer.compare(sender.hardware, this.link.hardwareAddress) === 0) continue;
      const address = addresses.find((one) => ipEquals(one, sender.address));
      if (address !== undefined) found = { address, hardware: Buffer.from(sender.hardware).toString('hex').replaceAll(/..(?=.)/g, '$&:') };
    }
    return found;
  }

  close(): void {
    closeSocket(this.fd);
  }
}
