/**
 * Counters and states set by hand, over restarts: read back by name before the traffic threads start, written once a second afterwards and at
 * the end, changed objects only. What is read back is counted as the control thread's own share, so that nobody else has to know of it.
 * Made by process/balancer.ts when the `poise` section has a `state-folder`. Names that are no longer configured stay in the file.
 */
import { type CounterField, counterFields, G, type GaugeField, maxFields } from '../../model/counters.ts';
import type { Model } from '../../model/model.ts';
import { admin, S } from '../../model/server-state.ts';
import { P, type ProcessField, type Segments } from '../../shared/segments.ts';
import { objectTotals } from '../../shared/totals.ts';
import type { ServerStates } from '../server-states.ts';
import type { SavedDatabase, SavedRow } from './database.ts';

/** Highest values that a report shows; current ones are not kept. */
const highest: readonly GaugeField[] = ['smax', 'qmax', 'rate_max', 'req_rate_max', 'conn_rate_max'];
const passing: readonly CounterField[] = ['h1_open_conns'];
const processTotals: readonly ProcessField[] = ['connections', 'requests', 'ssl_connections', 'bytes_out', 'ssl_handshakes', 'ssl_reused', 'dropped_logs', 'server_ssl_handshakes', 'maxconn_reached', 'failed_resolutions'];
const processName = 'process';
const keptFields = counterFields.filter((name) => !passing.includes(name));

interface Kept { readonly name: string; readonly object: number; readonly server: number }

export class SavedState {
  readonly sinceMs: number;
  readonly #database: SavedDatabase;
  #segments: Segments;
  #states: ServerStates;
  #objects: readonly Kept[];
  /** What the file holds of each name. */
  readonly #written = new Map<string, string>();
  readonly #warn: (text: string) => void;
  #failing = false;

  constructor(database: SavedDatabase, model: Model, segments: Segments, states: ServerStates, warn: (text: string) => void) {
    this.#database = database;
    this.#segments = segments;
    this.#states = states;
    this.#warn = warn;
    this.sinceMs = database.sinceMs;
    this.#objects = objectsOf(model, segments);
  }

  /** Before any thread counts. */
  restore(): void {
    for (const { name, data } of this.#database.claim(process.pid)) this.#written.set(name, data);
    for (const kept of this.#objects) this.#restoreObject(kept);
    const figures = readFigures(this.#written.get(processName)) ?? {};
    const own = this.#segments.process(this.#segments.threads);
    for (const field of processTotals) own[P[field]] = figures[field] ?? 0;
  }

  /** A reload: what it added counts on from what the file remembers of an object of that name. */
  follow(model: Model, segments: Segments, states: ServerStates): void {
    this.save();
    const known = new Set(this.#objects.map(({ name }) => name));
    this.#segments = segments;
    this.#states = states;
    this.#objects = objectsOf(model, segments);
    for (const kept of this.#objects) if (!known.has(kept.name)) this.#restoreObject(kept);
  }

  #restoreObject(kept: Kept): void {
    const figures = readFigures(this.#written.get(kept.name));
    if (figures === undefined) return;
    const own = this.#segments.counters(kept.object, this.#segments.threads);
    const gauges = this.#segments.gauges(kept.object);
    for (const field of keptFields) own[counterFields.indexOf(field)] = figures[field] ?? 0;
    for (const field of highest) Atomics.store(gauges, G[field], figures[field] ?? 0);
    if (kept.server >= 0) this.#restoreServer(kept.server, figures);
  }

  /** Drain, maintenance and weights that somebody set by hand. */
  #restoreServer(server: number, figures: Readonly<Record<string, number>>): void {
    const flags = figures['admin'] ?? 0;
    if ((flags & admin.forcedMaint) !== 0) this.#states.setAdmin(server, 'maint');
    else if ((flags & admin.forcedDrain) !== 0) this.#states.setAdmin(server, 'drain');
    const weight = figures['uweight'];
    if (weight !== undefined) this.#states.setWeight(server, String(weight));
    const state = this.#segments.serverState(server);
    if (figures['downtime_s'] !== undefined) Atomics.store(state, S.downtime_s, figures['downtime_s']);
  }

  /** Once a second, and at the end. */
  save(): void {
    const rows: SavedRow[] = [];
    for (const kept of this.#objects) this.#collect(rows, kept.name, this.#figures(kept));
    this.#collect(rows, processName, this.#processFigures());
    try {
      const left = this.#database.write(process.pid, rows, () => rows.map((row) => this.#difference(row)));
      for (const row of rows) this.#written.set(row.name, row.data);
      if (left !== 'not the owner') for (const row of left) this.#inherit(row);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#warn(`counters cannot be kept: ${(error as Error).message}; it is tried again each second`);
      this.#failing = true;
    }
  }

  close(): void {
    this.save();
    this.#database.close();
  }

  #collect(rows: SavedRow[], name: string, figures: Readonly<Record<string, number>>): void {
    const data = JSON.stringify(figures);
    if ((this.#written.get(name) ?? '{}') !== data) rows.push({ name, data });
  }

  /** What was counted since the file was written last. */
  #difference(row: SavedRow): SavedRow {
    const before = readFigures(this.#written.get(row.name)) ?? {};
    const now = readFigures(row.data) ?? {};
    const summed = Object.entries(now).filter(([field]) => isSum(field)).map(([field, value]) => [field, value - (before[field] ?? 0)]);
    return { name: row.name, data: JSON.stringify(Object.fromEntries(summed)) };
  }

  /** Another process has counted this on its way out. */
  #inherit(row: SavedRow): void {
    const figures = Object.entries(readFigures(row.data) ?? {});
    if (row.name === processName) {
      const own = this.#segments.process(this.#segments.threads);
      for (const [field, value] of figures) own[P[field as ProcessField]] = (own[P[field as ProcessField]] ?? 0) + value;
      return;
    }
    const kept = this.#objects.find((one) => one.name === row.name);
    if (kept === undefined) return;
    const own = this.#segments.counters(kept.object, this.#segments.threads);
    for (const [field, value] of figures) {
      const offset = counterFields.indexOf(field as CounterField);
      if (offset >= 0) own[offset] = (own[offset] ?? 0) + value;
    }
  }

  #processFigures(): Record<string, number> {
    const figures: Record<string, number> = {};
    for (const field of processTotals) {
      let sum = 0;
      for (let thread = 0; thread <= this.#segments.threads; thread++) sum += this.#segments.process(thread)[P[field]] ?? 0;
      if (sum !== 0) figures[field] = sum;
    }
    return figures;
  }

  /** Zeroes are left out. */
  #figures(kept: Kept): Record<string, number> {
    const figures: Record<string, number> = {};
    const totals = objectTotals(this.#segments, kept.object);
    for (const field of keptFields) {
      const value = totals[counterFields.indexOf(field)] ?? 0;
      if (value !== 0) figures[field] = maxFields.includes(field) ? value : Math.round(value * 1000) / 1000;
    }
    const gauges = this.#segments.gauges(kept.object);
    for (const field of highest) {
      const value = Atomics.load(gauges, G[field]);
      if (value > 0) figures[field] = value;
    }
    if (kept.server >= 0) this.#addServer(kept.server, figures);
    return figures;
  }

  #addServer(server: number, figures: Record<string, number>): void {
    const state = this.#segments.serverState(server);
    const flags = Atomics.load(state, S.admin) & (admin.forcedMaint | admin.forcedDrain);
    const [weight, initial, downtime] = [Atomics.load(state, S.uweight), Atomics.load(state, S.iweight), Atomics.load(state, S.downtime_s)];
    if (flags !== 0) figures['admin'] = flags;
    if (weight !== initial) figures['uweight'] = weight;
    if (downtime !== 0) figures['downtime_s'] = downtime;
  }
}

function objectsOf(model: Model, segments: Segments): Kept[] {
  const found: Kept[] = [];
  for (const proxy of model.proxies) {
    if (proxy.isFrontend) found.push({ name: `frontend ${proxy.name}`, object: segments.frontendObject(proxy.index), server: -1 });
    if (proxy.isBackend) found.push({ name: `backend ${proxy.name}`, object: segments.backendObject(proxy.index), server: -1 });
    for (const bind of proxy.binds) found.push({ name: `listener ${proxy.name} ${model.binds[bind]?.text ?? bind}`, object: segments.listenerObject(bind), server: -1 });
    for (const server of proxy.servers) found.push({ name: `server ${proxy.name}/${model.servers[server]?.name ?? server}`, object: segments.serverObject(server), server });
  }
  return found;
}

/** True for figures that two processes' shares of are added up. */
function isSum(field: string): boolean {
  const counted = (counterFields as readonly string[]).includes(field) && !(maxFields as readonly string[]).includes(field) && !field.endsWith('_avg') && field !== 'time_samples';
  return counted || (processTotals as readonly string[]).includes(field);
}

function readFigures(data: string | undefined): Record<string, number> | undefined {
  if (data === undefined) return undefined;
  try {
    return JSON.parse(data) as Record<string, number>;
  } catch {
    return undefined;
  }
}
