/** Files of the state folder that are damaged, foreign, full or not ours: told, and never a reason not to start. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SavedDatabase } from '../../../src/control/saved/database.ts';
import { C } from '../../../src/model/counters.ts';
import { objectTotals } from '../../../src/shared/totals.ts';
import { folder, start } from './rig.ts';

const { DatabaseSync } = createRequire(import.meta.url)('node:sqlite') as typeof import('node:sqlite');
const configuration = `frontend fe
  bind 127.0.0.1:8080
  default_backend be
backend be
  stick-table type string len 16 size 1k expire 1m
  stick on hdr(x-id)
  server s1 127.0.0.1:81
`;
const nowMs = 1_700_000_500_000;
const file = 'counters.sqlite';

/** A folder with the files of a process that was killed after it had counted 5 sessions; `whole`: of one that ended. */
function used(whole: boolean): ReturnType<typeof folder> {
  const made = folder();
  const process = start(made.path, configuration, nowMs);
  assert(process !== undefined);
  process.count(process.segments.frontendObject(0), { stot: 5 });
  for (let number = 0; number < 500; number++) process.table('be').store(`k${number}`, 0);
  if (whole) {
    process.saved.close();
    return made;
  }
  process.saved.save();
  const copy = folder();
  for (const name of readdirSync(made.path)) copyFileSync(join(made.path, name), join(copy.path, name));
  process.saved.close();
  made.remove();
  return copy;
}

/** What a start on the folder counts, and the warnings; it can be used, and what it counts is there at the start after it. */
function begun(path: string): { sessions: number; warnings: string[] } {
  const warnings: string[] = [];
  const process = start(path, configuration, nowMs + 1000, warnings);
  assert(process !== undefined, warnings.join('\n'));
  const object = process.segments.frontendObject(0);
  const sessions = objectTotals(process.segments, object)[C.stot] ?? 0;
  process.count(object, { stot: 1 });
  process.saved.close();
  const next = start(path, configuration, nowMs + 2000, warnings);
  assert(next !== undefined);
  assert.equal(objectTotals(next.segments, object)[C.stot], sessions + 1);
  next.saved.close();
  return { sessions, warnings };
}

const setAside = /^.*counters\.sqlite cannot be used \(.+\): it was set aside as .*counters\.sqlite\.damaged-\d+, counters begin anew$/;

describe('a damaged state folder', () => {
  it('cut off at any kind of place', () => {
    const { path, remove } = used(true);
    const whole = readFileSync(join(path, file));
    for (const length of [0, 1, 50, 99, 100, 1000, 4095, 4096, 4097, 8192, whole.length - 4096, whole.length - 1]) {
      const other = folder();
      writeFileSync(join(other.path, file), whole.subarray(0, length));
      const { sessions, warnings } = begun(other.path);
      // Next to nothing is a new file.
      if (length <= 1) assert.deepEqual([sessions, warnings], [0, []]);
      else assert(sessions === 0 ? setAside.test(warnings.join('\n')) : sessions === 5 && warnings.length === 0, `${length}: ${sessions} ${warnings.join(' ')}`);
      other.remove();
    }
    remove();
  });

  it('with other bytes in any page', () => {
    const { path, remove } = used(true);
    const whole = readFileSync(join(path, file));
    for (let at = 0; at < whole.length; at += 4096) {
      const bytes = Buffer.from(whole);
      bytes.fill('poise', at, Math.min(at + 2000, bytes.length));
      const other = folder();
      writeFileSync(join(other.path, file), bytes);
      const { sessions, warnings } = begun(other.path);
      assert(sessions === 5 || setAside.test(warnings.join('\n')), `${at}: ${sessions} ${warnings.join(' ')}`);
      assert(warnings.length === 0 || readdirSync(other.path).some((name) => name.includes('.damaged-')));
      other.remove();
    }
    remove();
  });

  it('whose log was cut off: what is whole of it counts', () => {
    const { path, remove } = used(false);
    const log = readFileSync(join(path, `${file}-wal`));
    assert.equal(begun(path).sessions, 5);
    for (const length of [0, 10, 32, 5000, Math.floor(log.length / 2), log.length - 1]) {
      const { path: other, remove: done } = used(false);
      writeFileSync(join(other, `${file}-wal`), log.subarray(0, length));
      writeFileSync(join(other, `${file}-shm`), 'nothing');
      const { sessions } = begun(other);
      assert(sessions === 5 || sessions === 0, String(sessions));
      done();
    }
    remove();
  });

  it('of another version, of another program, and no database at all', () => {
    for (const make of [
      (path: string): void => {
        const database = new DatabaseSync(path);
        database.exec('CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL); PRAGMA user_version=99');
        database.close();
      },
      (path: string): void => {
        const database = new DatabaseSync(path);
        database.exec('CREATE TABLE figures (something TEXT)');
        database.close();
      },
      (path: string): void => { writeFileSync(path, 'this is no database, and never was one; '.repeat(200)); },
    ]) {
      const { path, remove } = folder();
      make(join(path, file));
      const { sessions, warnings } = begun(path);
      assert.equal(sessions, 0);
      assert.match(warnings.join('\n'), setAside);
      remove();
    }
  });

  it('of the first version goes on', () => {
    const { path, remove } = folder();
    const database = new DatabaseSync(join(path, file));
    database.exec(`CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT; CREATE TABLE figures (name TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT;
      CREATE TABLE legacy (name TEXT NOT NULL, data TEXT NOT NULL) STRICT; INSERT INTO meta VALUES ('version', 1), ('since', 1600000000000), ('owner', 12);
      INSERT INTO figures VALUES ('frontend fe', '{"stot":42}'), ('server be/s1', '{"admin":1}'), ('frontend gone', 'no JSON')`);
    database.close();
    const process = start(path, configuration, nowMs);
    assert(process !== undefined);
    const object = process.segments.frontendObject(0);
    assert.deepEqual([objectTotals(process.segments, object)[C.stot], process.counting.sinceMs(object), process.states.statusText(0)], [42, 1_600_000_000_000, 'MAINT']);
    process.saved.close();
    remove();
  });
});

describe('a place where nothing can be kept', () => {
  it('is told, and what is there stays as it is', () => {
    const { path, remove } = folder();
    const warnings: string[] = [];
    writeFileSync(join(path, 'a file'), 'x');
    assert.equal(start(join(path, 'a file', 'below'), configuration, nowMs, warnings), undefined);
    mkdirSync(join(path, 'other', file), { recursive: true });
    assert.equal(start(join(path, 'other'), configuration, nowMs, warnings), undefined);
    assert.deepEqual(warnings.map((text) => text.replace(/: [^:]*$/, '').replaceAll(path, '…')), ['counters are not kept over restarts: …/a file/below/counters.sqlite: ENOTDIR', 'counters are not kept over restarts: …/other/counters.sqlite']);
    assert(statSync(join(path, 'other', file)).isDirectory());
    remove();
  });

  it('that is in use by somebody who does not let go is not set aside', () => {
    const { path, remove } = used(true);
    const other = new DatabaseSync(join(path, file));
    other.exec('BEGIN IMMEDIATE');
    const warnings: string[] = [];
    assert.equal(SavedDatabase.open(path, nowMs, { uid: 0, gid: 0 }, (text) => warnings.push(text)), undefined);
    assert.match(warnings.join('\n'), /^counters are not kept over restarts: .*locked$/);
    other.exec('ROLLBACK');
    other.close();
    assert.equal(begun(path).sessions, 5);
    remove();
  });

  it('that becomes full is told once, and tried again until there is room', async () => {
    const { path, remove } = folder();
    const process = start(path, configuration, nowMs);
    assert(process !== undefined);
    const full = new DatabaseSync(join(path, file));
    full.exec('PRAGMA journal_mode=WAL; BEGIN IMMEDIATE');
    process.count(process.segments.frontendObject(0), { stot: 3 });
    process.table('be').store('k', 0);
    process.saved.save();
    await process.saved.saveSticks();
    assert.equal(process.warnings.length, 1, process.warnings.join('\n'));
    assert.match(process.warnings[0] ?? '', /counters\.sqlite: counters cannot be kept: .*; it is tried again each second$/);
    full.exec('ROLLBACK');
    full.close();
    process.saved.save();
    await process.saved.saveSticks();
    process.database.close();
    const next = start(path, configuration, nowMs + 1);
    assert.equal(objectTotals(next?.segments ?? process.segments, process.segments.frontendObject(0))[C.stot], 3);
    assert.equal(next?.table('be').used, 1);
    next?.saved.close();
    remove();
  });
});
