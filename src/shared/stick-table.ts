/**
 * Stick tables in shared memory, used by all threads at once. Allocated by the control thread with the segments, opened by every
 * thread. Fixed size; entries expire; the entry that expires first makes room when the table is full unless `nopurge`.
 * Never grows, never blocks longer than a few list operations of another thread.
 *
 * Memory: a header (lock of the free list, first free entry, entries in use, then lock, oldest and newest per stripe), hash
 * buckets, and one array per entry field. A stripe's lock guards its buckets, its age list and the entries in them; the free
 * list's lock is only taken inside or without it, never the other way round. Entries are numbered from 1, 0 is none.
 */
import type { Clock } from '../base/clock.ts';
import type { SharedHandles } from '../model/messages.ts';
import type { Model, StickTable } from '../model/model.ts';
import { limits } from '../model/limits.ts';
import { lock, unlock } from './lock.ts';
import { StickKey } from './stick-key.ts';
import type { StickSample } from './stick-key.ts';
import type { Layout } from './stick-layout.ts';
import { gone, header, headerWords, layoutOf, stripe, stripeCount, word } from './stick-layout.ts';

export interface StickEntry {
  /** Key as `show table` prints it. */
  readonly key: string;
  /** Index in Model.servers, -1 = none stored. */
  readonly server: number;
  readonly expiresInMs: number;
}

/** An entry as it is kept over restarts. */
export interface RawStickEntry {
  /** Its place in the table. */
  readonly number: number;
  /** Null: the place is empty. */
  readonly key: Uint8Array | null;
  /** Index in Model.servers, -1 = none stored. */
  readonly server: number;
  /** Date.now() of when it was stored or used last. */
  readonly renewedMs: number;
}

/** Another thread may snatch the room that was made; then it is made again. */
const storeAttempts = 4;

/** Entries name servers by slot, which a reload leaves as they are. */
interface ServerPlaces {
  /** By index. */
  readonly slots: readonly number[];
  /** By slot. */
  readonly indexes: readonly (number | undefined)[];
}

/** In place of a hash: neither one nor `gone`. */
const unknown = -2;

/** What of a table's entries somebody knows already, by number. */
export class SeenStickEntries {
  readonly hashes: Int32Array;
  readonly expires: Float64Array;
  readonly servers: Int32Array;

  constructor(size: number) {
    this.hashes = new Int32Array(size + 1).fill(gone);
    this.expires = new Float64Array(size + 1);
    this.servers = new Int32Array(size + 1);
  }

  /** It looks changed from now on, even when it is empty. */
  forget(entry: number): void {
    this.hashes[entry] = unknown;
  }
}

export class SharedStickTable {
  readonly config: StickTable;
  private readonly layout: Layout;
  private readonly clock: Clock;
  private readonly servers: ServerPlaces;
  private readonly head: Int32Array;
  private readonly buckets: Int32Array;
  private readonly expires: Float64Array;
  private readonly words: Int32Array;
  private readonly keys: Uint8Array;
  private readonly key: StickKey;
  private keyLength = 0;
  private keyHash = 0;

  constructor(config: StickTable, buffer: SharedArrayBuffer, clock: Clock, servers: ServerPlaces) {
    const layout = layoutOf(config);
    this.servers = servers;
    this.config = config;
    this.layout = layout;
    this.clock = clock;
    this.head = new Int32Array(buffer, 0, headerWords);
    this.buckets = new Int32Array(buffer, layout.bucketsAt, layout.buckets);
    this.expires = new Float64Array(buffer, layout.expiresAt, layout.size + 1);
    this.words = new Int32Array(buffer, layout.wordsAt, word.stride * (layout.size + 1));
    this.keys = new Uint8Array(buffer, layout.keysAt, layout.keyBytes * (layout.size + 1));
    this.key = new StickKey(config);
  }

  static allocate(config: StickTable): SharedArrayBuffer {
    return new SharedArrayBuffer(layoutOf(config).bytes);
  }

  /** Server stored under the key, or -1. `touch` renews the entry's expiry. */
  lookup(sample: StickSample, touch: boolean): number {
    if (!this.setKey(sample)) return -1;
    const at = this.enter(this.keyHash);
    const entry = this.find(at);
    const server = entry === 0 ? -1 : this.serverOf(entry);
    if (entry !== 0 && touch) this.renew(at, entry);
    this.leave(at);
    return server;
  }

  /** Stores or replaces. False: no room (nopurge) or a key that this table cannot hold. */
  store(sample: StickSample, server: number): boolean {
    if (!this.setKey(sample)) return false;
    for (let attempt = 0; attempt < storeAttempts; attempt += 1) {
      const at = this.enter(this.keyHash);
      const stored = this.storeLocked(at, server);
      this.leave(at);
      // The key's own stripe may hold nothing: the room must then come from another one, whose lock may only be taken alone.
      if (stored || !this.evictElsewhere(at)) return stored;
    }
    return false;
  }

  remove(sample: StickSample): boolean {
    if (!this.setKey(sample)) return false;
    const at = this.enter(this.keyHash);
    const entry = this.find(at);
    if (entry !== 0) this.release(at, entry);
    this.leave(at);
    return entry !== 0;
  }

  clear(): void {
    for (let number = 0; number < stripeCount; number += 1) {
      this.inSlices(number, (at) => {
        const entry = this.oldest(at);
        if (entry !== 0) this.release(at, entry);
        return entry !== 0;
      });
    }
  }

  /** Entries in use; expired ones are dropped first. */
  get used(): number {
    for (let number = 0; number < stripeCount; number += 1) this.dropExpired(number);
    return Atomics.load(this.head, header.used);
  }

  get size(): number {
    return this.layout.size;
  }

  /**
   * Calls `visit` for a copy of every live entry, oldest first within a stripe. No lock is held meanwhile, and none for longer than it
   * takes to list a stripe: entries that go before their turn are left out.
   */
  forEach(visit: (entry: StickEntry) => void): void {
    for (let number = 0; number < stripeCount; number += 1) {
      this.dropExpired(number);
      const entries = this.entriesOf(number);
      for (let from = 0; from < entries.length; from += limits.stickSliceEntries) {
        for (const entry of this.copies(number, entries.slice(from, from + limits.stickSliceEntries))) visit(entry);
      }
    }
  }

  /** Numbers of the places that do not hold what `seen` remembers. Takes no lock. */
  changed(seen: SeenStickEntries): number[] {
    const found: number[] = [];
    const reached = this.head[header.fresh] as number;
    for (let entry = 1; entry <= reached; entry += 1) {
      const hash = this.get(entry, word.hash);
      const isKnown = hash === seen.hashes[entry] && (hash === gone || (this.expires[entry] === seen.expires[entry] && this.get(entry, word.server) === seen.servers[entry]));
      if (!isKnown) found.push(entry);
    }
    return found;
  }

  /** What these places hold, and `seen` knows it. One that is just changing is left out: it is changed() again. */
  raw(numbers: readonly number[], seen: SeenStickEntries): RawStickEntry[] {
    const found: RawStickEntry[] = [];
    const stripes: number[][] = Array.from({ length: stripeCount }, () => []);
    for (const entry of numbers) {
      const hash = this.get(entry, word.hash);
      if (hash !== gone) stripes[hash % stripeCount]?.push(entry);
      else if (seen.hashes[entry] !== gone) found.push({ number: entry, key: null, server: -1, renewedMs: 0 });
      if (hash === gone) seen.hashes[entry] = gone;
    }
    for (const [number, entries] of stripes.entries()) {
      for (let from = 0; from < entries.length; from += limits.stickSliceEntries) {
        const at = this.enter(number);
        for (const entry of entries.slice(from, from + limits.stickSliceEntries)) this.copyRaw(number, entry, seen, found);
        this.leave(at);
      }
    }
    return found;
  }

  private copyRaw(number: number, entry: number, seen: SeenStickEntries, found: RawStickEntry[]): void {
    const hash = this.get(entry, word.hash);
    const length = this.get(entry, word.keyLength);
    if (hash === gone || hash % stripeCount !== number || length === 0) return;
    const start = entry * this.layout.keyBytes;
    const expires = this.expires[entry] as number;
    seen.hashes[entry] = hash;
    seen.expires[entry] = expires;
    seen.servers[entry] = this.get(entry, word.server);
    found.push({ number: entry, key: this.keys.slice(start, start + length), server: this.serverOf(entry), renewedMs: expires - this.config.expireMs });
  }

  /** An entry of a former process. One that is used here since stays as it is. False: it has expired, there is no room, or it is no key of this table. */
  restore(key: Uint8Array, server: number, renewedMs: number): boolean {
    if (key.length === 0 || key.length > this.layout.keyBytes || (!this.key.isText && key.length !== this.layout.keyBytes)) return false;
    const now = this.clock.dateMs();
    const expires = Math.min(now, renewedMs) + this.config.expireMs;
    if (this.config.expireMs > 0 && expires <= now) return false;
    this.key.bytes.set(key);
    this.keyLength = key.length;
    this.hashKey();
    const at = this.enter(this.keyHash);
    const known = this.find(at);
    const stored = known === 0 ? this.storeLocked(at, server) : (this.expires[known] as number) < expires && this.storeLocked(at, server);
    if (stored) this.expires[this.find(at)] = expires;
    this.leave(at);
    return stored;
  }

  private entriesOf(number: number): number[] {
    const at = this.enter(number);
    const entries: number[] = [];
    for (let entry = this.oldest(at); entry !== 0; entry = this.get(entry, word.newer)) entries.push(entry);
    this.leave(at);
    return entries;
  }

  /** Those of the entries that are still in use in the stripe. */
  private copies(number: number, entries: readonly number[]): StickEntry[] {
    const at = this.enter(number);
    const now = this.clock.dateMs();
    const found: StickEntry[] = [];
    for (const entry of entries) {
      if (this.get(entry, word.hash) % stripeCount !== number) continue;
      const start = entry * this.layout.keyBytes;
      found.push({
        key: this.key.text(this.keys.slice(start, start + this.get(entry, word.keyLength))),
        server: this.serverOf(entry),
        expiresInMs: this.config.expireMs === 0 ? 0 : Math.max(0, (this.expires[entry] as number) - now),
      });
    }
    this.leave(at);
    return found;
  }

  private dropExpired(number: number): void {
    this.inSlices(number, (at) => {
      const entry = this.oldest(at);
      if (entry === 0 || !this.expired(entry)) return false;
      this.release(at, entry);
      return true;
    });
  }

  /** Repeats `step` until it answers false, letting other threads in between; never more often than there are entries. */
  private inSlices(number: number, step: (at: number) => boolean): void {
    for (let done = 0; done <= this.layout.size;) {
      const at = this.enter(number);
      let going = true;
      for (let slice = 0; going && slice < limits.stickSliceEntries; slice += 1) going = step(at);
      this.leave(at);
      if (!going) return;
      done += limits.stickSliceEntries;
    }
  }

  // ---- everything below runs with the lock of the stripe at `at` held, unless said otherwise

  private setKey(sample: StickSample): boolean {
    this.keyLength = this.key.write(sample);
    if (this.keyLength < 0) return false;
    this.hashKey();
    return true;
  }

  private hashKey(): void {
    let hash = 0x811c9dc5;
    for (let index = 0; index < this.keyLength; index += 1) hash = Math.imul(hash ^ (this.key.bytes[index] as number), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    this.keyHash = (hash ^ (hash >>> 13)) & 0x7fffffff;
  }

  private storeLocked(at: number, server: number): boolean {
    const known = this.find(at);
    if (known !== 0) {
      this.setServer(known, server);
      this.renew(at, known);
      return true;
    }
    const entry = this.takeFree() || this.makeRoom(at);
    if (entry !== 0) this.insert(at, entry, server);
    return entry !== 0;
  }

  /** Locks the stripe of a hash and gives its place in the header. */
  private enter(hash: number): number {
    const at = header.stripes + (hash % stripeCount) * stripe.stride;
    lock(this.head, at + stripe.lock);
    return at;
  }

  private leave(at: number): void {
    unlock(this.head, at + stripe.lock);
  }

  private find(at: number): number {
    let entry = this.buckets[this.keyHash % this.layout.buckets] as number;
    while (entry !== 0 && !this.holdsKey(entry)) entry = this.get(entry, word.next);
    if (entry !== 0 && this.expired(entry)) {
      this.release(at, entry);
      return 0;
    }
    return entry;
  }

  private holdsKey(entry: number): boolean {
    if (this.get(entry, word.hash) !== this.keyHash || this.get(entry, word.keyLength) !== this.keyLength) return false;
    const start = entry * this.layout.keyBytes;
    for (let index = 0; index < this.keyLength; index += 1) {
      if (this.keys[start + index] !== this.key.bytes[index]) return false;
    }
    return true;
  }

  private expired(entry: number): boolean {
    return this.config.expireMs > 0 && (this.expires[entry] as number) <= this.clock.dateMs();
  }

  private insert(at: number, entry: number, server: number): void {
    const bucket = this.keyHash % this.layout.buckets;
    const start = entry * this.layout.keyBytes;
    for (let index = 0; index < this.keyLength; index += 1) this.keys[start + index] = this.key.bytes[index] as number;
    this.set(entry, word.hash, this.keyHash);
    this.set(entry, word.keyLength, this.keyLength);
    this.setServer(entry, server);
    this.set(entry, word.next, this.buckets[bucket] as number);
    this.buckets[bucket] = entry;
    this.append(at, entry);
  }

  private renew(at: number, entry: number): void {
    this.detach(at, entry);
    this.append(at, entry);
  }

  /** All entries live equally long, so the order of renewal is the order of expiry. */
  private append(at: number, entry: number): void {
    const last = this.head[at + stripe.newest] as number;
    this.set(entry, word.older, last);
    this.set(entry, word.newer, 0);
    if (last === 0) this.head[at + stripe.oldest] = entry;
    else this.set(last, word.newer, entry);
    this.head[at + stripe.newest] = entry;
    this.expires[entry] = this.clock.dateMs() + this.config.expireMs;
  }

  private detach(at: number, entry: number): void {
    const older = this.get(entry, word.older);
    const newer = this.get(entry, word.newer);
    if (older === 0) this.head[at + stripe.oldest] = newer;
    else this.set(older, word.newer, newer);
    if (newer === 0) this.head[at + stripe.newest] = older;
    else this.set(newer, word.older, older);
  }

  private oldest(at: number): number {
    return this.head[at + stripe.oldest] as number;
  }

  /** Takes an entry out of its bucket and age list. */
  private unlink(at: number, entry: number): void {
    const bucket = this.get(entry, word.hash) % this.layout.buckets;
    const next = this.get(entry, word.next);
    let before = this.buckets[bucket] as number;
    if (before === entry) {
      this.buckets[bucket] = next;
    } else {
      while (before !== 0 && this.get(before, word.next) !== entry) before = this.get(before, word.next);
      if (before !== 0) this.set(before, word.next, next);
    }
    this.detach(at, entry);
  }

  private release(at: number, entry: number): void {
    this.unlink(at, entry);
    // In no stripe: who has noted the entry's number sees that it is gone.
    this.set(entry, word.hash, gone);
    lock(this.head, header.freeLock);
    this.set(entry, word.next, this.head[header.freeHead] as number);
    this.head[header.freeHead] = entry;
    Atomics.sub(this.head, header.used, 1);
    unlock(this.head, header.freeLock);
  }

  /** A free entry, 0 when there is none. */
  private takeFree(): number {
    lock(this.head, header.freeLock);
    let entry = this.head[header.freeHead] as number;
    if (entry !== 0) {
      this.head[header.freeHead] = this.get(entry, word.next);
    } else if ((this.head[header.fresh] as number) < this.layout.size) {
      entry = (this.head[header.fresh] as number) + 1;
      this.head[header.fresh] = entry;
    }
    if (entry !== 0) Atomics.add(this.head, header.used, 1);
    unlock(this.head, header.freeLock);
    return entry;
  }

  /** The full table: the oldest entry of the stripe is taken over, expired or, without nopurge, not. */
  private makeRoom(at: number): number {
    const entry = this.oldest(at);
    if (entry === 0 || (this.config.nopurge && !this.expired(entry))) return 0;
    this.unlink(at, entry);
    return entry;
  }

  /** Runs without a lock held: frees one entry of another stripe, as makeRoom() does. */
  private evictElsewhere(own: number): boolean {
    for (let number = 0; number < stripeCount; number += 1) {
      const at = this.enter(number);
      const entry = at === own ? 0 : this.oldest(at);
      const evict = entry !== 0 && (!this.config.nopurge || this.expired(entry));
      if (evict) this.release(at, entry);
      this.leave(at);
      if (evict) return true;
    }
    return false;
  }

  /** Index in Model.servers; −1 also for one that is no longer configured. */
  private serverOf(entry: number): number {
    return this.servers.indexes[this.get(entry, word.server) - 1] ?? -1;
  }

  private setServer(entry: number, server: number): void {
    this.set(entry, word.server, (this.servers.slots[server] ?? -1) + 1);
  }

  private get(entry: number, field: number): number {
    return this.words[entry * word.stride + field] as number;
  }

  private set(entry: number, field: number, value: number): void {
    this.words[entry * word.stride + field] = value;
  }
}

/** All tables of a model, by proxy index. */
export class StickTables {
  private readonly tables: (SharedStickTable | undefined)[] = [];

  constructor(model: Model, handles: SharedHandles, clock: Clock) {
    const { servers } = handles.slots;
    const indexes: number[] = [];
    for (const [index, slot] of servers.entries()) indexes[slot] = index;
    for (const { proxy, buffer } of handles.stickTables) {
      const config = model.proxies[proxy]?.stickTable;
      if (config) this.tables[proxy] = new SharedStickTable(config, buffer, clock, { slots: servers, indexes });
    }
  }

  table(proxy: number): SharedStickTable | undefined {
    return this.tables[proxy];
  }
}

/** Memory for every stick table of the model, for SharedHandles.stickTables. */
export function allocateStickTables(model: Model): SharedHandles['stickTables'] {
  return reloadStickTables(model, null, []);
}

/** The same for a reload: a table of the same name, keys and size goes on. */
export function reloadStickTables(model: Model, former: Model | null, tables: SharedHandles['stickTables']): SharedHandles['stickTables'] {
  const known = new Map(tables.flatMap(({ proxy, buffer }) => {
    const was = former?.proxies[proxy];
    return was?.stickTable ? [[tableKey(was.name, was.stickTable), buffer] as const] : [];
  }));
  return model.proxies.flatMap(({ index, name, stickTable }) => stickTable ? [{ proxy: index, buffer: known.get(tableKey(name, stickTable)) ?? SharedStickTable.allocate(stickTable) }] : []);
}

function tableKey(name: string, { type, keyBytes, sizeEntries }: StickTable): string {
  return `${name} ${type} ${keyBytes} ${sizeEntries}`;
}
