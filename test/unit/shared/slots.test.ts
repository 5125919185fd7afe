/** Slots over reloads: what stays keeps its own, what is removed gives it back once nobody uses it, and shared memory follows. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfiguration } from '../../../src/config/load.ts';
import { memoryFiles } from '../../../src/config/files.ts';
import { C, G } from '../../../src/model/counters.ts';
import type { Model } from '../../../src/model/model.ts';
import { Segments } from '../../../src/shared/segments.ts';
import { SlotBook } from '../../../src/shared/slots.ts';

function load(body: string): Model {
  const text = `defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n${body}`;
  const { model, problems } = loadConfiguration(['test.cfg'], { environment: {}, cpus: 1, files: memoryFiles({ 'test.cfg': text }) });
  assert(model !== undefined, JSON.stringify(problems));
  return model;
}

const first = 'frontend fe\n bind 127.0.0.1:80\n default_backend be\nbackend be\n server a 127.0.0.1:1\n server b 127.0.0.1:2\n';

describe('slots', () => {
  it('stay with names, wherever a reload puts them', () => {
    const before = load(first);
    const book = new SlotBook(before);
    const after = load('backend early\n server z 127.0.0.1:9\n' + first.replace(' server a', ' server c 127.0.0.1:3\n server a'));
    const { slots, capacity, added, removed } = book.plan(after);
    const named = new Map(after.servers.map(({ name, index }) => [name, slots.servers[index]]));
    assert.deepEqual([named.get('a'), named.get('b')], [0, 1]);
    assert.deepEqual([named.get('z'), named.get('c')].toSorted(), [2, 3]);
    assert.deepEqual([capacity.servers, added.servers.toSorted(), added.proxies, removed.servers], [4, ['be/c', 'early/z'], ['backend early'], []]);
  });

  it('of removed objects are used again, but not before nobody uses them', () => {
    const book = new SlotBook(load(first));
    const without = load(first.replace(' server a 127.0.0.1:1\n', ''));
    const gone = book.plan(without);
    assert.deepEqual(gone.removed.servers, [{ slot: 0, name: 'be/a' }]);
    book.commit(gone);
    const more = load(first.replace('server a', 'server n'));
    assert.equal(book.plan(more).capacity.servers, 3);
    book.release('servers', 0);
    const reused = book.plan(more);
    assert.equal(reused.capacity.servers, 2);
    assert.deepEqual([...reused.slots.servers].toSorted(), [0, 1]);
  });

  it('two lines for one address are two listeners', () => {
    const twice = load(first.replace('bind 127.0.0.1:80', 'bind 127.0.0.1:80\n bind 127.0.0.1:80'));
    assert.deepEqual(new SlotBook(twice).plan(twice).slots.binds, [0, 1]);
  });

  it('keep counters and gauges in the same memory; a slot that is given on is empty', () => {
    const before = load(first);
    const book = new SlotBook(before);
    const segments = Segments.allocate(before, 2);
    segments.counters(segments.serverObject(1), 0)[C.stot] = 7;
    Atomics.store(segments.gauges(segments.backendObject(1)), G.scur, 3);
    const after = load('backend early\n server z 127.0.0.1:9\n' + first);
    const changes = book.plan(after);
    const grown = segments.reloaded(after, before, changes);
    const [b] = after.servers.filter(({ name }) => name === 'b');
    const [be] = after.proxies.filter(({ name }) => name === 'be');
    assert(b !== undefined && be !== undefined);
    assert.equal(grown.counters(grown.serverObject(b.index), 0)[C.stot], 7);
    assert.equal(Atomics.load(grown.gauges(grown.backendObject(be.index)), G.scur), 3);
    assert.equal(grown.handles.banks.length, 2);
    assert.deepEqual([grown.serverAt(segments.serverSlot(1)), grown.proxyAt(99)], [b.index, -1]);
    segments.counters(segments.serverObject(1), 1)[C.stot] = 1;
    assert.equal(grown.counters(grown.serverObject(b.index), 1)[C.stot], 1);
    grown.clearSlot('servers', segments.serverSlot(1));
    assert.equal(segments.counters(segments.serverObject(1), 0)[C.stot], 0);
    // The same again needs no more memory.
    book.commit(changes);
    assert.equal(grown.reloaded(after, after, book.plan(after)).handles.banks, grown.handles.banks);
  });
});
