/**
 * Which parts of a configuration serve Exchange: backends that ask for healthcheck.htm or that a path of Exchange leads to, the
 * frontends in front of them, and every backend of those frontends. Computed once at start by the watches of the control thread, the
 * plans of the traffic threads and `check --probe`. What is not Exchange is never watched, so that nobody is warned of Extended
 * Protection before a shop, and no shop's request is looked at.
 */
import { atOnce } from '../base/slices.ts';
import type { Acl, PatternSet } from './expression.ts';
import type { Bind, Model, Proxy } from './model.ts';

export interface ExchangeBackend {
  readonly proxy: Proxy;
  /** Its check asks for healthcheck.htm. */
  readonly asksHealthcheck: boolean;
  /** Indexes into Model.proxies of the frontends in front of it. */
  readonly frontends: readonly number[];
  /** TLS binds of the frontends in front of it. */
  readonly binds: readonly Bind[];
}

/** A path that a rule asks for, as written: `/owa`, `^/owa`, `(?i)\/owa`. `/rpc` and `/oab` may be anybody's. */
const exchangePath = /^\^?(?:\(\?i\))?\^?\\?\/(?:owa|ecp|ews|mapi|autodiscover|microsoft-server-activesync)(?![a-z0-9])/i;

/** That are looked at without a pause. */
const rulesPerStep = 500;

/** What reads the path of a request. */
export const pathFetches: ReadonlySet<string> = new Set(['path', 'pathq', 'url']);

/** One walk over all rules does for everybody who asks. */
const known = new WeakMap<Model, ReadonlyMap<number, ExchangeBackend>>();

/** By index of the backend. */
export function exchangeBackends(model: Model): ReadonlyMap<number, ExchangeBackend> {
  return known.get(model) ?? atOnce(findExchange(model));
}

/** In steps of some rules, for a thread that has other things to do: exchangeBackends() knows it then. */
export function* findExchange(model: Model): Generator<undefined, ReadonlyMap<number, ExchangeBackend>> {
  const found = new Map<number, ExchangeBackend>();
  for (const frontend of model.proxies) {
    if (!frontend.isFrontend || frontend.disabled) continue;
    const behind = backendsOf(frontend, model);
    if (!behind.some((proxy) => healthcheckPath(proxy) !== '') && !(yield* asksForExchange(frontend, model))) continue;
    const binds = frontend.binds.flatMap((index) => model.binds[index] ?? []).filter((bind) => bind.tls !== null);
    for (const proxy of behind) {
      const before = found.get(proxy.index);
      found.set(proxy.index, { proxy, asksHealthcheck: healthcheckPath(proxy) !== '', frontends: [...(before?.frontends ?? []), frontend.index], binds: [...(before?.binds ?? []), ...binds] });
    }
    yield;
  }
  known.set(model, found);
  return found;
}

/** Backends chosen by a dynamic name are not known before a request comes. */
function backendsOf(frontend: Proxy, model: Model): readonly Proxy[] {
  const targets = new Set<number>();
  for (const { dynamic, target } of frontend.useBackend) if (dynamic === null) targets.add(target);
  targets.add(fallbackOf(frontend));
  return [...targets].flatMap((index) => model.proxies[index] ?? []).filter((proxy) => proxy.isBackend && !proxy.disabled);
}

/** The backend of requests that no use_backend rule takes; -1 = none. */
export function fallbackOf(frontend: Proxy): number {
  return frontend.isBackend && frontend.defaultBackend < 0 ? frontend.index : frontend.defaultBackend;
}

/** What the check of a backend asks for when that is a healthcheck.htm; '' = it asks for something else. */
export function healthcheckPath(proxy: Proxy): string {
  if (proxy.check.kind !== 'http') return '';
  for (const step of proxy.check.steps) {
    const last = step.kind === 'http-send' ? step.uri.at(-1) : undefined;
    if (last?.kind === 'text' && last.text.toLowerCase().endsWith('/healthcheck.htm')) return last.text;
  }
  return '';
}

/** Plain loops: a frontend may have tens of thousands of rules. */
function* asksForExchange(frontend: Proxy, model: Model): Generator<undefined, boolean> {
  for (const [number, { condition }] of frontend.useBackend.entries()) {
    if (number % rulesPerStep === rulesPerStep - 1) yield;
    if (condition === null) continue;
    for (const suite of condition.anyOf) {
      for (const term of suite) {
        if (term.negate) continue;
        for (const index of term.acls) if (isExchangePath(model.acls[index], model)) return true;
      }
    }
  }
  return false;
}

function isExchangePath(acl: Acl | undefined, model: Model): boolean {
  if (acl === undefined || !pathFetches.has(acl.expr.fetch.name)) return false;
  for (const id of acl.patterns) {
    const set = model.patterns[id];
    if (set !== undefined && holdsExchangePath(set)) return true;
  }
  return false;
}

/** Entries that a reload keeps are not looked at again. */
const looked = new WeakMap<PatternSet['entries'], boolean>();

function holdsExchangePath({ entries }: PatternSet): boolean {
  let holds = looked.get(entries);
  if (holds === undefined) {
    holds = entries.some(({ key }) => exchangePath.test(key));
    looked.set(entries, holds);
  }
  return holds;
}
