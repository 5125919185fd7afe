/**
 * Which parts of a configuration serve Exchange: backends that ask for healthcheck.htm, the frontends in front of them, and every
 * backend of those frontends. Computed once at start for probe-watch.ts. What is not Exchange is never watched, so that nobody is
 * warned of Extended Protection before a shop.
 */
import type { Bind, Model, Proxy } from '../../model/model.ts';

export interface ExchangeBackend {
  readonly proxy: Proxy;
  /** Its check asks for healthcheck.htm. */
  readonly asksHealthcheck: boolean;
  /** Indexes into Model.proxies of the frontends in front of it. */
  readonly frontends: readonly number[];
  /** TLS binds of the frontends in front of it. */
  readonly binds: readonly Bind[];
}

/** By index of the backend. */
export function exchangeBackends(model: Model): ReadonlyMap<number, ExchangeBackend> {
  const found = new Map<number, ExchangeBackend>();
  for (const frontend of model.proxies) {
    if (!frontend.isFrontend || frontend.disabled) continue;
    const behind = backendsOf(frontend, model);
    if (!behind.some(asksHealthcheck)) continue;
    const binds = frontend.binds.flatMap((index) => model.binds[index] ?? []).filter((bind) => bind.tls !== null);
    for (const proxy of behind) {
      const known = found.get(proxy.index);
      found.set(proxy.index, { proxy, asksHealthcheck: asksHealthcheck(proxy), frontends: [...(known?.frontends ?? []), frontend.index], binds: [...(known?.binds ?? []), ...binds] });
    }
  }
  return found;
}

/** Backends chosen by a dynamic name are not known before a request comes. */
function backendsOf(frontend: Proxy, model: Model): readonly Proxy[] {
  const targets = new Set(frontend.useBackend.filter((rule) => rule.dynamic === null).map((rule) => rule.target));
  targets.add(frontend.isBackend && frontend.defaultBackend < 0 ? frontend.index : frontend.defaultBackend);
  return [...targets].flatMap((index) => model.proxies[index] ?? []).filter((proxy) => proxy.isBackend && !proxy.disabled);
}

function asksHealthcheck(proxy: Proxy): boolean {
  if (proxy.check.kind !== 'http') return false;
  return proxy.check.steps.some((step) => {
    const last = step.kind === 'http-send' ? step.uri.at(-1) : undefined;
    return last?.kind === 'text' && last.text.toLowerCase().endsWith('/healthcheck.htm');
  });
}
