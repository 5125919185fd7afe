/**
 * Hashes that only converters use: XXH32, XXH64 and CRC-32C (Castagnoli, RFC 4960 appendix B). Unsigned; XXH64 is a BigInt.
 * The hashes of `hash-type` are in hash.ts.
 */

const crcTable = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  crcTable[byte] = value;
}

export function crc32c(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) value = (value >>> 8) ^ (crcTable[(value ^ (bytes[i] ?? 0)) & 255] ?? 0);
  return ~value >>> 0;
}

const x1 = 2654435761;
const x2 = 2246822519;
const x3 = 3266489917;
const x4 = 668265263;
const x5 = 374761393;

function rotate32(value: number, by: number): number { return (value << by) | (value >>> (32 - by)); }

function word32(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

/** XXH32 of the published specification. */
export function xxh32(bytes: Uint8Array, seed: number): number {
  let at = 0;
  let hash: number;
  if (bytes.length >= 16) {
    const lanes = [seed + x1 + x2, seed + x2, seed, seed - x1];
    for (; at + 16 <= bytes.length; at += 16) {
      for (let lane = 0; lane < 4; lane++) {
        lanes[lane] = Math.imul(rotate32(((lanes[lane] ?? 0) + Math.imul(word32(bytes, at + 4 * lane), x2)) | 0, 13), x1);
      }
    }
    const [a = 0, b = 0, c = 0, d = 0] = lanes;
    hash = rotate32(a | 0, 1) + rotate32(b | 0, 7) + rotate32(c | 0, 12) + rotate32(d | 0, 18);
  } else {
    hash = seed + x5;
  }
  hash = (hash + bytes.length) | 0;
  for (; at + 4 <= bytes.length; at += 4) hash = Math.imul(rotate32((hash + Math.imul(word32(bytes, at), x3)) | 0, 17), x4);
  for (; at < bytes.length; at++) hash = Math.imul(rotate32((hash + Math.imul(bytes[at] ?? 0, x5)) | 0, 11), x1);
  hash = Math.imul(hash ^ (hash >>> 15), x2);
  hash = Math.imul(hash ^ (hash >>> 13), x3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const y1 = 11400714785074694791n;
const y2 = 14029467366897019727n;
const y3 = 1609587929392839161n;
const y4 = 9650029242287828579n;
const y5 = 2870177450012600261n;

function u64(value: bigint): bigint { return BigInt.asUintN(64, value); }
function rotate64(value: bigint, by: bigint): bigint { return u64((value << by) | (value >> (64n - by))); }
function round64(lane: bigint, input: bigint): bigint { return u64(rotate64(u64(lane + u64(input * y2)), 31n) * y1); }

/** XXH64 of the published specification. */
export function xxh64(bytes: Uint8Array, seed: bigint): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hash: bigint;
  if (bytes.length >= 32) {
    const lanes = [u64(seed + y1 + y2), u64(seed + y2), u64(seed), u64(seed - y1)];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) lanes[lane] = round64(lanes[lane] ?? 0n, view.getBigUint64(at + 8 * lane, true));
    }
    const [a = 0n, b = 0n, c = 0n, d = 0n] = lanes;
    hash = u64(rotate64(a, 1n) + rotate64(b, 7n) + rotate64(c, 12n) + rotate64(d, 18n));
    for (const lane of lanes) hash = u64((hash ^ round64(0n, lane)) * y1 + y4);
  } else {
    hash = u64(seed + y5);
  }
  hash = u64(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) hash = u64(rotate64(hash ^ round64(0n, view.getBigUint64(at, true)), 27n) * y1 + y4);
  if (at + 4 <= bytes.length) {
    hash = u64(rotate64(hash ^ u64(BigInt(view.getUint32(at, true)) * y1), 23n) * y2 + y3);
    at += 4;
  }
  for (; at < bytes.length; at++) hash = u64(rotate64(hash ^ u64(BigInt(bytes[at] ?? 0) * y5), 11n) * y1);
  hash = u64((hash ^ (hash >> 33n)) * y2);
  hash = u64((hash ^ (hash >> 29n)) * y3);
  return u64(hash ^ (hash >> 32n));
}
