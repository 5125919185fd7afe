/**
 * Counters, states set by hand and stick tables over restarts: read back by name before the traffic threads start, written once a second
 * afterwards and at the end, what has changed only. What is read back is counted as the control thread's own share, so that nobody else has to
 * know of it. Made by process/balancer.ts when the `poise` section has a `state-folder`. Names that are no longer configured stay in the file.
 */
import type { Clock } from '../../base/clock.ts';
import { type CounterField, counterFields, G, type GaugeField, maxFields } from '../../model/counters.ts';
import type { Model } from '../../model/model.ts';
import { P, type ProcessField, type Segments } from '../../shared/segments.ts';
import { objectTotals } from '../../shared/totals.ts';
import { type Counting, type Figures, processObject } from '../counting.ts';
import type { ServerStates } from '../server-states.ts';
import type { SavedDatabase, SavedRow } from './database.ts';
import { type KeptObject, keptObjects } from './objects.ts';
import { SavedSticks } from './saved-sticks.ts';
import { type Moments, type Remembered, ServerMemory } from './server-memory.ts';

/** Highest values that a report shows; current ones are not kept. */
const highest: readonly GaugeField[] = ['smax', 'qmax', 'rate_max', 'req_rate_max', 'conn_rate_max'];
const passing: readonly CounterField[] = ['h1_open_conns'];
const processTotals: readonly ProcessField[] = ['connections', 'requests', 'ssl_connections', 'bytes_out', 'ssl_handshakes', 'ssl_reused', 'dropped_logs', 'server_ssl_handshakes', 'maxconn_reached', 'failed_resolutions'];
const processName = 'process';
const keptFields = counterFields.filter((name) => !passing.includes(name));
/** So often at least, so that a later process knows when this one ended. */
const tellTimeMs = 10_000;

/** What is set by hand of frontends and of the process; admin/ has it. */
interface HandSettings {
  frontend(proxy: number): Figures;
  restoreFrontend(proxy: number, figures: Figures): void;
  process(): Figures;
  restoreProcess(figures: Figures): void;
}

/** What goes over to another configuration. */
interface SavedParts {
  readonly model: Model;
  readonly segments: Segments;
  readonly states: ServerStates;
}

interface SavedGround {
  readonly clock: Clock;
  readonly counting: Counting;
  readonly settings: HandSettings;
  readonly warn: (text: string) => void;
}

export class SavedState {
  readonly #database: SavedDatabase;
  readonly #ground: SavedGround;
  readonly #sticks: SavedSticks;
  #parts: SavedParts;
  #memory: ServerMemory;
  #objects: readonly KeptObject[];
  /** What the file holds of each name. */
  readonly #written = new Map<string, string>();
  #moments: Moments = { writtenAtMs: 0, nowMs: 0 };
  #toldAtMs = 0;
  #known: ReadonlySet<string> = new Set();
  #failing = false;

  constructor(database: SavedDatabase, parts: SavedParts, ground: SavedGround) {
    const { model, segments, states } = parts;
    this.#database = database;
    this.#parts = parts;
    this.#ground = ground;
    this.#objects = keptObjects(model, segments);
    this.#memory = new ServerMemory(model, segments, states);
    this.#sticks = new SavedSticks(database, ground.clock);
  }

  /** Before any thread counts, and before checks run. Throws what SQLite throws. */
  restore(): void {
    const { figures, writtenAtMs } = this.#database.claim();
    for (const { name, data } of figures) this.#written.set(name, data);
    this.#known = new Set(figures.map(({ name }) => name));
    this.#moments = { writtenAtMs, nowMs: this.#ground.clock.dateMs() };
    this.#ground.counting.lasts = true;
    this.#restoreProcess();
    this.#restoreObjects(this.#objects);
    this.#sticks.follow(this.#parts.model, this.#parts.segments);
  }

  /** The file knew an object of this name when the process started. */
  remembers(name: string): boolean {
    return this.#known.has(name);
  }

  /** A reload, after a save() of what was: what it added counts on from what the file remembers of an object of that name. */
  follow(parts: SavedParts): void {
    const { model, segments, states } = parts;
    this.#try(() => this.#sticks.saveAll());
    const known = new Set(this.#objects.map(({ name }) => name));
    this.#parts = parts;
    this.#memory = new ServerMemory(model, segments, states);
    this.#objects = keptObjects(model, segments);
    this.#moments = { writtenAtMs: 0, nowMs: this.#ground.clock.dateMs() };
    this.#restoreObjects(this.#objects.filter(({ name }) => !known.has(name)));
    this.#try(() => this.#sticks.follow(model, segments));
  }

  #restoreProcess(): void {
    const figures = numbersOf(readFigures(this.#written.get(processName)) ?? {});
    const own = this.#parts.segments.process(this.#parts.segments.threads);
    for (const field of processTotals) own[P[field]] = figures[field] ?? 0;
    this.#begin(processObject, figures);
    this.#ground.settings.restoreProcess(figures);
  }

  #restoreObjects(objects: readonly KeptObject[]): void {
    for (const kept of objects) if (kept.kind !== 'backend') this.#restoreObject(kept);
    for (const kept of objects) if (kept.kind === 'backend') this.#restoreObject(kept);
  }

  #restoreObject({ index, kind, name, object }: KeptObject): void {
    const { counting, settings } = this.#ground;
    const { segments } = this.#parts;
    const remembered = readFigures(this.#written.get(name));
    if (remembered === undefined) {
      counting.begin(object, this.#moments.nowMs, {});
      return;
    }
    const figures = numbersOf(remembered);
    const own = segments.counters(object, segments.threads);
    const gauges = segments.gauges(object);
    for (const field of keptFields) own[counterFields.indexOf(field)] = figures[field] ?? 0;
    for (const field of highest) Atomics.store(gauges, G[field], figures[field] ?? 0);
    if (kind === 'server') this.#memory.restoreServer(index, remembered, this.#moments);
    else if (kind === 'backend') this.#memory.restoreBackend(index, remembered, this.#moments);
    else if (kind === 'frontend') settings.restoreFrontend(index, figures);
    this.#begin(object, figures);
  }

  #begin(object: number, figures: Figures): void {
    this.#ground.counting.begin(object, figures['since_ms'] ?? this.#database.sinceMs, figures);
  }

  /** Once a second, and at the end: all but stick tables. */
  save(): void {
    const rows: SavedRow[] = [];
    for (const kept of this.#objects) this.#collect(rows, kept.name, this.#figures(kept));
    this.#collect(rows, processName, this.#processFigures());
    const nowMs = this.#ground.clock.dateMs();
    const tellsTime = rows.length > 0 || nowMs - this.#toldAtMs >= tellTimeMs;
    this.#try(() => {
      const left = this.#database.write(tellsTime ? nowMs : 0, rows, () => rows.map((row) => this.#difference(row)));
      if (tellsTime) this.#toldAtMs = nowMs;
      for (const row of rows) this.#written.set(row.name, row.data);
      if (left !== 'not the owner') for (const row of left) this.#inherit(row);
    });
  }

  /** Once a second; a table with many changes may take several turns. */
  async saveSticks(): Promise<void> {
    try {
      await this.#sticks.save();
    } catch (error) {
      this.#failed(error);
    }
  }

  close(): void {
    this.save();
    this.#try(() => this.#sticks.saveAll());
    this.#database.close();
  }

  #try(run: () => void): void {
    try {
      run();
      this.#failing = false;
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!this.#failing) this.#ground.warn(`${this.#database.path}: counters cannot be kept: ${(error as Error).message}; it is tried again each second`);
    this.#failing = true;
  }

  #collect(rows: SavedRow[], name: string, figures: Remembered): void {
    const data = JSON.stringify(figures);
    if (this.#written.get(name) !== data) rows.push({ name, data });
  }

  /** What was counted since the file was written last. */
  #difference(row: SavedRow): SavedRow {
    const before = readFigures(this.#written.get(row.name)) ?? {};
    const now = numbersOf(readFigures(row.data) ?? {});
    // After `clear counters all` a figure may be less than it was.
    const summed = Object.entries(now).filter(([field]) => isSum(field)).map(([field, value]) => [field, Math.max(0, value - Number(before[field] ?? 0))]);
    return { name: row.name, data: JSON.stringify(Object.fromEntries(summed)) };
  }

  /** Another process has counted this on its way out. */
  #inherit(row: SavedRow): void {
    const { segments } = this.#parts;
    const figures = numbersOf(readFigures(row.data) ?? {});
    if (row.name === processName) {
      const own = segments.process(segments.threads);
      for (const [field, value] of Object.entries(figures)) own[P[field as ProcessField]] = (own[P[field as ProcessField]] ?? 0) + value;
      this.#ground.counting.inherit(processObject, figures);
      return;
    }
    const kept = this.#objects.find((one) => one.name === row.name);
    if (kept === undefined) return;
    const own = segments.counters(kept.object, segments.threads);
    for (const [field, value] of Object.entries(figures)) {
      const offset = counterFields.indexOf(field as CounterField);
      if (offset >= 0) own[offset] = (own[offset] ?? 0) + value;
    }
    this.#ground.counting.inherit(kept.object, figures);
  }

  #processFigures(): Remembered {
    const { segments } = this.#parts;
    const figures: Record<string, number> = { since_ms: this.#ground.counting.sinceMs(processObject), ...this.#ground.settings.process() };
    for (const field of processTotals) {
      let sum = 0;
      for (let thread = 0; thread <= segments.threads; thread++) sum += segments.process(thread)[P[field]] ?? 0;
      if (sum !== 0) figures[field] = sum;
    }
    return figures;
  }

  /** Zeroes are left out. */
  #figures({ index, kind, object }: KeptObject): Remembered {
    const figures: Record<string, number | string> = { since_ms: this.#ground.counting.sinceMs(object) };
    const totals = objectTotals(this.#parts.segments, object);
    for (const field of keptFields) {
      const value = totals[counterFields.indexOf(field)] ?? 0;
      if (value !== 0) figures[field] = maxFields.includes(field) ? value : Math.round(value * 1000) / 1000;
    }
    const gauges = this.#parts.segments.gauges(object);
    for (const field of highest) {
      const value = Atomics.load(gauges, G[field]);
      if (value > 0) figures[field] = value;
    }
    if (kind === 'server') this.#memory.addServer(index, figures);
    else if (kind === 'backend') this.#memory.addBackend(index, figures);
    else if (kind === 'frontend') Object.assign(figures, this.#ground.settings.frontend(index));
    return figures;
  }
}

/** True for figures that two processes' shares of are added up. */
function isSum(field: string): boolean {
  const counted = (counterFields as readonly string[]).includes(field) && !(maxFields as readonly string[]).includes(field) && !field.endsWith('_avg') && field !== 'time_samples';
  return counted || (processTotals as readonly string[]).includes(field);
}

function numbersOf(remembered: Remembered): Figures {
  return Object.fromEntries(Object.entries(remembered).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}

function readFigures(data: string | undefined): Remembered | undefined {
  if (data === undefined) return undefined;
  try {
    const read: unknown = JSON.parse(data);
    return typeof read === 'object' && read !== null ? read as Remembered : undefined;
  } catch {
    return undefined;
  }
}
