/** How a stick table lies in its shared memory: words of the header, of a stripe, of an entry, and byte offsets. Used by stick-table.ts only. */
import type { StickTable } from '../model/model.ts';
import { keyBytesOf } from './stick-key.ts';

export const header = { freeLock: 0, freeHead: 1, used: 2, /** Entries never used so far start here. */ fresh: 3, stripes: 4 } as const;
export const stripe = { lock: 0, oldest: 1, newest: 2, stride: 3 } as const;
export const stripeCount = 16;
export const headerWords = header.stripes + stripeCount * stripe.stride;

/** In place of a hash: the entry is in no stripe. */
export const gone = -1;

export interface Layout {
  readonly size: number;
  readonly buckets: number;
  readonly keyBytes: number;
  /** Byte offsets. */
  readonly bucketsAt: number;
  readonly expiresAt: number;
  readonly wordsAt: number;
  readonly keysAt: number;
  readonly bytes: number;
}

/** Words per entry. */
export const word = { next: 0, older: 1, newer: 2, hash: 3, keyLength: 4, server: 5, stride: 6 } as const;

export function layoutOf(config: StickTable): Layout {
  const size = Math.max(1, config.sizeEntries);
  const buckets = Math.max(stripeCount, 2 ** Math.ceil(Math.log2(size)));
  const keyBytes = keyBytesOf(config);
  const bucketsAt = 4 * headerWords;
  const expiresAt = Math.ceil((bucketsAt + 4 * buckets) / 8) * 8;
  const wordsAt = expiresAt + 8 * (size + 1);
  const keysAt = wordsAt + 4 * word.stride * (size + 1);
  return { size, buckets, keyBytes, bucketsAt, expiresAt, wordsAt, keysAt, bytes: keysAt + keyBytes * (size + 1) };
}
