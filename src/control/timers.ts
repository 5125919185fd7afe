/**
 * Delayed calls of the control thread as an argument, so that tests run an hour of checks in milliseconds. Used by health/ and by
 * slow start. Timers never keep the process alive by themselves.
 */
export interface Timers {
  after(delayMs: number, run: () => void): unknown;
  cancel(handle: unknown): void;
}

export const systemTimers: Timers = {
  after: (delayMs, run) => setTimeout(run, delayMs).unref(),
  cancel: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};
