/**
 * Patterns of ACLs and keys of maps: reads them from words and files, checks them by match method. Called by acl.ts and
 * sample.ts; `intRange` and `patternFault` also by rules/ and by the runtime commands that add patterns.
 */
import { parseIp, parseNetwork } from '../../base/ip.ts';
import type { MatchMethod, PatternEntry } from '../../model/expression.ts';
import { translateRegex } from './regex.ts';
import { fail } from './report.ts';
import type { ExpressionScope } from './scope.ts';

export interface IntRange {
  readonly min: number;
  readonly max: number;
}

const operators = new Set(['eq', 'gt', 'ge', 'lt', 'le']);

export function isOperator(word: string): boolean {
  return operators.has(word);
}

function bound(text: string, open: number): number {
  return text === '' ? open : Number(text);
}

/** `5`, `1:10`, `:10`, `ge 5` → inclusive range. Undefined: malformed. */
export function intRange(key: string): IntRange | undefined {
  const match = /^(?:(eq|gt|ge|lt|le) )?(-?\d*)(?:(:)(-?\d*))?$/.exec(key);
  if (match === null) return undefined;
  const [, operator = 'eq', low = '', colon, high = ''] = match;
  if (colon === ':') {
    // An operator in front of a range is let pass and means nothing, as in HAProxy.
    if (low === '' && high === '') return undefined;
    return { min: bound(low, -Infinity), max: bound(high, Infinity) };
  }
  if (low === '' || low === '-') return undefined;
  const value = Number(low);
  switch (operator) {
    case 'gt': return { min: value + 1, max: Infinity };
    case 'ge': return { min: value, max: Infinity };
    case 'lt': return { min: -Infinity, max: value - 1 };
    case 'le': return { min: -Infinity, max: value };
    default: return { min: value, max: value };
  }
}

/** `3.1` → 3 × 65536 + 1, in each bound of a range. Unchanged when there is no dot. */
export function dottedVersion(key: string): string {
  return key.replaceAll(/(\d+)\.(\d+)/g, (_, major: string, minor: string) => String(Number(major) * 65536 + Number(minor)));
}

/** What is wrong with a pattern for this method, '' when nothing. */
export function patternFault(method: MatchMethod, key: string, ignoreCase: boolean): string {
  switch (method) {
    case 'int':
    case 'len':
      return intRange(key) === undefined ? `'${key}' is not a number or a range such as 1:10` : '';
    case 'ip':
      return parseNetwork(key) === undefined ? `'${key}' is not an address or network` : '';
    case 'bin':
      return /^(?:[0-9a-fA-F]{2})*$/.test(key) ? '' : `'${key}' is not an even number of hexadecimal digits`;
    case 'reg': {
      const translated = translateRegex(key, ignoreCase);
      return 'error' in translated ? `the regular expression '${key}' cannot be used: ${translated.error}` : '';
    }
    default:
      return '';
  }
}

/** Entries of a file: one per line; blank lines and lines that begin with # are skipped. */
function fileEntries(bytes: Uint8Array, pairs: boolean): PatternEntry[] {
  const out: PatternEntry[] = [];
  for (const raw of Buffer.from(bytes).toString('latin1').split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.startsWith('#')) continue;
    const text = line.replace(/^[ \t]+/, '');
    if (text === '') continue;
    if (!pairs) {
      out.push({ key: text, value: '' });
      continue;
    }
    const key = /^[^ \t]+/.exec(text)?.[0] ?? '';
    out.push({ key, value: text.slice(key.length).replace(/^[ \t]+/, '').replace(/[ \t]+$/, '') });
  }
  return out;
}

const faultsShownMax = 5;

/** What a pattern file is read for. */
interface FileUse {
  readonly kind: 'acl' | 'map';
  readonly method: MatchMethod;
  readonly ignoreCase: boolean;
  /** Keys and values (maps, `-M`); otherwise a line is one pattern. */
  readonly pairs: boolean;
  /** What the values must be. */
  readonly values: 'str' | 'int' | 'ip';
}

function valueFault(values: FileUse['values'], text: string): string {
  if (values === 'int') return /^[+-]?\d+$/.test(text) ? '' : `'${text}' is not an integer`;
  if (values === 'ip') return parseIp(text) === undefined ? `'${text}' is not an address` : '';
  return '';
}

/** Reads a pattern file into the scope. Gives the index in Model.patterns; undefined: reported. */
export function loadPatternFile(file: string, use: FileUse, scope: ExpressionScope): number | undefined {
  const { kind, method, ignoreCase, pairs, values } = use;
  // HAProxy 2.9: `virt@name` has no file behind it, `file@` says what is the default.
  if (file.startsWith('virt@')) return scope.addPatterns(kind, file, method, ignoreCase, []);
  const bytes = scope.readFile(file.replace(/^file@/, ''));
  if (bytes === undefined) return undefined;
  const entries = fileEntries(bytes, pairs);
  let faults = 0;
  for (const entry of entries) {
    const why = patternFault(method, entry.key, ignoreCase) || (pairs ? valueFault(values, entry.value) : '');
    if (why !== '' && ++faults <= faultsShownMax) fail(scope, entry.key, `in ${file}: ${why}`);
  }
  return faults > 0 ? undefined : scope.addPatterns(kind, file, method, ignoreCase, entries);
}
