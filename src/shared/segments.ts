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
 * Objects have slots (slots.ts): numbers that stay theirs over reloads. The arrays of an object are rows of a bank; the first bank has room
 * for the first configuration, a reload that needs more adds one. Rows of a bank: frontend sides, backend sides, listeners, servers.
 * The control thread counts too (thread number `threads`), so nothing it does is lost.
 */
import { C, counterFieldCount, G, gaugeFieldCount, maxFields } from '../model/counters.ts';
import { exchangeBackends } from '../model/exchange-sites.ts';
import { backendStateFieldCount, serverStateFieldCount } from '../model/server-state.ts';
import type { SharedBank, SharedHandles } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import { LogRing } from './log-ring.ts';
import type { SlotChanges, SlotCounts } from './slots.ts';
import { allocateStickTables, reloadStickTables } from './stick-table.ts';
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

/** Of a slot: what kind of object, and which side of a proxy. */
const side = { front: 0, back: 1, listener: 2, server: 3 } as const;
const sides = 4;
/** Slots that a new bank has to spare, so that the next reload finds room. */
const spare = 16;

export class Segments {
  readonly handles: SharedHandles;
  readonly threads: number;
  /** By slot; made when first needed. */
  private readonly indexes: Partial<Record<keyof SlotCounts, ReadonlyMap<number, number>>> = {};
  /** By object, or object and thread; made when first needed. Rows stay where they are, so reloads go on with them. */
  private readonly views: { readonly counters: Map<number, Float64Array>; readonly gauges: Map<number, Int32Array>; readonly shares: Map<number, Int32Array> };

  /** `former`: before a reload, in the same thread. */
  constructor(handles: SharedHandles, former?: Segments) {
    this.handles = handles;
    this.threads = handles.threads;
    this.views = former?.views ?? { counters: new Map(), gauges: new Map(), shares: new Map() };
  }

  static allocate(model: Model, threads: number): Segments {
    const count = { proxies: model.proxies.length, binds: model.binds.length, servers: model.servers.length };
    return new Segments({
      banks: [makeBank({ proxies: 0, binds: 0, servers: 0 }, count, threads)],
      slots: { proxies: [...model.proxies.keys()], binds: [...model.binds.keys()], servers: [...model.servers.keys()] },
      process: new SharedArrayBuffer(8 * (threads + 1) * processFields.length),
      stickTables: allocateStickTables(model),
      logs: Array.from({ length: threads }, () => LogRing.allocate()),
      suspects: Suspects.allocate(exchangeBackends(model).size > 0),
      threads,
    });
  }

  /** The same memory under another configuration, with one bank more if the slots need it. `former`: its model. */
  reloaded(model: Model, former: Model, changes: SlotChanges): Segments {
    const { handles, threads } = this;
    const last = handles.banks.at(-1) as SharedBank;
    const first = { proxies: last.first.proxies + last.count.proxies, binds: last.first.binds + last.count.binds, servers: last.first.servers + last.count.servers };
    const missing = (kind: keyof SlotCounts): number => changes.capacity[kind] > first[kind] ? changes.capacity[kind] - first[kind] + spare : 0;
    const count = { proxies: missing('proxies'), binds: missing('binds'), servers: missing('servers') };
    const grows = count.proxies + count.binds + count.servers > 0;
    const watched = exchangeBackends(model).size > 0;
    return new Segments({
      ...handles,
      banks: grows ? [...handles.banks, makeBank(first, count, threads)] : handles.banks,
      slots: changes.slots,
      stickTables: reloadStickTables(model, former, handles.stickTables),
      suspects: watched && handles.suspects.byteLength === 0 ? Suspects.allocate(true) : handles.suspects,
    }, this);
  }

  proxySlot(proxy: number): number { return this.handles.slots.proxies[proxy] ?? -1; }
  serverSlot(server: number): number { return this.handles.slots.servers[server] ?? -1; }
  /** Index in this configuration, −1 = none. */
  proxyAt(slot: number): number { return this.indexAt('proxies', slot); }
  serverAt(slot: number): number { return this.indexAt('servers', slot); }
  bindAt(slot: number): number { return this.indexAt('binds', slot); }

  private indexAt(kind: keyof SlotCounts, slot: number): number {
    const indexes = this.indexes[kind] ??= new Map(this.handles.slots[kind].map((each, index) => [each, index]));
    return indexes.get(slot) ?? -1;
  }

  frontendObject(proxy: number): number { return this.proxySlot(proxy) * sides + side.front; }
  backendObject(proxy: number): number { return this.proxySlot(proxy) * sides + side.back; }
  listenerObject(bind: number): number { return (this.handles.slots.binds[bind] ?? -1) * sides + side.listener; }
  serverObject(server: number): number { return this.serverSlot(server) * sides + side.server; }

  /** A slot is given to somebody else: nothing of the former object stays. */
  clearSlot(kind: keyof SlotCounts, slot: number): void {
    const which = kind === 'proxies' ? [side.front, side.back] : kind === 'binds' ? [side.listener] : [side.server];
    for (const one of which) {
      const object = slot * sides + one;
      for (let thread = 0; thread <= this.threads; thread++) this.counters(object, thread).fill(0);
      for (let thread = 0; thread < this.threads; thread++) this.gaugeShare(object, thread).fill(0);
      this.gauges(object).fill(0);
    }
    for (const { first, count, serverStates, backendStates } of this.handles.banks) {
      const at = slot - first[kind];
      if (at < 0 || at >= count[kind]) continue;
      if (kind === 'servers') new Int32Array(serverStates, 4 * serverStateFieldCount * at, serverStateFieldCount).fill(0);
      if (kind === 'proxies') new Int32Array(backendStates, 4 * backendStateFieldCount * at, backendStateFieldCount).fill(0);
    }
  }

  /** Every object of this configuration. */
  objects(): number[] {
    const { proxies, binds, servers } = this.handles.slots;
    return [
      ...proxies.map((slot) => slot * sides + side.front), ...proxies.map((slot) => slot * sides + side.back),
      ...binds.map((slot) => slot * sides + side.listener), ...servers.map((slot) => slot * sides + side.server),
    ];
  }

  /** Counters of one object for one thread (thread = threads: the control thread's). */
  counters(object: number, thread: number): Float64Array {
    return viewOf(this.views.counters, object * (this.threads + 1) + thread, () => {
      const bank = this.bankOf(object);
      return new Float64Array(bank.counters, 8 * counterFieldCount * (rowOf(bank, object) * (this.threads + 1) + thread), counterFieldCount);
    });
  }

  gauges(object: number): Int32Array {
    return viewOf(this.views.gauges, object, () => {
      const bank = this.bankOf(object);
      return new Int32Array(bank.gauges, 4 * gaugeFieldCount * rowOf(bank, object), gaugeFieldCount);
    });
  }

  /** What one traffic thread has added to an object's gauges and not taken away yet. */
  gaugeShare(object: number, thread: number): Int32Array {
    return viewOf(this.views.shares, object * this.threads + thread, () => {
      const bank = this.bankOf(object);
      return new Int32Array(bank.gaugeShares, 4 * gaugeFieldCount * (rowOf(bank, object) * this.threads + thread), gaugeFieldCount);
    });
  }

  private bankOf(object: number): SharedBank {
    const slot = Math.floor(object / sides);
    const kind = kindOf(object);
    for (const bank of this.handles.banks) if (slot < bank.first[kind] + bank.count[kind]) return bank;
    throw new RangeError(`there is no slot ${slot} of ${kind}`);
  }

  /** A thread starts: what a predecessor that died left in the gauges is taken back. */
  reclaimGauges(thread: number): void {
    for (const object of this.slotsTaken()) {
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
    const slot = this.serverSlot(server);
    const bank = this.bankOf(slot * sides + side.server);
    return new Int32Array(bank.serverStates, 4 * serverStateFieldCount * (slot - bank.first.servers), serverStateFieldCount);
  }

  backendState(proxy: number): Int32Array {
    const slot = this.proxySlot(proxy);
    const bank = this.bankOf(slot * sides + side.back);
    return new Int32Array(bank.backendStates, 4 * backendStateFieldCount * (slot - bank.first.proxies), backendStateFieldCount);
  }

  /** Every object there is memory for, in whatever configuration. */
  private slotsTaken(): number[] {
    const all: number[] = [];
    for (const { first, count } of this.handles.banks) {
      for (let slot = first.proxies; slot < first.proxies + count.proxies; slot++) all.push(slot * sides + side.front, slot * sides + side.back);
      for (let slot = first.binds; slot < first.binds + count.binds; slot++) all.push(slot * sides + side.listener);
      for (let slot = first.servers; slot < first.servers + count.servers; slot++) all.push(slot * sides + side.server);
    }
    return all;
  }

  /** `clear counters`: called by the thread that owns the counters. `all` false clears the maxima only. */
  clearCounters(thread: number, all: boolean): void {
    for (const object of this.slotsTaken()) {
      const counters = this.counters(object, thread);
      const open = counters[C.h1_open_conns] as number;
      if (all) counters.fill(0);
      else for (const field of clearableMaxima) counters[field] = 0;
      counters[C.h1_open_conns] = open;
    }
  }

  /** `clear counters`: highest numbers of sessions and queued requests start again. Any thread may. */
  clearHighest(): void {
    for (const object of this.slotsTaken()) {
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

function viewOf<V>(views: Map<number, V>, key: number, make: () => V): V {
  let view = views.get(key);
  if (view === undefined) {
    view = make();
    views.set(key, view);
  }
  return view;
}

function makeBank(first: SlotCounts, count: SlotCounts, threads: number): SharedBank {
  const rows = 2 * count.proxies + count.binds + count.servers;
  return {
    first, count,
    counters: new SharedArrayBuffer(8 * rows * (threads + 1) * counterFieldCount),
    gauges: new SharedArrayBuffer(4 * rows * gaugeFieldCount),
    gaugeShares: new SharedArrayBuffer(4 * rows * threads * gaugeFieldCount),
    serverStates: new SharedArrayBuffer(4 * count.servers * serverStateFieldCount),
    backendStates: new SharedArrayBuffer(4 * count.proxies * backendStateFieldCount),
  };
}

function kindOf(object: number): keyof SlotCounts {
  const which = object % sides;
  return which === side.listener ? 'binds' : which === side.server ? 'servers' : 'proxies';
}

function rowOf({ first, count }: SharedBank, object: number): number {
  const slot = Math.floor(object / sides);
  switch (object % sides) {
    case side.front: return slot - first.proxies;
    case side.back: return count.proxies + slot - first.proxies;
    case side.listener: return 2 * count.proxies + slot - first.binds;
    default: return 2 * count.proxies + count.binds + slot - first.servers;
  }
}
