/**
 * `fullconn` where the configuration gives none: a tenth of the connections that all frontends leading to the backend may have
 * (configuration manual, fullconn). Dynamic limits (minconn) and the column slim of backends depend on it. Called once at
 * start, when the limit of the process is known.
 */
import type { Model, Proxy } from '../model/model.ts';

/** Indexes of the backends that it leads to. */
function targetsOf(frontend: Proxy): ReadonlySet<number> {
  const targets = new Set([frontend.index, frontend.defaultBackend]);
  for (const { target } of frontend.useBackend) targets.add(target);
  return targets;
}

/** The same Model with every backend's fullconn filled in; `model.global.maxconn` is the limit in force. */
export function withFullconn(model: Model): Model {
  const frontends = model.proxies.filter(proxy => proxy.isFrontend && !proxy.disabled).map(frontend => ({ frontend, targets: targetsOf(frontend) }));
  const proxies = model.proxies.map((proxy) => {
    if (!proxy.isBackend || proxy.fullconn > 0) return proxy;
    const connections = frontends.filter(({ targets }) => targets.has(proxy.index))
      .reduce((sum, { frontend }) => sum + (frontend.maxconn > 0 ? frontend.maxconn : model.global.maxconn), 0);
    return { ...proxy, fullconn: Math.max(1, Math.floor((connections + 9) / 10)) };
  });
  return { ...model, proxies };
}
