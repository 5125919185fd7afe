/**
 * Marks of clients that a watched backend refused or sent back to its logon page: one word per hash of client and backend, shared by
 * all traffic threads. A good answer to a client that has no mark need not be told to anybody, which is all but a few. Two clients
 * may share a mark: then a good answer is told in vain, or one time later. Behind them one word that puts what all threads tell in
 * one order. Judges nothing.
 */
import { limits } from '../model/limits.ts';

export class Suspects {
  private readonly marks: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.marks = new Int32Array(memory);
  }

  /** `watched` false: nobody will ask. */
  static allocate(watched: boolean): SharedArrayBuffer {
    return new SharedArrayBuffer(watched ? 4 * (limits.suspectMarks + 1) : 0);
  }

  /** `hash` of the client's address, any 32 bits. */
  has(hash: number, backend: number): boolean {
    return Atomics.load(this.marks, place(hash, backend)) !== 0;
  }

  set(hash: number, backend: number): void {
    Atomics.store(this.marks, place(hash, backend), 1);
  }

  clear(hash: number, backend: number): void {
    Atomics.store(this.marks, place(hash, backend), 0);
  }

  /** A number of its own for each call in any thread; what happened because of something else has the later one. Wraps. */
  nextOrder(): number {
    return Atomics.add(this.marks, limits.suspectMarks, 1);
  }
}

function place(hash: number, backend: number): number {
  const mixed = hash ^ Math.imul(backend + 1, 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) & (limits.suspectMarks - 1);
}
