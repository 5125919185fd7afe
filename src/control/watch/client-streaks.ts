/**
 * Bad things that happen to one client at one backend again and again, without a good one between: counted, told when they are many
 * within a time, over when a good one comes or none for that time. Bounded: clients heard of for longest are forgotten. Used by
 * traffic-watch.ts. Knows no words.
 */
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../model/limits.ts';
import type { LoginScheme } from '../../model/messages.ts';

export interface Streak {
  readonly client: string;
  /** Index into Model.proxies. */
  readonly backend: number;
  count: number;
  sinceMs: number;
  lastMs: number;
  scheme: LoginScheme;
  /** Indexes into Model.servers. */
  readonly servers: Set<number>;
  told: boolean;
  /** Told by itself, not with the rest of the backend's clients. */
  own: boolean;
}

interface StreakParts {
  readonly clock: Clock;
  /** So many … */
  readonly times: number;
  /** … within this. */
  readonly withinMs: number;
  /** `times`: since it was raised last. */
  readonly raise: (streak: Streak, times: number) => void;
  readonly clear: (streak: Streak) => void;
}

export class ClientStreaks {
  private readonly parts: StreakParts;
  /** In the order in which they were heard of last. */
  private readonly byKey = new Map<string, Streak>();

  constructor(parts: StreakParts) {
    this.parts = parts;
  }

  add(client: string, backend: number, times: number, seen: { readonly scheme: LoginScheme; readonly servers: readonly number[] }): void {
    const { parts, byKey } = this;
    const key = `${client} ${backend}`;
    const nowMs = parts.clock.monoMs();
    let streak = byKey.get(key);
    byKey.delete(key);
    if (streak !== undefined && !streak.told && nowMs - streak.sinceMs > parts.withinMs) streak = undefined;
    streak ??= { client, backend, count: 0, sinceMs: nowMs, lastMs: nowMs, scheme: seen.scheme, servers: new Set(), told: false, own: false };
    streak.count += times;
    streak.lastMs = nowMs;
    streak.scheme = seen.scheme;
    for (const server of seen.servers) if (server >= 0) streak.servers.add(server);
    this.makeRoom();
    byKey.set(key, streak);
    if (streak.told) {
      parts.raise(streak, times);
    } else if (streak.count >= parts.times) {
      streak.own = this.told(backend).filter(({ own }) => own).length < limits.adviceClientsMax;
      streak.told = true;
      parts.raise(streak, streak.count);
    }
  }

  /** Something good happened. */
  end(client: string, backend: number): void {
    const key = `${client} ${backend}`;
    const streak = this.byKey.get(key);
    if (streak === undefined) return;
    this.byKey.delete(key);
    this.over(streak);
  }

  /** Forgets what has not gone on. */
  expire(): void {
    const nowMs = this.parts.clock.monoMs();
    for (const [key, streak] of this.byKey) {
      if (nowMs - streak.lastMs <= this.parts.withinMs) return;
      this.byKey.delete(key);
      this.over(streak);
    }
  }

  private over(streak: Streak): void {
    if (streak.told && (streak.own || !this.told(streak.backend).some(({ own }) => !own))) this.parts.clear(streak);
  }

  private told(backend: number): readonly Streak[] {
    return [...this.byKey.values()].filter((streak) => streak.told && streak.backend === backend);
  }

  private makeRoom(): void {
    for (const [key, streak] of this.byKey) {
      if (this.byKey.size < limits.watchedClientsMax) return;
      this.byKey.delete(key);
      this.over(streak);
    }
  }
}
