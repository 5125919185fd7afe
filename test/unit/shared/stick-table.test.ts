/** Stick tables: keys, expiry, a full table, and several threads at once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { parseIp } from '../../../src/base/ip.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { limits } from '../../../src/model/limits.ts';
import type { StickTable } from '../../../src/model/model.ts';
import { SharedStickTable } from '../../../src/shared/stick-table.ts';
import type { StickEntry } from '../../../src/shared/stick-table.ts';
import type { StickSample } from '../../../src/shared/stick-key.ts';

class HandClock implements Clock {
  now = 1_000_000;
  monoMs(): number { return this.now; }
  dateMs(): number { return this.now; }
}

function config(changes: Partial<StickTable> = {}): StickTable {
  return { type: 'ip', keyBytes: 0, sizeEntries: 100, expireMs: 60_000, nopurge: false, peers: '', srvkey: 'name', writeTo: '', store: [], ...changes };
}

/** Servers whose slots are their indexes. */
const places = { slots: Array.from({ length: 10_000 }, (_, index) => index), indexes: Array.from({ length: 10_000 }, (_, index) => index) };

function make(changes: Partial<StickTable> = {}): { table: SharedStickTable; clock: HandClock; buffer: SharedArrayBuffer } {
  const clock = new HandClock();
  const buffer = SharedStickTable.allocate(config(changes));
  return { table: new SharedStickTable(config(changes), buffer, clock, places), clock, buffer };
}

const ip = (text: string): StickSample => {
  const parsed = parseIp(text);
  assert(parsed !== undefined);
  return parsed;
};
const entries = (table: SharedStickTable): StickEntry[] => {
  const found: StickEntry[] = [];
  table.forEach((entry) => found.push(entry));
  return found;
};

describe('stick table', () => {
  it('remembers servers by client address', () => {
    const { table } = make();
    assert.equal(table.lookup(ip('10.0.0.1'), true), -1);
    assert(table.store(ip('10.0.0.1'), 3));
    assert(table.store(ip('10.0.0.2'), 0));
    assert.equal(table.lookup(ip('10.0.0.1'), true), 3);
    assert.equal(table.lookup(ip('10.0.0.2'), true), 0);
    table.store(ip('10.0.0.1'), 4);
    assert.equal(table.lookup(ip('10.0.0.1'), true), 4);
    assert.equal(table.used, 2);
    assert(table.remove(ip('10.0.0.1')));
    assert(!table.remove(ip('10.0.0.1')));
    assert.equal(table.used, 1);
    table.clear();
    assert.equal(table.used, 0);
  });

  it('keys of every type: what is one key, what is none, how it is shown', () => {
    const cases: [Partial<StickTable>, StickSample, string | null][] = [
      [{ type: 'ip' }, ip('192.0.2.1'), '192.0.2.1'],
      [{ type: 'ip' }, ip('::ffff:192.0.2.1'), '192.0.2.1'],
      [{ type: 'ip' }, ip('2001:db8::1'), null],
      [{ type: 'ip' }, '192.0.2.9', '192.0.2.9'],
      [{ type: 'ip' }, 'no address', null],
      [{ type: 'ipv6' }, ip('192.0.2.1'), '::ffff:192.0.2.1'],
      [{ type: 'ipv6' }, ip('2001:db8::1'), '2001:db8::1'],
      [{ type: 'integer' }, 4294967295, '4294967295'],
      [{ type: 'integer' }, '17', '17'],
      [{ type: 'integer' }, true, '1'],
      [{ type: 'integer' }, 'x', null],
      [{ type: 'string', keyBytes: 8 }, 'abc', 'abc'],
      [{ type: 'string', keyBytes: 8 }, 'much too long', 'much too'],
      [{ type: 'string', keyBytes: 20 }, ip('192.0.2.1'), '192.0.2.1'],
      [{ type: 'binary', keyBytes: 4 }, new Uint8Array([1, 0xab]), '01AB0000'],
      [{ type: 'binary', keyBytes: 2 }, 'xyz', '7879'],
    ];
    for (const [changes, sample, shown] of cases) {
      const { table } = make(changes);
      assert.equal(table.store(sample, 5), shown !== null, `${changes.type} ${String(sample)}`);
      assert.equal(table.lookup(sample, false), shown === null ? -1 : 5);
      assert.deepEqual(entries(table).map((entry) => entry.key), shown === null ? [] : [shown]);
    }
    const { table } = make({ type: 'string', keyBytes: 8 });
    table.store('', 1);
    assert.equal(table.lookup('', false), 1);
    assert.equal(table.lookup('a', false), -1);
  });

  it('entries expire, and a look that counts renews them', () => {
    const { table, clock } = make({ expireMs: 1000 });
    table.store(ip('10.0.0.1'), 1);
    table.store(ip('10.0.0.2'), 2);
    clock.now += 900;
    assert.equal(table.lookup(ip('10.0.0.1'), true), 1);
    assert.equal(table.lookup(ip('10.0.0.2'), false), 2);
    clock.now += 200;
    assert.equal(table.lookup(ip('10.0.0.1'), false), 1);
    assert.equal(table.lookup(ip('10.0.0.2'), false), -1);
    assert.deepEqual(entries(table), [{ key: '10.0.0.1', server: 1, expiresInMs: 800 }]);
    clock.now += 800;
    assert.equal(table.used, 0);
  });

  it('without expiry nothing ages', () => {
    const { table, clock } = make({ expireMs: 0 });
    table.store(ip('10.0.0.1'), 1);
    clock.now += 1e9;
    assert.equal(table.lookup(ip('10.0.0.1'), false), 1);
  });

  it('a full table drops old entries for new ones and never exceeds its size', () => {
    const { table, clock } = make({ sizeEntries: 50 });
    for (let number = 0; number < 500; number += 1) {
      clock.now += 1;
      assert(table.store(ip(`10.0.${number >> 8}.${number & 255}`), number));
      assert(table.used <= 50);
      assert.equal(table.lookup(ip(`10.0.${number >> 8}.${number & 255}`), false), number);
    }
    assert.equal(table.used, 50);
  });

  it('nopurge: a full table refuses new keys until entries expire', () => {
    const { table, clock } = make({ sizeEntries: 3, nopurge: true, expireMs: 1000 });
    for (const last of [1, 2, 3]) assert(table.store(ip(`10.0.0.${last}`), last));
    assert(!table.store(ip('10.0.0.4'), 4));
    assert(table.store(ip('10.0.0.2'), 7), 'a known key is still updated');
    clock.now += 1001;
    assert(table.store(ip('10.0.0.4'), 4));
    assert.equal(table.lookup(ip('10.0.0.4'), false), 4);
  });

  it('agrees with a plain map over random operations', () => {
    const { table } = make({ sizeEntries: 1000, type: 'integer', expireMs: 0 });
    const model = new Map<number, number>();
    let seed = 42;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return seed % below;
    };
    for (let step = 0; step < 20_000; step += 1) {
      const key = random(900);
      const kind = random(10);
      if (kind < 5) {
        table.store(key, step & 1023);
        model.set(key, step & 1023);
      } else if (kind < 7) {
        assert.equal(table.remove(key), model.delete(key));
      } else {
        assert.equal(table.lookup(key, kind === 7), model.get(key) ?? -1);
      }
    }
    assert.equal(table.used, model.size);
    assert.deepEqual(new Map(entries(table).map((entry) => [Number(entry.key), entry.server])), model);
  });

  it('a walk lets others in: entries that go meanwhile are not shown, long lists of expired ones go in parts', () => {
    const { table, clock } = make({ sizeEntries: 8000, type: 'string', keyBytes: 16 });
    for (let i = 0; i < 8000; i += 1) table.store(`user-${i}`, i);
    let shown = 0;
    table.forEach(() => {
      shown += 1;
      if (shown === 1) table.clear();
    });
    assert(shown <= limits.stickSliceEntries, `${shown} entries of a table that was cleared at the first one`);
    assert.equal(table.used, 0);
    for (let i = 0; i < 8000; i += 1) table.store(`user-${i}`, i);
    clock.now += 59_000;
    for (let i = 0; i < 10; i += 1) table.lookup(`user-${i}`, true);
    clock.now += 2000;
    assert.equal(table.used, 10);
    assert.deepEqual(entries(table).map((entry) => entry.key).sort(), Array.from({ length: 10 }, (_, i) => `user-${i}`));
  });

  it('threads share one table without losing entries', async () => {
    const { table, buffer } = make({ sizeEntries: 4000, type: 'integer', expireMs: 0 });
    const source = `
      import { workerData, parentPort } from 'node:worker_threads';
      import { SharedStickTable } from ${JSON.stringify(new URL('../../../src/shared/stick-table.ts', import.meta.url).href)};
      const table = new SharedStickTable(workerData.config, workerData.buffer, { monoMs: () => 0, dateMs: () => 0 }, workerData.places);
      let wrong = 0;
      for (let round = 0; round < 5; round += 1) {
        for (let key = 0; key < 1000; key += 1) {
          const own = workerData.thread * 1000 + key;
          table.store(own, own % 97);
          table.store(3999, 5);
          if (table.lookup(own, true) !== own % 97) wrong += 1;
          if (key % 10 === 0) { table.remove(own); table.store(own, own % 97); }
        }
      }
      parentPort.postMessage(wrong);`;
    const results = await Promise.all([0, 1, 2].map((thread) => new Promise<number>((resolve, reject) => {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
        workerData: { thread, buffer, places, config: config({ sizeEntries: 4000, type: 'integer', expireMs: 0 }) },
      });
      worker.once('message', resolve);
      worker.once('error', reject);
    })));
    assert.deepEqual(results, [0, 0, 0]);
    assert.equal(table.used, 3001);
  });
});
