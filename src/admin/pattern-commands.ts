/**
 * Runtime commands for ACLs and maps: show, get, add, del, set, clear, prepare, commit. Both kinds share the code, only words
 * differ. Changes need level operator (HAProxy 2.6 lets anybody). The lists themselves are in patterns.ts.
 */
import type { Acl } from '../model/expression.ts';
import { patternFault } from '../config/expression/patterns.ts';
import { PatternIndex } from '../rules/pattern-index.ts';
import type { Answer, Command, CommandCall } from './command.ts';
import { command, inSlices, number } from './command.ts';
import type { AdminContext } from './context.ts';
import type { PatternKind, PatternList } from './patterns.ts';

const names = { acl: 'ACL', map: 'map' } as const;

function unknown(kind: PatternKind): string {
  return `Unknown ${names[kind]} identifier. Please use #<id> or <file>.\n`;
}

/** A leading `@<version>` and the words after it. What is no number counts as 0. */
function versioned(args: readonly string[]): { readonly version: number | null; readonly rest: readonly string[] } {
  const [first = ''] = args;
  return first.startsWith('@') ? { version: number(first.slice(1)) ?? 0, rest: args.slice(1) } : { version: null, rest: args };
}

/** Keyword of the ACL that uses a set: `path_beg`, `hdr`. */
function userOf(context: AdminContext, list: PatternList): Acl | undefined {
  return context.model.acls.find(acl => list.sets.some(set => acl.patterns.includes(set.id)));
}

function describe(context: AdminContext, kind: PatternKind, list: PatternList): string {
  const { file, place } = list.set;
  const where = `file '${place.file}' line ${place.line}`;
  const keyword = userOf(context, list)?.expr.text.split(/[(, ]/)[0] ?? kind;
  const what = file === '' ? `acl '${keyword}' ${where}` : `pattern loaded from file '${file}' used by ${kind} at ${where}`;
  return `${list.number} (${file}) ${what}. curr_ver=${list.currentVersion} next_ver=${list.nextVersion} entry_cnt=${list.entries.length}\n`;
}

function show(kind: PatternKind, call: CommandCall): Answer {
  const { version, rest } = versioned(call.args);
  const { patterns } = call.context;
  if (rest[0] === undefined) {
    return `# id (file) description\n${patterns.lists.filter(list => list.kind === kind).map(list => describe(call.context, kind, list)).join('')}`;
  }
  const list = patterns.find(kind, rest[0]);
  if (list === undefined) return unknown(kind);
  return inSlices(list.at(version ?? list.currentVersion), entry => `${entry.ref} ${entry.key}${kind === 'map' ? ` ${entry.value}` : ''}\n`);
}

function get(kind: PatternKind, call: CommandCall): string {
  const [identifier, sample] = call.args;
  if (identifier === undefined || sample === undefined) return `Missing ${names[kind]} identifier and/or key.\n`;
  const list = call.context.patterns.find(kind, identifier);
  if (list === undefined) return unknown(kind);
  return list.sets.map((set) => {
    const head = `type=${set.method === 'found' ? 'bool' : set.method}, case=${set.ignoreCase ? 'insensitive' : 'sensitive'}`;
    const found = new PatternIndex(set.id, set.method, set.ignoreCase, list.at(list.currentVersion)).find(sample);
    const index = set.method === 'ip' || ((set.method === 'str' || set.method === 'beg') && !set.ignoreCase) ? 'tree' : 'list';
    if (kind === 'acl') return found === undefined ? `${head}, match=no\n` : `${head}, match=yes, idx=${index}, pattern="${found.key}"\n`;
    return found === undefined ? `${head}, found=no\n` : `${head}, found=yes, idx=${index}, key="${found.key}", value="${found.value}", type="str"\n`;
  }).join('');
}

const addUsage = {
  acl: "'add acl' expects two parameters: ACL identifier and pattern.\n",
  map: "'add map' expects three parameters (map identifier, key and value) or one parameter (map identifier) and a payload\n",
} as const;

/** Why a key cannot be a pattern of this list, '' when it can. */
function faultOf(list: PatternList, key: string): string {
  for (const { method, ignoreCase } of list.sets) {
    const fault = patternFault(method, key, ignoreCase);
    if (fault === '') continue;
    if (method === 'ip') return `'${key}' is not a valid IPv4 or IPv6 address.\n`;
    return method === 'int' || method === 'len' ? `'${key}' is not a number.\n` : `${fault}.\n`;
  }
  return '';
}

/** Lines of a payload: a key each, for maps followed by its value. What stands before a wrong line stays. */
function addPayload(kind: PatternKind, call: CommandCall, list: PatternList, version: number, payload: string): string {
  for (const line of payload.split('\n')) {
    if (line.trim() === '') continue;
    const [, first = '', value = ''] = /^\s*(\S+)\s*(.*?)\s*$/.exec(line) ?? [];
    if (kind === 'map' && value === '') return `Missing value for key '${first}'.\n`;
    const key = kind === 'map' ? first : line.trim();
    const fault = faultOf(list, key);
    if (fault !== '') return fault;
    call.context.patterns.add(list, { key, value: kind === 'map' ? value : '' }, version);
  }
  return '';
}

function add(kind: PatternKind, call: CommandCall): string {
  const { version, rest } = versioned(call.args);
  const [identifier, key, ...value] = rest;
  const complete = kind === 'acl' ? key !== undefined : (key !== undefined && value.length > 0) || call.payload !== null;
  if (identifier === undefined || !(complete || (kind === 'acl' && call.payload !== null))) return addUsage[kind];
  const list = call.context.patterns.find(kind, identifier);
  if (list === undefined) return unknown(kind);
  const target = version ?? list.currentVersion;
  if (target > list.nextVersion) return `Version number in the future, please use 'prepare ${kind}' before.\n`;
  if (call.payload !== null) return addPayload(kind, call, list, target, call.payload);
  if (key === undefined) return addUsage[kind];
  const fault = faultOf(list, key);
  if (fault !== '') return fault;
  call.context.patterns.add(list, { key, value: kind === 'map' ? (value[0] ?? '') : '' }, target);
  return '';
}

function remove(kind: PatternKind, call: CommandCall): string {
  const [identifier, key] = call.args;
  if (identifier === undefined || key === undefined) return `This command expects two parameters: ${names[kind]} identifier and key.\n`;
  const list = call.context.patterns.find(kind, identifier);
  if (list === undefined) return unknown(kind);
  return call.context.patterns.remove(list, key) ? '' : 'Key not found.\n';
}

function setValue(call: CommandCall): string {
  const [identifier, key, value] = call.args;
  if (identifier === undefined || key === undefined || value === undefined) return "'set map' expects three parameters: map identifier, key and value.\n";
  const list = call.context.patterns.find('map', identifier);
  if (list === undefined) return unknown('map');
  if (call.context.patterns.set(list, key, value)) return '';
  return /^#0x[0-9a-f]+$/i.test(key) ? 'key or pattern not found.\n' : 'entry not found.\n';
}

function clear(kind: PatternKind, call: CommandCall): string {
  const { version, rest } = versioned(call.args);
  if (rest[0] === undefined) return `Missing ${names[kind]} identifier.\n`;
  const list = call.context.patterns.find(kind, rest[0]);
  if (list === undefined) return unknown(kind);
  call.context.patterns.clear(list, version ?? list.currentVersion);
  return '';
}

function prepare(kind: PatternKind, call: CommandCall): string {
  const list = call.context.patterns.find(kind, call.args[0] ?? '');
  return list === undefined ? unknown(kind) : `New version created: ${call.context.patterns.prepare(list)}\n`;
}

function commit(kind: PatternKind, call: CommandCall): string {
  const { version, rest } = versioned(call.args);
  if (version === null) return 'Missing version number.\n';
  if (rest[0] === undefined) return `Missing ${names[kind]} identifier.\n`;
  const list = call.context.patterns.find(kind, rest[0]);
  if (list === undefined) return unknown(kind);
  return call.context.patterns.commit(list, version) ? '' : 'Version number out of range.\n';
}

export const patternCommands: readonly Command[] = [
  command('show acl', 'user', 'show acl [@<ver>] [<acl>]', 'list the ACLs, or the patterns of one', call => show('acl', call)),
  command('show map', 'user', 'show map [@<ver>] [<map>]', 'list the maps, or the entries of one', call => show('map', call)),
  command('get acl', 'user', 'get acl <acl> <value>', 'tell which pattern of an ACL a value matches', call => get('acl', call)),
  command('get map', 'user', 'get map <map> <value>', 'tell what a map gives for a value', call => get('map', call)),
  command('add acl', 'operator', 'add acl [@<ver>] <acl> <pattern>', 'add a pattern to an ACL (or a payload of patterns)', call => add('acl', call)),
  command('add map', 'operator', 'add map [@<ver>] <map> <key> <val>', 'add an entry to a map (or a payload of entries)', call => add('map', call)),
  command('del acl', 'operator', 'del acl <acl> [<key>|#<ref>]', 'remove a pattern from an ACL', call => remove('acl', call)),
  command('del map', 'operator', 'del map <map> [<key>|#<ref>]', 'remove an entry from a map', call => remove('map', call)),
  command('set map', 'operator', 'set map <map> [<key>|#<ref>] <value>', 'change the value of a map entry', setValue),
  command('clear acl', 'operator', 'clear acl [@<ver>] <acl>', 'remove all patterns of an ACL', call => clear('acl', call)),
  command('clear map', 'operator', 'clear map [@<ver>] <map>', 'remove all entries of a map', call => clear('map', call)),
  command('prepare acl', 'operator', 'prepare acl <acl>', 'begin a new version of an ACL', call => prepare('acl', call)),
  command('prepare map', 'operator', 'prepare map <map>', 'begin a new version of a map', call => prepare('map', call)),
  command('commit acl', 'operator', 'commit acl @<ver> <acl>', 'put a version of an ACL into force', call => commit('acl', call)),
  command('commit map', 'operator', 'commit map @<ver> <map>', 'put a version of a map into force', call => commit('map', call)),
];
