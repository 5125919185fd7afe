/**
 * Shared memory: who writes what, and where it lies. Made once by the control thread (allocate), opened by every thread (open).
 *
 * | segment       | element   | one array per        | writer                      | readers          |
 * |---------------|-----------|----------------------|-----------------------------|------------------|
 * | counters      | Float64   | object × thread      | that thread                 | control, reports |
 * | gauges        | Int32     | object               | any thread, Atomics only    | all              |
 * | gaugeShares   | Int32     | object × thread      | that thread                 | its successor    |
 * | serverStates  | Int32     | server               | control                     | all              |
 * | backendStates | Int32     | proxy                | control                     | all              |
 * | process       | Float64   | thread (+ control)   | that thread                 | control, reports |
 * | logs          | bytes     | thread               | that thread, control takes  | control          |
 * | suspects      | Int32     | client               | any thread, Atomics only    | traffic          |
 *
 * Objects are numbered: frontend sides 0..P-1 (by proxy index), backend sides P..2P-1, listeners 2P..2P+L-1, servers after.
 * The control thread counts too (thread number `threads`), so nothing it does is lost.
 */
import { C, counterFieldCount, G, gaugeFieldCount, maxFields } from '../model/counters.ts';
import { exchangeBackends } from '../model/exchange-sites.ts';
import { backendStateFieldCount, serverStateFieldCount } from '../model/server-state.ts';
import type { SharedHandles } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import { LogRing } from './log-ring.ts';
import { allocateStickTables } from './stick-table.ts';
import { Suspects } from './suspects.ts';

/** Offsets in the process segment. One Float64 array per thread plus one for control. */
export const processFields = [
  'connections', 'requests', 'ssl_connections', 'bytes_out', 'ssl_handshakes', 'ssl_reused', 'dropped_logs', 'current_connections', 'current_ssl_connections',
  'server_ssl_handshakes', 'heartbeat_ms', 'loop_busy_ms', 'maxconn_reached', 'warnings', 'failed_resolutions',
] as const;
export type ProcessField = (typeof processFields)[number];
export const P: Readonly<Record<ProcessField, number>> = Object.freeze(
  Object.fromEntries(processFields.map((name, index) => [name, index])) as Record<ProcessField, number>,
);

/** The fields that `clear counters` without `all` clears: longest times, not the time of the last session. */
const clearableMaxima: readonly number[] = maxFields.filter(name => name !== 'lastsess_ms').map(name => C[name]);

export class Segments {
  readonly handles: SharedHandles;
  readonly threads: number;
  private readonly proxies: number;
  private readonly listeners: number;

  constructor(handles: SharedHandles, model: Model) {
    this.handles = handles;
    this.threads = handles.threads;
    this.proxies = model.proxies.length;
    this.listeners = model.binds.length;
  }

  static allocate(model: Model, threads: number): Segments {
    const objects = 2 * model.proxies.length + model.binds.length + model.servers.length;
    const handles: SharedHandles = {
      counters: new SharedArrayBuffer(8 * objects * (threads + 1) * counterFieldCount),
      gauges: new SharedArrayBuffer(4 * objects * gaugeFieldCount),
      gaugeShares: new SharedArrayBuffer(4 * objects * threads * gaugeFieldCount),
      serverStates: new SharedArrayBuffer(4 * model.servers.length * serverStateFieldCount),
      backendStates: new SharedArrayBuffer(4 * model.proxies.length * backendStateFieldCount),
      process: new SharedArrayBuffer(8 * (threads + 1) * processFields.length),
      stickTables: allocateStickTables(model),
      logs: Array.from({ length: threads }, () => LogRing.allocate()),
      suspects: Suspects.allocate(exchangeBackends(model).size > 0),
      threads,
    };
    return new Segments(handles, model);
  }

  frontendObject(proxy: number): number { return proxy; }
  backendObject(proxy: number): number { return this.proxies + proxy; }
  listenerObject(bind: number): number { return 2 * this.proxies + bind; }
  serverObject(server: number): number { return 2 * this.proxies + this.listeners + server; }

  /** Counters of one object for one thread (thread = threads: the control thread's). */
  counters(object: number, thread: number): Float64Array {
    const length = counterFieldCount;
    return new Float64Array(this.handles.counters, 8 * length * (object * (this.threads + 1) + thread), length);
  }

  gauges(object: number): Int32Array {
    return new Int32Array(this.handles.gauges, 4 * gaugeFieldCount * object, gaugeFieldCount);
  }

  /** What one traffic thread has added to an object's gauges and not taken away yet. */
  gaugeShare(object: number, thread: number): Int32Array {
    return new Int32Array(this.handles.gaugeShares, 4 * gaugeFieldCount * (object * this.threads + thread), gaugeFieldCount);
  }

  /** A thread starts: what a predecessor that died left in the gauges is taken back. */
  reclaimGauges(thread: number): void {
    const objects = this.handles.gauges.byteLength / (4 * gaugeFieldCount);
    for (let object = 0; object < objects; object++) {
      const gauges = this.gauges(object);
      const share = this.gaugeShare(object, thread);
      for (let field = 0; field < gaugeFieldCount; field++) if (share[field] !== 0) Atomics.sub(gauges, field, share[field] as number);
      share.fill(0);
    }
    const process = this.process(thread);
    process[P.current_connections] = 0;
    process[P.current_ssl_connections] = 0;
  }

  serverState(server: number): Int32Array {
    return new Int32Array(this.handles.serverStates, 4 * serverStateFieldCount * server, serverStateFieldCount);
  }

  backendState(proxy: number): Int32Array {
    return new Int32Array(this.handles.backendStates, 4 * backendStateFieldCount * proxy, backendStateFieldCount);
  }

  /** `clear counters`: called by the thread that owns the counters. `all` false clears the maxima only. */
  clearCounters(thread: number, all: boolean): void {
    const objects = this.handles.counters.byteLength / (8 * counterFieldCount * (this.threads + 1));
    for (let object = 0; object < objects; object++) {
      const counters = this.counters(object, thread);
      const open = counters[C.h1_open_conns] as number;
      if (all) counters.fill(0);
      else for (const field of clearableMaxima) counters[field] = 0;
      counters[C.h1_open_conns] = open;
    }
  }

  /** `clear counters`: highest numbers of sessions and queued requests start again. Any thread may. */
  clearHighest(): void {
    const objects = this.handles.gauges.byteLength / (4 * gaugeFieldCount);
    for (let object = 0; object < objects; object++) {
      const gauges = this.gauges(object);
      Atomics.store(gauges, G.smax, Atomics.load(gauges, G.scur));
      Atomics.store(gauges, G.qmax, Atomics.load(gauges, G.qcur));
    }
  }

  /** One end of a traffic thread's log lines. */
  logRing(thread: number): LogRing {
    return new LogRing(this.handles.logs[thread] ?? LogRing.allocate());
  }

  process(thread: number): Float64Array {
    return new Float64Array(this.handles.process, 8 * processFields.length * thread, processFields.length);
  }
}
