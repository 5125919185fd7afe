/** Collects latencies of one load process and gives their percentiles. Used by the open-loop, handshake and idle-connection loads. */

export interface Percentiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

export class Latencies {
  private readonly values: number[] = [];

  add(milliseconds: number): void { this.values.push(milliseconds); }

  get count(): number { return this.values.length; }

  percentiles(): Percentiles {
    const sorted = Float64Array.from(this.values).sort();
    const at = (share: number): number => Math.round((sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0) * 1000) / 1000;
    return { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999) };
  }
}

/** What a load process prints as its last line. */
export interface TimedLoad extends Percentiles {
  readonly planned: number;
  readonly answered: number;
  readonly failed: number;
  /** The first failure in words. */
  readonly failure: string;
}

/** The same of the open loop. */
export interface OpenLoad extends TimedLoad {
  /** Answers per second until the last one: the rate asked for, or what the set-up is able to do. */
  readonly perSecond: number;
}
