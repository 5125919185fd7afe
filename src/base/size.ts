/**
 * HAProxy's sizes: an integer and an optional k, m or g (powers of 1024). Called by config/ for buffers, lengths and tables.
 */

const factors: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const sizeMax = 4294967295;

/** Bytes (or entries). Undefined: not a size or above 32 bits. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  if (match === null) return undefined;
  const value = Number(match[1]) * (factors[(match[2] ?? '').toLowerCase()] ?? 1);
  return value > sizeMax ? undefined : value;
}
