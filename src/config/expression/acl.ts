/**
 * Reads ACLs: `acl` lines, anonymous ones in braces, and the predefined ones (configuration manual 7.1, 7.4). Called by
 * config/ for `acl` and by condition.ts.
 */
import { aclKeywords, dottedVersionKeywords, predefinedAcls } from '../../model/catalog/acls.ts';
import type { FetchSpec } from '../../model/catalog/fetches.ts';
import type { Acl, MatchMethod, SampleType } from '../../model/expression.ts';
import { didYouMean } from '../problems.ts';
import { dottedVersion, isOperator, loadPatternFile, patternFault } from './patterns.ts';
import { fail, warn } from './report.ts';
import { misplaced, parseSampleWords } from './sample.ts';
import type { ExpressionScope } from './scope.ts';

const methods: readonly MatchMethod[] = ['found', 'bool', 'int', 'ip', 'bin', 'len', 'str', 'beg', 'sub', 'dir', 'dom', 'end', 'reg'];
const typeMethods: Readonly<Record<SampleType, MatchMethod | undefined>> = {
  bool: 'bool', int: 'int', ip: 'ip', str: 'str', method: 'str', bin: undefined, any: undefined,
};

interface Flags {
  ignoreCase: boolean;
  method: MatchMethod | undefined;
  asMap: boolean;
  /** `--` was given: an empty list of patterns is meant. */
  ended: boolean;
  /** Sets loaded with -f. */
  readonly files: number[];
}

/** Reads flags from words[at] on; gives the index of the first pattern, -1 after an error. */
function readFlags(words: readonly string[], from: number, flags: Flags, scope: ExpressionScope): number {
  let at = from;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') { flags.ended = true; return at + 1; }
    if (word === '-i') flags.ignoreCase = true;
    else if (word === '-n') continue;
    else if (word === '-M') flags.asMap = true;
    else if (word === '-u') at++;
    else if (word === '-m') {
      const name = words[++at] ?? '';
      const method = methods.find((each) => each === name);
      if (method === undefined) {
        fail(scope, name, `unknown match method '${name}'`, didYouMean(name, methods) || `one of ${methods.join(', ')}`);
        return -1;
      }
      if (flags.files.length > 0) {
        fail(scope, name, "'-m' must stand before '-f'");
        return -1;
      }
      flags.method = method;
    } else if (word === '-f') {
      const file = words[++at];
      if (file === undefined) { fail(scope, '-f', "a file name is missing after '-f'"); return -1; }
      if (flags.method === undefined) { fail(scope, '-f', "'-m' is needed: there is no match method for this type"); return -1; }
      const set = loadPatternFile(file, { kind: 'acl', method: flags.method, ignoreCase: flags.ignoreCase, pairs: flags.asMap, values: 'str' }, scope);
      if (set === undefined) return -1;
      flags.files.push(set);
    } else return at;
  }
  return at;
}

/** Pattern words as entry keys: an integer operator is carried on to the words that follow it. */
function patternKeys(words: readonly string[], method: MatchMethod, keyword: string): string[] {
  if (method !== 'int' && method !== 'len') return [...words];
  const dotted = dottedVersionKeywords.has(keyword);
  const out: string[] = [];
  let operator = '';
  for (const word of words) {
    if (isOperator(word)) { operator = word; continue; }
    const key = dotted ? dottedVersion(word) : word;
    out.push(operator === '' ? key : `${operator} ${key}`);
  }
  return out;
}

function checkPatterns(keys: readonly string[], method: MatchMethod, ignoreCase: boolean, scope: ExpressionScope): boolean {
  let good = true;
  for (const key of keys) {
    const why = patternFault(method, key, ignoreCase);
    if (why === '') continue;
    fail(scope, key, why, method === 'ip' && /^[a-z]/i.test(key) ? 'write addresses: host names are not looked up' : '');
    good = false;
  }
  return good;
}

/** Warns about pattern lists that cannot do what they seem to do. */
function checkPresence(keyword: string, method: MatchMethod, count: number, flags: Flags, scope: ExpressionScope): void {
  if (method === 'found' || method === 'bool') {
    if (count > 0) warn(scope, keyword, `the values after '${keyword}' are ignored: method '${method}' compares nothing`);
  } else if (count === 0 && flags.files.length === 0 && !flags.ended) {
    warn(scope, keyword, `there is no value after '${keyword}', so this never matches`, "add '-m found' to test presence, or '--' if this is meant");
  }
}

/** The criterion, flags and values of an ACL. Undefined: reported. */
function readAcl(name: string, words: readonly string[], scope: ExpressionScope): { readonly index: number; readonly spec: FetchSpec } | undefined {
  const read = parseSampleWords(words, 0, scope, true);
  if (read === undefined) return undefined;
  const keyword = aclKeywords.get(read.keyword);
  const implied = read.expr.converters.length === 0 ? keyword?.method : undefined;
  const flags: Flags = { ignoreCase: false, method: implied ?? typeMethods[read.expr.type], asMap: false, ended: false, files: [] };
  const start = readFlags(words, read.next, flags, scope);
  if (start < 0) return undefined;
  const { method } = flags;
  if (method === undefined) {
    return fail(scope, read.keyword, `'${read.keyword}' gives ${read.expr.type}, for which there is no default match method`, "add '-m' and a method, for example '-m bin'");
  }
  const keys = patternKeys(words.slice(start), method, read.keyword);
  if (method !== 'found' && method !== 'bool' && !checkPatterns(keys, method, flags.ignoreCase, scope)) return undefined;
  checkPresence(read.keyword, method, keys.length, flags, scope);
  const patterns = [...flags.files];
  if (keys.length > 0) patterns.unshift(scope.addPatterns('acl', '', method, flags.ignoreCase, keys.map((key) => ({ key, value: '' }))));
  const acl: Acl = { name, expr: read.expr, method, ignoreCase: flags.ignoreCase, patterns, place: scope.place, text: words.join(' ') };
  return { index: scope.addAcl(acl), spec: read.spec };
}

/** `<name> <criterion> [flags] [values]`; words[0] is the name. Gives the index in Model.acls. */
export function parseAcl(words: readonly string[], scope: ExpressionScope): number | undefined {
  const [name = '', criterion] = words;
  if (name === '' || criterion === undefined) return fail(scope, name, "'acl' needs a name, a criterion and values", 'for example: acl owa path_beg /owa');
  const bad = /[^A-Za-z0-9_.:-]/.exec(name);
  if (bad !== null) return fail(scope, name, `character '${bad[0]}' is not allowed in the ACL name '${name}'`, 'use letters, digits, -, _, . and :');
  if (name === 'or' || name === '||' || name === 'if' || name === 'unless') return fail(scope, name, `'${name}' cannot name an ACL: conditions use this word`);
  return readAcl(name, words.slice(1), scope)?.index;
}

/** An ACL in braces; warns when its fetch cannot work in this ruleset. */
export function parseAnonymousAcl(words: readonly string[], scope: ExpressionScope): number | undefined {
  const read = readAcl('', words, scope);
  if (read === undefined) return undefined;
  const why = misplaced(read.spec, scope.layer);
  if (why !== '') warn(scope, words[0] ?? '', `'${words[0] ?? ''}' ${why}: with HAProxy this condition never matches`);
  return read.index;
}

/** A predefined ACL such as METH_POST, undefined when there is none of that name. */
export function predefinedAcl(name: string, scope: ExpressionScope): number | undefined {
  const words = predefinedAcls.get(name);
  return words === undefined ? undefined : readAcl('', words, scope)?.index;
}
