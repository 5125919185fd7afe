/**
 * Idle connections to one server in one thread, newest first out. As many are kept as were needed at once lately, and
 * pool-low-conn more; surplus ones are closed step by step (pool-purge-delay), half of what the last period did not need.
 * Used by Dispatch only; knows nothing of requests.
 */
import { TimerNode, type TimerOwner, type TimerWheel } from '../../base/timer-wheel.ts';
import { G } from '../../model/counters.ts';
import { limits } from '../../model/limits.ts';
import type { Server } from '../../model/model.ts';
import type { Tally } from '../tally.ts';
import type { ServerLink } from './server-link.ts';

export class IdlePool implements TimerOwner {
  private server: Server;
  private retired = false;
  private readonly tally: Tally;
  private readonly wheel: TimerWheel;
  private readonly timer = new TimerNode(this, 0);
  /** Most recently used first. */
  private head: ServerLink | null = null;
  private tail: ServerLink | null = null;
  private count = 0;
  /** Of these, proven reusable. */
  private safeCount = 0;
  private inUse = 0;
  /** Most connections in use at once in this period, and over the last periods, older ones counting less and less. */
  private inUseMax = 0;
  private needed = 0;

  constructor(server: Server, tally: Tally, wheel: TimerWheel) {
    this.server = server;
    this.tally = tally;
    this.wheel = wheel;
  }

  get size(): number {
    return this.count;
  }

  /** A request starts or stops using a connection of this server: what the pool must be able to serve again. */
  used(change: 1 | -1): void {
    this.inUse += change;
    if (this.inUse > this.inUseMax) this.inUseMax = this.inUse;
    if (this.inUse > this.needed) this.needed = this.inUse;
  }

  /** False: no room or not wanted; the caller, whose connection still counts as used, closes it. */
  put(link: ServerLink): boolean {
    if (this.retired || link.transport.closed || this.server.poolPurgeDelayMs === 0 || this.isFull() || this.isWornOut(link) || !this.isWanted(link)) return false;
    link.pool = this;
    link.poolPrevious = null;
    link.poolNext = this.head;
    if (this.head === null) this.tail = link;
    else this.head.poolPrevious = link;
    this.head = link;
    this.count += 1;
    if (link.safe) this.safeCount += 1;
    this.tally.move(G.idle_conn_cur, 1);
    this.tally.move(G.used_conn_cur, -1);
    link.transport.handler = link;
    link.transport.resume();
    if (!this.timer.armed) this.wheel.arm(this.timer, this.server.poolPurgeDelayMs);
    return true;
  }

  /** Newest idle connection with this key, out of the pool. `safeOnly`: only those that were reused before. */
  take(key: string, safeOnly: boolean): ServerLink | null {
    for (let link = this.head; link !== null; link = link.poolNext) {
      if (link.key !== key || (safeOnly && !link.safe)) continue;
      this.remove(link);
      return link;
    }
    return null;
  }

  remove(link: ServerLink): void {
    if (link.poolPrevious === null) this.head = link.poolNext;
    else link.poolPrevious.poolNext = link.poolNext;
    if (link.poolNext === null) this.tail = link.poolPrevious;
    else link.poolNext.poolPrevious = link.poolPrevious;
    link.pool = null;
    link.poolPrevious = null;
    link.poolNext = null;
    this.count -= 1;
    if (link.safe) this.safeCount -= 1;
    this.tally.move(G.idle_conn_cur, -1);
    this.tally.move(G.used_conn_cur, 1);
  }

  /** A reload changed limits of the server, not how it is reached. */
  follow(server: Server): void {
    this.server = server;
  }

  /** Connections of this kind are not made any more. */
  retire(): void {
    this.retired = true;
    this.closeAll();
  }

  /** Server went down, was changed, or the thread stops. */
  closeAll(): void {
    while (this.head !== null) this.close(this.head);
  }

  /** Closes half of the connections that the last period had no use for, oldest first. */
  onTimer(): void {
    const surplus = this.inUse + this.count - Math.max(this.inUseMax, this.needed);
    for (let left = Math.ceil(surplus / 2); left > 0 && this.tail !== null; left -= 1) this.close(this.tail);
    this.needed = Math.max(Math.floor((this.needed + this.inUseMax) / 2), this.inUseMax);
    this.inUseMax = this.inUse;
    if (this.count > 0) this.wheel.arm(this.timer, this.server.poolPurgeDelayMs);
  }

  private close(link: ServerLink): void {
    this.remove(link);
    link.transport.destroy();
  }

  /** One connection of each kind is always worth keeping: only those that have proven reusable serve first requests. */
  private isWanted(link: ServerLink): boolean {
    if (this.safeCount === 0 && (link.safe || this.count === 0)) return true;
    return this.inUse + this.count <= Math.max(this.inUse, this.needed) + this.server.poolLowConn;
  }

  private isFull(): boolean {
    if (this.count >= limits.idlePerServerMax) return true;
    const max = this.server.poolMaxConn;
    return max >= 0 && this.tally.gauge(G.idle_conn_cur) >= max;
  }

  /** max-reuse counts reuses: the first request is none. */
  private isWornOut(link: ServerLink): boolean {
    return this.server.maxReuse >= 0 && link.requests > this.server.maxReuse;
  }
}
