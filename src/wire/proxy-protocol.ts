/**
 * PROXY protocol, versions 1 and 2 (proxy-protocol.txt): reads the header a client-side proxy sends and makes the header for a
 * server. Takes and gives bytes; does no I/O. Used by traffic/listen, traffic/dispatch and health checks.
 */
import { formatIp, IpValue, parseIp } from '../base/ip.ts';
import { crc32c } from '../base/xxhash.ts';
import { limits } from '../model/limits.ts';

interface ProxyHeader {
  /** False: LOCAL or UNKNOWN, the connection's own addresses stay. */
  readonly proxied: boolean;
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
  readonly authority: string;
  readonly uniqueId: string;
}

/** Result of looking at the bytes so far. `length` bytes belong to the header. */
export type ProxyHeaderResult =
  | { readonly kind: 'more' }
  | { readonly kind: 'header'; readonly header: ProxyHeader; readonly length: number }
  /** not-header: something else was sent; bad: malformed; protocol: an address family that cannot be used. */
  | { readonly kind: 'not-header' | 'bad' | 'protocol' };

const v2Signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const v1LineBytesMax = 107;
const tlvTypes = { alpn: 0x01, authority: 0x02, crc32c: 0x03, uniqueId: 0x05, ssl: 0x20, sslVersion: 0x21, sslCn: 0x22, sslCipher: 0x23, sslSigAlg: 0x24, sslKeyAlg: 0x25 } as const;

export function readProxyHeader(bytes: Uint8Array): ProxyHeaderResult {
  if (bytes.length === 0) return { kind: 'more' };
  if (bytes[0] === 0x0d) return readV2(bytes);
  return bytes[0] === 0x50 ? readV1(bytes) : { kind: 'not-header' };
}

function local(length: number): ProxyHeaderResult {
  return { kind: 'header', length, header: { proxied: false, sourceAddress: '', sourcePort: 0, destinationAddress: '', destinationPort: 0, authority: '', uniqueId: '' } };
}

// ---- version 1

function readV1(bytes: Uint8Array): ProxyHeaderResult {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, v1LineBytesMax)).toString('latin1');
  if (!'PROXY '.startsWith(text.slice(0, 6))) return { kind: 'not-header' };
  const end = text.indexOf('\n');
  if (end < 0) return bytes.length >= v1LineBytesMax ? { kind: 'bad' } : { kind: 'more' };
  if (text[end - 1] !== '\r') return { kind: 'bad' };
  const words = text.slice(0, end - 1).split(' ');
  const [, protocol, source, destination, sourcePort, destinationPort] = words;
  if (protocol === 'UNKNOWN') return local(end + 1);
  const family = protocol === 'TCP4' ? 4 : protocol === 'TCP6' ? 6 : 0;
  if (family === 0) return { kind: 'protocol' };
  const from = parseIp(source ?? '');
  const to = parseIp(destination ?? '');
  const ports = [sourcePort, destinationPort].map(portNumber);
  if (words.length !== 6 || from?.family !== family || to?.family !== family || ports.includes(-1)) return { kind: 'bad' };
  return {
    kind: 'header',
    length: end + 1,
    header: {
      proxied: true, sourceAddress: formatIp(from), sourcePort: ports[0] ?? 0, destinationAddress: formatIp(to), destinationPort: ports[1] ?? 0, authority: '', uniqueId: '',
    },
  };
}

function portNumber(text: string | undefined): number {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return -1;
  const port = Number(text);
  return port > 65535 ? -1 : port;
}

// ---- version 2

function readV2(bytes: Uint8Array): ProxyHeaderResult {
  for (let index = 0; index < Math.min(bytes.length, v2Signature.length); index += 1) {
    if (bytes[index] !== v2Signature[index]) return { kind: 'not-header' };
  }
  if (bytes.length < 16) return { kind: 'more' };
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const versionCommand = view.readUInt8(12);
  const length = 16 + view.readUInt16BE(14);
  if (versionCommand >> 4 !== 2 || length > limits.proxyHeaderBytesMax) return { kind: 'bad' };
  if (view.length < length) return { kind: 'more' };
  const command = versionCommand & 0x0f;
  if (command === 0) return local(length);
  if (command !== 1) return { kind: 'bad' };
  return readV2Addresses(view, view.readUInt8(13), length);
}

function readV2Addresses(view: Buffer, familyProtocol: number, length: number): ProxyHeaderResult {
  const size = familyProtocol === 0x11 ? 4 : familyProtocol === 0x21 ? 16 : 0;
  if (size === 0) return familyProtocol === 0 ? local(length) : { kind: 'protocol' };
  const tlvs = 16 + 2 * size + 4;
  if (length < tlvs) return { kind: 'bad' };
  const family = size === 4 ? 4 : 6;
  const address = (at: number): string => formatIp(new IpValue(family, Uint8Array.from(view.subarray(at, at + size))));
  const found = readTlvs(view, tlvs, length);
  if (found === undefined) return { kind: 'bad' };
  return {
    kind: 'header',
    length,
    header: {
      proxied: true,
      sourceAddress: address(16),
      destinationAddress: address(16 + size),
      sourcePort: view.readUInt16BE(16 + 2 * size),
      destinationPort: view.readUInt16BE(18 + 2 * size),
      ...found,
    },
  };
}

function readTlvs(view: Buffer, from: number, to: number): { authority: string; uniqueId: string } | undefined {
  let authority = '';
  let uniqueId = '';
  for (let at = from; at < to;) {
    if (at + 3 > to) return undefined;
    const type = view.readUInt8(at);
    const end = at + 3 + view.readUInt16BE(at + 1);
    if (end > to) return undefined;
    if (type === tlvTypes.authority) authority = view.toString('latin1', at + 3, end);
    if (type === tlvTypes.uniqueId) uniqueId = view.toString('latin1', at + 3, end);
    if (type === tlvTypes.crc32c && (end !== at + 7 || !checksumFits(view, at + 3, to))) return undefined;
    at = end;
  }
  return { authority, uniqueId };
}

function checksumFits(view: Buffer, at: number, to: number): boolean {
  const sent = view.readUInt32BE(at);
  const copy = Buffer.from(view.subarray(0, to));
  copy.writeUInt32BE(0, at);
  return crc32c(copy) === sent;
}

// ---- headers for servers

/** What a header tells about the client's connection. Addresses as numeric text; '' = not known (LOCAL or UNKNOWN is sent). */
interface ProxyFacts {
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
}

/** TLS part of a version 2 header (`send-proxy-v2-ssl`, `proxy-v2-options`). Fields that are '' are left out. */
export interface ProxyTls {
  /** '' = the client's connection is clear. */
  readonly version: string;
  readonly certificatePresented: boolean;
  /** OpenSSL's result for the client's certificate, 0 = fine. */
  readonly verifyResult: number;
  readonly commonName: string;
  readonly cipher: string;
  readonly signatureAlgorithm: string;
  readonly keyAlgorithm: string;
}

export interface ProxyExtras {
  /** Null: no TLS part. */
  readonly tls: ProxyTls | null;
  readonly alpn: string;
  readonly authority: string;
  readonly uniqueId: string;
  readonly checksum: boolean;
}

export function makeProxyV1(facts: ProxyFacts): Buffer {
  const source = parseIp(facts.sourceAddress);
  const destination = parseIp(facts.destinationAddress);
  if (source === undefined || destination === undefined || source.family !== destination.family) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
  return Buffer.from(`PROXY TCP${source.family} ${facts.sourceAddress} ${facts.destinationAddress} ${facts.sourcePort} ${facts.destinationPort}\r\n`, 'latin1');
}

/** `command` local: a connection of our own (health check). */
export function makeProxyV2(facts: ProxyFacts | null, extras: ProxyExtras): Buffer {
  const source = facts === null ? undefined : parseIp(facts.sourceAddress);
  const destination = facts === null ? undefined : parseIp(facts.destinationAddress);
  const parts: Buffer[] = [];
  let family = 0;
  if (facts !== null && source !== undefined && destination !== undefined) {
    const both4 = source.family === 4 && destination.family === 4;
    family = both4 ? 0x11 : 0x21;
    const ports = Buffer.alloc(4);
    ports.writeUInt16BE(facts.sourcePort, 0);
    ports.writeUInt16BE(facts.destinationPort, 2);
    parts.push(Buffer.from(both4 ? source.bytes : mapped(source)), Buffer.from(both4 ? destination.bytes : mapped(destination)), ports);
  }
  const checksumAt = 16 + parts.reduce((sum, part) => sum + part.length, 0) + 3;
  if (extras.checksum) parts.push(tlv(tlvTypes.crc32c, Buffer.alloc(4)));
  if (extras.alpn !== '') parts.push(tlv(tlvTypes.alpn, Buffer.from(extras.alpn, 'latin1')));
  if (extras.authority !== '') parts.push(tlv(tlvTypes.authority, Buffer.from(extras.authority, 'latin1')));
  if (extras.uniqueId !== '') parts.push(tlv(tlvTypes.uniqueId, Buffer.from(extras.uniqueId, 'latin1')));
  if (extras.tls !== null) parts.push(tlv(tlvTypes.ssl, tlsPart(extras.tls)));
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(16);
  v2Signature.copy(head);
  head.writeUInt8(facts === null ? 0x20 : 0x21, 12);
  head.writeUInt8(family, 13);
  head.writeUInt16BE(body.length, 14);
  const header = Buffer.concat([head, body]);
  if (extras.checksum) header.writeUInt32BE(crc32c(header), checksumAt);
  return header;
}

/** An IPv4 address beside an IPv6 one travels as ::ffff:a.b.c.d. */
function mapped(ip: IpValue): Uint8Array {
  if (ip.family === 6) return ip.bytes;
  const bytes = new Uint8Array(16);
  bytes.fill(0xff, 10, 12);
  bytes.set(ip.bytes, 12);
  return bytes;
}

function tlv(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(3);
  head.writeUInt8(type, 0);
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}

/** PP2_TYPE_SSL: client bits (TLS 1, certificate on this connection 2 and in this session 4), verify result, then sub-TLVs. */
function tlsPart(tls: ProxyTls): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8((tls.version === '' ? 0 : 1) | (tls.certificatePresented ? 6 : 0), 0);
  head.writeUInt32BE(tls.verifyResult, 1);
  const parts: Buffer[] = [head];
  const text = (type: number, value: string): void => {
    if (value !== '') parts.push(tlv(type, Buffer.from(value, 'utf8')));
  };
  text(tlvTypes.sslVersion, tls.version);
  text(tlvTypes.sslCn, tls.commonName);
  text(tlvTypes.sslKeyAlg, tls.keyAlgorithm);
  text(tlvTypes.sslSigAlg, tls.signatureAlgorithm);
  text(tlvTypes.sslCipher, tls.cipher);
  return Buffer.concat(parts);
}
