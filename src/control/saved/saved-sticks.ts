/**
 * Stick tables over restarts: read back by name before the traffic threads start; afterwards what has changed is written once a second, some
 * at a time, so that nobody waits: who uses a table meanwhile waits for a few list operations at most. A server is kept by its name; entries of a
 * server that is gone are not read back. Made by saved-state.ts.
 */
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../model/limits.ts';
import type { Model, Proxy } from '../../model/model.ts';
import type { Segments } from '../../shared/segments.ts';
import type { SharedStickTable } from '../../shared/stick-table.ts';
import { SeenStickEntries, StickTables } from '../../shared/stick-table.ts';
import type { SavedDatabase, SavedStick } from './database.ts';

interface Followed {
  /** In the file: a table of other keys is another table. */
  readonly name: string;
  readonly table: SharedStickTable;
  readonly buffer: SharedArrayBuffer;
  readonly seen: SeenStickEntries;
}

export class SavedSticks {
  readonly #database: SavedDatabase;
  readonly #clock: Clock;
  #tables: readonly Followed[] = [];
  /** By index. */
  #serverNames: readonly string[] = [];
  /** By name. */
  #servers: ReadonlyMap<string, number> = new Map();
  /** What former processes wrote is still in the file. */
  #former = true;
  #writing = false;

  constructor(database: SavedDatabase, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** At start and at a reload: tables that are new here get back what the file remembers. Gives the number of entries. */
  follow(model: Model, segments: Segments): number {
    const known = new Map(this.#tables.map((one) => [one.buffer, one]));
    const tables = new StickTables(model, segments.handles, this.#clock);
    this.#serverNames = model.servers.map((server) => `${model.proxies[server.proxy]?.name ?? ''}/${server.name}`);
    this.#servers = new Map(this.#serverNames.map((name, index) => [name, index]));
    let restored = 0;
    this.#tables = segments.handles.stickTables.flatMap(({ proxy: index, buffer }) => {
      const proxy = model.proxies[index];
      const table = tables.table(index);
      if (proxy === undefined || table === undefined) return [];
      const before = known.get(buffer);
      const one = { name: tableName(proxy), table, buffer, seen: before?.seen ?? new SeenStickEntries(table.size) };
      if (before === undefined) restored += this.#restore(one);
      return [one];
    });
    return restored;
  }

  #restore({ name, table }: Followed): number {
    const entries = this.#database.sticks(name);
    // Written by this very process for a table of that name which a reload has replaced.
    if (!this.#former) this.#database.forgetSticks(name);
    return this.#takeIn(table, table.config.nopurge ? entries.slice(-table.size) : entries);
  }

  #takeIn(table: SharedStickTable, entries: readonly SavedStick[]): number {
    let taken = 0;
    for (const { key, server, renewedMs } of entries) {
      const index = server === '' ? -1 : this.#servers.get(server);
      if (key !== null && index !== undefined && table.restore(key, index, renewedMs)) taken += 1;
    }
    return taken;
  }

  /** Once a second. Resolves when all that had changed is written; throws what SQLite throws. */
  async save(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    try {
      for (const one of this.#tables) {
        this.#takeIn(one.table, this.#database.inheritSticks(one.name));
        const changed = one.table.changed(one.seen);
        for (let from = 0; from < changed.length; from += limits.savedStickSliceEntries) {
          if (from > 0 && !await this.#others()) return;
          this.#write(one, changed.slice(from, from + limits.savedStickSliceEntries));
        }
      }
      while (this.#former && this.#database.forgetFormerSticks()) if (!await this.#others()) return;
      this.#former = false;
    } finally {
      this.#writing = false;
    }
  }

  /** Lets others have their turn. False: the end has come meanwhile, and all is written. */
  async #others(): Promise<boolean> {
    await new Promise((resolve) => { setImmediate(resolve); });
    return this.#writing;
  }

  /** At the end, in one go. */
  saveAll(): void {
    this.#writing = false;
    for (const one of this.#tables) this.#write(one, one.table.changed(one.seen));
    while (this.#former && this.#database.forgetFormerSticks()) continue;
    this.#former = false;
  }

  #write(one: Followed, places: readonly number[]): void {
    const entries = one.table.raw(places, one.seen);
    if (entries.length === 0) return;
    try {
      this.#database.writeSticks(entries.map(({ number, key, server, renewedMs }) => ({ table: one.name, place: number, key, server: this.#serverNames[server] ?? '', renewedMs })));
    } catch (error) {
      for (const { number } of entries) one.seen.forget(number);
      throw error;
    }
  }
}

function tableName({ name, stickTable }: Proxy): string {
  return `${name} ${stickTable?.type ?? ''} ${stickTable?.keyBytes ?? 0}`;
}
