/**
 * Run-time state of frontends: paused, shut down, maxconn in force; and the limits of the process. Changed by runtime commands,
 * read by reports. The traffic threads hear of every change by message. Never touches listeners itself.
 */
import type { ToTraffic } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import type { FrontendState, ProcessLimits } from '../report/sources.ts';

interface Frontend {
  state: FrontendState;
  maxconn: number;
}

export class Frontends {
  readonly limits: ProcessLimits;
  private readonly model: Model;
  private readonly broadcast: (message: ToTraffic) => void;
  private readonly frontends: readonly Frontend[];

  /** `maxconn`: the limit of the process that start-up chose. `former`: before a reload, and where a proxy stood then. */
  constructor(model: Model, maxconn: number, broadcast: (message: ToTraffic) => void, former?: { readonly frontends: Frontends; readonly indexOf: (proxy: number) => number }) {
    this.model = model;
    this.broadcast = broadcast;
    const { maxconnrate, maxsessrate, maxsslrate } = model.global;
    this.limits = { maxconn, hardMaxconn: maxconn, connRate: maxconnrate, sessRate: maxsessrate, sslRate: maxsslrate };
    this.frontends = model.proxies.map(proxy => {
      const index = former?.indexOf(proxy.index) ?? -1;
      const before = former?.frontends.frontends[index];
      const isSame = former?.frontends.model.proxies[index]?.maxconn === proxy.maxconn;
      return { state: proxy.disabled ? 'STOP' : before?.state === 'PAUSED' ? 'PAUSED' : 'OPEN', maxconn: isSame ? before?.maxconn ?? proxy.maxconn : proxy.maxconn };
    });
  }

  state(proxy: number): FrontendState {
    return this.frontends[proxy]?.state ?? 'OPEN';
  }

  /** Frontends without a limit of their own have that of the process. */
  maxconn(proxy: number): number {
    const own = this.frontends[proxy]?.maxconn ?? 0;
    return own > 0 ? own : this.limits.maxconn;
  }

  setEnabled(proxy: number, enabled: boolean): void {
    const frontend = this.frontends[proxy];
    if (frontend === undefined) return;
    frontend.state = enabled ? 'OPEN' : 'PAUSED';
    this.broadcast({ type: 'set-frontend', proxy, enabled });
  }

  shutdown(proxy: number): void {
    const frontend = this.frontends[proxy];
    if (frontend === undefined) return;
    frontend.state = 'STOP';
    this.broadcast({ type: 'shutdown-frontend', proxy });
  }

  setMaxconn(proxy: number, maxconn: number): void {
    const frontend = this.frontends[proxy];
    if (frontend === undefined) return;
    frontend.maxconn = maxconn;
    this.broadcast({ type: 'set-maxconn', proxy, maxconn: this.maxconn(proxy) });
  }

  setProcessMaxconn(maxconn: number): void {
    this.limits.maxconn = maxconn;
    this.broadcast({ type: 'set-maxconn', proxy: -1, maxconn });
  }

  setRateLimit(which: 'connections' | 'sessions' | 'ssl-sessions', perSecond: number): void {
    if (which === 'connections') this.limits.connRate = perSecond;
    else if (which === 'sessions') this.limits.sessRate = perSecond;
    else this.limits.sslRate = perSecond;
    this.broadcast({ type: 'set-rate-limit', which, perSecond });
  }

  /** Index of a frontend by name, -1 = none. */
  find(name: string): number {
    return this.model.proxies.find(proxy => proxy.isFrontend && proxy.name === name)?.index ?? -1;
  }
}
