/**
 * What reloads have removed and somebody still uses, for reports, until every traffic thread says that nobody does: then the slot is
 * free. Kept by balancer.ts.
 */
import type { LeavingObject, RemovedObject, SharedSlots } from '../model/messages.ts';
import type { Segments } from '../shared/segments.ts';
import type { SlotChanges, SlotKind } from '../shared/slots.ts';

const words = { proxies: '', binds: 'listener ', servers: 'server ' } as const;

interface Entry {
  readonly kind: SlotKind;
  readonly slot: number;
  readonly name: string;
  readonly removedAtMs: number;
  /** By thread; undefined = it has not told yet. */
  readonly sessions: (number | undefined)[];
  readonly oldestMs: number[];
}

export class RemovedObjects {
  private readonly threads: number;
  private readonly released: (kind: SlotKind, slot: number) => void;
  private readonly entries = new Map<string, Entry>();

  constructor(threads: number, released: (kind: SlotKind, slot: number) => void) {
    this.threads = threads;
    this.released = released;
  }

  add(removed: SlotChanges['removed']): void {
    for (const kind of ['proxies', 'binds', 'servers'] as const) {
      for (const { slot, name } of removed[kind]) {
        this.entries.set(`${kind} ${slot}`, { kind, slot, name: words[kind] + name, removedAtMs: Date.now(), sessions: Array.from({ length: this.threads }), oldestMs: [] });
      }
    }
  }

  /** A thread has counted. */
  left(thread: number, objects: readonly LeavingObject[]): void {
    for (const { kind, slot, sessions, oldestMs } of objects) {
      const entry = this.entries.get(`${kind} ${slot}`);
      if (entry === undefined) continue;
      entry.sessions[thread] = sessions;
      entry.oldestMs[thread] = oldestMs;
      if (entry.sessions.some((count) => count === undefined || count > 0)) continue;
      this.entries.delete(`${kind} ${slot}`);
      this.released(kind, slot);
    }
  }

  list(): readonly RemovedObject[] {
    return [...this.entries.values()].map(({ name, removedAtMs, sessions, oldestMs }) => ({
      name, removedAtMs, sessions: sessions.reduce<number>((sum, count) => sum + (count ?? 0), 0), oldestMs: Math.max(0, ...oldestMs.filter((ms) => ms !== undefined)),
    }));
  }
}

/** Slots that `after` uses and `before` does not. */
export function newSlots(after: Segments, before: Segments): (readonly [kind: SlotKind, slot: number])[] {
  return (['proxies', 'binds', 'servers'] as const satisfies readonly (keyof SharedSlots)[]).flatMap((kind) => {
    const known = new Set(before.handles.slots[kind]);
    return after.handles.slots[kind].filter((slot) => !known.has(slot)).map((slot) => [kind, slot] as const);
  });
}
