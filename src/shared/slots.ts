/**
 * Which place in shared memory an object has. An index is good within one configuration; a slot belongs to an object as long as an object of
 * its name is configured, whatever a reload puts before or after it. So counters and states need not be copied, and what crosses threads
 * or outlives a configuration (messages, stick tables, log records) names objects by slot. Kept by the control thread.
 */
import type { SharedSlots } from '../model/messages.ts';
import type { Bind, Model, Proxy, Server } from '../model/model.ts';

const kinds = ['proxies', 'binds', 'servers'] as const;
export type SlotKind = (typeof kinds)[number];

/** Numbers of the slots, by kind. */
export type SlotCounts = Readonly<Record<SlotKind, number>>;

/** What stays, came and went between two configurations; names as an operator would write them. */
export interface SlotChanges {
  readonly slots: SharedSlots;
  /** How many slots have to exist. */
  readonly capacity: SlotCounts;
  readonly added: Readonly<Record<SlotKind, readonly string[]>>;
  readonly removed: Readonly<Record<SlotKind, readonly { readonly slot: number; readonly name: string }[]>>;
  /** Slots by the names that objects are known by. */
  readonly names: Readonly<Record<SlotKind, ReadonlyMap<string, number>>>;
}

export class SlotBook {
  private names: SlotChanges['names'];
  private readonly free: Record<SlotKind, number[]> = { proxies: [], binds: [], servers: [] };
  private capacity: Record<SlotKind, number>;

  /** The slots of a first configuration are its indexes. */
  constructor(model: Model) {
    this.names = namesOf(model);
    this.capacity = { proxies: model.proxies.length, binds: model.binds.length, servers: model.servers.length };
  }

  /** Places for the objects of `model`. Nothing is taken before commit(). */
  plan(model: Model): SlotChanges {
    const capacity = { ...this.capacity };
    const slots: Record<SlotKind, number[]> = { proxies: [], binds: [], servers: [] };
    const added: Record<SlotKind, string[]> = { proxies: [], binds: [], servers: [] };
    const removed: Record<SlotKind, { slot: number; name: string }[]> = { proxies: [], binds: [], servers: [] };
    const names: Record<SlotKind, ReadonlyMap<string, number>> = { ...this.names };
    for (const [kind, indexes] of Object.entries(namesOf(model)) as [SlotKind, ReadonlyMap<string, number>][]) {
      const free = [...this.free[kind]];
      const known = this.names[kind];
      names[kind] = new Map([...indexes.keys()].map((name) => [name, known.get(name) ?? free.pop() ?? capacity[kind]++]));
      slots[kind].push(...names[kind].values());
      added[kind].push(...[...indexes.keys()].filter((name) => !known.has(name)).map(readable));
      for (const [name, slot] of known) if (!indexes.has(name)) removed[kind].push({ slot, name: readable(name) });
    }
    return { slots, capacity, added, removed, names };
  }

  /** The configuration that plan() was asked for is in force now. Slots of removed objects stay taken until release(). */
  commit({ slots, capacity, names }: SlotChanges): void {
    for (const kind of kinds) {
      const taken = new Set(slots[kind]);
      this.free[kind] = this.free[kind].filter((slot) => !taken.has(slot));
    }
    this.names = names;
    this.capacity = { ...capacity };
  }

  /** Nobody uses a removed object any more. */
  release(kind: SlotKind, slot: number): void {
    this.free[kind].push(slot);
  }
}

function namesOf(model: Model): Record<SlotKind, ReadonlyMap<string, number>> {
  return {
    proxies: unique(model.proxies.map(proxyName)),
    binds: unique(model.binds.map((bind) => bindName(bind, model.proxies[bind.proxy]))),
    servers: unique(model.servers.map((server) => serverName(server, model.proxies[server.proxy]))),
  };
}

/** Of equal names the second, third … get a number: two `bind` lines for one address are two listeners. */
function unique(names: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    let free = name;
    for (let number = 2; found.has(free); number++) free = `${name}\n${number}`;
    found.set(free, index);
  }
  return found;
}

/** A frontend and a backend may share a name. */
function proxyName(proxy: Proxy): string {
  return `${proxy.kind} ${proxy.name}`;
}

function bindName(bind: Bind, proxy: Proxy | undefined): string {
  return `${proxy === undefined ? '' : proxyName(proxy)} ${bind.text}\n${JSON.stringify(bind.address)}`;
}

function serverName(server: Server, proxy: Proxy | undefined): string {
  return `${proxy === undefined ? '' : proxy.name}/${server.name}`;
}

function readable(name: string): string {
  return name.split('\n')[0] ?? name;
}
