/**
 * Reads TLS hello messages out of the first bytes of a stream without speaking TLS: client hello (RFC 8446 4.1.2) with server
 * name, protocols, curves and session ticket; of a server hello the type only. Called by the content fetches. Never keeps state:
 * it is given all bytes so far every time, and answers `more` until they suffice.
 */

export interface TlsHello {
  /** Handshake type: 1 = client hello, 2 = server hello. */
  readonly type: number;
  /** Version offered, major × 65536 + minor as HAProxy counts: TLS 1.0 is 3.1. supported_versions is looked at. */
  readonly version: number;
  readonly serverName: string;
  readonly protocols: readonly string[];
  readonly hasCurves: boolean;
  /** Session ticket extension: 0 absent, 1 empty, 2 with a ticket. */
  readonly sessionTicket: 0 | 1 | 2;
}

const recordHandshake = 22;
const clientHello = 1;
const handshakeHeader = 4;

/** 'no': these bytes are not TLS. */
type HelloResult = TlsHello | 'more' | 'no';

/** The first handshake message put together from its records, as far as it has come. */
function handshakeBytes(bytes: Uint8Array): { readonly data: Uint8Array; readonly whole: boolean } | 'no' {
  const parts: Uint8Array[] = [];
  let size = 0;
  let need = -1;
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== recordHandshake) return 'no';
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return 'no';
    if (at + 5 > bytes.length) break;
    const length = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0);
    // RFC 8446 5.1: no empty handshake records, at most 2^14 bytes of plain text.
    if (length === 0 || length > 16384) return 'no';
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    size += part.length;
    at += 5 + length;
    if (need < 0 && size >= handshakeHeader) {
      const head = parts.length === 1 ? part : Buffer.concat(parts);
      need = handshakeHeader + (((head[1] ?? 0) << 16) | ((head[2] ?? 0) << 8) | (head[3] ?? 0));
    }
    if (need >= 0 && size >= need) break;
  }
  const data = parts.length === 1 ? parts[0] ?? new Uint8Array(0) : Buffer.concat(parts);
  return { data, whole: need >= 0 && size >= need };
}

class Fields {
  private readonly bytes: Uint8Array;
  at: number;
  private readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = Math.min(end, bytes.length);
  }

  get left(): number { return this.end - this.at; }

  /** Unsigned integer of `size` bytes, -1 past the end. */
  number(size: number): number {
    if (this.left < size) { this.at = this.end; return -1; }
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + (this.bytes[this.at++] ?? 0);
    return value;
  }

  /** A vector with a length of `size` bytes. Undefined past the end. */
  vector(size: number): Fields | undefined {
    const length = this.number(size);
    if (length < 0 || length > this.left) return undefined;
    const out = new Fields(this.bytes, this.at, this.at + length);
    this.at += length;
    return out;
  }

  text(): string {
    return Buffer.from(this.bytes.subarray(this.at, this.end)).toString('latin1');
  }
}

const empty = new Fields(new Uint8Array(0), 0, 0);

/** Host name of a server_name extension (RFC 6066 3). */
function readServerName(fields: Fields): string {
  const list = fields.vector(2) ?? empty;
  while (list.left > 0) {
    const type = list.number(1);
    const name = list.vector(2);
    if (name === undefined) return '';
    if (type === 0) return name.text();
  }
  return '';
}

function readProtocols(fields: Fields): string[] {
  const out: string[] = [];
  const list = fields.vector(2) ?? empty;
  while (list.left > 0) {
    const name = list.vector(1);
    if (name === undefined) break;
    out.push(name.text());
  }
  return out;
}

/** Highest version of supported_versions, reserved (GREASE) values left out; 0 when none. */
function readVersions(fields: Fields): number {
  let best = 0;
  const list = fields.vector(1) ?? empty;
  while (list.left >= 2) {
    const version = list.number(2);
    if (version >> 8 === 3 && version > best) best = version;
  }
  return best;
}

function readClientHello(data: Uint8Array): TlsHello | 'no' {
  const length = ((data[1] ?? 0) << 16) | ((data[2] ?? 0) << 8) | (data[3] ?? 0);
  const fields = new Fields(data, handshakeHeader, handshakeHeader + length);
  let version = fields.number(2);
  fields.at += 32;
  if (version < 0 || fields.vector(1) === undefined || fields.vector(2) === undefined || fields.vector(1) === undefined) return 'no';
  let serverName = '';
  let protocols: readonly string[] = [];
  let hasCurves = false;
  let sessionTicket: 0 | 1 | 2 = 0;
  const extensions = fields.vector(2) ?? empty;
  while (extensions.left >= 4) {
    const type = extensions.number(2);
    const body = extensions.vector(2);
    if (body === undefined) break;
    switch (type) {
      case 0: serverName = readServerName(body); break;
      case 10: hasCurves = true; break;
      case 16: protocols = readProtocols(body); break;
      case 35: sessionTicket = body.left > 0 ? 2 : 1; break;
      case 43: version = Math.max(version, readVersions(body)); break;
      default:
    }
  }
  return { type: clientHello, version: (version >> 8) * 65536 + (version & 255), serverName, protocols, hasCurves, sessionTicket };
}

/** Whole client hello at the start of `bytes`. */
export function readHello(bytes: Uint8Array): HelloResult {
  const type = helloType(bytes);
  if (typeof type !== 'number') return type;
  if (type !== clientHello) return { type, version: 0, serverName: '', protocols: [], hasCurves: false, sessionTicket: 0 };
  const handshake = handshakeBytes(bytes);
  if (handshake === 'no') return 'no';
  return handshake.whole ? readClientHello(handshake.data) : 'more';
}

/** Handshake type alone, which needs the first six bytes. */
export function helloType(bytes: Uint8Array): number | 'more' | 'no' {
  if (bytes.length > 0 && bytes[0] !== recordHandshake) return 'no';
  if (bytes.length > 1 && bytes[1] !== 3) return 'no';
  if (bytes.length < 6) return 'more';
  const type = bytes[5] ?? 0;
  return type === 1 || type === 2 ? type : 'no';
}
