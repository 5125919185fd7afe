/** What of a stick table has changed, as somebody who writes it down sees it, and how entries come back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StickTable } from '../../../src/model/model.ts';
import { SeenStickEntries, SharedStickTable } from '../../../src/shared/stick-table.ts';

const clock = { now: 1_000_000, monoMs: (): number => clock.now, dateMs: (): number => clock.now };
const places = { slots: [0, 1, 2, 3], indexes: [0, 1, 2, 3] };

function make(changes: Partial<StickTable> = {}): SharedStickTable {
  const config: StickTable = { type: 'string', keyBytes: 8, sizeEntries: 100, expireMs: 60_000, nopurge: false, peers: '', srvkey: 'name', writeTo: '', store: [], ...changes };
  return new SharedStickTable(config, SharedStickTable.allocate(config), clock, places);
}

/** What somebody who has looked each time knows by now: key → server. */
class Reader {
  readonly seen: SeenStickEntries;
  readonly #places = new Map<number, [key: string, server: number]>();
  readonly #table: SharedStickTable;

  constructor(table: SharedStickTable) {
    this.#table = table;
    this.seen = new SeenStickEntries(table.size);
  }

  /** Gives the number of places that had changed. */
  look(): number {
    const found = this.#table.raw(this.#table.changed(this.seen), this.seen);
    for (const { number, key, server } of found) {
      if (key === null) this.#places.delete(number);
      else this.#places.set(number, [Buffer.from(key).toString(), server]);
    }
    return found.length;
  }

  get known(): Record<string, number> {
    return Object.fromEntries([...this.#places.values()].toSorted());
  }
}

describe('changes of a stick table', () => {
  it('are what was stored, used, replaced and removed since', () => {
    const table = make();
    const reader = new Reader(table);
    assert.equal(reader.look(), 0);
    for (const [key, server] of [['a', 0], ['b', 1], ['c', 2]] as const) table.store(key, server);
    assert.equal(reader.look(), 3);
    assert.deepEqual(reader.known, { a: 0, b: 1, c: 2 });
    assert.equal(reader.look(), 0);
    table.store('a', 3);
    assert.equal(reader.look(), 1, 'in the same millisecond');
    clock.now += 5;
    table.lookup('b', true);
    table.lookup('c', false);
    assert.equal(reader.look(), 1);
    table.remove('c');
    table.store('d', 1);
    assert.equal(reader.look(), 1, 'the place of c is that of d');
    table.remove('a');
    assert.equal(reader.look(), 1);
    assert.deepEqual(reader.known, { b: 1, d: 1 });
    table.clear();
    assert.equal(reader.look(), 2);
    assert.deepEqual(reader.known, {});
  });

  it('follow a full table and one that was not written down', () => {
    const table = make({ sizeEntries: 4 });
    const reader = new Reader(table);
    for (let number = 0; number < 40; number += 1) {
      table.store(`k${number}`, number % 4);
      if (number % 3 === 0) reader.look();
    }
    reader.look();
    const now: Record<string, number> = {};
    table.forEach(({ key, server }) => { now[key] = server; });
    assert.deepEqual(reader.known, Object.fromEntries(Object.entries(now).toSorted()));
    reader.seen.forget(1);
    assert.equal(reader.look(), 1);
  });
});

describe('entries of a former process', () => {
  it('come back with what is left of their time', () => {
    const table = make();
    assert(table.restore(Buffer.from('old'), 2, clock.now - 50_000));
    assert(!table.restore(Buffer.from('gone'), 2, clock.now - 60_000), 'it has expired');
    assert(table.restore(Buffer.from('ahead'), 1, clock.now + 50_000), 'the clock was set back');
    const left: Record<string, number> = {};
    table.forEach(({ key, expiresInMs }) => { left[key] = expiresInMs; });
    assert.deepEqual(left, { old: 10_000, ahead: 60_000 });
    assert.equal(table.lookup('old', false), 2);
  });

  it('do not replace what was stored since', () => {
    const table = make();
    table.store('a', 3);
    assert(!table.restore(Buffer.from('a'), 1, clock.now - 10));
    assert.equal(table.lookup('a', false), 3);
  });

  it('without a lifetime stay, and a full table keeps the latest', () => {
    const table = make({ expireMs: 0, sizeEntries: 2 });
    for (const [index, key] of ['x', 'y', 'z'].entries()) table.restore(Buffer.from(key), index, clock.now - 1_000_000 + index);
    assert.equal(table.used, 2);
    const full = make({ expireMs: 0, sizeEntries: 2, nopurge: true });
    assert.deepEqual(['x', 'y', 'z'].map((key) => full.restore(Buffer.from(key), 0, 1)), [true, true, false]);
  });

  it('that are no keys of the table are refused', () => {
    const addresses = make({ type: 'ip', keyBytes: 4 });
    assert(!addresses.restore(Buffer.from('abc'), 0, clock.now));
    assert(!addresses.restore(new Uint8Array(), 0, clock.now));
    assert(addresses.restore(new Uint8Array([10, 0, 0, 1]), 0, clock.now));
    assert(!make().restore(Buffer.from('ninebytes'), 0, clock.now));
  });
});
