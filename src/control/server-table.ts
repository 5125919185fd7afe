/**
 * Servers with their shared state fields, and what follows from the configuration alone: names, thresholds, who tracks whom.
 * Shared by the parts of the one door (server-states.ts, slow-start.ts, check-ledger.ts, server-report.ts); decides nothing.
 */
import type { Model, Proxy, Server } from '../model/model.ts';
import { S, admin, op } from '../model/server-state.ts';
import type { Segments } from '../shared/segments.ts';

/** Thresholds of servers without `check`, as HAProxy presets them. */
const riseDefault = 2;
const fallDefault = 3;

export class ServerTable {
  readonly model: Model;
  readonly segments: Segments;
  readonly states: readonly Int32Array[];
  private readonly trackers: number[][];

  constructor(model: Model, segments: Segments) {
    this.model = model;
    this.segments = segments;
    this.states = model.servers.map((server) => segments.serverState(server.index));
    this.trackers = model.servers.map(() => []);
    for (const server of model.servers) this.trackers[server.track]?.push(server.index);
  }

  load(index: number, field: number): number {
    return Atomics.load(this.states[index] as Int32Array, field);
  }

  store(index: number, field: number, value: number): void {
    Atomics.store(this.states[index] as Int32Array, field, value);
  }

  server(index: number): Server {
    return this.model.servers[index] as Server;
  }

  proxy(server: Server): Proxy {
    return this.model.proxies[server.proxy] as Proxy;
  }

  /** `backend/server` */
  name(index: number): string {
    const server = this.server(index);
    return `${this.proxy(server).name}/${server.name}`;
  }

  thresholds(index: number): { rise: number; fall: number } {
    const { check } = this.server(index);
    return { rise: check?.rise ?? riseDefault, fall: check?.fall ?? fallDefault };
  }

  trackersOf(index: number): readonly number[] {
    return this.trackers[index] ?? [];
  }

  /** The server whose checks decide: the end of the chain of `track`. */
  root(index: number): number {
    let at = index;
    while (this.server(at).track >= 0) at = this.server(at).track;
    return at;
  }

  inMaintenance(index: number): boolean {
    return (this.load(index, S.admin) & admin.anyMaint) !== 0;
  }

  isStopped(index: number): boolean {
    return this.load(index, S.op) === op.stopped;
  }
}
