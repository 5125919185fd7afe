/**
 * Names every timeout that is shorter than the silence an Exchange service keeps by design, and every option that closes the connections
 * to which its logins belong. Called by load.ts after verify.
 * Only notices: they never change whether a file is accepted, also not with zero-warning. Silent for files without Exchange paths.
 */
import { pathFetches } from '../model/exchange-sites.ts';
import type { Acl, SwitchRule } from '../model/expression.ts';
import type { Place } from '../model/problem.ts';
import type { Context } from './context.ts';
import type { ProxyDraft } from './draft.ts';
import { linesPerStep } from './preprocess.ts';

interface Service {
  /** First directory of the path, lower case. */
  readonly directory: string;
  readonly serverSeconds: number;
  /** Silence of the client while it still sends a request; 0 = no need of its own. */
  readonly clientSeconds: number;
  /** NTLM or Kerberos, which log a connection in. */
  readonly windowsLogins: boolean;
  readonly why: string;
}

const services: readonly Service[] = [
  { directory: 'microsoft-server-activesync', serverSeconds: 3540, clientSeconds: 0, windowsLogins: false, why: 'an ActiveSync ping is answered after up to 59 minutes without a byte' },
  { directory: 'ews', serverSeconds: 1800, clientSeconds: 0, windowsLogins: true, why: 'EWS streaming notifications stay open for up to 30 minutes' },
  { directory: 'rpc', serverSeconds: 900, clientSeconds: 720, windowsLogins: true, why: 'RPC over HTTP is silent for up to 15 minutes from the server and 12 from the client' },
  { directory: 'mapi', serverSeconds: 300, clientSeconds: 0, windowsLogins: true, why: 'a MAPI NotificationWait is held for 5 minutes' },
];

/** `/ews`, `/EWS/`, and the regular expression `(?i)\/ews` name the same directory. */
function serviceOf(path: string): Service | undefined {
  const directory = /^\^?(?:\(\?i\))?\^?\\?\/([a-z-]+)/i.exec(path)?.[1]?.toLowerCase();
  return services.find((service) => service.directory === directory);
}

function probed(proxy: ProxyDraft): Service | undefined {
  const { check } = proxy.settings;
  const first = (check.send?.uri ?? check.request?.uri)?.[0];
  return first?.kind === 'text' ? serviceOf(first.text) : undefined;
}

function addServicesAsked(found: Routed[], target: number, context: Context, acl: Acl | undefined): void {
  if (acl === undefined || !pathFetches.has(acl.expr.fetch.name)) return;
  for (const set of acl.patterns) {
    for (const { key } of context.draft.patterns[set]?.entries ?? []) {
      const service = serviceOf(key);
      if (service !== undefined) found.push({ target, service });
    }
  }
}

/** A service, and the backend that its requests go to. */
interface Routed { readonly target: number; readonly service: Service }

/** Plain loops: a frontend may have tens of thousands of rules. */
function addRouted(found: Routed[], context: Context, { condition, target }: SwitchRule): void {
  if (condition === null || condition.unless) return;
  for (const suite of condition.anyOf) {
    for (const term of suite) {
      if (!term.negate) for (const index of term.acls) addServicesAsked(found, target, context, context.draft.acls[index]);
    }
  }
}

/** 0 and null mean no timeout at all, which verify.ts speaks about. Also for mail-timeouts.ts. */
export function tellShort(context: Context, proxy: ProxyDraft, word: 'server' | 'client' | 'tunnel', needed: number, why: string): void {
  const field = `${word}Ms` as const;
  const ms = proxy.settings.timeouts[field];
  if (!ms || ms >= needed * 1000) return;
  const place: Place = proxy.settings.places[field] ?? proxy.place;
  context.problems.notice(place, `timeout ${word}`, `'timeout ${word}' of ${ms / 1000}s is too short for ${proxy.kind} '${proxy.name}': ${why}`,
    `set 'timeout ${word} ${needed}s' or more in ${proxy.kind} '${proxy.name}'`);
}

interface ClosingOption {
  readonly word: string;
  readonly place: Place;
  readonly proxies: ProxyDraft[];
}

/** Options that close, each at the line where it stands, whoever takes it from there. */
class ClosingOptions {
  private readonly byLine = new Map<string, ClosingOption>();

  /** `proxy` serves logins that belong to a connection. */
  look(proxy: ProxyDraft): void {
    const { connectionMode, mode, places } = proxy.settings;
    if (connectionMode === 'keep-alive' || mode !== 'http') return;
    const place = places['connection mode'] ?? proxy.place;
    const key = `${place.file}:${place.line}`;
    const known = this.byLine.get(key);
    if (known === undefined) this.byLine.set(key, { word: connectionMode === 'close' ? 'option httpclose' : 'option http-server-close', place, proxies: [proxy] });
    else if (!known.proxies.includes(proxy)) known.proxies.push(proxy);
  }

  /** As in HAProxy, the connection to the server ends with the challenge then, and the answer to it would come on another one. */
  tell(context: Context): void {
    for (const { word, place, proxies: [first, ...others] } of this.byLine.values()) {
      if (first === undefined) continue;
      const more = others.length === 0 ? '' : ` and ${others.length} other ${others.length === 1 ? 'section' : 'sections'}`;
      context.problems.notice(place, word,
        `'${word}' makes NTLM and Kerberos logins fail in ${first.kind} '${first.name}'${more}: they belong to a connection, which ends after each answer`,
        `take it out, or write 'option http-keep-alive' in ${more === '' ? `${first.kind} '${first.name}'` : 'those sections'}`);
    }
  }
}

/** In steps of one proxy, or of some of its rules. */
export function* adviseExchange(context: Context): Generator<undefined> {
  const { proxies } = context.draft;
  const behind = new Map<ProxyDraft, Set<Service>>();
  const closing = new ClosingOptions();
  const note = (proxy: ProxyDraft | undefined, service: Service): void => {
    if (proxy !== undefined) behind.set(proxy, (behind.get(proxy) ?? new Set()).add(service));
  };
  for (const proxy of proxies) {
    if (proxy.settings.disabled) continue;
    const own = probed(proxy);
    if (own !== undefined && proxy.kind !== 'frontend') note(proxy, own);
    const services: Routed[] = [];
    for (const [at, rule] of proxy.useBackend.entries()) {
      addRouted(services, context, rule);
      if (at % linesPerStep === linesPerStep - 1) yield;
    }
    if (proxy.kind === 'frontend' && services.some(({ service }) => service.windowsLogins)) closing.look(proxy);
    for (const { target, service } of services) {
      note(proxies[target], service);
      if (service.clientSeconds > 0) tellShort(context, proxy, 'client', service.clientSeconds, service.why);
    }
    yield;
  }
  for (const [proxy, found] of behind) {
    if ([...found].some(({ windowsLogins }) => windowsLogins)) closing.look(proxy);
    const longest = [...found].toSorted((left, right) => right.serverSeconds - left.serverSeconds)[0];
    if (longest !== undefined) tellShort(context, proxy, 'server', longest.serverSeconds, longest.why);
  }
  closing.tell(context);
}
