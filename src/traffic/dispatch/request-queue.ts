/**
 * Requests of this thread that wait for a slot of one server, or of any server of one backend: by priority class, then by time
 * (with offset), first in first out among equals. The shared gauge qcur counts all threads' waiters. Used by dispatch/ only.
 */
import { G } from '../../model/counters.ts';
import type { Tally } from '../tally.ts';

/** A waiting request: embedded in Dispatch. `Q` fields belong to the queue it stands in. */
export interface Waiter {
  queue: RequestQueue | null;
  queuePrevious: Waiter | null;
  queueNext: Waiter | null;
  queueClass: number;
  /** Time of arrival plus priority offset, ms. */
  queueTimeMs: number;
}

export class RequestQueue {
  readonly tally: Tally;
  length = 0;
  private head: Waiter | null = null;
  private tail: Waiter | null = null;

  constructor(tally: Tally) {
    this.tally = tally;
  }

  first(): Waiter | null {
    return this.head;
  }

  add(waiter: Waiter): void {
    let before = this.tail;
    while (before !== null && comesAfter(before, waiter)) before = before.queuePrevious;
    const after = before === null ? this.head : before.queueNext;
    waiter.queue = this;
    waiter.queuePrevious = before;
    waiter.queueNext = after;
    if (before === null) this.head = waiter;
    else before.queueNext = waiter;
    if (after === null) this.tail = waiter;
    else after.queuePrevious = waiter;
    this.length += 1;
    this.tally.raise(G.qcur, G.qmax);
  }

  remove(waiter: Waiter): void {
    const { queuePrevious, queueNext } = waiter;
    if (queuePrevious === null) this.head = queueNext;
    else queuePrevious.queueNext = queueNext;
    if (queueNext === null) this.tail = queuePrevious;
    else queueNext.queuePrevious = queuePrevious;
    waiter.queue = null;
    waiter.queuePrevious = null;
    waiter.queueNext = null;
    this.length -= 1;
    this.tally.lower(G.qcur);
  }
}

/** True when `one` is to be served after `other`. */
export function comesAfter(one: Waiter, other: Waiter): boolean {
  if (one.queueClass !== other.queueClass) return one.queueClass > other.queueClass;
  return one.queueTimeMs > other.queueTimeMs;
}
