/**
 * IP addresses and networks as values: parse, print, compare, look up. Used by fetches, ACLs, PROXY protocol and stick tables.
 * Never resolves names and never touches the network.
 */

/** Bytes of an address, 4 or 16. Immutable by convention. */
export class IpValue {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;

  constructor(family: 4 | 6, bytes: Uint8Array) {
    this.family = family;
    this.bytes = bytes;
  }
}

/** `address/bits`; bytes are masked. */
export interface Network {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
  readonly bits: number;
}

const zero = 48;
const dot = 46;

/** Unsigned 32-bit value of a dotted quad, -1 when `text` is not one. Leading zeros are read as decimal, as inet_pton refuses octal. */
export function ipv4Number(text: string): number {
  let value = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === dot) {
      if (digits === 0 || ++dots > 3) return -1;
      value = value * 256 + part;
      part = 0;
      digits = 0;
      continue;
    }
    if (c < zero || c > zero + 9 || ++digits > 3) return -1;
    part = part * 10 + c - zero;
    if (part > 255) return -1;
  }
  return dots === 3 && digits > 0 ? value * 256 + part : -1;
}

export function ipv4FromNumber(value: number): IpValue {
  return new IpValue(4, Uint8Array.of((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255));
}

/** Value of the four bytes from `offset` on, unsigned. */
export function uint32At(bytes: Uint8Array, offset: number): number {
  return ((((bytes[offset] ?? 0) << 24) | ((bytes[offset + 1] ?? 0) << 16) | ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0)) >>> 0);
}

function parseIpv6(text: string): IpValue | undefined {
  const bytes = new Uint8Array(16);
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = readGroups(halves[0] ?? '', halves.length === 1);
  if (head === undefined) return undefined;
  if (halves.length === 1) {
    if (head.length !== 16) return undefined;
    bytes.set(head);
    return new IpValue(6, bytes);
  }
  const tail = readGroups(halves[1] ?? '', true);
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return new IpValue(6, bytes);
}

/** Bytes of `a:b:c`, with a dotted quad allowed at the end when `last`. */
function readGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const out: number[] = [];
  const groups = text.split(':');
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i] ?? '';
    if (last && i === groups.length - 1 && group.includes('.')) {
      const value = ipv4Number(group);
      if (value < 0) return undefined;
      out.push((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
      continue;
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    out.push(value >> 8, value & 255);
  }
  return out.length > 16 ? undefined : out;
}

/** IPv4 dotted quad or IPv6 text (without brackets or zone). Undefined: not an address. */
export function parseIp(text: string): IpValue | undefined {
  if (text.includes(':')) return parseIpv6(text);
  const value = ipv4Number(text);
  return value < 0 ? undefined : ipv4FromNumber(value);
}

/** Text as inet_ntop writes it: IPv6 compressed (RFC 5952), mapped addresses as ::ffff:1.2.3.4. */
export function formatIp(ip: IpValue): string {
  const b = ip.bytes;
  if (ip.family === 4) return `${b[0]}.${b[1]}.${b[2]}.${b[3]}`;
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((b[i] ?? 0) << 8) | (b[i + 1] ?? 0));
  const mapped = isV4Mapped(ip);
  const count = mapped ? 6 : 8;
  let bestAt = -1;
  let bestLength = 1;
  for (let i = 0; i < count;) {
    let j = i;
    while (j < count && groups[j] === 0) j++;
    if (j - i > bestLength) { bestAt = i; bestLength = j - i; }
    i = j + 1;
  }
  const words = groups.slice(0, count).map((group) => group.toString(16));
  if (mapped) words.push(`${b[12]}.${b[13]}.${b[14]}.${b[15]}`);
  if (bestAt < 0) return words.join(':');
  return `${words.slice(0, bestAt).join(':')}::${words.slice(bestAt + bestLength).join(':')}`;
}

/** ::ffff:a.b.c.d */
export function isV4Mapped(ip: IpValue): boolean {
  if (ip.family !== 6) return false;
  const b = ip.bytes;
  return uint32At(b, 0) === 0 && uint32At(b, 4) === 0 && uint32At(b, 8) === 0xffff;
}

/** The IPv4 address inside a mapped (::ffff:0:0/96) or 6to4 (2002::/16, RFC 3056) address, else undefined. */
export function embeddedIpv4(ip: IpValue): number | undefined {
  if (isV4Mapped(ip)) return uint32At(ip.bytes, 12);
  if (ip.family === 6 && ip.bytes[0] === 0x20 && ip.bytes[1] === 0x02) return uint32At(ip.bytes, 2);
  return undefined;
}

/** IPv4 as IPv4-mapped IPv6; IPv6 unchanged. */
export function toIpv6(ip: IpValue): IpValue {
  if (ip.family === 6) return ip;
  const bytes = new Uint8Array(16);
  bytes[10] = 255;
  bytes[11] = 255;
  bytes.set(ip.bytes, 12);
  return new IpValue(6, bytes);
}

export function ipEquals(a: IpValue, b: IpValue): boolean {
  if (a.family !== b.family) return false;
  for (let i = 0; i < a.bytes.length; i++) if (a.bytes[i] !== b.bytes[i]) return false;
  return true;
}

/** The address with all but the first `bits` bits cleared. */
export function maskBytes(bytes: Uint8Array, bits: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  const whole = bits >> 3;
  out.set(bytes.subarray(0, whole));
  if (whole < bytes.length && (bits & 7) !== 0) out[whole] = (bytes[whole] ?? 0) & (0xff << (8 - (bits & 7)));
  return out;
}

/** Mask length of `24`, `255.255.255.0` or (IPv6) `64`; -1 when malformed or not contiguous. */
export function parseMask(text: string, family: 4 | 6): number {
  if (/^\d{1,3}$/.test(text)) {
    const bits = Number(text);
    return bits <= (family === 4 ? 32 : 128) ? bits : -1;
  }
  const ip = parseIp(text);
  if (ip === undefined || ip.family !== family) return -1;
  let bits = 0;
  let ended = false;
  for (const byte of ip.bytes) {
    for (let i = 7; i >= 0; i--) {
      const on = (byte >> i) & 1;
      if (on === 1 && ended) return -1;
      if (on === 1) bits++;
      else ended = true;
    }
  }
  return bits;
}

/** `address[/mask]`. Abbreviated IPv4 networks (`10/8`, `192.168/16`) are read as HAProxy reads them. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  let ip = parseIp(address);
  if (ip === undefined && slash >= 0 && /^\d{1,3}(\.\d{1,3}){0,2}$/.test(address)) {
    ip = parseIp(address + '.0'.repeat(4 - address.split('.').length));
  }
  if (ip === undefined) return undefined;
  const bits = slash < 0 ? ip.bytes.length * 8 : parseMask(text.slice(slash + 1), ip.family);
  if (bits < 0) return undefined;
  return { family: ip.family, bytes: maskBytes(ip.bytes, bits), bits };
}

export function networkContains(network: Network, ip: IpValue): boolean {
  let bytes = ip.bytes;
  if (network.family !== ip.family) {
    if (network.family === 6) bytes = toIpv6(ip).bytes;
    else {
      const inner = embeddedIpv4(ip);
      if (inner === undefined) return false;
      bytes = ipv4FromNumber(inner).bytes;
    }
  }
  const whole = network.bits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== network.bytes[i]) return false;
  const rest = network.bits & 7;
  if (rest === 0) return true;
  const mask = 0xff << (8 - rest);
  return ((bytes[whole] ?? 0) & mask) === (network.bytes[whole] ?? 0);
}

/**
 * Networks with a value each; finds the longest prefix that contains an address in a time that depends on the number of
 * distinct prefix lengths, not of networks. The first of equal networks wins.
 */
export class NetworkMap<T> {
  /** Per prefix length, longest first. IPv4 keyed by masked number, IPv6 by masked bytes as latin1. */
  private readonly v4: { readonly bits: number; readonly mask: number; readonly entries: Map<number, T> }[] = [];
  private readonly v6: { readonly bits: number; readonly entries: Map<string, T> }[] = [];

  add(network: Network, value: T): void {
    if (network.family === 4) {
      let level = this.v4.find((l) => l.bits === network.bits);
      if (level === undefined) {
        level = { bits: network.bits, mask: network.bits === 0 ? 0 : (0xffffffff << (32 - network.bits)) >>> 0, entries: new Map() };
        this.v4.push(level);
        this.v4.sort((a, b) => b.bits - a.bits);
      }
      const key = uint32At(network.bytes, 0);
      if (!level.entries.has(key)) level.entries.set(key, value);
      return;
    }
    let level = this.v6.find((l) => l.bits === network.bits);
    if (level === undefined) {
      level = { bits: network.bits, entries: new Map() };
      this.v6.push(level);
      this.v6.sort((a, b) => b.bits - a.bits);
    }
    const key = String.fromCharCode(...network.bytes);
    if (!level.entries.has(key)) level.entries.set(key, value);
  }

  get(ip: IpValue): T | undefined {
    if (ip.family === 4) {
      const found = this.getV4(uint32At(ip.bytes, 0));
      return found === undefined && this.v6.length > 0 ? this.getV6(toIpv6(ip)) : found;
    }
    const found = this.getV6(ip);
    if (found !== undefined || this.v4.length === 0) return found;
    const inner = embeddedIpv4(ip);
    return inner === undefined ? undefined : this.getV4(inner);
  }

  private getV4(value: number): T | undefined {
    for (const level of this.v4) {
      const found = level.entries.get((value & level.mask) >>> 0);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private getV6(ip: IpValue): T | undefined {
    for (const level of this.v6) {
      const found = level.entries.get(String.fromCharCode(...maskBytes(ip.bytes, level.bits)));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
