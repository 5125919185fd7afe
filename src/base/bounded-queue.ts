/**
 * First in, first out, with a limit: a ring that grows up to `max` and then refuses. Used for held connections and log lines.
 * Never drops by itself: a caller whose push() returns false decides.
 */
export class BoundedQueue<T> {
  readonly max: number;
  private ring: (T | undefined)[] = Array.from({ length: 16 }, () => undefined);
  private head = 0;
  private count = 0;

  constructor(max: number) {
    this.max = max;
  }

  get size(): number {
    return this.count;
  }

  push(item: T): boolean {
    if (this.count >= this.max) return false;
    if (this.count === this.ring.length) this.grow();
    this.ring[(this.head + this.count) & (this.ring.length - 1)] = item;
    this.count += 1;
    return true;
  }

  shift(): T | undefined {
    if (this.count === 0) return undefined;
    const item = this.ring[this.head];
    this.ring[this.head] = undefined;
    this.head = (this.head + 1) & (this.ring.length - 1);
    this.count -= 1;
    return item;
  }

  /** Oldest item, left in place. */
  peek(): T | undefined {
    return this.count === 0 ? undefined : this.ring[this.head];
  }

  /** Ring length stays a power of two, so that positions wrap with a mask. */
  private grow(): void {
    const larger: (T | undefined)[] = Array.from({ length: this.ring.length * 2 }, () => undefined);
    for (let index = 0; index < this.count; index += 1) larger[index] = this.ring[(this.head + index) & (this.ring.length - 1)];
    this.ring = larger;
    this.head = 0;
  }
}
