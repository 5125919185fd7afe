/**
 * Time as an argument. Programs make one `systemClock`; tests pass a clock of their own. Never sleeps, holds no timers.
 */
export interface Clock {
  /** Milliseconds that never go back, for durations and deadlines. Whole numbers. */
  monoMs(): number;
  /** Milliseconds since 1970, for dates. */
  dateMs(): number;
}

export const systemClock: Clock = {
  monoMs: () => Math.floor(performance.now()),
  dateMs: () => Date.now(),
};
