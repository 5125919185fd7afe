/**
 * The arguments in parentheses of fetches, converters and actions: cuts them (configuration manual 2.2, second level of
 * quoting) and makes typed values of them. Called by sample.ts and rule.ts.
 */
import type { ArgSpec } from '../../model/catalog/fetches.ts';
import type { Arg, VarScope } from '../../model/expression.ts';
import { parseIp, parseMask } from '../../base/ip.ts';
import { didYouMean } from '../problems.ts';
import { translateRegex } from './regex.ts';
import { fail } from './report.ts';
import type { ExpressionScope } from './scope.ts';

interface CutArguments {
  readonly args: readonly string[];
  /** Offset after the closing parenthesis. */
  readonly end: number;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** Cuts `(a,b)` that starts at `at`. A string tells what is wrong. */
export function cutArguments(text: string, at: number): CutArguments | string {
  const args: string[] = [];
  let current = '';
  let quote = '';
  for (let i = at + 1; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === '\\' && quote !== "'" && i + 1 < text.length) {
      const next = text.charAt(i + 1);
      const made = escapes[next] ?? (/[\\'" ]/.test(next) ? next : undefined);
      current += made ?? c + next;
      i++;
    } else if ((c === '"' || c === "'") && (quote === '' || quote === c)) {
      quote = quote === '' ? c : '';
    } else if (quote === '' && c === ',') {
      args.push(current);
      current = '';
    } else if (quote === '' && c === ')') {
      args.push(current);
      return { args, end: i + 1 };
    } else {
      current += c;
    }
  }
  return quote === '' ? "a closing ')' is missing" : `a closing ${quote} is missing`;
}

/** `txn.name`: undefined when malformed. */
export function parseVarName(text: string): { readonly scope: VarScope; readonly name: string } | undefined {
  const match = /^(proc|sess|txn|req|res|check)\.([A-Za-z0-9_.]+)$/.exec(text);
  return match === null ? undefined : { scope: match[1] as VarScope, name: match[2] ?? '' };
}

export function parseVar(text: string, scope: ExpressionScope): Extract<Arg, { kind: 'var' }> | undefined {
  const read = parseVarName(text);
  if (read === undefined) {
    return fail(scope, text, `'${text}' is not a variable name`, 'write scope.name with scope proc, sess, txn, req, res or check and a name of letters, digits, _ and .');
  }
  return { kind: 'var', scope: read.scope, name: read.name };
}

type Reader = (text: string, scope: ExpressionScope) => Arg | undefined;

function proxyReader(want: 'frontend' | 'backend' | 'table'): Reader {
  return (text, scope) => {
    if (want === 'table' && scope.peersTable(text)) return { kind: 'str', value: text };
    const proxy = text === '' ? scope.proxy : scope.proxyByName(text, want);
    if (proxy < 0 && text !== '') return fail(scope, text, `there is no ${want === 'table' ? 'stick table' : want} '${text}'`);
    return { kind: 'proxy', proxy };
  };
}

const readers: Readonly<Record<ArgSpec['type'], Reader>> = {
  str: (text) => ({ kind: 'str', value: text }),
  any: (text) => ({ kind: 'str', value: text }),
  map: (text) => ({ kind: 'str', value: text }),
  int: (text, scope) => (/^[+-]?\d+$/.test(text) ? { kind: 'int', value: Number(text) } : fail(scope, text, `'${text}' is not an integer`)),
  regex: (text, scope) => {
    const translated = translateRegex(text, false);
    return 'error' in translated ? fail(scope, text, `the regular expression '${text}' cannot be used: ${translated.error}`) : { kind: 'regex', source: text, flags: '' };
  },
  ipv4: (text, scope) => (parseIp(text)?.family === 4 ? { kind: 'ip', value: text } : fail(scope, text, `'${text}' is not an IPv4 address`)),
  ipv6: (text, scope) => (parseIp(text)?.family === 6 ? { kind: 'ip', value: text } : fail(scope, text, `'${text}' is not an IPv6 address`)),
  mask4: (text, scope) => {
    const bits = parseMask(text, 4);
    return bits < 0 ? fail(scope, text, `'${text}' is not an IPv4 mask`, 'write a length such as 24 or a mask such as 255.255.255.0') : { kind: 'mask', family: 4, bits };
  },
  mask6: (text, scope) => {
    const bits = parseMask(text, 6);
    return bits < 0 ? fail(scope, text, `'${text}' is not an IPv6 mask`, 'write a length such as 64') : { kind: 'mask', family: 6, bits };
  },
  frontend: proxyReader('frontend'),
  backend: proxyReader('backend'),
  table: proxyReader('table'),
  server: (text, scope) => {
    const slash = text.indexOf('/');
    const server = slash < 0 ? scope.serverByName('', text) : scope.serverByName(text.slice(0, slash), text.slice(slash + 1));
    return server < 0 ? fail(scope, text, `there is no server '${text}'`, 'write backend/server') : { kind: 'server', server };
  },
  userlist: (text, scope) => {
    const userlist = scope.userlistByName(text);
    return userlist < 0 ? fail(scope, text, `there is no userlist '${text}'`) : { kind: 'userlist', userlist };
  },
  var: parseVar,
  'number-or-var': (text, scope) => (/^[+-]?\d+$/.test(text) ? { kind: 'int', value: Number(text) } : parseVar(text, scope)),
};

/** Typed arguments of `owner`; trailing optional ones are left out. Undefined: reported. */
export function typeArguments(owner: string, given: readonly string[], specs: readonly ArgSpec[], scope: ExpressionScope): (Arg | null)[] | undefined {
  // Empty parentheses: one empty argument where there may be one, else none.
  const texts = specs.length === 0 && given.length === 1 && given[0] === '' ? [] : given;
  if (texts.length > specs.length) {
    return fail(scope, owner, specs.length === 0 ? `'${owner}' takes no argument` : `'${owner}' takes at most ${specs.length} argument${specs.length === 1 ? '' : 's'}, not ${texts.length}`);
  }
  const out: (Arg | null)[] = [];
  for (const [index, spec] of specs.entries()) {
    const text = texts[index];
    if (text === undefined || (text === '' && spec.optional)) {
      if (text === undefined && !spec.optional) return fail(scope, owner, `'${owner}' needs argument ${index + 1} (${spec.type})`);
      out.push(null);
      continue;
    }
    const arg = readers[spec.type](text, scope);
    if (arg === undefined) return undefined;
    out.push(arg);
  }
  return out;
}

/** A problem for a word that is not in a table. */
export function unknownWord(scope: ExpressionScope, kind: string, name: string, known: Iterable<string>): undefined {
  return fail(scope, name, `unknown ${kind} '${name}'`, didYouMean(name, known));
}
