/**
 * Rates over the last second, worked out by the control thread every quarter second from the counters of all threads: session,
 * request and connection rates of every object into its gauges (rules and reports read them there), and the rates of the
 * whole process into `process`. Called by a timer of process/ or by tests with a clock of their own. Never touches counters.
 */
import { C, G } from '../model/counters.ts';
import type { Model } from '../model/model.ts';
import type { ProcessField, Segments } from '../shared/segments.ts';
import { P } from '../shared/segments.ts';

/** Samples kept: the last second in quarters. */
const sampleCount = 4;
export const samplePeriodMs = 250;

export interface ProcessRates {
  connRate: number;
  connRateMax: number;
  sessRate: number;
  sessRateMax: number;
  sslRate: number;
  sslRateMax: number;
  sslKeyRate: number;
  sslKeyRateMax: number;
  serverSslKeyRate: number;
  serverSslKeyRateMax: number;
  sslReusePercent: number;
  bytesOutRate: number;
  idlePercent: number;
}

/** A counter, the gauge that holds its rate, the gauge that holds the highest. */
const objectRates: readonly (readonly [counter: number, rate: number, max: number])[] = [
  [C.stot, G.rate, G.rate_max],
  [C.req_tot, G.req_rate, G.req_rate_max],
  [C.conn_tot, G.conn_rate, G.conn_rate_max],
];

const processCounters: readonly ProcessField[] = [
  'connections', 'ssl_connections', 'ssl_handshakes', 'ssl_reused', 'server_ssl_handshakes', 'bytes_out', 'loop_busy_ms',
];

/** Counters now, and as they were at the last few samples: at most a second back. A new process starts from zeros. */
class History {
  readonly current: Float64Array;
  private readonly samples: readonly Float64Array[];
  private readonly times = new Float64Array(sampleCount);
  /** Where the next sample goes, which is also the oldest once all are filled. */
  private slot = 0;
  private filled = 0;
  private nowMs = 0;

  constructor(width: number) {
    this.current = new Float64Array(width);
    this.samples = Array.from({ length: sampleCount }, () => new Float64Array(width));
  }

  /** `places`: where each object stood in `former`, −1 = it is new and counts from zero. `width`: counters of an object, side by side. */
  adopt(former: History, places: readonly number[], width: number): void {
    for (const [number, sample] of this.samples.entries()) {
      const before = former.samples[number] as Float64Array;
      for (let index = 0; index < places.length; index++) {
        const place = places[index] as number;
        if (place >= 0) for (let counter = 0; counter < width; counter++) sample[index * width + counter] = before[place * width + counter] as number;
      }
    }
    this.times.set(former.times);
    this.slot = former.slot;
    this.filled = former.filled;
  }

  /** Call before reading growth: `current` holds the counters of this moment. */
  at(nowMs: number): void {
    this.nowMs = nowMs;
    if (this.filled > 0) return;
    this.times[0] = nowMs;
    this.slot = this.filled = 1;
  }

  /** Keeps `current` as one more sample. */
  keep(): void {
    this.samples[this.slot]?.set(this.current);
    this.times[this.slot] = this.nowMs;
    this.slot = (this.slot + 1) % sampleCount;
    this.filled = Math.min(this.filled + 1, sampleCount);
  }

  spanMs(): number {
    return this.nowMs - (this.times[this.oldest()] as number);
  }

  /** How much a counter grew over the span; 0 when it was cleared meanwhile. */
  growth(index: number): number {
    return Math.max(0, (this.current[index] as number) - ((this.samples[this.oldest()] as Float64Array)[index] as number));
  }

  private oldest(): number {
    return this.filled < sampleCount ? 0 : this.slot;
  }
}

export class Sampler {
  readonly process: ProcessRates = {
    connRate: 0, connRateMax: 0, sessRate: 0, sessRateMax: 0, sslRate: 0, sslRateMax: 0, sslKeyRate: 0, sslKeyRateMax: 0,
    serverSslKeyRate: 0, serverSslKeyRateMax: 0, sslReusePercent: 0, bytesOutRate: 0, idlePercent: 100,
  };
  private readonly threads: number;
  private readonly frontends: readonly Int32Array[];
  private readonly counters: readonly (readonly Float64Array[])[];
  private readonly gauges: readonly Int32Array[];
  private readonly processSegments: readonly Float64Array[];
  /** As shared/segments.ts numbers them. */
  private readonly numbers: readonly number[];
  private readonly objects: History;
  private readonly totals = new History(processCounters.length);

  /** `former`: before a reload; the last second of what stays is still known. */
  constructor(model: Model, segments: Segments, former?: Sampler) {
    this.threads = segments.threads;
    const objects = segments.objects();
    const threads = Array.from({ length: segments.threads + 1 }, (_, thread) => thread);
    const known = new Map(former?.numbers.map((object, place) => [object, place]));
    const places = objects.map(object => known.get(object) ?? -1);
    this.counters = objects.map((object, index) => former?.counters[places[index] ?? -1] ?? threads.map(thread => segments.counters(object, thread)));
    this.gauges = objects.map((object, index) => former?.gauges[places[index] ?? -1] ?? segments.gauges(object));
    this.processSegments = threads.map(thread => segments.process(thread));
    this.frontends = model.proxies.filter(proxy => proxy.isFrontend).map(proxy => segments.gauges(segments.frontendObject(proxy.index)));
    this.numbers = objects;
    this.objects = new History(objects.length * objectRates.length);
    if (former === undefined) return;
    Object.assign(this.process, former.process);
    this.totals.adopt(former.totals, [0], processCounters.length);
    this.objects.adopt(former.objects, places, objectRates.length);
  }

  /** Every samplePeriodMs: publishes the rates and keeps a sample; `nowMs` is a monotonic clock. */
  tick(nowMs: number): void {
    this.refresh(nowMs);
    this.objects.keep();
    this.totals.keep();
  }

  /** Publishes the rates of this very moment, for a report that does not want to be a quarter second late. */
  refresh(nowMs: number): void {
    this.sampleObjects(nowMs);
    this.sampleProcess(nowMs);
  }

  /** `clear counters`: the highest rates start again. */
  clearMaxima(): void {
    for (const gauges of this.gauges) for (const [, , max] of objectRates) Atomics.store(gauges, max, 0);
    const rates = this.process;
    rates.connRateMax = rates.sessRateMax = rates.sslRateMax = rates.sslKeyRateMax = rates.serverSslKeyRateMax = 0;
  }

  private sampleObjects(nowMs: number): void {
    const { current: sample } = this.objects;
    let index = 0;
    for (const threads of this.counters) {
      for (const [counter] of objectRates) {
        let sum = 0;
        for (const counters of threads) sum += counters[counter] as number;
        sample[index++] = sum;
      }
    }
    this.objects.at(nowMs);
    const spanMs = this.objects.spanMs();
    index = 0;
    for (const gauges of this.gauges) {
      for (const [, rate, max] of objectRates) {
        const value = perSecond(this.objects.growth(index++), spanMs);
        Atomics.store(gauges, rate, value);
        if (value > Atomics.load(gauges, max)) Atomics.store(gauges, max, value);
      }
    }
  }

  private sampleProcess(nowMs: number): void {
    const { current: sample } = this.totals;
    processCounters.forEach((field, index) => {
      let sum = 0;
      for (const segment of this.processSegments) sum += segment[P[field]] as number;
      sample[index] = sum;
    });
    this.totals.at(nowMs);
    const spanMs = this.totals.spanMs();
    const growth = processCounters.map((_, index) => this.totals.growth(index));
    const rateOf = (field: ProcessField): number => perSecond(growth[processCounters.indexOf(field)] ?? 0, spanMs);
    const rates = this.process;
    rates.connRate = rateOf('connections');
    rates.sessRate = this.frontends.reduce((sum, gauges) => sum + Atomics.load(gauges, G.rate), 0);
    rates.sslRate = rateOf('ssl_connections');
    const reused = rateOf('ssl_reused');
    rates.sslKeyRate = Math.max(0, rateOf('ssl_handshakes') - reused);
    rates.serverSslKeyRate = rateOf('server_ssl_handshakes');
    rates.sslReusePercent = reused === 0 ? 0 : Math.floor((100 * reused) / (reused + rates.sslKeyRate));
    rates.bytesOutRate = rateOf('bytes_out');
    rates.connRateMax = Math.max(rates.connRateMax, rates.connRate);
    rates.sessRateMax = Math.max(rates.sessRateMax, rates.sessRate);
    rates.sslRateMax = Math.max(rates.sslRateMax, rates.sslRate);
    rates.sslKeyRateMax = Math.max(rates.sslKeyRateMax, rates.sslKeyRate);
    rates.serverSslKeyRateMax = Math.max(rates.serverSslKeyRateMax, rates.serverSslKeyRate);
    const busy = spanMs <= 0 ? 0 : (growth[processCounters.indexOf('loop_busy_ms')] ?? 0) / (spanMs * this.threads);
    rates.idlePercent = Math.max(0, Math.min(100, Math.round(100 * (1 - busy))));
  }
}

/** HAProxy counts events of the last second: a shorter history is not blown up to a second. */
function perSecond(growth: number, spanMs: number): number {
  return spanMs <= 1000 ? growth : Math.round((growth * 1000) / spanMs);
}
