/**
 * A mutual exclusion lock in shared memory, one Int32 word: 0 free, 1 held, 2 held and waited for. Used by stick-table.ts for
 * a few list operations at a time. A holder that dies never blocks the others for good: its lock is taken over after a while.
 */
const free = 0;
const held = 1;
const contended = 2;
const spins = 64;
const waitMs = 5;
/** Longest hold by far is some ten microseconds. */
const takeOverMs = 250;

export function lock(words: Int32Array, at: number): void {
  if (Atomics.compareExchange(words, at, free, held) === free) return;
  for (let spin = 0; spin < spins; spin += 1) {
    if (Atomics.load(words, at) === free && Atomics.compareExchange(words, at, free, held) === free) return;
  }
  for (let waited = 0; waited < takeOverMs; waited += waitMs) {
    if (Atomics.exchange(words, at, contended) === free) return;
    Atomics.wait(words, at, contended, waitMs);
  }
}

export function unlock(words: Int32Array, at: number): void {
  if (Atomics.exchange(words, at, free) === contended) Atomics.notify(words, at, 1);
}
