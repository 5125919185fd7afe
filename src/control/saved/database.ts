/**
 * The file that keeps counters and hand-set states over restarts: SQLite through node:sqlite, in WAL mode, so that a process that is killed
 * loses what was not committed yet and nothing else. A damaged file is set aside with a message and a new one is begun: it is never a
 * reason not to start. The process that opened it last owns the figures; one that drains beside it (a reload by take-over) leaves what it still
 * counts as a legacy, which the owner takes in. Used by saved-state.ts.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

const fileName = 'counters.sqlite';
/** Changes when the tables do; a file of another version is set aside. */
const version = 1;

/** One row: an object's name and its figures as JSON. */
export interface SavedRow { readonly name: string; readonly data: string }

export class SavedDatabase {
  /** When counting began: Date.now() of the first start with this file. */
  readonly sinceMs: number;
  readonly #database: DatabaseSync;
  readonly #write: StatementSync;
  readonly #leave: StatementSync;
  readonly #owner: StatementSync;

  private constructor(database: DatabaseSync, nowMs: number) {
    this.#database = database;
    database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=1000;
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS figures (name TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS legacy (name TEXT NOT NULL, data TEXT NOT NULL) STRICT;
      INSERT OR IGNORE INTO meta VALUES ('version', ${version}), ('since', ${Math.floor(nowMs)});`);
    const meta = new Map(database.prepare('SELECT name, value FROM meta').all().map((row) => [row['name'], Number(row['value'])]));
    if (meta.get('version') !== version) throw new Error(`it is of version ${meta.get('version') ?? 0}`);
    const check = database.prepare('PRAGMA quick_check(1)').get();
    if (Object.values(check ?? {})[0] !== 'ok') throw new Error('its pages are damaged');
    this.sinceMs = meta.get('since') ?? nowMs;
    this.#write = database.prepare('INSERT INTO figures (name, data) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data');
    this.#leave = database.prepare('INSERT INTO legacy (name, data) VALUES (?, ?)');
    this.#owner = database.prepare(`SELECT value FROM meta WHERE name = 'owner'`);
  }

  /** Undefined when nothing can be kept in this folder; `warn` hears why. */
  static open(folder: string, nowMs: number, warn: (text: string) => void): SavedDatabase | undefined {
    const path = join(folder, fileName);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o750 });
      return SavedDatabase.#openFile(path, nowMs);
    } catch (error) {
      try {
        const aside = `${path}.damaged-${Math.floor(nowMs)}`;
        renameSync(path, aside);
        for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
        warn(`${path} cannot be used (${(error as Error).message}): it was set aside as ${aside}, counters begin anew`);
        return SavedDatabase.#openFile(path, nowMs);
      } catch (second) {
        warn(`counters are not kept over restarts: ${path}: ${(second as Error).message}`);
        return undefined;
      }
    }
  }

  static #openFile(path: string, nowMs: number): SavedDatabase {
    const { DatabaseSync: Database } = createRequire(import.meta.url)('node:sqlite') as typeof import('node:sqlite');
    const database = new Database(path);
    try {
      return new SavedDatabase(database, nowMs);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Makes this process the owner, and gives all figures as they are at that moment. */
  claim(owner: number): SavedRow[] {
    return this.#transaction(() => {
      this.#database.prepare(`INSERT INTO meta VALUES ('owner', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`).run(owner);
      return this.#all('figures');
    });
  }

  /**
   * The owner writes `rows` and gets what others have left; anybody else leaves `legacy`. All or nothing. Throws what SQLite throws (disk full …).
   */
  write(owner: number, rows: readonly SavedRow[], legacy: () => readonly SavedRow[]): readonly SavedRow[] | 'not the owner' {
    return this.#transaction(() => {
      if (Number(this.#owner.get()?.['value']) !== owner) {
        for (const row of legacy()) this.#leave.run(row.name, row.data);
        return 'not the owner';
      }
      for (const row of rows) this.#write.run(row.name, row.data);
      const left = this.#all('legacy');
      if (left.length > 0) this.#database.exec('DELETE FROM legacy');
      return left;
    });
  }

  #all(table: 'figures' | 'legacy'): SavedRow[] {
    return this.#database.prepare(`SELECT name, data FROM ${table}`).all().map((row) => ({ name: String(row['name']), data: String(row['data']) }));
  }

  #transaction<T>(run: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = run();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }
}
