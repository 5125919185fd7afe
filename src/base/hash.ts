/**
 * The hash functions of `hash-type` (configuration manual 4.2) and the integer mixer that spreads their results. Used by balance/
 * for server choice, by shared/ for stick tables and by converters. All give unsigned 32-bit numbers. Input is bytes or latin1 text.
 */

type HashInput = string | Uint8Array;
type HashFunction = 'sdbm' | 'djb2' | 'wt6' | 'crc32';

export function sdbm(input: HashInput): number {
  const text = asText(input);
  let hash = 0;
  for (let index = 0; index < text.length; index += 1) {
    hash = ((text.charCodeAt(index) & 0xff) + (hash << 6) + (hash << 16) - hash) | 0;
  }
  return hash >>> 0;
}

export function djb2(input: HashInput): number {
  const text = asText(input);
  let hash = 5381;
  for (let index = 0; index < text.length; index += 1) hash = (((hash << 5) + hash) + (text.charCodeAt(index) & 0xff)) | 0;
  return hash >>> 0;
}

/** HAProxy's own: two registers that rotate each other by amounts taken from the data. A shift by 32 counts as none. */
export function wt6(input: HashInput): number {
  const text = asText(input);
  let low = 0xa53c965a | 0;
  let high = 0x5ca6953a | 0;
  let lowStep = 6;
  let highStep = 18;
  for (let index = 0; index < text.length; index += 1) {
    const byte = text.charCodeAt(index) & 0xff;
    low = ~(low ^ byte);
    high = ~((high + byte) | 0);
    const turned = (high << lowStep) | (high >>> (32 - lowStep));
    high = (low << highStep) | (low >>> (32 - highStep));
    low = turned;
    const mixed = ((low >>> 16) ^ high) & 0xffff;
    lowStep = mixed & 0x1f;
    highStep = mixed >>> 11;
  }
  return (low ^ high) >>> 0;
}

const crcTable = new Uint32Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  crcTable[byte] = value >>> 0;
}

/** CRC-32 of ISO 3309 (zlib's). */
export function crc32(input: HashInput): number {
  const text = asText(input);
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) {
    crc = (crc >>> 8) ^ (crcTable[(crc ^ text.charCodeAt(index)) & 0xff] as number);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Bob Jenkins' full-avalanche mixer, then a large prime near 3/4 of the range, as `hash-type … avalanche` uses it. */
export function avalanche(value: number): number {
  let mixed = value | 0;
  mixed = (mixed + 0x7ed55d16 + (mixed << 12)) | 0;
  mixed = mixed ^ 0xc761c23c ^ (mixed >>> 19);
  mixed = (mixed + 0x165667b1 + (mixed << 5)) | 0;
  mixed = ((mixed + 0xd3a2646c) | 0) ^ (mixed << 9);
  mixed = (mixed + 0xfd7046c5 + (mixed << 3)) | 0;
  mixed = mixed ^ 0xb55a4f09 ^ (mixed >>> 16);
  return Math.imul(mixed, 3221225473) >>> 0;
}

export function hashFunction(name: HashFunction): (input: HashInput) => number {
  if (name === 'djb2') return djb2;
  if (name === 'wt6') return wt6;
  return name === 'crc32' ? crc32 : sdbm;
}

function asText(input: HashInput): string {
  return typeof input === 'string' ? input : bytesAsText(input);
}

/** Latin1 text of bytes. */
export function bytesAsText(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index += 1) text += String.fromCharCode(bytes[index] as number);
  return text;
}
