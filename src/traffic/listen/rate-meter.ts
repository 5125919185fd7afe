/**
 * A limit of events per second, this thread's share of it: a bucket of one second's events that refills evenly. Used by
 * Admission. Takes the time as an argument.
 */
export class RateMeter {
  /** Events per second for this thread, 0 = no limit. */
  private perSecond = 0;
  private tokens = 0;
  private filledAtMs = -1;
  private readonly threads: number;

  constructor(perSecond: number, threads: number) {
    this.threads = threads;
    this.set(perSecond);
  }

  /** Events per second over all threads, 0 = no limit. */
  set(perSecond: number): void {
    this.perSecond = perSecond > 0 ? Math.max(1, perSecond / this.threads) : 0;
    this.tokens = this.perSecond;
  }

  allows(nowMs: number): boolean {
    if (this.perSecond === 0) return true;
    if (this.filledAtMs >= 0) this.tokens = Math.min(this.perSecond, this.tokens + ((nowMs - this.filledAtMs) * this.perSecond) / 1000);
    this.filledAtMs = nowMs;
    return this.tokens >= 1;
  }

  count(nowMs: number): void {
    if (this.perSecond === 0) return;
    if (this.filledAtMs < 0) this.filledAtMs = nowMs;
    this.tokens -= 1;
  }
}
