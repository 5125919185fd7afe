/**
 * Conversions between sample types, as HAProxy casts between the parts of an expression. Called by compiled expressions; costs
 * nothing when the type is right already. Texts are latin1: one character is one byte.
 */
import { formatIp, ipv4FromNumber, IpValue, parseIp, uint32At } from '../base/ip.ts';
import type { SampleValue } from './subject.ts';

export function bytesToText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function textToBytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Bytes that become a text end at the first NUL, as in HAProxy. */
function binaryText(bytes: Uint8Array): string {
  const text = bytesToText(bytes);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

const int64Max = 2n ** 63n - 1n;

/** Decimal digits of an integer of HAProxy's: 64 bits, signed. */
function intText(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  const big = BigInt(Math.trunc(value));
  return String(big > int64Max ? int64Max : big < -int64Max - 1n ? -int64Max - 1n : big);
}

export function toText(value: SampleValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return intText(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  return value instanceof IpValue ? formatIp(value) : binaryText(value);
}

/** Texts and binaries whole: not cut at a NUL. */
export function wholeText(value: SampleValue): string {
  return value instanceof Uint8Array ? bytesToText(value) : toText(value);
}

/** Capitals of ASCII made small, the other letters left: how HAProxy compares when case is ignored. */
export function foldCase(text: string): string {
  return /[\u0080-\uffff]/.test(text) ? text.replaceAll(/[A-Z]+/g, (part) => part.toLowerCase()) : text.toLowerCase();
}

/** Leading integer of a text, 0 when there is none; undefined for an empty text. */
export function textToInt(text: string): number | undefined {
  if (text === '') return undefined;
  let at = 0;
  const sign = text.charCodeAt(0);
  if (sign === 45 || sign === 43) at = 1;
  let value = 0;
  for (; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return sign === 45 ? -value : value;
}

export function toInt(value: SampleValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') return textToInt(value);
  if (value instanceof IpValue) return value.family === 4 ? uint32At(value.bytes, 0) : undefined;
  return undefined;
}

export function toBool(value: SampleValue): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const number = toInt(value);
  return number === undefined ? undefined : number !== 0;
}

/** Integers become eight bytes, big-endian. */
export function toBytes(value: SampleValue): Uint8Array {
  if (typeof value === 'string') return textToBytes(value);
  if (value instanceof Uint8Array) return value;
  if (value instanceof IpValue) return value.bytes;
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigInt64(0, BigInt(Math.trunc(Number(value))));
  return out;
}

export function toIp(value: SampleValue): IpValue | undefined {
  if (value instanceof IpValue) return value;
  if (typeof value === 'string') return parseIp(value);
  if (typeof value === 'number') return ipv4FromNumber(value >>> 0);
  if (value instanceof Uint8Array && (value.length === 4 || value.length === 16)) return new IpValue(value.length === 4 ? 4 : 6, value);
  return undefined;
}

/** Length in bytes of a text or binary; of the text form of anything else. */
export function lengthOf(value: SampleValue): number {
  return value instanceof Uint8Array ? value.length : toText(value).length;
}
