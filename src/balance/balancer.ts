/**
 * Picks a server for a request by the backend's `balance` algorithm. One BackendBalancer per backend and traffic thread, used by
 * traffic/dispatch. It rebuilds its fast picker when the backend's epoch in shared memory has moved, and then picks without
 * allocating. Never returns a server that may not take traffic; never changes server state.
 */
import type { Model, Proxy, Server } from '../model/model.ts';
import { B, S, admin, op } from '../model/server-state.ts';
import type { Compiler } from '../rules/compile.ts';
import type { Subject } from '../rules/subject.ts';
import type { Segments } from '../shared/segments.ts';
import { hashKey } from './hash-key.ts';
import type { HashKey } from './hash-key.ts';
import { FirstPicker, LeastConnPicker, LoadBound, MapPicker, RandomPicker, RingPicker, SinglePicker, TurnPicker, nonePicker } from './pickers.ts';
import type { Picker } from './pickers.ts';
import { PerServer } from './per-server.ts';
import { HashRing } from './ring.ts';
import { commonDivisor, spreadTurns, weightMap } from './schedule.ts';
import { ServerLoad } from './server-load.ts';

export class BackendBalancer {
  /** Load of this backend's servers, for the queue too. */
  readonly load: ServerLoad;
  private readonly proxy: Proxy;
  private readonly servers: readonly Server[];
  private readonly states: PerServer<Int32Array>;
  private readonly backendState: Int32Array;
  private readonly backendGauges: Int32Array;
  private readonly key: HashKey | undefined;
  /** Static algorithms divide weights by this, fixed at load. */
  private readonly staticDivisor: number;
  private epoch: number;
  private picker: Picker;
  /** `last-resort`: when every server is down, all that are not taken out by hand are used rather than none. */
  private readonly hasLastResort: boolean;
  /** Servers in use although they are down; empty while any server is well. */
  private lastResort: readonly number[] = [];

  constructor(proxy: Proxy, model: Model, segments: Segments, compiler: Compiler) {
    this.proxy = proxy;
    this.load = new ServerLoad(proxy, model, segments);
    this.states = new PerServer(proxy.servers);
    const servers: Server[] = [];
    for (const index of proxy.servers) {
      const server = model.servers[index];
      if (server === undefined) continue;
      servers.push(server);
      this.states.set(index, segments.serverState(index));
    }
    this.servers = servers;
    this.backendState = segments.backendState(proxy.index);
    this.backendGauges = segments.gauges(segments.backendObject(proxy.index));
    this.key = hashKey(proxy, compiler);
    this.hasLastResort = model.poise.lastResort.includes(proxy.index);
    this.staticDivisor = commonDivisor(servers.map((server) => server.weight));
    this.epoch = Atomics.load(this.backendState, B.epoch);
    this.picker = this.build();
  }

  /**
   * Index in Model.servers, or -1. `avoid`: server to skip when another one is usable (redispatch), -1 = none.
   * -1 with hasUsable() true means: every server that could take it is full, wait in the backend's queue.
   */
  pick(subject: Subject, avoid: number): number {
    this.refresh();
    return this.picker.pick(subject, avoid);
  }

  /** True when the server may take new balanced requests now (up, no maintenance or drain, weight above 0; or the last resort). */
  usable(server: number): boolean {
    const state = this.states.get(server);
    return state !== undefined && (mayTakeTraffic(state) || (this.lastResort.length > 0 && this.lastResort.includes(server)));
  }

  /** True when at least one server, backups included, may take new requests. */
  hasUsable(): boolean {
    this.refresh();
    return this.picker !== nonePicker;
  }

  private refresh(): void {
    const epoch = Atomics.load(this.backendState, B.epoch);
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.picker = this.build();
  }

  private build(): Picker {
    this.lastResort = [];
    const active = this.servers.filter((server) => !server.backup && this.usable(server.index));
    if (active.length > 0) return this.pickerFor(active);
    const backups = this.servers.filter((server) => server.backup && this.usable(server.index));
    const first = backups[0];
    if (first === undefined) return this.hasLastResort ? this.lastResortPicker() : nonePicker;
    return this.proxy.switches.allbackups ? this.pickerFor(backups) : new SinglePicker(first.index);
  }

  private lastResortPicker(): Picker {
    const down = this.servers.filter((server) => isMerelyDown(this.states.get(server.index)));
    if (down.length === 0) return nonePicker;
    this.lastResort = down.map((server) => server.index);
    return this.pickerFor(down);
  }

  private pickerFor(servers: readonly Server[]): Picker {
    const indexes = servers.map((server) => server.index);
    // A server that is down, or has been up for a moment only, may have no weight of its own yet.
    const weights = servers.map((server) => Math.max(1, Atomics.load(this.states.get(server.index) as Int32Array, S.lbweight)));
    switch (this.proxy.balance.algorithm) {
      case 'roundrobin': return this.turns(indexes, spreadTurns(weights));
      case 'static-rr': return this.turns(indexes, weightMap(this.staticWeights(servers)));
      case 'leastconn': return new LeastConnPicker(indexes, weights, servers.map((server) => server.maxqueue), this.backendGauges, this.load);
      case 'first': return new FirstPicker([...servers].sort((a, b) => a.sid - b.sid).map((server) => server.index), this.load);
      case 'random': return this.randomPicker(servers, indexes, weights);
      default: return this.hashPicker(servers, indexes, weights);
    }
  }

  private turns(indexes: readonly number[], positions: Int32Array): TurnPicker {
    return new TurnPicker(positions.map((position) => indexes[position] as number), this.backendGauges, this.load);
  }

  private randomPicker(servers: readonly Server[], indexes: readonly number[], weights: readonly number[]): Picker {
    const weightOf = new PerServer<number>(indexes);
    for (const [position, index] of indexes.entries()) weightOf.set(index, weights[position] as number);
    const ring = new HashRing(indexes, servers.map((server) => server.sid), weights);
    return new RandomPicker(ring, this.proxy.balance.randomDraws, weightOf, this.bound(indexes, weights), this.load);
  }

  private hashPicker(servers: readonly Server[], indexes: readonly number[], weights: readonly number[]): Picker {
    if (this.proxy.hashType.method === 'consistent') {
      const ring = new HashRing(indexes, servers.map((server) => server.sid), weights);
      const fallback = new TurnPicker(ring.servers, this.backendGauges, this.load);
      return this.key === undefined ? fallback : new RingPicker(this.key, ring, this.bound(indexes, weights), fallback);
    }
    const map = weightMap(this.staticWeights(servers)).map((position) => indexes[position] as number);
    const fallback = new TurnPicker(map, this.backendGauges, this.load);
    return this.key === undefined ? fallback : new MapPicker(this.key, map, fallback);
  }

  private bound(indexes: readonly number[], weights: readonly number[]): LoadBound | null {
    return this.proxy.hashBalanceFactor > 0 ? new LoadBound(this.proxy.hashBalanceFactor, indexes, weights, this.load) : null;
  }

  /** Static algorithms know only the weights of the configuration: a usable server counts in full, there is no slow start. */
  private staticWeights(servers: readonly Server[]): number[] {
    return servers.map((server) => Math.max(1, Math.floor(server.weight / this.staticDivisor)));
  }
}

/** May the server with this state take new balanced requests? */
function mayTakeTraffic(state: Int32Array): boolean {
  const running = Atomics.load(state, S.op);
  return (running === op.running || running === op.starting)
    && (Atomics.load(state, S.admin) & (admin.anyMaint | admin.anyDrain)) === 0
    && Atomics.load(state, S.lbweight) > 0;
}

/** Down by its checks alone: nobody took it out, and its weight is not 0. */
function isMerelyDown(state: Int32Array | undefined): boolean {
  return state !== undefined && Atomics.load(state, S.op) === op.stopped && (Atomics.load(state, S.admin) & (admin.anyMaint | admin.anyDrain)) === 0 && Atomics.load(state, S.uweight) > 0;
}
