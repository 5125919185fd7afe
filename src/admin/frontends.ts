/**
 * Run-time state of frontends: paused, shut down, maxconn in force; and the limits of the process. Changed by runtime commands,
 * read by reports. The traffic threads hear of every change by message. Never touches listeners itself.
 */
import type { Figures } from '../control/counting.ts';
import type { ToTraffic } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import type { FrontendState, ProcessLimits } from '../report/sources.ts';

interface Frontend {
  state: FrontendState;
  maxconn: number;
}

/** As configured; `maxconn` is what start-up chose. */
function limitsOf({ global: { maxconnrate, maxsessrate, maxsslrate } }: Model, maxconn: number): ProcessLimits {
  return { maxconn, hardMaxconn: maxconn, connRate: maxconnrate, sessRate: maxsessrate, sslRate: maxsslrate };
}

/** Where the configuration is the same as before a reload, what was in force then. */
function keepLimits(limits: ProcessLimits, before: ProcessLimits, configuredBefore: ProcessLimits): void {
  for (const name of ['maxconn', 'connRate', 'sessRate', 'sslRate'] as const) if (limits[name] === configuredBefore[name]) limits[name] = before[name];
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
    this.limits = limitsOf(model, maxconn);
    // What was set by hand goes on as long as the configuration says nothing new about it.
    if (former !== undefined) keepLimits(this.limits, former.frontends.limits, limitsOf(former.frontends.model, former.frontends.limits.hardMaxconn));
    this.frontends = model.proxies.map(proxy => {
      const index = former?.indexOf(proxy.index) ?? -1;
      const before = former?.frontends.frontends[index];
      const isSame = former?.frontends.model.proxies[index]?.maxconn === proxy.maxconn;
      return { state: proxy.disabled ? 'STOP' : before?.state === 'PAUSED' ? 'PAUSED' : 'OPEN', maxconn: isSame ? before?.maxconn ?? proxy.maxconn : proxy.maxconn };
    });
  }

  /** What is set by hand, for the state folder: nothing of a frontend that was shut down, which only a restart brings back. */
  byHand(proxy: number): Figures {
    const frontend = this.frontends[proxy];
    const configured = this.model.proxies[proxy]?.maxconn ?? 0;
    if (frontend === undefined) return {};
    return { ...(frontend.state === 'PAUSED' ? { paused: 1 } : {}), ...(frontend.maxconn === configured ? {} : { maxconn: frontend.maxconn, maxconn_configured: configured }) };
  }

  /** Of a former process; a limit holds as long as the configuration says nothing new about it. */
  restore(proxy: number, { maxconn, maxconn_configured: configured, paused }: Figures): void {
    if (paused === 1 && this.state(proxy) === 'OPEN') this.setEnabled(proxy, false);
    if (maxconn !== undefined && configured === this.model.proxies[proxy]?.maxconn) this.setMaxconn(proxy, maxconn);
  }

  limitsByHand(): Figures {
    const { hardMaxconn, maxconn, connRate, sessRate, sslRate } = this.limits;
    const { maxconnrate, maxsessrate, maxsslrate } = this.model.global;
    return {
      ...(maxconn === hardMaxconn ? {} : { maxconn, maxconn_configured: hardMaxconn }),
      ...(connRate === maxconnrate ? {} : { conn_rate: connRate, conn_rate_configured: maxconnrate }),
      ...(sessRate === maxsessrate ? {} : { sess_rate: sessRate, sess_rate_configured: maxsessrate }),
      ...(sslRate === maxsslrate ? {} : { ssl_rate: sslRate, ssl_rate_configured: maxsslrate }),
    };
  }

  restoreLimits(figures: Figures): void {
    const { maxconnrate, maxsessrate, maxsslrate } = this.model.global;
    const byHand = (name: string, configured: number): number | undefined => (figures[`${name}_configured`] === configured ? figures[name] : undefined);
    const [maxconn, connRate, sessRate, sslRate] = [byHand('maxconn', this.limits.hardMaxconn), byHand('conn_rate', maxconnrate), byHand('sess_rate', maxsessrate), byHand('ssl_rate', maxsslrate)];
    if (maxconn !== undefined) this.setProcessMaxconn(maxconn);
    if (connRate !== undefined) this.setRateLimit('connections', connRate);
    if (sessRate !== undefined) this.setRateLimit('sessions', sessRate);
    if (sslRate !== undefined) this.setRateLimit('ssl-sessions', sslRate);
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
