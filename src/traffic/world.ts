/**
 * The live figures that rules, balance and log formats of one plan may read, taken from shared memory when asked.
 * Writes nothing but this thread's own variables.
 */
import { hostname } from 'node:os';
import type { Clock } from '../base/clock.ts';
import { G } from '../model/counters.ts';
import type { ToControl } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import { S, admin, op } from '../model/server-state.ts';
import type { SampleValue, Vars, World } from '../rules/subject.ts';
import { P } from '../shared/segments.ts';
import type { Plan } from './plan.ts';

/** What the worlds of one thread have in common. */
export interface WorldGround {
  readonly startedAtMs: number;
  readonly threadIndex: number;
  readonly processVars: Vars;
  readonly clock: Clock;
  readonly post: (message: ToControl) => void;
  /** The plan for what starts now. */
  readonly current: () => Plan;
}

export class SharedWorld implements World {
  readonly model: Model;
  readonly startedAtMs: number;
  readonly hostname: string = hostname();
  readonly pid: number = process.pid;
  readonly threadIndex: number;
  readonly processVars: Vars;
  private readonly plan: Plan;
  private readonly ground: WorldGround;
  private readonly clock: Clock;
  private readonly processes: Float64Array[] = [];
  private readonly patternVersions: number[] = [];

  constructor(plan: Plan, ground: WorldGround) {
    this.model = plan.model;
    this.startedAtMs = ground.startedAtMs;
    this.threadIndex = ground.threadIndex;
    this.processVars = ground.processVars;
    this.plan = plan;
    this.ground = ground;
    this.clock = ground.clock;
    const { segments } = plan;
    for (let thread = 0; thread <= segments.threads; thread += 1) this.processes.push(segments.process(thread));
  }

  nowMs(): number {
    return this.clock.dateMs();
  }

  usableServers(proxy: number): number {
    let usable = 0;
    for (const server of this.plan.proxies[proxy]?.servers ?? []) if (this.serverIsUp(server.server.index)) usable += 1;
    return usable;
  }

  /** Up and not in maintenance: the server may take requests (drained servers may still take persistent ones). */
  serverIsUp(server: number): boolean {
    const state = this.plan.servers[server]?.state;
    if (state === undefined) return false;
    return Atomics.load(state, S.op) !== op.stopped && (Atomics.load(state, S.admin) & admin.anyMaint) === 0;
  }

  serverTrouble(server: number): string {
    const state = this.plan.servers[server]?.state;
    if (state === undefined) return '';
    const flags = Atomics.load(state, S.admin);
    if ((flags & admin.anyMaint) !== 0) return 'in maintenance';
    if (Atomics.load(state, S.op) === op.stopped) return 'down';
    return (flags & admin.anyDrain) !== 0 || Atomics.load(state, S.eweight) === 0 ? 'drained' : '';
  }

  serverWeight(server: number): number {
    const state = this.plan.servers[server]?.state;
    return state === undefined ? 0 : Atomics.load(state, S.eweight);
  }

  serverConnections(server: number): number {
    return this.plan.servers[server]?.tally.gauge(G.scur) ?? 0;
  }

  serverQueue(server: number): number {
    return this.plan.servers[server]?.tally.gauge(G.qcur) ?? 0;
  }

  serverRate(server: number): number {
    return this.plan.servers[server]?.tally.gauge(G.rate) ?? 0;
  }

  backendConnections(proxy: number): number {
    return this.plan.proxies[proxy]?.back.gauge(G.scur) ?? 0;
  }

  backendQueue(proxy: number): number {
    return this.plan.proxies[proxy]?.back.gauge(G.qcur) ?? 0;
  }

  backendRate(proxy: number): number {
    return this.plan.proxies[proxy]?.back.gauge(G.rate) ?? 0;
  }

  frontendConnections(proxy: number): number {
    return this.plan.proxies[proxy]?.front.gauge(G.scur) ?? 0;
  }

  frontendRate(proxy: number): number {
    return this.plan.proxies[proxy]?.front.gauge(G.rate) ?? 0;
  }

  frontendRequestRate(proxy: number): number {
    return this.plan.proxies[proxy]?.front.gauge(G.req_rate) ?? 0;
  }

  processConnections(): number {
    let sum = 0;
    for (const one of this.processes) sum += one[P.current_connections] as number;
    return sum;
  }

  patternVersion(id: number): number {
    return this.patternVersions[id] ?? 0;
  }

  /** New entries of a pattern set came from the control thread. */
  patternsUpdated(id: number): void {
    this.patternVersions[id] = this.patternVersion(id) + 1;
  }

  random(): number {
    return Math.random();
  }

  patternsChanged(id: number, change: 'set' | 'add' | 'del', key: string, value: string): void {
    // After a reload the number is another set's, which was read from its file again.
    if (this.ground.current() === this.plan) this.ground.post({ type: 'patterns-changed', id, op: change, key, value });
  }

  stickLookup(proxy: number, key: SampleValue): number {
    return this.plan.stickTables.table(proxy)?.lookup(key, false) ?? -1;
  }

  warn(message: string): void {
    this.ground.post({ type: 'warning', thread: this.threadIndex, message });
  }
}
