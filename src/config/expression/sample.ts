/**
 * Reads sample expressions: a fetch and its converters (configuration manual 7.3). Called by the other readers here, and by
 * config/ for words such as `sni` or `balance hash`. Never evaluates anything.
 */
import { aclKeywords } from '../../model/catalog/acls.ts';
import { converters, mapMethods, type ConverterSpec } from '../../model/catalog/converters.ts';
import { fetchAliases, fetches, type FetchSpec, type Needs } from '../../model/catalog/fetches.ts';
import type { Arg, Call, MatchMethod, SampleExpr, SampleType } from '../../model/expression.ts';
import { cutArguments, parseVarName, typeArguments, unknownWord } from './arguments.ts';
import { checkArguments } from './argument-checks.ts';
import { loadPatternFile } from './patterns.ts';
import { checkState, fail } from './report.ts';
import type { ExpressionScope, Layer } from './scope.ts';

const requestLayers: readonly Layer[] = ['tcp-request content', 'http-request', 'use_backend', 'server', 'stick', 'stats', 'unique-id'];
const responseLayers: readonly Layer[] = ['http-response', 'http-after-response', 'tcp-response content', 'stick', 'check'];

/** Rulesets in which something that needs X can work. Null: everywhere. */
const layersByNeed: Readonly<Record<Needs, readonly Layer[] | null>> = {
  nothing: null,
  client: ['tcp-request connection', 'tcp-request session', ...requestLayers, ...responseLayers, 'log-format'],
  tls: ['tcp-request session', ...requestLayers, ...responseLayers, 'log-format'],
  request: requestLayers,
  transaction: [...requestLayers, ...responseLayers, 'log-format'],
  message: [...requestLayers, ...responseLayers],
  backend: [...requestLayers, ...responseLayers, 'log-format'],
  server: [...responseLayers, 'server', 'log-format'],
  response: responseLayers,
  answered: [...responseLayers, 'log-format'],
  ended: ['log-format'],
};

const needTexts: Readonly<Record<Needs, string>> = {
  nothing: '', client: 'a client connection', tls: 'the TLS session of the client', request: 'the request', transaction: 'a request', message: 'a message',
  backend: 'the backend', server: 'the server', response: 'the response', answered: 'the response', ended: 'the end of the request',
};

/** Why the fetch cannot work in this layer, '' when it can. */
export function misplaced(spec: FetchSpec, layer: Layer): string {
  const layers = layersByNeed[spec.needs];
  return layers === null || layers.includes(layer) ? '' : `needs ${needTexts[spec.needs]}, which is not available in ${layer}`;
}

interface Cursor {
  readonly words: readonly string[];
  index: number;
  /** Offset in the current word. */
  at: number;
}

function identifierEnd(text: string, from: number): number {
  let i = from;
  while (i < text.length && /[A-Za-z0-9_.:+-]/.test(text.charAt(i))) i++;
  return i;
}

/** Reads `name` or `name(args)` at the cursor. */
function readCall(cursor: Cursor, scope: ExpressionScope): { readonly name: string; readonly args: readonly string[] } | undefined {
  const word = cursor.words[cursor.index] ?? '';
  const end = identifierEnd(word, cursor.at);
  const name = word.slice(cursor.at, end);
  cursor.at = end;
  if (name === '') return fail(scope, word, word === '' ? 'a sample expression is missing' : `'${word}' is not a sample expression`);
  if (word.charAt(end) !== '(') return { name, args: [] };
  const cut = cutArguments(word, end);
  if (typeof cut === 'string') return fail(scope, word, `in the arguments of '${name}': ${cut}`);
  cursor.at = cut.end;
  return { name, args: cut.args };
}

/** Canonical fetch of a word; `hdr` follows the direction of the ruleset where that is known. */
function findFetch(name: string, layer: Layer | null): FetchSpec | undefined {
  const canonical = fetchAliases[name] ?? name;
  if (canonical === 'hdr' && (layer === 'http-request' || layer === 'use_backend' || layer === 'unique-id')) return fetches.get('req.hdr');
  if (canonical === 'hdr' && (layer === 'http-response' || layer === 'http-after-response')) return fetches.get('res.hdr');
  return fetches.get(canonical);
}

function* fetchNames(): Generator<string> {
  yield* fetches.keys();
  yield* Object.keys(fetchAliases);
}

function readFetch(cursor: Cursor, scope: ExpressionScope, forAcl: boolean): { readonly call: Call; readonly spec: FetchSpec; readonly keyword: string } | undefined {
  const read = readCall(cursor, scope);
  if (read === undefined) return undefined;
  const keyword = forAcl ? aclKeywords.get(read.name) : undefined;
  const spec = findFetch(keyword?.fetch ?? read.name, forAcl ? null : scope.layer);
  if (spec === undefined) {
    if (aclKeywords.has(read.name)) {
      return fail(scope, read.name, `'${read.name}' is an ACL keyword and cannot be used as a sample`, `use '${aclKeywords.get(read.name)?.fetch ?? ''}'`);
    }
    return unknownWord(scope, 'sample fetch', read.name, forAcl ? [...fetchNames(), ...aclKeywords.keys()] : fetchNames());
  }
  if (!checkState(scope, spec.state, 'sample fetch', read.name)) return undefined;
  if (spec.needs === 'ended' && (forAcl || scope.layer !== 'log-format')) {
    return fail(scope, read.name, `sample fetch '${read.name}' is known after the end only and cannot be used in ${forAcl ? 'conditions' : scope.layer}`,
      'put it into log-format, error-log-format or log-format-sd');
  }
  if (!forAcl) {
    const why = misplaced(spec, scope.layer);
    if (why !== '') return fail(scope, read.name, `sample fetch '${read.name}' ${why}`);
  }
  const args = typeArguments(read.name, read.args, spec.args, scope);
  if (args === undefined || !checkArguments(spec.name, read.name, args, scope)) return undefined;
  return { call: { name: spec.name, args }, spec, keyword: read.name };
}

/** Resolves the file of a map converter to a pattern set. */
function mapArguments(spec: ConverterSpec, args: (Arg | null)[], scope: ExpressionScope): (Arg | null)[] | undefined {
  const file = args[0];
  if (spec.args[0]?.type !== 'map' || file === null || file === undefined || file.kind !== 'str') return args;
  const method = /^map_([a-z]+)/.exec(spec.name)?.[1] ?? 'str';
  const match = (method === 'regm' ? 'reg' : method in mapMethods ? method : 'str') as MatchMethod;
  const values = spec.output === 'int' || spec.output === 'ip' ? spec.output : 'str';
  const patterns = loadPatternFile(file.value, { kind: 'map', method: match, ignoreCase: false, pairs: true, values }, scope);
  return patterns === undefined ? undefined : [{ kind: 'patterns', patterns }, ...args.slice(1)];
}

/** The key of jwt_verify is a file for public keys, a secret for HS256 and relatives; with a variable algorithm a path tells. */
function keyArguments(spec: ConverterSpec, args: (Arg | null)[], scope: ExpressionScope): (Arg | null)[] | undefined {
  const [algorithm, key] = args;
  if (spec.name !== 'jwt_verify' || algorithm?.kind !== 'str' || key?.kind !== 'str' || parseVarName(key.value) !== undefined) return args;
  const file = parseVarName(algorithm.value) === undefined ? !algorithm.value.startsWith('HS') : /[/]|\.(?:pem|crt|key|pub)$/.test(key.value);
  if (!file) return args;
  const bytes = scope.readFile(key.value);
  return bytes === undefined ? undefined : [algorithm, { kind: 'str', value: Buffer.from(bytes).toString('latin1') }];
}

/** Types that have no way to another (all others convert). */
function castable(from: SampleType, to: SampleType): boolean {
  if (from === to || from === 'any' || to === 'any') return true;
  if (from === 'bin') return to === 'str' || to === 'method' || to === 'ip';
  if (from === 'method') return to === 'str' || to === 'bin';
  if (to === 'ip') return from !== 'bool';
  return !(from === 'ip' && to === 'bool');
}

function readConverter(cursor: Cursor, scope: ExpressionScope, type: SampleType): { readonly call: Call; readonly type: SampleType } | undefined {
  const read = readCall(cursor, scope);
  if (read === undefined) return undefined;
  const spec = converters.get(read.name);
  if (spec === undefined) return unknownWord(scope, 'converter', read.name, converters.keys());
  if (!checkState(scope, spec.state, 'converter', read.name)) return undefined;
  if (!castable(type, spec.input)) return fail(scope, read.name, `converter '${read.name}' takes ${spec.input} and cannot follow ${type}`);
  const typed = typeArguments(read.name, read.args, spec.args, scope);
  if (typed === undefined || !checkArguments(`,${spec.name}`, read.name, typed, scope)) return undefined;
  const keyed = keyArguments(spec, typed, scope);
  const args = keyed === undefined ? undefined : mapArguments(spec, keyed, scope);
  if (args === undefined) return undefined;
  const output = spec.output === 'any' && spec.input === 'any' ? type : spec.output;
  // `bytes` on a text stays a text.
  return { call: { name: spec.name, args }, type: spec.name === 'bytes' && type === 'str' ? 'str' : output };
}

interface ReadSample {
  readonly expr: SampleExpr;
  readonly spec: FetchSpec;
  /** The fetch as written: an ACL keyword carries its match method. */
  readonly keyword: string;
  /** Index of the first word that does not belong to the expression. */
  readonly next: number;
}

/** Reads an expression that starts at words[from]; converters may follow as separate words, as HAProxy allows. */
export function parseSampleWords(words: readonly string[], from: number, scope: ExpressionScope, forAcl = false): ReadSample | undefined {
  const cursor: Cursor = { words, index: from, at: 0 };
  if (words[from] === undefined || words[from] === '') return fail(scope, '', 'a sample expression is missing');
  const fetch = readFetch(cursor, scope, forAcl);
  if (fetch === undefined) return undefined;
  const calls: Call[] = [];
  let { type } = fetch.spec;
  for (;;) {
    const word = words[cursor.index] ?? '';
    if (cursor.at >= word.length) {
      const next = words[cursor.index + 1];
      if (forAcl || next === undefined || !converters.has(next.slice(0, identifierEnd(next, 0)))) break;
      cursor.index++;
      cursor.at = 0;
    } else if (word.charAt(cursor.at) === ',') {
      cursor.at++;
      continue;
    } else if (calls.length === 0 && cursor.at === 0) {
      break;
    } else if (word.charAt(cursor.at - 1) !== ',') {
      return fail(scope, word, `a comma or the end is expected before '${word.slice(cursor.at)}' in '${word}'`);
    }
    const read = readConverter(cursor, scope, type);
    if (read === undefined) return undefined;
    calls.push(read.call);
    type = read.type;
  }
  for (const call of [fetch.call, ...calls]) scope.use(call.name);
  const text = words.slice(from, cursor.index + 1).join(' ');
  return { expr: { fetch: fetch.call, converters: calls, type, text }, spec: fetch.spec, keyword: fetch.keyword, next: cursor.index + 1 };
}

/** Reads a whole expression. Undefined: a problem was reported. */
export function parseSample(text: string, scope: ExpressionScope): SampleExpr | undefined {
  return parseSampleWords([text], 0, scope)?.expr;
}
