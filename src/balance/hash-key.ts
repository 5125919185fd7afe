/**
 * What the hash algorithms (`source`, `uri`, `url_param`, `hdr`, `rdp-cookie`, `hash`) take from a request, as an unsigned
 * 32-bit hash, or -1 when the request has nothing to hash and the backend falls back to taking turns. Made once per backend.
 */
import { avalanche, bytesAsText, hashFunction } from '../base/hash.ts';
import { IpValue } from '../base/ip.ts';
import type { Balance, HashType, Proxy } from '../model/model.ts';
import type { Compiler } from '../rules/compile.ts';
import type { Sample, Subject } from '../rules/subject.ts';

export type HashKey = (subject: Subject) => number;
type TextOf = (subject: Subject) => string | undefined;

/** Undefined: the algorithm hashes nothing. */
export function hashKey(proxy: Proxy, compiler: Compiler): HashKey | undefined {
  const { balance, hashType } = proxy;
  if (balance.algorithm === 'source') return sourceKey(hashType);
  const textOf = textToHash(balance, compiler);
  if (textOf === undefined) return undefined;
  const hash = hashType.function === 'none' ? plainNumber : hashFunction(hashType.function);
  const spread = hashType.avalanche;
  return (subject) => {
    const text = textOf(subject);
    if (text === undefined) return -1;
    const value = hash(text);
    return spread ? avalanche(value) : value;
  };
}

function textToHash(balance: Balance, compiler: Compiler): TextOf | undefined {
  switch (balance.algorithm) {
    case 'uri': return (subject) => uriText(balance, subject);
    case 'url_param': return (subject) => (subject.request === null ? undefined : paramText(subject.request.uri, balance.name));
    case 'hdr': {
      const name = balance.name.toLowerCase();
      return (subject) => headerText(subject, name, balance.hdrUseDomainOnly);
    }
    case 'rdp-cookie': {
      const fetch = { name: 'req.rdp_cookie', args: [{ kind: 'str', value: balance.name } as const] };
      const cookie = compiler.sample({ fetch, converters: [], type: 'str', text: `req.rdp_cookie(${balance.name})` });
      return (subject) => sampleText(cookie(subject));
    }
    case 'hash': {
      if (balance.expr === null) return undefined;
      const sample = compiler.sample(balance.expr);
      return (subject) => sampleText(sample(subject));
    }
    default: return undefined;
  }
}

/** `hash-type … none`: the key is a number already; its last four bytes count. */
function plainNumber(text: string): number {
  let value = 0;
  for (let index = Math.max(0, text.length - 4); index < text.length; index += 1) value = (value << 8) | (text.charCodeAt(index) & 0xff);
  return value >>> 0;
}

/** Addresses are not hashed by the hash function but folded: the XOR of their 32-bit words. */
function sourceKey(hashType: HashType): HashKey {
  return (subject) => {
    const ip = subject.session.sourceIp();
    if (ip === undefined) return -1;
    const bytes = ip.bytes;
    let folded = 0;
    for (let at = 0; at + 3 < bytes.length; at += 4) {
      folded ^= ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    }
    return hashType.avalanche ? avalanche(folded) : folded >>> 0;
  };
}

function uriText(balance: Balance, subject: Subject): string | undefined {
  const request = subject.request;
  if (request === null) return undefined;
  const uri = balance.uriPathOnly ? pathAndQuery(request.uri) : request.uri;
  if (uri === undefined) return undefined;
  const length = balance.uriLen > 0 ? Math.min(balance.uriLen, uri.length) : uri.length;
  // `depth N` ends before the slash number N+1; the leading slash is number one.
  const slashMax = balance.uriDepth > 0 ? balance.uriDepth + 1 : 0;
  let slashes = 0;
  let end = 0;
  for (; end < length; end += 1) {
    const code = uri.charCodeAt(end);
    if (code === 0x2f) {
      slashes += 1;
      if (slashes === slashMax) break;
    } else if (code === 0x3f && !balance.uriWhole) {
      break;
    }
  }
  return uri.slice(0, end);
}

/** Without scheme and authority, query kept; undefined for targets without a path (`*`, CONNECT). */
function pathAndQuery(uri: string): string | undefined {
  if (uri.startsWith('/')) return uri;
  const authority = uri.indexOf('://');
  const path = authority < 0 ? -1 : uri.indexOf('/', authority + 3);
  return path < 0 ? undefined : uri.slice(path);
}

function paramText(uri: string, name: string): string | undefined {
  let at = uri.indexOf('?');
  while (at >= 0) {
    at += 1;
    const valueAt = at + name.length + 1;
    if (valueAt <= uri.length && uri.charCodeAt(valueAt - 1) === 0x3d && uri.startsWith(name, at)) {
      const end = uri.indexOf('&', valueAt);
      return uri.slice(valueAt, end < 0 ? uri.length : end);
    }
    at = uri.indexOf('&', at);
  }
  return undefined;
}

function headerText(subject: Subject, lowerName: string, domainOnly: boolean): string | undefined {
  const request = subject.request;
  if (request === null) return undefined;
  const line = request.find(lowerName, 0);
  if (line < 0) return undefined;
  const value = firstElement(request.value(line));
  if (value === '') return undefined;
  return domainOnly ? mainDomain(value) : value;
}

/** Up to the first comma outside quotes, trimmed. */
function firstElement(value: string): string {
  let quoted = false;
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (quoted && code === 0x5c) at += 1;
    else if (code === 0x22) quoted = !quoted;
    else if (code === 0x2c && !quoted) return value.slice(0, at).trimEnd();
  }
  return value;
}

/** The label before the last dot: `www.example.org` → `example`. A dot in front counts as part of the name. */
function mainDomain(host: string): string {
  const last = host.lastIndexOf('.');
  if (last <= 0) return host;
  return host.slice(last < 2 ? 0 : host.lastIndexOf('.', last - 2) + 1, last);
}

function sampleText(sample: Sample): string | undefined {
  if (sample === undefined) return undefined;
  if (typeof sample === 'string') return sample;
  if (sample instanceof IpValue) return bytesAsText(sample.bytes);
  if (sample instanceof Uint8Array) return bytesAsText(sample);
  return numberText(Number(sample));
}

/** Integers as binary: eight bytes, network order. */
function numberText(value: number): string {
  const high = Math.floor(value / 2 ** 32);
  const low = value >>> 0;
  let text = '';
  for (const word of [high, low]) {
    for (let shift = 24; shift >= 0; shift -= 8) text += String.fromCharCode((word >>> shift) & 0xff);
  }
  return text;
}
