/**
 * The file that keeps counters, states set by hand and stick tables over restarts: SQLite through node:sqlite, in WAL mode, so that a process
 * that is killed loses what was not committed yet and nothing else. A damaged file is set aside with a message and a new one is begun: it is
 * never a reason not to start. The process that opened it last owns the figures; one that drains beside it (a take-over) leaves what it still
 * counts as a legacy, which the owner takes in. Used by saved-state.ts and saved-sticks.ts.
 */
import { chownSync, closeSync, existsSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { limits } from '../../model/limits.ts';

const fileName = 'counters.sqlite';
const companions = ['-wal', '-shm'];
/** Changes when the tables do; a file of another version is set aside. */
const version = 2;
/** A stick entry of a process has its place there and the number of the process, so that a table can be written anew beside the one that was read. */
const tables = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS figures (name TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS legacy (name TEXT NOT NULL, data TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS sticks (generation INTEGER NOT NULL, tbl TEXT NOT NULL, place INTEGER NOT NULL, key BLOB NOT NULL, server TEXT NOT NULL,
    renewed INTEGER NOT NULL, PRIMARY KEY (generation, tbl, place)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS legacy_sticks (tbl TEXT NOT NULL, key BLOB NOT NULL, server TEXT NOT NULL, renewed INTEGER NOT NULL) STRICT;`;

/** One row: an object's name and its figures as JSON. */
export interface SavedRow { readonly name: string; readonly data: string }

export interface SavedStick {
  readonly table: string;
  /** Place in the table's memory. */
  readonly place: number;
  /** Null: the place has become empty. */
  readonly key: Uint8Array | null;
  /** `backend/server`, '' = none. */
  readonly server: string;
  readonly renewedMs: number;
}

/** Whom the file is to belong to when this process gives up root; 0 = nobody else. */
interface FileOwner { readonly uid: number; readonly gid: number }

type Statements = Readonly<Record<'write' | 'leave' | 'meta' | 'setMeta' | 'putStick' | 'dropStick' | 'leaveStick' | 'forget', StatementSync>>;

export class SavedDatabase {
  /** When counting began: Date.now() of the first start with this file. */
  readonly sinceMs: number;
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  /** Processes are counted as they claim. */
  #generation = 0;

  private constructor(database: DatabaseSync, path: string, nowMs: number) {
    this.#database = database;
    this.path = path;
    database.exec('PRAGMA busy_timeout=1000; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;');
    const check = database.prepare('PRAGMA quick_check(1)').get();
    if (Object.values(check ?? {})[0] !== 'ok') throw new Error('its pages are damaged');
    this.#make(database, nowMs);
    const prepare = (text: string): StatementSync => database.prepare(text);
    this.#statements = {
      write: prepare('INSERT INTO figures (name, data) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data'),
      leave: prepare('INSERT INTO legacy (name, data) VALUES (?, ?)'),
      meta: prepare('SELECT value FROM meta WHERE name = ?'),
      setMeta: prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'),
      putStick: prepare(`INSERT INTO sticks VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (generation, tbl, place) DO UPDATE SET key = excluded.key, server = excluded.server, renewed = excluded.renewed`),
      dropStick: prepare('DELETE FROM sticks WHERE generation = ? AND tbl = ? AND place = ?'),
      forget: prepare('DELETE FROM sticks WHERE (generation, tbl, place) IN (SELECT generation, tbl, place FROM sticks WHERE generation < ? LIMIT ?)'),
      leaveStick: prepare('INSERT INTO legacy_sticks VALUES (?, ?, ?, ?)'),
    };
    this.sinceMs = this.#meta('since', nowMs);
  }

  /** Two processes may do this at once. */
  #make(database: DatabaseSync, nowMs: number): void {
    database.exec('BEGIN IMMEDIATE');
    const known = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    const isNew = Number(database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] ?? 0) === 0;
    // 0: the first files had no number, and no stick tables.
    if (!isNew && known !== 0 && known !== version) throw new Error(`it is of version ${known}, not ${version}`);
    database.exec(`${tables} PRAGMA user_version=${version}; INSERT OR IGNORE INTO meta VALUES ('since', ${Math.floor(nowMs)}); COMMIT`);
  }

  /** Undefined when nothing can be kept in this folder; `warn` hears why. */
  static open(folder: string, nowMs: number, owner: FileOwner, warn: (text: string) => void): SavedDatabase | undefined {
    const path = join(folder, fileName);
    try {
      makeFolder(folder);
      try {
        return SavedDatabase.#openFile(path, nowMs, owner);
      } catch (error) {
        if (!isDamage(error)) throw error;
        const aside = `${path}.damaged-${Math.floor(nowMs)}`;
        for (const suffix of ['', ...companions]) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
        warn(`${path} cannot be used (${error.message}): it was set aside as ${aside}, counters begin anew`);
        return SavedDatabase.#openFile(path, nowMs, owner);
      }
    } catch (error) {
      warn(`counters are not kept over restarts: ${path}: ${(error as Error).message}`);
      return undefined;
    }
  }

  static #openFile(path: string, nowMs: number, { uid, gid }: FileOwner): SavedDatabase {
    const { DatabaseSync: Database } = createRequire(import.meta.url)('node:sqlite') as typeof import('node:sqlite');
    // Keys of stick tables may be session cookies: nobody else reads them. SQLite gives its other files the same mode.
    if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
    const database = new Database(path);
    try {
      const saved = new SavedDatabase(database, path, nowMs);
      if (process.getuid?.() === 0 && (uid > 0 || gid > 0)) {
        for (const file of [dirname(path), path, ...companions.map((suffix) => path + suffix)]) chownSync(file, uid, gid);
      }
      return saved;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Makes this process the owner, and gives all figures as they are at that moment, and when they were written last. */
  claim(): { readonly figures: SavedRow[]; readonly writtenAtMs: number } {
    const claimed = this.#transaction(() => {
      this.#generation = this.#meta('generation', 0) + 1;
      this.#statements.setMeta.run('generation', this.#generation);
      return { figures: this.#all('figures'), writtenAtMs: this.#meta('written', 0) };
    });
    // From now on somebody waits for this thread; what is not written now is written a second later.
    this.#database.exec('PRAGMA busy_timeout=100');
    return claimed;
  }

  /**
   * The owner writes `rows`, and when that was unless `nowMs` is 0, and gets what others have left; anybody else leaves `legacy`. All or nothing. Throws what SQLite throws (disk full …).
   */
  write(nowMs: number, rows: readonly SavedRow[], legacy: () => readonly SavedRow[]): readonly SavedRow[] | 'not the owner' {
    return this.#transaction(() => {
      if (!this.#isOwner()) {
        for (const row of legacy()) this.#statements.leave.run(row.name, row.data);
        return 'not the owner';
      }
      for (const row of rows) this.#statements.write.run(row.name, row.data);
      if (nowMs > 0) this.#statements.setMeta.run('written', Math.floor(nowMs));
      const left = this.#all('legacy');
      if (left.length > 0) this.#database.exec('DELETE FROM legacy');
      return left;
    });
  }

  /** What is kept of a stick table, by the time of last use; of two entries with the same key the later one counts. */
  sticks(table: string): readonly SavedStick[] {
    return this.#sticksOf(this.#database.prepare('SELECT place, key, server, renewed FROM sticks WHERE tbl = ? ORDER BY renewed'), table);
  }

  #sticksOf(statement: StatementSync, table: string, ...more: SQLInputValue[]): SavedStick[] {
    return statement.all(table, ...more).map((row) => ({
      table, place: Number(row['place']), key: row['key'] instanceof Uint8Array ? row['key'] : new Uint8Array(), server: String(row['server']), renewedMs: Number(row['renewed']),
    }));
  }

  /** The owner's own entries; somebody else's wait for the owner. */
  writeSticks(entries: readonly SavedStick[]): void {
    const { dropStick, leaveStick, putStick } = this.#statements;
    this.#transaction(() => {
      const isOwner = this.#isOwner();
      for (const { table, place, key, server, renewedMs } of entries) {
        if (!isOwner) {
          if (key !== null) leaveStick.run(table, key, server, Math.floor(renewedMs));
        } else if (key === null) dropStick.run(this.#generation, table, place);
        else putStick.run(this.#generation, table, place, key, server, Math.floor(renewedMs));
      }
    });
  }

  /** What others have left for this table. Empty for who is not the owner. */
  inheritSticks(table: string): readonly SavedStick[] {
    return this.#transaction(() => {
      if (!this.#isOwner()) return [];
      const left = this.#sticksOf(this.#database.prepare('SELECT 0 AS place, key, server, renewed FROM legacy_sticks WHERE tbl = ? ORDER BY renewed'), table);
      if (left.length > 0) this.#database.prepare('DELETE FROM legacy_sticks WHERE tbl = ?').run(table);
      return left;
    });
  }

  /** All that this process has taken over is written anew: what former ones wrote is not needed any more. True: there is more of it. */
  forgetFormerSticks(): boolean {
    return this.#transaction(() => this.#isOwner() && Number(this.#statements.forget.run(this.#generation, limits.savedStickSliceEntries).changes) > 0);
  }

  /** The table was read back and will be written anew at other places. */
  forgetSticks(table: string): void {
    this.#transaction(() => { this.#database.prepare('DELETE FROM sticks WHERE generation = ? AND tbl = ?').run(this.#generation, table); });
  }

  /** The last one that claimed. */
  #isOwner(): boolean {
    return this.#meta('generation', 0) === this.#generation;
  }

  #meta(name: string, fallback: number): number {
    return Number((this.#statements.meta.get(name) ?? { value: fallback })['value']);
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

/** One folder after the other: where none can be made, as in /proc, Node's recursive mkdir tries for ever. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o750 });
}

/** Result codes of SQLite that tell of the place and not of the file: perm, busy, locked, nomem, readonly, ioerr, full, cantopen, auth. */
const placeErrors: readonly unknown[] = [3, 5, 6, 7, 8, 10, 13, 14, 23];
/** An I/O error, but that of a file which is too short. */
const shortRead = 522;

/** False: another file would meet the same trouble. Errors without a code are those thrown here. */
function isDamage(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { errcode, code } = error as { readonly errcode?: unknown; readonly code?: unknown };
  if (typeof errcode === 'number') return errcode === shortRead || !placeErrors.includes(errcode & 0xff);
  return typeof code !== 'string';
}
