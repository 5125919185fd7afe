/**
 * Revocation lists (RFC 5280, 5): DER bytes to what `show ssl crl-file` prints. Used by admin/. The runtimes take such lists for handshakes but
 * cannot tell what stands in them. Never verifies a signature.
 */
import { months } from '../base/months.ts';

export interface RevocationList {
  readonly version: number;
  /** OpenSSL's name, or the number of an algorithm that is not known here. */
  readonly signatureAlgorithm: string;
  /** `/O=Test/CN=x` */
  readonly issuer: string;
  /** `Nov 21 11:55:19 2026 GMT` */
  readonly lastUpdate: string;
  /** '' = it does not say. */
  readonly nextUpdate: string;
  readonly revoked: readonly { readonly serial: string; readonly date: string }[];
}

interface Value { readonly tag: number; readonly bytes: Uint8Array }

const [integerTag, oidTag, utcTimeTag, generalizedTimeTag, sequenceTag] = [0x02, 0x06, 0x17, 0x18, 0x30];
const bmpStringTag = 0x1e;

const algorithms: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.5': 'sha1WithRSAEncryption', '1.2.840.113549.1.1.10': 'rsassaPss', '1.2.840.113549.1.1.11': 'sha256WithRSAEncryption',
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption', '1.2.840.113549.1.1.13': 'sha512WithRSAEncryption', '1.2.840.10045.4.1': 'ecdsa-with-SHA1',
  '1.2.840.10045.4.3.2': 'ecdsa-with-SHA256', '1.2.840.10045.4.3.3': 'ecdsa-with-SHA384', '1.2.840.10045.4.3.4': 'ecdsa-with-SHA512', '1.3.101.112': 'ED25519', '1.3.101.113': 'ED448',
};
const attributes: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN', '2.5.4.4': 'SN', '2.5.4.5': 'serialNumber', '2.5.4.6': 'C', '2.5.4.7': 'L', '2.5.4.8': 'ST', '2.5.4.9': 'street', '2.5.4.10': 'O', '2.5.4.11': 'OU', '2.5.4.12': 'title',
  '2.5.4.42': 'GN', '1.2.840.113549.1.9.1': 'emailAddress', '0.9.2342.19200300.100.1.1': 'UID', '0.9.2342.19200300.100.1.25': 'DC',
};

class Damaged extends Error {}

/** The values in a row of bytes. */
function valuesIn(bytes: Uint8Array): Value[] {
  const found: Value[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    let length = bytes[at + 1] ?? -1;
    at += 2;
    if (length > 0x80) {
      const end = at + (length & 0x7f);
      if (end - at > 4) throw new Damaged();
      for (length = 0; at < end; at += 1) length = length * 256 + (bytes[at] ?? 0);
    } else if (length === 0x80) throw new Damaged();
    if (length < 0 || at + length > bytes.length) throw new Damaged();
    found.push({ tag, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

function expected(value: Value | undefined, tag: number): Uint8Array {
  if (value?.tag !== tag) throw new Damaged();
  return value.bytes;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase();
}

/** 1.2.840.113549 */
function identifier(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of bytes) {
    number = number * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0;
  }
  const [first = 0, ...rest] = numbers;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...rest].join('.');
}

/** The sign's byte is no part of the number. */
function serialText(bytes: Uint8Array): string {
  return bytes.length > 1 && bytes[0] === 0 ? hex(bytes.subarray(1)) : hex(bytes);
}

/** Bytes that are no ASCII are shown as `\xE4`. */
function nameText({ tag, bytes }: Value): string {
  const plain = tag === bmpStringTag ? bytes.filter((_, index) => index % 2 === 1) : bytes;
  return Array.from(plain, (byte) => (byte < 0x20 || byte > 0x7e ? `\\x${hex(Uint8Array.of(byte))}` : String.fromCharCode(byte))).join('');
}

function issuerText(name: Uint8Array): string {
  return valuesIn(name).flatMap(({ bytes }) => valuesIn(bytes)).map((pair) => {
    const [type, value] = valuesIn(pair.bytes);
    const oid = identifier(expected(type, oidTag));
    return `/${attributes[oid] ?? oid}=${value === undefined ? '' : nameText(value)}`;
  }).join('');
}

/** RFC 5280, 4.1.2.5: years of two digits are those from 1950 on. */
function dateText(value: Value | undefined): string {
  if (value?.tag !== utcTimeTag && value?.tag !== generalizedTimeTag) throw new Damaged();
  const text = Buffer.from(value.bytes).toString('latin1');
  const [, year = '', month = '', day = '', time = ''] = (value.tag === utcTimeTag ? /^(\d\d)(\d\d)(\d\d)(\d{6})Z$/ : /^(\d{4})(\d\d)(\d\d)(\d{6})(?:\.\d+)?Z$/).exec(text) ?? [];
  if (time === '') throw new Damaged();
  const whole = year.length === 4 ? year : `${Number(year) < 50 ? 20 : 19}${year}`;
  return `${months[Number(month) - 1] ?? ''} ${String(Number(day)).padStart(2)} ${time.replace(/(\d\d)(\d\d)(\d\d)/, '$1:$2:$3')} ${whole} GMT`;
}

function read(der: Uint8Array): RevocationList {
  const [signed] = valuesIn(expected(valuesIn(der)[0], sequenceTag));
  const parts = valuesIn(expected(signed, sequenceTag));
  const version = parts[0]?.tag === integerTag ? (parts.shift()?.bytes[0] ?? 0) + 1 : 1;
  const [algorithm, issuer, lastUpdate] = parts;
  const [oid] = valuesIn(expected(algorithm, sequenceTag));
  const next = parts[3]?.tag === utcTimeTag || parts[3]?.tag === generalizedTimeTag ? parts[3] : undefined;
  const list = parts[next === undefined ? 3 : 4];
  const number = identifier(expected(oid, oidTag));
  return {
    version, signatureAlgorithm: algorithms[number] ?? number, issuer: issuerText(expected(issuer, sequenceTag)), lastUpdate: dateText(lastUpdate), nextUpdate: next === undefined ? '' : dateText(next),
    revoked: list?.tag === sequenceTag ? valuesIn(list.bytes).map((entry) => {
      const [serial, date] = valuesIn(expected(entry, sequenceTag));
      return { serial: serialText(expected(serial, integerTag)), date: dateText(date) };
    }) : [],
  };
}

const block = /-----BEGIN X509 CRL-----([\s\S]+?)-----END X509 CRL-----/g;

/** Lists in a PEM text, null = one of them is damaged. */
export function revocationLists(pem: string): RevocationList[] | null {
  try {
    return [...pem.matchAll(block)].map(([, text = '']) => read(Buffer.from(text, 'base64')));
  } catch (error) {
    if (error instanceof Damaged) return null;
    throw error;
  }
}
