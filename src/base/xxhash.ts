/**
 * XXH32 and XXH64 (xxHash specification 0.1.1) over bytes, with a seed. Used for dynamic cookies and by converters. Not for hot
 * paths: XXH64 counts in BigInt.
 */
const prime32 = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1] as const;

export function xxh32(bytes: Uint8Array, seed: number): number {
  const [p1, p2, p3, p4, p5] = prime32;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hash: number;
  if (bytes.length >= 16) {
    const lanes = [(seed + p1 + p2) | 0, (seed + p2) | 0, seed | 0, (seed - p1) | 0];
    for (; at + 16 <= bytes.length; at += 16) {
      for (let lane = 0; lane < 4; lane += 1) {
        const mixed = ((lanes[lane] as number) + Math.imul(view.getUint32(at + 4 * lane, true), p2)) | 0;
        lanes[lane] = Math.imul(turn32(mixed, 13), p1);
      }
    }
    hash = (turn32(lanes[0] as number, 1) + turn32(lanes[1] as number, 7) + turn32(lanes[2] as number, 12) + turn32(lanes[3] as number, 18)) | 0;
  } else {
    hash = (seed + p5) | 0;
  }
  hash = (hash + bytes.length) | 0;
  for (; at + 4 <= bytes.length; at += 4) hash = Math.imul(turn32((hash + Math.imul(view.getUint32(at, true), p3)) | 0, 17), p4);
  for (; at < bytes.length; at += 1) hash = Math.imul(turn32((hash + Math.imul(bytes[at] as number, p5)) | 0, 11), p1);
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash = Math.imul(hash ^ (hash >>> 13), p3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function turn32(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

const mask = 0xffff_ffff_ffff_ffffn;
const q1 = 0x9e3779b185ebca87n;
const q2 = 0xc2b2ae3d27d4eb4fn;
const q3 = 0x165667b19e3779f9n;
const q4 = 0x85ebca77c2b2ae63n;
const q5 = 0x27d4eb2f165667c5n;

export function xxh64(bytes: Uint8Array, seed: bigint): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hash: bigint;
  if (bytes.length >= 32) {
    const lanes = [(seed + q1 + q2) & mask, (seed + q2) & mask, seed & mask, (seed - q1) & mask];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane += 1) lanes[lane] = round64(lanes[lane] as bigint, view.getBigUint64(at + 8 * lane, true));
    }
    hash = (turn64(lanes[0] as bigint, 1n) + turn64(lanes[1] as bigint, 7n) + turn64(lanes[2] as bigint, 12n) + turn64(lanes[3] as bigint, 18n)) & mask;
    for (const lane of lanes) hash = ((hash ^ round64(0n, lane)) * q1 + q4) & mask;
  } else {
    hash = (seed + q5) & mask;
  }
  hash = (hash + BigInt(bytes.length)) & mask;
  for (; at + 8 <= bytes.length; at += 8) hash = (turn64(hash ^ round64(0n, view.getBigUint64(at, true)), 27n) * q1 + q4) & mask;
  if (at + 4 <= bytes.length) {
    hash = (turn64(hash ^ ((BigInt(view.getUint32(at, true)) * q1) & mask), 23n) * q2 + q3) & mask;
    at += 4;
  }
  for (; at < bytes.length; at += 1) hash = (turn64(hash ^ ((BigInt(bytes[at] as number) * q5) & mask), 11n) * q1) & mask;
  hash = ((hash ^ (hash >> 33n)) * q2) & mask;
  hash = ((hash ^ (hash >> 29n)) * q3) & mask;
  return hash ^ (hash >> 32n);
}

function round64(lane: bigint, value: bigint): bigint {
  return (turn64((lane + value * q2) & mask, 31n) * q1) & mask;
}

function turn64(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & mask;
}
