/**
 * How long everything takes, in one place: a full run must end in under 30 minutes, a quick one in under two. Used by the workloads and
 * by the estimate that run.ts prints first. Whole numbers where wrk is the load: it takes no parts of seconds.
 */

/** `dry`: as short as it gets, to see that all of it runs; its numbers mean nothing. */
export type Size = 'quick' | 'full' | 'dry';

interface Durations {
  readonly warmSeconds: number;
  /** More of it for subjects whose code is compiled while it runs: until some 60,000 requests that is a good part of what they use. */
  readonly compileSeconds: number;
  /** Load under which CPU is measured, small requests. */
  readonly sampleSeconds: number;
  /** Load at the fixed rate. */
  readonly rateSeconds: number;
  readonly handshakeWarmSeconds: number;
  readonly handshakeSeconds: number;
  /** Of bodies of 1 MB, and of all that go up. */
  readonly bodySeconds: number;
  /** Of the larger ones that go down; long enough for some to end on a slow machine. */
  readonly largeBodySeconds: number;
  readonly connectionSeconds: number;
  readonly idleConnections: number;
  readonly pulseSeconds: number;
  /** Of each size of W7, which has many. */
  readonly sizeSeconds: number;
  /** At most this long is a stick table filled. */
  readonly fillSecondsMax: number;
  /** Of each round of W9; five rounds are its minute. */
  readonly latencySeconds: number;
}

export const durations: Readonly<Record<Size, Durations>> = {
  full: {
    warmSeconds: 1, compileSeconds: 2, sampleSeconds: 2, rateSeconds: 0.5, handshakeWarmSeconds: 0.3, handshakeSeconds: 1, bodySeconds: 1, largeBodySeconds: 2, connectionSeconds: 2,
    idleConnections: 8000, pulseSeconds: 2, sizeSeconds: 1, fillSecondsMax: 60, latencySeconds: 12,
  },
  quick: {
    warmSeconds: 1, compileSeconds: 2, sampleSeconds: 2, rateSeconds: 0.5, handshakeWarmSeconds: 0.7, handshakeSeconds: 1.5, bodySeconds: 1, largeBodySeconds: 2, connectionSeconds: 2,
    idleConnections: 1500, pulseSeconds: 2, sizeSeconds: 1, fillSecondsMax: 60, latencySeconds: 3,
  },
  dry: {
    warmSeconds: 1, compileSeconds: 0, sampleSeconds: 1, rateSeconds: 0.2, handshakeWarmSeconds: 0.1, handshakeSeconds: 0.2, bodySeconds: 1, largeBodySeconds: 3, connectionSeconds: 1,
    idleConnections: 100, pulseSeconds: 1, sizeSeconds: 1, fillSecondsMax: 1, latencySeconds: 0.3,
  },
};

/** Seconds around the load, from runs on two cores: a start of a subject with its end; a process of the load; waiting for the log between loads. */
export const aroundSeconds = { start: 0.7, process: 0.1, log: 0.12 } as const;
