/**
 * What may be looked up once for a whole chain of rules: fetches that give the same value until an action changes what they read, and
 * conditions whose tests leave no trace. Used by rule-index.ts at load. Variables are left out: converters inside of other tests set them.
 */
import type { Acl, Action, Call, SampleExpr } from '../model/expression.ts';
import { isInactive, mayWait } from './compile-sample.ts';
import { isLookedUp } from './rule-lookup.ts';

type Source = 'target' | 'header' | 'address' | 'method' | 'connection';

const sources: Readonly<Record<string, Source>> = {
  url: 'target', path: 'target', pathq: 'target', query: 'target', base: 'target', baseq: 'target', url_param: 'target',
  hdr: 'header', 'req.hdr': 'header', 'req.fhdr': 'header', 'req.hdr_ip': 'header', 'req.cook': 'header',
  'res.hdr': 'header', 'res.fhdr': 'header', 'res.hdr_ip': 'header', 'res.cook': 'header',
  src: 'address', dst: 'address', method: 'method', ssl_fc_sni: 'connection',
};

const pureConverters: ReadonlySet<string> = new Set(['lower', 'upper', 'field', 'word', 'bytes', 'ltrim', 'rtrim', 'regsub', 'url_dec', 'host_only', 'port_only', 'cut_crlf']);
const markingConverters: ReadonlySet<string> = new Set(['set-var', 'unset-var', 'capture-req', 'capture-res']);

export function isIndexable(acl: Acl | undefined): acl is Acl {
  return acl !== undefined && acl.patterns.length > 0 && isLookedUp(acl.method) && sources[acl.expr.fetch.name] !== undefined
    && acl.expr.converters.every((call) => pureConverters.has(call.name)) && !mayWait(acl.expr) && !isInactive(acl.expr);
}

/** False when testing the ACL has an effect of its own, or may have to wait: it is then tested whenever its turn comes. */
export function leavesNoTrace(acl: Acl | undefined): boolean {
  return acl !== undefined && !mayWait(acl.expr) && !acl.expr.converters.some((call) => markingConverters.has(call.name));
}

function headerNameOf({ name, args }: Call): string {
  if (name === 'req.cook') return 'cookie';
  if (name === 'res.cook') return 'set-cookie';
  const [first] = args;
  return first?.kind === 'str' ? first.value.toLowerCase() : '';
}

/** `name` '' = any header may have changed. */
function readsHeader(expr: SampleExpr, name: string): boolean {
  const { fetch } = expr;
  if (fetch.name === 'base' || fetch.name === 'baseq') return name === '' || name === 'host';
  if (sources[fetch.name] !== 'header') return false;
  const own = headerNameOf(fetch);
  return name === '' || own === '' || own === name;
}

/** True when what `expr` gives may be another value after the action, or the patterns it is held against are. */
export function changes(action: Action, expr: SampleExpr): boolean {
  const source = sources[expr.fetch.name];
  switch (action.kind) {
    case 'set-header': case 'add-header': case 'replace-header': case 'replace-value': return readsHeader(expr, action.name.toLowerCase());
    case 'del-header': return readsHeader(expr, action.match === 'str' ? action.name.toLowerCase() : '');
    case 'set-path': case 'set-pathq': case 'set-query': case 'set-uri': case 'replace-path': case 'replace-pathq': case 'replace-uri': case 'normalize-uri':
      return source === 'target' || readsHeader(expr, 'host');
    case 'set-method': return source === 'method';
    case 'set-src': case 'set-dst': case 'set-src-port': case 'set-dst-port': return source === 'address';
    case 'set-map': case 'del-map': case 'add-acl': case 'del-acl': case 'expect-proxy': return true;
    default: return false;
  }
}
