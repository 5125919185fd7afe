/**
 * How loaded the servers of one backend are, read from the shared gauges, and the connection limit in force (minconn, fullconn,
 * slow start). Used by the balancer and by traffic/dispatch. Never changes a gauge.
 */
import { G } from '../model/counters.ts';
import type { Model, Proxy } from '../model/model.ts';
import { S } from '../model/server-state.ts';
import type { Segments } from '../shared/segments.ts';
import { PerServer } from './per-server.ts';

export class ServerLoad {
  private readonly backendGauges: Int32Array;
  private readonly fullconn: number;
  private readonly gauges: PerServer<Int32Array>;
  private readonly states: PerServer<Int32Array>;
  private readonly minconn: PerServer<number>;

  constructor(proxy: Proxy, model: Model, segments: Segments) {
    this.backendGauges = segments.gauges(segments.backendObject(proxy.index));
    this.fullconn = proxy.fullconn;
    this.gauges = new PerServer(proxy.servers);
    this.states = new PerServer(proxy.servers);
    this.minconn = new PerServer(proxy.servers);
    for (const index of proxy.servers) {
      const server = model.servers[index];
      if (server === undefined) continue;
      this.gauges.set(index, segments.gauges(segments.serverObject(index)));
      this.states.set(index, segments.serverState(index));
      this.minconn.set(index, server.minconn);
    }
  }

  /** Requests the server works on now. */
  served(server: number): number {
    const gauges = this.gauges.get(server);
    return gauges === undefined ? 0 : Atomics.load(gauges, G.scur);
  }

  /** Requests that wait for this server. */
  queued(server: number): number {
    const gauges = this.gauges.get(server);
    return gauges === undefined ? 0 : Atomics.load(gauges, G.qcur);
  }

  /** Requests the whole backend works on now. */
  backendServed(): number {
    return Atomics.load(this.backendGauges, G.scur);
  }

  /** Connections the server may have now; 0 = no limit. With minconn it follows the backend's load, with slow start the ramp. */
  maxconn(server: number): number {
    const state = this.states.get(server);
    if (state === undefined) return 0;
    const maxconn = Atomics.load(state, S.maxconn);
    if (maxconn === 0) return 0;
    const minconn = this.minconn.get(server) ?? 0;
    const connections = this.backendServed();
    let limit = maxconn;
    if (minconn < maxconn && connections < this.fullconn && minconn > 0) {
      limit = Math.max(minconn, Math.floor((connections * maxconn) / this.fullconn));
    }
    const throttle = Atomics.load(state, S.throttle);
    if (throttle < 100) limit = Math.max(1, Math.floor((limit * Math.max(throttle, 1)) / 100));
    return limit;
  }

  /** True when the server has no free slot, or others wait for one already. */
  isFull(server: number): boolean {
    const limit = this.maxconn(server);
    return limit !== 0 && (this.queued(server) > 0 || this.served(server) >= limit);
  }
}
