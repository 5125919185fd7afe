/**
 * What the head of a message says about its body and its connection (RFC 9112 6 and 9.3), as strictly as HAProxy 2.6: what could
 * be read two ways is refused, or made unambiguous by removing lines from the head. Called once per message by traffic/http and
 * by health checks; reads no body.
 */
import { broken } from './broken.ts';
import { lower, trimBlanks } from './chars.ts';
import { column, known, type Http1Head } from './head.ts';

export const body = { none: 0, length: 1, chunked: 2, untilClose: 3, tunnel: 4 } as const;

/** What is wrong with a head: nothing, refuse with 400 (or 502), refuse with 422. */
export const flaw = { none: 0, bad: 1, unprocessable: 2 } as const;

/** One per connection side, filled again for each message. */
export class Framing {
  kind: number = body.none;
  /** Bytes of the body when kind is length. */
  length = 0;
  /** The connection header, or the version, asks for the connection to be closed after this message. */
  close = false;
  /** HTTP/1.0 with `Connection: keep-alive`, or HTTP/1.1 that repeats it. */
  keepAlive = false;
  /** `Connection: upgrade` and an Upgrade line. */
  upgrade = false;
  /** The message said two things about its length: the connection must not carry another one. */
  doubtful = false;
  /** After a flaw: what is wrong, in words. */
  broken = '';

  reset(): void {
    this.kind = body.none;
    this.length = 0;
    this.close = false;
    this.keepAlive = false;
    this.upgrade = false;
    this.doubtful = false;
  }
}

const framingMask = (1 << known.connection) | (1 << known.contentLength) | (1 << known.transferEncoding) | (1 << known.upgrade);
const lengthMax = Number.MAX_SAFE_INTEGER;

function bad(framing: Framing, what: string): number {
  framing.broken = what;
  return flaw.bad;
}

/** Fills `framing` for a request. `relaxed` is accept-invalid-http-request, which also skips the comparison of authorities. */
export function frameRequest(head: Http1Head, framing: Framing, relaxed: boolean): number {
  framing.reset();
  framing.close = head.minor === 0;
  if ((head.knownMask & framingMask) !== 0) {
    const wrong = readFraming(head, framing);
    if (wrong !== flaw.none) return wrong;
    if (framing.upgrade && framing.kind !== body.none) dropUpgrade(head, framing);
    // HAProxy refuses a WebSocket handshake without its key: no server could accept it.
    if (framing.upgrade && (head.knownMask & (1 << known.secWebsocketKey)) === 0 && asksWebsocket(head)) return bad(framing, broken.websocketKey);
  }
  return checkTarget(head, framing, relaxed);
}

/** Fills `framing` for an answer to a request with this method. An upgrade answer (101) is a tunnel, as is 2xx to CONNECT. */
export function frameResponse(head: Http1Head, framing: Framing, isHead: boolean, isConnect: boolean): number {
  framing.reset();
  framing.close = head.minor === 0;
  if ((head.knownMask & framingMask) !== 0) {
    const wrong = readFraming(head, framing);
    if (wrong !== flaw.none) return wrong;
  }
  const status = head.statusCode;
  if (status === 101 || (isConnect && status >= 200 && status < 300)) {
    framing.kind = body.tunnel;
  } else if (isHead || status === 304 || status === 204 || status < 200) {
    // A length on 1xx and 204 means nothing and is not passed on (RFC 9110 8.6).
    if (status === 204 || status < 200) dropBodyHeaders(head);
    framing.kind = body.none;
  } else if (framing.kind === body.none && !hasZeroLength(head)) {
    framing.kind = body.untilClose;
    framing.close = true;
  }
  return flaw.none;
}

function hasZeroLength(head: Http1Head): boolean {
  return head.findKnown(known.contentLength, 0) >= 0;
}

function readFraming(head: Http1Head, framing: Framing): number {
  if ((head.knownMask & (1 << known.connection)) !== 0) readConnection(head, framing);
  if ((head.knownMask & (1 << known.contentLength)) !== 0) {
    const wrong = readLength(head, framing);
    if (wrong !== flaw.none) return wrong;
  }
  if ((head.knownMask & (1 << known.transferEncoding)) === 0) return flaw.none;
  const wrong = readEncoding(head, framing);
  if (wrong !== flaw.none) return wrong;
  if ((head.knownMask & (1 << known.contentLength)) !== 0) {
    removeAll(head, known.contentLength);
    framing.doubtful = true;
  }
  // Transfer-Encoding is not defined for HTTP/1.0: whoever sent it may not see the end where we do.
  if (head.minor === 0) framing.doubtful = true;
  framing.kind = body.chunked;
  framing.length = 0;
  return flaw.none;
}

/** Repeated equal lengths become one line; anything else than one number is refused. */
function readLength(head: Http1Head, framing: Framing): number {
  let value = -1;
  let merge = false;
  const first = head.findKnown(known.contentLength, 0);
  for (let line = first; line >= 0; line = head.findKnown(known.contentLength, line + 1)) {
    const row = line * column.stride;
    const from = head.table[row + column.valueStart] as number;
    const to = head.table[row + column.valueEnd] as number;
    const number = lineLength(head.bytes, from, to);
    if (number < 0 || (value >= 0 && number !== value)) return bad(framing, broken.contentLength);
    value = number;
    if (line !== first || head.bytes.subarray(from, to).includes(0x2c)) merge = true;
  }
  if (merge) {
    for (let line = head.findKnown(known.contentLength, first + 1); line >= 0; line = head.findKnown(known.contentLength, line + 1)) head.remove(line);
    head.setValue(first, String(value));
  }
  framing.kind = value > 0 ? body.length : body.none;
  framing.length = value;
  return flaw.none;
}

/** The number of one Content-Length value, which may be a list of equal numbers. -1 = not a length. */
function lineLength(bytes: Uint8Array, from: number, to: number): number {
  let result = -1;
  let value = -1;
  let ended = false;
  for (let index = from; index <= to; index += 1) {
    const code = index === to ? 0x2c : (bytes[index] as number);
    if (code >= 0x30 && code <= 0x39 && !ended) {
      value = (value < 0 ? 0 : value) * 10 + code - 0x30;
      if (value > lengthMax) return -1;
    } else if (code === 0x2c) {
      if (value < 0 || (result >= 0 && result !== value)) return -1;
      result = value;
      value = -1;
      ended = false;
    } else if (code === 0x20 || code === 0x09) {
      ended = value >= 0;
    } else {
      return -1;
    }
  }
  return result;
}

/** `chunked` has to be the last encoding and stand once. Other encodings before it are not ours to understand. */
function readEncoding(head: Http1Head, framing: Framing): number {
  let chunked = false;
  let other = false;
  for (let line = head.findKnown(known.transferEncoding, 0); line >= 0; line = head.findKnown(known.transferEncoding, line + 1)) {
    const words = head.value(line).toLowerCase().split(',');
    for (let index = 0; index < words.length; index += 1) {
      const word = trimBlanks(words[index] ?? '');
      // A trailing comma adds nothing; an empty word before another one is an encoding without a name.
      if (word === '' && index === words.length - 1) continue;
      if (chunked) return bad(framing, broken.transferEncoding);
      if (word === 'chunked') chunked = true;
      else other = true;
    }
  }
  if (!chunked) return bad(framing, broken.transferEncoding);
  if (!other) return flaw.none;
  framing.broken = broken.otherEncoding;
  return flaw.unprocessable;
}

/** Takes `close` and `keep-alive` out of the Connection lines, which are for this hop; other words stay. */
function readConnection(head: Http1Head, framing: Framing): void {
  let keepAlive = false;
  let close = false;
  for (let line = head.findKnown(known.connection, 0); line >= 0; line = head.findKnown(known.connection, line + 1)) {
    const row = line * column.stride;
    const from = head.table[row + column.valueStart] as number;
    const length = (head.table[row + column.valueEnd] as number) - from;
    if (length === 10 && isKeepAlive(head.bytes, from)) {
      keepAlive = true;
      drop(head, line);
      continue;
    }
    const words = head.value(line).split(',').map(trimBlanks).filter((word) => word !== '');
    const kept = words.filter((word) => {
      const small = word.toLowerCase();
      if (small === 'close') close = true;
      else if (small === 'keep-alive') keepAlive = true;
      else {
        if (small === 'upgrade' && head.findKnown(known.upgrade, 0) >= 0) framing.upgrade = true;
        return true;
      }
      return false;
    });
    if (kept.length === words.length) continue;
    if (kept.length === 0) drop(head, line);
    else head.setValue(line, kept.join(', '));
  }
  framing.keepAlive = keepAlive && !close;
  if (close) framing.close = true;
  else if (keepAlive) framing.close = false;
}

function drop(head: Http1Head, line: number): void {
  if (head.edited) head.remove(line);
  else head.excise(line);
}

function isKeepAlive(bytes: Uint8Array, from: number): boolean {
  const text = 'keep-alive';
  for (let index = 0; index < text.length; index += 1) if (lower[bytes[from + index] as number] !== text.charCodeAt(index)) return false;
  return true;
}

/** A request with a body cannot be upgraded (the body would be read as the new protocol): the offer is withdrawn. */
function dropUpgrade(head: Http1Head, framing: Framing): void {
  removeAll(head, known.upgrade);
  framing.upgrade = false;
}

function asksWebsocket(head: Http1Head): boolean {
  const line = head.findKnown(known.upgrade, 0);
  return line >= 0 && head.value(line).toLowerCase() === 'websocket';
}

function dropBodyHeaders(head: Http1Head): void {
  removeAll(head, known.contentLength);
  removeAll(head, known.transferEncoding);
}

function removeAll(head: Http1Head, id: number): void {
  for (let line = head.findKnown(id, 0); line >= 0; line = head.findKnown(id, line + 1)) head.remove(line);
}

/** Checks the form of the target and that it names no other host than the Host line. */
function checkTarget(head: Http1Head, framing: Framing, relaxed: boolean): number {
  const host = head.findKnown(known.host, 0);
  if (host >= 0) {
    for (let line = head.findKnown(known.host, host + 1); line >= 0; line = head.findKnown(known.host, line + 1)) {
      if (head.value(line) !== head.value(host)) return bad(framing, broken.hosts);
      head.remove(line);
    }
  }
  if (relaxed) return flaw.none;
  const first = head.bytes[head.secondStart];
  const isConnect = head.firstEnd - head.start === 7 && head.method === 'CONNECT';
  if (!isConnect && (first === 0x2f || (first === 0x2a && head.secondEnd - head.secondStart === 1))) return flaw.none;
  return checkAuthority(head, framing, host, isConnect);
}

const defaultPorts: Readonly<Record<string, string>> = { http: ':80', https: ':443' };

function checkAuthority(head: Http1Head, framing: Framing, host: number, isConnect: boolean): number {
  const { uri } = head;
  let authority = uri;
  let ports: readonly string[] = [':80', ':443'];
  if (!isConnect) {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(uri);
    if (scheme === null) return bad(framing, broken.targetForm);
    authority = uri.slice(scheme[0].length);
    // A query right behind the authority is read differently by different servers: it counts as part of the name.
    const end = authority.indexOf('/');
    if (end >= 0) authority = authority.slice(0, end);
    authority = authority.slice(authority.lastIndexOf('@') + 1);
    ports = [defaultPorts[(scheme[1] ?? '').toLowerCase()] ?? ''];
  } else if (!/:\d+$/.test(uri)) {
    return bad(framing, broken.targetForm);
  }
  if (host < 0 || authority === '') return flaw.none;
  const said = head.value(host).toLowerCase();
  const meant = authority.toLowerCase();
  if (said !== meant && !ports.some((port) => port !== '' && withoutPort(said, port) === withoutPort(meant, port))) return bad(framing, broken.authority);
  const port = ports.find((one) => one !== '' && authority.endsWith(one));
  if (port !== undefined) dropDefaultPort(head, host, authority, port, isConnect);
  return flaw.none;
}

/** A port that the scheme implies is left out, in the target and in the Host line, which then names the target's host. */
function dropDefaultPort(head: Http1Head, host: number, authority: string, port: string, isConnect: boolean): void {
  if (!isConnect) head.cutTarget(head.secondStart + head.uri.indexOf(authority) + authority.length - port.length, port.length);
  const name = withoutPort(authority, port);
  if (head.value(host) !== name) head.setValue(host, name);
}

function withoutPort(text: string, port: string): string {
  return text.endsWith(port) ? text.slice(0, -port.length) : text;
}
