/**
 * Messages between the control thread and the traffic threads. Only plain data travels; counters, gauges, states and stick
 * tables are in shared memory and never in messages. One `postMessage` per message, no answers expected unless said.
 */
import type { Model } from './model.ts';

/** Handles of the shared segments, made by shared/segments.ts in the control thread and opened in each traffic thread. */
export interface SharedHandles {
  /** Float64: [object][thread][counterFieldCount]. Objects: see shared/segments.ts. */
  readonly counters: SharedArrayBuffer;
  readonly gauges: SharedArrayBuffer;
  /** Int32: [object][thread][gaugeFieldCount]: each thread's share of the gauges, taken back when it dies. */
  readonly gaugeShares: SharedArrayBuffer;
  readonly serverStates: SharedArrayBuffer;
  readonly backendStates: SharedArrayBuffer;
  /** Process-wide gauges and counters (connections, ssl, …), see shared/segments.ts. */
  readonly process: SharedArrayBuffer;
  /** Stick tables by proxy index. */
  readonly stickTables: readonly { readonly proxy: number; readonly buffer: SharedArrayBuffer }[];
  /** Log lines by traffic thread, see shared/log-ring.ts. */
  readonly logs: readonly SharedArrayBuffer[];
  readonly threads: number;
}

/** What a traffic thread gets as workerData. */
export interface TrafficStart {
  readonly threadIndex: number;
  readonly model: Model;
  readonly shared: SharedHandles;
  /** Unix socket of the control thread's internal HTTP server: statistics pages and prometheus-exporter. */
  readonly internalSocket: string;
  /** Key that the internal server requires in the `x-poise-key` header. */
  readonly internalKey: string;
  readonly startedAtMs: number;
  /** 48 random bytes, the same in all threads, so that a TLS session ticket of one is good in all. */
  readonly ticketKeys: Uint8Array;
}

export type ToTraffic =
  /** Server went down with on-marked-down, or `shutdown sessions server`. reason: letters D (down) or K (killed). */
  | { readonly type: 'shutdown-server-sessions'; readonly server: number; readonly reason: 'D' | 'K' }
  | { readonly type: 'shutdown-backup-sessions'; readonly proxy: number }
  | { readonly type: 'shutdown-frontend'; readonly proxy: number }
  /** Server or backend has a free slot or changed state: look at the queue. server -1 = the whole backend. */
  | { readonly type: 'wake-queue'; readonly proxy: number; readonly server: number }
  | { readonly type: 'server-address'; readonly server: number; readonly host: string; readonly port: number }
  | { readonly type: 'patterns'; readonly id: number; readonly entries: readonly { readonly key: string; readonly value: string }[] }
  /** proxy -1 = the limit of the whole process. */
  | { readonly type: 'set-maxconn'; readonly proxy: number; readonly maxconn: number }
  /** `set rate-limit … global`: per second over all threads, 0 = none. */
  | { readonly type: 'set-rate-limit'; readonly which: 'connections' | 'sessions' | 'ssl-sessions'; readonly perSecond: number }
  /** `clear counters`: the thread clears its own counters, the maxima (`all` false) or everything: Segments.clearCounters. */
  | { readonly type: 'clear-counters'; readonly all: boolean }
  | { readonly type: 'set-frontend'; readonly proxy: number; readonly enabled: boolean }
  /** Stop accepting, finish what runs, then exit; connections older than hardStopMs are cut. */
  | { readonly type: 'drain'; readonly hardStopMs: number | null };

export type ToControl =
  /** All binds of this thread listen. */
  | { readonly type: 'ready'; readonly thread: number }
  /** A bind failed; the process reports it and stops (at start) or refuses the reload. */
  | { readonly type: 'bind-failed'; readonly thread: number; readonly bind: number; readonly code: string; readonly message: string }
  /** Lines without syslog header wait in the thread's log ring. */
  | { readonly type: 'log'; readonly thread: number }
  /** A server's error limit was reached by live traffic (`observe`). */
  | { readonly type: 'observed-errors'; readonly server: number; readonly layer: 4 | 7; readonly why: string }
  /** A slot became free that requests in other threads wait for. */
  | { readonly type: 'slot-free'; readonly thread: number; readonly proxy: number; readonly server: number }
  | { readonly type: 'captured-error'; readonly proxy: number; readonly side: 'request' | 'response'; readonly server: number; readonly client: string;
      readonly why: string; readonly position: number; readonly bytes: Uint8Array; readonly atMs: number }
  | { readonly type: 'patterns-changed'; readonly id: number; readonly op: 'set' | 'add' | 'del'; readonly key: string; readonly value: string }
  /** Something an operator should read, said once per event: goes to the warning output and log. */
  | { readonly type: 'warning'; readonly thread: number; readonly message: string }
  /** Draining is over. */
  | { readonly type: 'drained'; readonly thread: number };
