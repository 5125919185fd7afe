/**
 * May this node have the virtual addresses? What the balancer process says of itself, and for how long it has said nothing. A crash is forgiven
 * for as long as the other node would need to notice it: a balancer that is back by then keeps the address. Time in which this process itself
 * did not run (a machine that was stopped, or has no time for anybody) is no silence of the balancer. Time comes as an argument.
 * Used by process/high-availability.ts.
 */
import { limits } from '../model/limits.ts';

export class HealthJudge {
  /** What the balancer said last; undefined before it served for the first time. */
  #said: string | undefined;
  #lastMs = 0;
  /** It said that it takes another configuration up, and may be silent. */
  #takesUp = false;
  #diedMs: number | undefined;
  #askedMs: number | undefined;
  readonly #backMsMax: number;

  /** `detectionMs`: what the other node needs to notice that this one is dead. */
  constructor(detectionMs: number) {
    this.#backMsMax = Math.min(detectionMs, limits.balancerBackMsMax);
  }

  /** The balancer says why it must not have traffic, or '' that it may. */
  says(why: string, nowMs: number, takesUp = false): void {
    this.#said = why;
    this.#takesUp = takesUp;
    this.#lastMs = nowMs;
    this.#diedMs = undefined;
  }

  died(nowMs: number): void {
    this.#diedMs ??= nowMs;
  }

  /** Why the addresses must go; empty: they may stay. */
  why(nowMs: number): string {
    this.#forgive(nowMs - (this.#askedMs ?? nowMs));
    this.#askedMs = nowMs;
    if (this.#said === undefined) return 'the balancer does not serve yet';
    if (this.#diedMs !== undefined) return nowMs - this.#diedMs > this.#backMsMax ? 'the balancer has ended and is not back' : this.#said;
    if (nowMs - this.#lastMs > (this.#takesUp ? limits.takeUpMsMax : limits.balancerSilenceMsMax)) return `the balancer has not answered for ${((nowMs - this.#lastMs) / 1000).toFixed(1)} s`;
    return this.#said;
  }

  /** `sinceMs`: since the last question, which comes several times a second. */
  #forgive(sinceMs: number): void {
    const pauseMs = Math.max(0, sinceMs - limits.ownPauseMs);
    this.#lastMs += pauseMs;
    if (this.#diedMs !== undefined) this.#diedMs += pauseMs;
  }
}
