/**
 * Weights in force: the user's weight, reduced while a server with `slowstart` climbs after it came up. Used by server-states.ts
 * only, which is told at every step.
 */
import type { Clock } from '../base/clock.ts';
import type { Server } from '../model/model.ts';
import { S, op } from '../model/server-state.ts';
import type { ServerTable } from './server-table.ts';
import { rampWeight, weightScale } from './server-weights.ts';
import type { Timers } from './timers.ts';

/** Weights move every twentieth of the slow start, but not more often than this. */
const stepMinMs = 1000;

export class SlowStart {
  private readonly table: ServerTable;
  private readonly clock: Clock;
  private readonly timers: Timers;
  /** Algorithms with fixed weights know no slow start. */
  private readonly dynamic: (proxy: number) => boolean;
  /** `done`: the server is at its full weight now. */
  private readonly stepped: (server: Server, done: boolean) => void;
  private readonly steps: unknown[] = [];
  private readonly startedAtMs: number[] = [];

  constructor(table: ServerTable, clock: Clock, timers: Timers, dynamic: (proxy: number) => boolean, stepped: (server: Server, done: boolean) => void) {
    this.table = table;
    this.clock = clock;
    this.timers = timers;
    this.dynamic = dynamic;
    this.stepped = stepped;
  }

  /** The server comes up: starting when it has a slow start, else running. */
  start(server: Server): void {
    const climbs = server.slowstartMs > 0;
    this.startedAtMs[server.index] = this.clock.monoMs();
    this.table.store(server.index, S.op, climbs ? op.starting : op.running);
    this.applyWeight(server);
    if (climbs) this.schedule(server);
  }

  /** The server goes down. */
  stop(server: Server): void {
    this.cancel(server.index);
    this.table.store(server.index, S.throttle, 100);
  }

  /** After a reload: a climb that `former` began goes on. */
  adopt(server: Server, former: SlowStart, formerIndex: number): void {
    this.startedAtMs[server.index] = former.startedAtMs[formerIndex] ?? 0;
    former.cancel(formerIndex);
    if (this.table.load(server.index, S.op) !== op.starting) return;
    if (server.slowstartMs > 0) this.schedule(server);
    else this.table.store(server.index, S.op, op.running);
  }

  applyWeight(server: Server): void {
    const { index, slowstartMs } = server;
    const uweight = this.table.load(index, S.uweight);
    const climbing = this.table.load(index, S.op) === op.starting && slowstartMs > 0 && this.dynamic(server.proxy);
    const weight = climbing ? rampWeight(uweight, this.clock.monoMs() - (this.startedAtMs[index] ?? 0), slowstartMs) : uweight * weightScale;
    this.table.store(index, S.lbweight, weight);
    this.table.store(index, S.eweight, Math.ceil(weight / weightScale));
    this.table.store(index, S.throttle, uweight === 0 ? 100 : Math.ceil((100 * weight) / (weightScale * uweight)));
  }

  private schedule(server: Server): void {
    this.cancel(server.index);
    this.steps[server.index] = this.timers.after(Math.max(stepMinMs, Math.floor(server.slowstartMs / 20)), () => this.step(server));
  }

  private step(server: Server): void {
    const { index, slowstartMs } = server;
    this.steps[index] = undefined;
    if (this.table.load(index, S.op) !== op.starting) return;
    const done = this.clock.monoMs() - (this.startedAtMs[index] ?? 0) >= slowstartMs;
    if (done) this.table.store(index, S.op, op.running);
    this.applyWeight(server);
    this.stepped(server, done);
    if (!done) this.schedule(server);
  }

  cancelAll(): void {
    for (const index of this.steps.keys()) this.cancel(index);
  }

  private cancel(index: number): void {
    if (this.steps[index] !== undefined) this.timers.cancel(this.steps[index]);
    this.steps[index] = undefined;
  }
}
