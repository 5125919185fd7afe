/** Converters of bytes: encodings, hashes, digests. A text counts as its bytes. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { parseVarName } from '../../config/expression/arguments.ts';
import { avalanche, crc32, djb2, sdbm, wt6 } from '../../base/hash.ts';
import { crc32c, xxh32, xxh64 } from '../../base/xxhash.ts';
import type { Sample } from '../subject.ts';
import { intArg, textArg, type Args, type ConvertFn, type ConvertMaker, type ConvertTable } from '../types.ts';
import { toBytes, toInt, toText } from '../values.ts';
import { readVar } from '../vars.ts';

function onBytes(run: (bytes: Uint8Array) => Sample): ConvertMaker {
  return () => (value) => run(toBytes(value));
}

/** Hash with HAProxy's optional avalanche argument. */
function hash(run: (bytes: Uint8Array) => number): ConvertMaker {
  return (args) => {
    const spread = intArg(args, 0, 0) !== 0;
    return (value) => {
      const made = run(toBytes(value));
      return spread ? avalanche(made) : made;
    };
  };
}

function base64(bytes: Uint8Array, url: boolean): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(url ? 'base64url' : 'base64');
}

/** Strict about the alphabet; anything else gives nothing. */
function fromBase64(url: boolean): ConvertMaker {
  const alphabet = url ? /^[A-Za-z0-9_-]*=*$/ : /^[A-Za-z0-9+/]*={0,2}$/;
  return () => (value) => {
    const text = toText(value);
    if (!alphabet.test(text) || (!url && text.length % 4 !== 0)) return undefined;
    return Buffer.from(text, url ? 'base64url' : 'base64');
  };
}

/** Chunks of big-endian numbers: separator, chunk size (1 to 8), truncate an incomplete last chunk. */
function chunks(print: (value: bigint, size: number) => string): ConvertMaker {
  return (args) => {
    const separator = textArg(args, 0);
    const size = Math.max(intArg(args, 1, 1), 1);
    const truncate = intArg(args, 2, 0) !== 0;
    return (value) => {
      const bytes = toBytes(value);
      const out: string[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        const chunk = bytes.subarray(at, at + size);
        if (chunk.length < size && truncate) break;
        let number = 0n;
        for (const byte of chunk) number = (number << 8n) | BigInt(byte);
        out.push(print(number, chunk.length));
      }
      return out.join(separator);
    };
  };
}

function part(args: Args): ConvertFn {
  const offset = intArg(args, 0, 0);
  const length = args[1]?.kind === 'int' ? args[1].value : Infinity;
  return (value) => {
    // A text stays a text.
    if (typeof value === 'string') return offset >= value.length ? '' : value.slice(offset, Math.min(offset + length, value.length));
    const bytes = toBytes(value);
    return bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + length, bytes.length));
  };
}

function digest(algorithm: string): ConvertFn {
  return (value) => createHash(algorithm).update(toBytes(value)).digest();
}

/** The key is Base64, or a variable with Base64 in it. */
function hmac(args: Args): ConvertFn {
  const algorithm = textArg(args, 0).toLowerCase();
  const text = textArg(args, 1);
  const variable = parseVarName(text);
  return (value, s) => {
    const held = variable === undefined ? text : readVar(s, variable.scope, variable.name);
    if (held === undefined) return undefined;
    const key = typeof held === 'string' ? held : toText(held);
    return createHmac(algorithm, Buffer.from(key, 'base64')).update(toBytes(value)).digest();
  };
}

function secureCompare(args: Args): ConvertFn {
  const variable = parseVarName(textArg(args, 0));
  return (value, s) => {
    const other = variable === undefined ? undefined : readVar(s, variable.scope, variable.name);
    if (other === undefined) return undefined;
    const a = toBytes(value);
    const b = toBytes(other);
    return a.length === b.length && timingSafeEqual(a, b);
  };
}

export const binaryConverters: ConvertTable = {
  hex: onBytes((bytes) => Buffer.from(bytes).toString('hex').toUpperCase()),
  base64: onBytes((bytes) => base64(bytes, false)),
  ub64enc: onBytes((bytes) => base64(bytes, true)),
  b64dec: fromBase64(false),
  ub64dec: fromBase64(true),
  be2dec: chunks((value) => value.toString()),
  be2hex: chunks((value, size) => value.toString(16).toUpperCase().padStart(2 * size, '0')),
  htonl: () => (value) => {
    const number = toInt(value);
    if (number === undefined) return undefined;
    const out = Buffer.alloc(4);
    out.writeUInt32BE(number >>> 0);
    return out;
  },
  bytes: part,
  crc32: hash(crc32), crc32c: hash(crc32c), djb2: hash(djb2), sdbm: hash(sdbm), wt6: hash(wt6),
  xxh32: (args) => {
    const seed = intArg(args, 0, 0);
    return (value) => xxh32(toBytes(value), seed);
  },
  // Beyond 2^53 a number would lose digits: the decimal text stands for the integer.
  xxh64: (args) => {
    const seed = BigInt(intArg(args, 0, 0));
    return (value) => String(BigInt.asIntN(64, xxh64(toBytes(value), seed)));
  },
  sha1: () => digest('sha1'),
  sha2: (args) => digest(`sha${intArg(args, 0, 256)}`),
  digest: (args) => digest(textArg(args, 0).toLowerCase()),
  hmac,
  secure_memcmp: secureCompare,
};
