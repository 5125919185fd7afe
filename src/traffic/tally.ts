/**
 * Counters and gauges of one object (frontend side, backend side, listener, server) as one traffic thread sees them, and the
 * arithmetic that more than one room needs. Counters are plain adds to this thread's own array; gauges are shared, so Atomics.
 */
import { C, G, counterFieldCount, gaugeFieldCount } from '../model/counters.ts';
import type { Segments } from '../shared/segments.ts';

/** Samples of a running average (configuration manual, statistics: last 1024 requests). */
const averageSamples = 1024;

export class Tally {
  readonly counters: Float64Array;
  readonly gauges: Int32Array;
  /** This thread's part of the gauges: a successor takes it back should the thread die. */
  private readonly share: Int32Array;

  constructor(counters: Float64Array, gauges: Int32Array, share: Int32Array) {
    this.counters = counters;
    this.gauges = gauges;
    this.share = share;
  }

  static of(segments: Segments, object: number, thread: number): Tally {
    return new Tally(segments.counters(object, thread), segments.gauges(object), segments.gaugeShare(object, thread));
  }

  /** For what is served but not counted anywhere (the internal statistics server). */
  static uncounted(): Tally {
    return new Tally(new Float64Array(counterFieldCount), new Int32Array(gaugeFieldCount), new Int32Array(gaugeFieldCount));
  }

  add(field: number, amount: number): void {
    this.counters[field] = (this.counters[field] as number) + amount;
  }

  count(field: number): void {
    this.counters[field] = (this.counters[field] as number) + 1;
  }

  /** One more of a gauge that has a highest value beside it (scur/smax, qcur/qmax). Gives the new value. */
  raise(current: number, highest: number): number {
    this.share[current] = (this.share[current] as number) + 1;
    const now = Atomics.add(this.gauges, current, 1) + 1;
    this.reached(highest, now);
    return now;
  }

  private reached(highest: number, now: number): void {
    let max = Atomics.load(this.gauges, highest);
    while (now > max) {
      const seen = Atomics.compareExchange(this.gauges, highest, max, now);
      if (seen === max) return;
      max = seen;
    }
  }

  /** As raise(), but only while the value is below `limit`: threads never pass it together. */
  raiseBelow(current: number, highest: number, limit: number): boolean {
    let value = Atomics.load(this.gauges, current);
    for (;;) {
      if (value >= limit) return false;
      const seen = Atomics.compareExchange(this.gauges, current, value, value + 1);
      if (seen === value) break;
      value = seen;
    }
    this.share[current] = (this.share[current] as number) + 1;
    this.reached(highest, value + 1);
    return true;
  }

  /** Changes a gauge that has no highest value beside it. */
  move(gauge: number, by: number): void {
    this.share[gauge] = (this.share[gauge] as number) + by;
    Atomics.add(this.gauges, gauge, by);
  }

  lower(gauge: number): number {
    this.share[gauge] = (this.share[gauge] as number) - 1;
    return Atomics.sub(this.gauges, gauge, 1) - 1;
  }

  gauge(field: number): number {
    return Atomics.load(this.gauges, field);
  }

  /** A session or request starts on this object. */
  enter(dateMs: number): void {
    this.raise(G.scur, G.smax);
    this.count(C.stot);
    this.counters[C.lastsess_ms] = dateMs;
  }

  leave(): void {
    this.lower(G.scur);
  }

  /** Times of a finished request, ms: queue, connect, response and total. */
  times(queueMs: number, connectMs: number, responseMs: number, totalMs: number): void {
    const counters = this.counters;
    const samples = Math.min((counters[C.time_samples] as number) + 1, averageSamples);
    counters[C.time_samples] = samples;
    average(counters, C.qtime_avg, C.qtime_max, samples, queueMs);
    average(counters, C.ctime_avg, C.ctime_max, samples, connectMs);
    average(counters, C.rtime_avg, C.rtime_max, samples, responseMs);
    average(counters, C.ttime_avg, C.ttime_max, samples, totalMs);
  }
}

function average(counters: Float64Array, averageField: number, maxField: number, samples: number, value: number): void {
  const before = counters[averageField] as number;
  counters[averageField] = before + (value - before) / samples;
  if (value > (counters[maxField] as number)) counters[maxField] = value;
}
