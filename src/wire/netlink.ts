/**
 * rtnetlink messages for links and addresses (rtnetlink(7), netlink(7)): values to bytes and back, in the byte order of the machine, which is
 * little-endian wherever Poise runs. Does no I/O. Used by vrrp/.
 */
import { IpValue } from '../base/ip.ts';

const headerBytes = 16;
const linkMessageBytes = 16;
const addressMessageBytes = 8;
const messages = { error: 2, done: 3, newLink: 16, delLink: 17, getLink: 18, newAddress: 20, delAddress: 21, getAddress: 22 } as const;
const requestFlags = { request: 0x1, ack: 0x4, replace: 0x100, dump: 0x300, create: 0x400 } as const;
const linkAttributes = { address: 1, name: 3 } as const;
const addressAttributes = { address: 1, local: 2, label: 3, broadcast: 4, flags: 8 } as const;
/** IFA_F_NODAD: an address that moves must not wait for duplicate detection, which VRRP does itself. */
const noDuplicateDetection = 0x02;
const linkFlags = { up: 0x1, running: 0x40 } as const;
const scopes: Readonly<Record<string, number>> = { '': 0, global: 0, site: 200, link: 253, host: 254, nowhere: 255 };
const families = { 4: 2, 6: 10 } as const;

/** Multicast groups of links, IPv4 and IPv6 addresses, as bits for bind(2). */
export const changeGroups = 0x1 | 0x10 | 0x100;

export interface InterfaceAddress {
  readonly index: number;
  readonly address: IpValue;
  readonly prefixLength: number;
  readonly label: string;
  readonly scope: string;
  readonly broadcast: IpValue | undefined;
}

export type NetlinkMessage =
  | { readonly kind: 'link'; readonly index: number; readonly name: string; readonly up: boolean; readonly hardwareAddress: Uint8Array }
  | { readonly kind: 'link gone'; readonly index: number }
  | { readonly kind: 'address' | 'address gone'; readonly index: number; readonly address: IpValue; readonly prefixLength: number; readonly scope: number }
  /** errno of the request, 0 when it was done. */
  | { readonly kind: 'answer'; readonly error: number }
  | { readonly kind: 'done' };

export function encodeDump(what: 'links' | 'addresses', sequence: number): Buffer {
  const body = Buffer.alloc(what === 'links' ? linkMessageBytes : addressMessageBytes);
  return message(what === 'links' ? messages.getLink : messages.getAddress, requestFlags.request | requestFlags.dump, sequence, body);
}

export function encodeAddress(change: 'add' | 'remove', address: InterfaceAddress, sequence: number): Buffer {
  const head = Buffer.alloc(addressMessageBytes);
  head[0] = families[address.address.family];
  head[1] = address.prefixLength;
  head[3] = scopes[address.scope] ?? 0;
  head.writeInt32LE(address.index, 4);
  const parts = [head, attribute(addressAttributes.local, address.address.bytes), attribute(addressAttributes.address, address.address.bytes)];
  if (address.broadcast !== undefined) parts.push(attribute(addressAttributes.broadcast, address.broadcast.bytes));
  if (address.label !== '') parts.push(attribute(addressAttributes.label, Buffer.from(`${address.label}\0`, 'latin1')));
  if (address.address.family === 6) parts.push(attribute(addressAttributes.flags, Uint8Array.of(noDuplicateDetection, 0, 0, 0)));
  const flags = requestFlags.request | requestFlags.ack | (change === 'add' ? requestFlags.create | requestFlags.replace : 0);
  return message(change === 'add' ? messages.newAddress : messages.delAddress, flags, sequence, Buffer.concat(parts));
}

function message(type: number, flags: number, sequence: number, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(headerBytes + body.length);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeUInt16LE(flags, 6);
  bytes.writeUInt32LE(sequence, 8);
  bytes.set(body, headerBytes);
  return bytes;
}

function aligned(length: number): number {
  return length + 3 & ~3;
}

function attribute(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(aligned(4 + value.length));
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, 4);
  return bytes;
}

/** All messages of one datagram. What is cut short or not known is left out. */
export function decodeNetlink(datagram: Uint8Array): NetlinkMessage[] {
  const bytes = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length);
  const found: NetlinkMessage[] = [];
  for (let at = 0; at + headerBytes <= bytes.length;) {
    const length = bytes.readUInt32LE(at);
    if (length < headerBytes || at + length > bytes.length) break;
    const one = decodeOne(bytes.readUInt16LE(at + 4), bytes.subarray(at + headerBytes, at + length));
    if (one !== undefined) found.push(one);
    at += aligned(length);
  }
  return found;
}

function decodeOne(type: number, body: Buffer): NetlinkMessage | undefined {
  if (type === messages.done) return { kind: 'done' };
  if (type === messages.error) return body.length >= 4 ? { kind: 'answer', error: -body.readInt32LE(0) } : undefined;
  if (type === messages.newLink || type === messages.delLink) return decodeLink(type, body);
  if (type === messages.newAddress || type === messages.delAddress) return decodeAddress(type, body);
  return undefined;
}

function attributes(body: Buffer, from: number): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = from; at + 4 <= body.length;) {
    const length = body.readUInt16LE(at);
    if (length < 4 || at + length > body.length) break;
    found.set(body.readUInt16LE(at + 2) & 0x3fff, body.subarray(at + 4, at + length));
    at += aligned(length);
  }
  return found;
}

function decodeLink(type: number, body: Buffer): NetlinkMessage | undefined {
  if (body.length < linkMessageBytes) return undefined;
  const index = body.readInt32LE(4);
  if (type === messages.delLink) return { kind: 'link gone', index };
  const flags = body.readUInt32LE(8);
  const found = attributes(body, linkMessageBytes);
  const name = found.get(linkAttributes.name)?.toString('latin1').replace(/\0.*$/s, '') ?? '';
  return { kind: 'link', index, name, up: (flags & linkFlags.up) !== 0 && (flags & linkFlags.running) !== 0, hardwareAddress: Uint8Array.from(found.get(linkAttributes.address) ?? []) };
}

function decodeAddress(type: number, body: Buffer): NetlinkMessage | undefined {
  if (body.length < addressMessageBytes) return undefined;
  const family = body[0] === families[4] ? 4 : body[0] === families[6] ? 6 : 0;
  const found = attributes(body, addressMessageBytes);
  const value = found.get(addressAttributes.local) ?? found.get(addressAttributes.address);
  if (family === 0 || value?.length !== (family === 4 ? 4 : 16)) return undefined;
  return {
    kind: type === messages.newAddress ? 'address' : 'address gone', index: body.readInt32LE(4), address: new IpValue(family, Uint8Array.from(value)),
    prefixLength: body.readUInt8(1), scope: body.readUInt8(3),
  };
}
