/**
 * Stick tables in shared memory, used by all threads at once. Allocated by the control thread with the segments, opened by every
 * thread. Fixed size; entries expire; the entry that expires first makes room when the table is full unless `nopurge`.
 * Never grows, never blocks longer than a few list operations of another thread.
 */
import type { Clock } from '../base/clock.ts';
import type { SharedHandles } from '../model/messages.ts';
import type { Model, StickTable } from '../model/model.ts';
import type { SampleValue } from './stick-key.ts';

export interface StickEntry {
  /** Key as `show table` prints it. */
  readonly key: string;
  /** Index in Model.servers, -1 = none stored. */
  readonly server: number;
  readonly expiresInMs: number;
}

export class SharedStickTable {
  readonly config: StickTable;

  constructor(config: StickTable, buffer: SharedArrayBuffer, clock: Clock) {
    this.config = config;
    void buffer; void clock;
  }

  static allocate(config: StickTable): SharedArrayBuffer {
    void config;
    return new SharedArrayBuffer(0);
  }

  /** Server stored under the key, or -1. `touch` renews the entry's expiry. */
  lookup(key: SampleValue, touch: boolean): number {
    void key; void touch;
    return -1;
  }

  /** Stores or replaces. False: no room (nopurge) or a key that this table cannot hold. */
  store(key: SampleValue, server: number): boolean {
    void key; void server;
    return false;
  }

  remove(key: SampleValue): boolean {
    void key;
    return false;
  }

  clear(): void {
  }

  get used(): number {
    return 0;
  }

  forEach(visit: (entry: StickEntry) => void): void {
    void visit;
  }
}

/** All tables of a model, by proxy index. */
export class StickTables {
  private readonly tables: (SharedStickTable | undefined)[] = [];

  constructor(model: Model, handles: SharedHandles, clock: Clock) {
    for (const { proxy, buffer } of handles.stickTables) {
      const config = model.proxies[proxy]?.stickTable;
      if (config) this.tables[proxy] = new SharedStickTable(config, buffer, clock);
    }
  }

  table(proxy: number): SharedStickTable | undefined {
    return this.tables[proxy];
  }
}

/** Memory for every stick table of the model, for SharedHandles.stickTables. */
export function allocateStickTables(model: Model): { proxy: number; buffer: SharedArrayBuffer }[] {
  const handles: { proxy: number; buffer: SharedArrayBuffer }[] = [];
  for (const proxy of model.proxies) {
    if (proxy.stickTable) handles.push({ proxy: proxy.index, buffer: SharedStickTable.allocate(proxy.stickTable) });
  }
  return handles;
}
