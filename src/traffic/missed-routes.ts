/**
 * Path rules of one frontend that do not ignore case, to notice requests that would have fitted one but for their case and went to
 * the default backend. Only rules whose path test decides alone are watched: of the others nobody knows whether the rest fits.
 * Part of ProxyPlan for Exchange frontends; asked only for requests that no rule took.
 */
import type { Acl, Condition } from '../model/expression.ts';
import { fallbackOf } from '../model/exchange-sites.ts';
import { limits } from '../model/limits.ts';
import type { Model, Proxy } from '../model/model.ts';
import type { Segments } from '../shared/segments.ts';
import type { MissedRoute, SightingQueue } from './sighting-queue.ts';

interface Route extends MissedRoute {
  readonly lower: string;
  /** The whole path has to fit, not its beginning. */
  readonly whole: boolean;
}

export class MissedRoutes {
  /** Index of the backend that gets what fits no rule. */
  readonly fallback: number;
  private readonly routes: readonly Route[];
  /** Fits a path when some route does, whatever the case. */
  private readonly any: RegExp;

  private constructor(fallback: number, routes: readonly Route[]) {
    this.fallback = fallback;
    this.routes = routes;
    this.any = new RegExp(`^(?:${routes.map(({ lower, whole }) => `${lower.replaceAll(/[^a-z0-9/]/g, '\\$&')}${whole ? '$' : ''}`).join('|')})`, 'i');
  }

  /** Null: nothing to watch. */
  static of(frontend: Proxy, model: Model, segments: Segments): MissedRoutes | null {
    const fallback = fallbackOf(frontend);
    if (fallback < 0 || frontend.mode !== 'http') return null;
    const routes: Route[] = [];
    for (const rule of frontend.useBackend) {
      if (rule.condition === null || rule.dynamic !== null || rule.target === fallback) continue;
      for (const acl of decidingAcls(rule.condition, model)) {
        for (const pattern of caseBound(acl, model)) {
          const lower = pattern.toLowerCase();
          const whole = acl.method === 'str';
          if (routes.some((route) => route.lower === lower && route.whole === whole)) continue;
          routes.push({ frontend: segments.proxySlot(frontend.index), target: segments.proxySlot(rule.target), pattern, lower, whole, path: '', client: '', count: 0 });
        }
      }
    }
    return routes.length === 0 ? null : new MissedRoutes(fallback, routes.slice(0, limits.watchedRoutesMax));
  }

  /** A request whose path is `path` went to the default backend. */
  look(path: string, client: string, queue: SightingQueue): void {
    if (!this.any.test(path)) return;
    const lower = path.toLowerCase();
    const route = this.routes.find((one) => (one.whole ? lower === one.lower : lower.startsWith(one.lower)));
    if (route !== undefined) queue.missedRoute(route, path.slice(0, limits.sightingPathLengthMax), client);
  }
}

/** ACLs of which one alone makes the rule apply. */
function decidingAcls(condition: Condition, model: Model): readonly Acl[] {
  if (condition.unless) return [];
  return condition.anyOf.flatMap((terms) => {
    const [term] = terms;
    if (term === undefined || terms.length > 1 || term.negate) return [];
    return term.acls.flatMap((index) => model.acls[index] ?? []);
  });
}

/** Paths with letters that the ACL wants exactly so. */
function caseBound(acl: Acl, model: Model): readonly string[] {
  const { fetch, converters } = acl.expr;
  const fits = acl.method === 'beg' ? ['path', 'pathq', 'url'] : acl.method === 'str' ? ['path'] : [];
  if (acl.ignoreCase || converters.length > 0 || !fits.includes(fetch.name)) return [];
  return acl.patterns.flatMap((id) => model.patterns[id]?.entries ?? []).map(({ key }) => key).filter((key) => /^\/[^?]*[a-z][^?]*$/i.test(key));
}
