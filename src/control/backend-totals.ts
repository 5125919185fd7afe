/**
 * What follows from its servers' states for a backend: how many can take requests, their weight, whether it is up, and for how
 * long it was not. Written into shared memory before the epoch counts up. Used by server-states.ts only.
 */
import type { Model, Proxy, Server } from '../model/model.ts';
import { B, S, admin, op } from '../model/server-state.ts';
import type { Segments } from '../shared/segments.ts';
import { weightScale } from './server-weights.ts';

export class BackendTotals {
  private readonly model: Model;
  private readonly serverStates: readonly Int32Array[];
  /** By proxy index. */
  private readonly backends: Int32Array[];
  private readonly nowSeconds: () => number;

  constructor(model: Model, segments: Segments, serverStates: readonly Int32Array[], nowSeconds: () => number) {
    this.model = model;
    this.serverStates = serverStates;
    this.backends = model.proxies.map((proxy) => segments.backendState(proxy.index));
    this.nowSeconds = nowSeconds;
  }

  /** `goesOn`: it was there before a reload. */
  start(proxy: Proxy, goesOn: boolean): void {
    if (!goesOn) Atomics.store(this.backend(proxy.index), B.lastchg_s, this.nowSeconds());
    this.write(proxy);
  }

  /** True when the last server that could take requests has gone. */
  update(proxyIndex: number): boolean {
    const proxy = this.model.proxies[proxyIndex];
    if (proxy === undefined) return false;
    const backend = this.backend(proxyIndex);
    const before = this.usable(proxyIndex);
    this.write(proxy);
    const after = this.usable(proxyIndex);
    if ((before === 0) !== (after === 0)) {
      const now = this.nowSeconds();
      if (before === 0) backend[B.downtime_s] = (backend[B.downtime_s] as number) + Math.max(0, now - (backend[B.lastchg_s] as number));
      else backend[B.chkdown] = (backend[B.chkdown] as number) + 1;
      Atomics.store(backend, B.lastchg_s, now);
    }
    return before > 0 && after === 0;
  }

  counts(proxy: number): { active: number; backup: number } {
    const backend = this.backend(proxy);
    return { active: Atomics.load(backend, B.active), backup: Atomics.load(backend, B.backup) };
  }

  weight(proxy: number): number {
    return Atomics.load(this.backend(proxy), B.weight);
  }

  downtimeSeconds(proxy: number): number {
    const backend = this.backend(proxy);
    const before = Atomics.load(backend, B.downtime_s);
    if (this.usable(proxy) > 0 || Atomics.load(backend, B.up) === 1) return before;
    return before + Math.max(0, this.nowSeconds() - Atomics.load(backend, B.lastchg_s));
  }

  /** Algorithms whose weights may change at run time (configuration manual, `balance`). */
  isDynamic(proxyIndex: number): boolean {
    const proxy = this.model.proxies[proxyIndex];
    if (proxy === undefined) return false;
    switch (proxy.balance.algorithm) {
      case 'roundrobin': case 'leastconn': case 'first': case 'random': return true;
      case 'static-rr': return false;
      default: return proxy.hashType.method === 'consistent';
    }
  }

  private usable(proxy: number): number {
    const { active, backup } = this.counts(proxy);
    return active + backup;
  }

  private write(proxy: Proxy): void {
    let active = 0;
    let activeWeight = 0;
    let backup = 0;
    let backupWeight = 0;
    let firstBackupWeight = 0;
    for (const index of proxy.servers) {
      const server = this.model.servers[index];
      if (server === undefined) continue;
      const weight = this.weightOf(server);
      if (weight === 0) continue;
      if (server.backup) {
        if (backup === 0) firstBackupWeight = weight;
        backup += 1;
        backupWeight += weight;
      } else {
        active += 1;
        activeWeight += weight;
      }
    }
    const inUse = active > 0 ? activeWeight : proxy.switches.allbackups ? backupWeight : firstBackupWeight;
    const backend = this.backend(proxy.index);
    Atomics.store(backend, B.active, active);
    Atomics.store(backend, B.backup, backup);
    Atomics.store(backend, B.weight, Math.ceil(inUse / weightScale));
    Atomics.store(backend, B.up, inUse > 0 || proxy.servers.length === 0 ? 1 : 0);
    Atomics.add(backend, B.epoch, 1);
  }

  /** Weight × 16 of a server that may take new requests, else 0. */
  private weightOf(server: Server): number {
    const state = this.serverStates[server.index];
    if (state === undefined || (Atomics.load(state, S.admin) & (admin.anyMaint | admin.anyDrain)) !== 0) return 0;
    const running = Atomics.load(state, S.op);
    return running === op.running || running === op.starting ? Atomics.load(state, S.lbweight) : 0;
  }

  private backend(proxy: number): Int32Array {
    return this.backends[proxy] as Int32Array;
  }
}
