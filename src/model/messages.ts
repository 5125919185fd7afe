/**
 * Messages between the control thread and the traffic threads. Only plain data travels; counters, gauges, states and stick
 * tables are in shared memory and never in messages. One `postMessage` per message, no answers expected unless said.
 */
import type { BindTls, Certificate } from './model.ts';

/**
 * Places in shared memory of a model's objects, by index. A reload leaves an object that stays where it is, so messages name proxies and
 * servers by slot: it means the same to a thread that is one configuration ahead.
 */
export interface SharedSlots {
  readonly proxies: readonly number[];
  readonly binds: readonly number[];
  readonly servers: readonly number[];
}

/** Memory for the slots from `first` on, `count` of each kind; see shared/segments.ts. */
export interface SharedBank {
  readonly first: { readonly proxies: number; readonly binds: number; readonly servers: number };
  readonly count: { readonly proxies: number; readonly binds: number; readonly servers: number };
  /** Float64: [row][thread][counterFieldCount]. */
  readonly counters: SharedArrayBuffer;
  /** Int32: [row][gaugeFieldCount]. */
  readonly gauges: SharedArrayBuffer;
  /** Int32: [row][thread][gaugeFieldCount]: each thread's share of the gauges, taken back when it dies. */
  readonly gaugeShares: SharedArrayBuffer;
  readonly serverStates: SharedArrayBuffer;
  readonly backendStates: SharedArrayBuffer;
}

/** Handles of the shared segments, made by shared/segments.ts in the control thread and opened in each traffic thread. */
export interface SharedHandles {
  /** One at the start; a reload that needs more slots adds another. */
  readonly banks: readonly SharedBank[];
  readonly slots: SharedSlots;
  /** Process-wide gauges and counters (connections, ssl, …), see shared/segments.ts. */
  readonly process: SharedArrayBuffer;
  /** Stick tables by proxy index. */
  readonly stickTables: readonly { readonly proxy: number; readonly buffer: SharedArrayBuffer }[];
  /** Log lines by traffic thread, see shared/log-ring.ts. */
  readonly logs: readonly SharedArrayBuffer[];
  /** Which clients were refused at a watched backend, see shared/suspects.ts; empty when no backend is watched. */
  readonly suspects: SharedArrayBuffer;
  readonly threads: number;
}

/** One answer of a watched backend to one client, or several with 401. */
export interface LoginSighting {
  readonly client: string;
  /** Index into Model.proxies. */
  readonly backend: number;
  /** Grows over all threads by one with each sighting, and starts again below zero after 2^31. */
  readonly order: number;
  /** `accepted`: let in. `refused`: 401. `logged-in`: OWA's form was sent and taken. `sent-back`: to OWA's logon page. */
  readonly kind: 'accepted' | 'refused' | 'logged-in' | 'sent-back';
  /** Index into Model.servers of the last that answered so. */
  readonly server: number;
  /** How the last request that was refused tried to log in. */
  readonly scheme: LoginScheme;
  readonly times: number;
}

export type LoginScheme = 'ntlm' | 'negotiate' | 'basic' | 'other' | 'none';

/** Requests that the default backend got although a rule for their path differs in case only. */
export interface MissedRouteSighting {
  readonly frontend: number;
  /** Backend of the rule. */
  readonly target: number;
  /** As the rule has it. */
  readonly pattern: string;
  /** As the last request had it, cut. */
  readonly path: string;
  readonly client: string;
  readonly count: number;
}

/** Something that a reload removed, in one thread. */
export interface LeavingObject {
  readonly kind: keyof SharedSlots;
  readonly slot: number;
  /** Connections, or requests of a server. */
  readonly sessions: number;
  /** Age of the oldest of them. */
  readonly oldestMs: number;
}

/** A listening socket that came from the process before. */
export interface InheritedListener {
  /** Index into Model.binds, and the port of its range; 0 = not an inet address. */
  readonly bind: number;
  readonly port: number;
  readonly fd: number;
}

/** The same over all threads, for reports. */
export interface RemovedObject {
  readonly name: string;
  readonly removedAtMs: number;
  /** Connections, or requests of a server. */
  readonly sessions: number;
  /** Age of the oldest of them. */
  readonly oldestMs: number;
}

/** A Model as text in shared memory, whole or as what differs from the one that its readers have (shared/model-text.ts). */
export interface SharedModel {
  readonly bytes: SharedArrayBuffer;
  readonly pieces: readonly SharedModelPiece[];
}

export interface SharedModelPiece {
  /** Names and indexes that lead to the list which the piece's items belong to; [] = the piece is the Model itself, with empty lists. */
  readonly into: readonly (string | number)[];
  /** 0: the items are those of `known`. */
  readonly bytes: number;
  /** What the items say the difference from; null = each from the item before it. */
  readonly known: KnownItems | null;
}

/** Items that the reader has. */
export interface KnownItems {
  /** As `into`, in what the reader has. */
  readonly list: readonly (string | number)[];
  /** From this index to before that one. */
  readonly from: number;
  readonly to: number;
}

/** What a traffic thread gets as workerData. */
export interface TrafficStart {
  readonly threadIndex: number;
  /** What this thread listens on already, only at its first start. */
  readonly inherited: readonly InheritedListener[];
  readonly model: SharedModel;
  readonly shared: SharedHandles;
  /** Unix socket of the control thread's internal HTTP server: statistics pages and prometheus-exporter. */
  readonly internalSocket: string;
  /** Key that the internal server requires in the `x-poise-key` header. */
  readonly internalKey: string;
  readonly startedAtMs: number;
  /** 48 random bytes, the same in all threads, so that a TLS session ticket of one is good in all. */
  readonly ticketKeys: Uint8Array;
}

/** What the control thread wants to know of every traffic thread; the answer follows everything that was said to the thread before. */
export type ThreadQuestion =
  /** Nothing but that it is there: all that was said before is in force. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'sessions' }
  /** Ends one session, should it be this thread's. */
  | { readonly kind: 'shutdown-session'; readonly session: number };

/** One client connection, for `show sess`. Names, since what it belongs to may have gone with a reload. */
export interface SessionSighting {
  readonly id: number;
  readonly client: string;
  readonly frontend: string;
  readonly frontendId: number;
  readonly mode: string;
  /** `name` of the bind, '' = none. */
  readonly listener: string;
  readonly listenerId: number;
  readonly listenerAddress: string;
  readonly isUnix: boolean;
  readonly backend: string;
  readonly server: string;
  readonly startedAtMs: number;
  readonly requests: number;
}

export type ToTraffic =
  /** Every thread answers with `answered` and the same id. */
  | { readonly type: 'ask'; readonly id: number; readonly question: ThreadQuestion }
  /** Server went down with on-marked-down, or `shutdown sessions server`. reason: letters D (down) or K (killed). */
  | { readonly type: 'shutdown-server-sessions'; readonly server: number; readonly reason: 'D' | 'K' }
  | { readonly type: 'shutdown-backup-sessions'; readonly proxy: number }
  | { readonly type: 'shutdown-frontend'; readonly proxy: number }
  /** Server or backend has a free slot or changed state: look at the queue. server -1 = the whole backend. */
  | { readonly type: 'wake-queue'; readonly proxy: number; readonly server: number }
  | { readonly type: 'server-address'; readonly server: number; readonly host: string; readonly port: number }
  /** Certificates were changed by command: all there are now, who uses them, by slot. From the next handshake on. */
  | { readonly type: 'certificates'; readonly certificates: readonly Certificate[]; readonly binds: readonly { readonly slot: number; readonly tls: BindTls }[];
      readonly servers: readonly { readonly slot: number; readonly certificate: number }[] }
  /** `set server … ssl`: false = new connections are made without TLS. */
  | { readonly type: 'server-tls'; readonly server: number; readonly on: boolean }
  | { readonly type: 'patterns'; readonly id: number; readonly entries: readonly { readonly key: string; readonly value: string }[] }
  /** proxy -1 = the limit of the whole process. */
  | { readonly type: 'set-maxconn'; readonly proxy: number; readonly maxconn: number }
  /** `set rate-limit … global`: per second over all threads, 0 = none. */
  | { readonly type: 'set-rate-limit'; readonly which: 'connections' | 'sessions' | 'ssl-sessions'; readonly perSecond: number }
  /** `clear counters`: the thread clears its own counters, the maxima (`all` false) or everything: Segments.clearCounters. */
  | { readonly type: 'clear-counters'; readonly all: boolean }
  | { readonly type: 'set-frontend'; readonly proxy: number; readonly enabled: boolean }
  /** A reload: make a plan of it and open what is new; the answer is reload-prepared. Then one of the two that follow. */
  | { readonly type: 'reload'; readonly model: SharedModel; readonly shared: SharedHandles }
  | { readonly type: 'reload-commit' }
  | { readonly type: 'reload-abort' }
  /** The process has given root up: the thread keeps these capabilities and no others. */
  | { readonly type: 'rights'; readonly kept: readonly string[] }
  /** Stop accepting, finish what runs, then exit; connections older than hardStopMs are cut. */
  | { readonly type: 'drain'; readonly hardStopMs: number | null };

export type ToControl =
  /** To `ask`. */
  | { readonly type: 'answered'; readonly thread: number; readonly id: number; readonly found: boolean; readonly sessions: readonly SessionSighting[] }
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
  /** What live traffic of Exchange frontends showed since the thread's last message. */
  | { readonly type: 'sightings'; readonly logins: readonly LoginSighting[]; readonly missedRoutes: readonly MissedRouteSighting[] }
  /** A watched server showed a certificate that this thread had not seen on it last. SHA-256 of the leaf, lower-case hexadecimal. */
  | { readonly type: 'server-certificate'; readonly server: number; readonly fingerprint: string }
  /** Empty: ready to go over. */
  | { readonly type: 'reload-prepared'; readonly thread: number; readonly failures: readonly { readonly bind: number; readonly code: string; readonly message: string }[] }
  | { readonly type: 'reload-done'; readonly thread: number }
  /** Every second while somebody uses what a reload removed; `sessions` 0 = nobody in this thread does any more. */
  | { readonly type: 'leaving'; readonly thread: number; readonly left: readonly LeavingObject[] }
  /** Draining is over. */
  | { readonly type: 'drained'; readonly thread: number };
