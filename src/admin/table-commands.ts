/**
 * Runtime commands for stick tables: show, set, clear. The entries are in shared memory (shared/stick-table.ts). Data types
 * other than the server are shown as the configuration lists them; they stay 0 until stick counters exist.
 */
import { createHash } from 'node:crypto';
import { parseIp } from '../base/ip.ts';
import type { Proxy, Server, StickTable } from '../model/model.ts';
import type { SharedStickTable, StickEntry } from '../shared/stick-table.ts';
import type { StickSample } from '../shared/stick-key.ts';
import type { Answer, Command, CommandCall } from './command.ts';
import { command, inSlices, levels, number } from './command.ts';
import type { AdminContext } from './context.ts';

/** HAProxy's data types in the order it prints them. */
const dataTypes = [
  'server_id', 'gpt0', 'gpc0', 'gpc0_rate', 'conn_cnt', 'conn_rate', 'conn_cur', 'sess_cnt', 'sess_rate', 'http_req_cnt', 'http_req_rate',
  'http_err_cnt', 'http_err_rate', 'bytes_in_cnt', 'bytes_in_rate', 'bytes_out_cnt', 'bytes_out_rate', 'gpc1', 'gpc1_rate', 'server_key',
  'http_fail_cnt', 'http_fail_rate', 'gpt', 'gpc', 'gpc_rate', 'glitch_cnt', 'glitch_rate',
];
const setUsage = 'Required arguments: <table> key <key> [data.<store_data_type> <value>]*\n';
const clearUsage = 'Required arguments: <table> "data.<store_data_type>" <operator> <value> or <table> key <key>\n';
const operators = ['eq', 'ne', 'le', 'ge', 'lt', 'gt'];

interface NamedTable {
  readonly proxy: Proxy;
  readonly config: StickTable;
  readonly table: SharedStickTable;
}

interface Filter {
  readonly key: string | null;
  readonly data: readonly { readonly type: string; readonly operator: string; readonly value: number }[];
}

function tables(context: AdminContext): readonly NamedTable[] {
  const found: NamedTable[] = [];
  for (const proxy of context.model.proxies) {
    const table = context.tables.table(proxy.index);
    if (proxy.stickTable !== null && table !== undefined) found.push({ proxy, config: proxy.stickTable, table });
  }
  // The last one of the configuration first, as HAProxy has them.
  return found.toReversed();
}

function findTable(call: CommandCall): NamedTable | undefined {
  return tables(call.context).find(({ proxy }) => proxy.name === call.args[0]);
}

function header({ proxy, config, table }: NamedTable): string {
  return `# table: ${proxy.name}, type: ${config.type}, size:${config.sizeEntries}, used:${table.used}\n`;
}

/** A stable made-up address: clients expect one at the start of an entry. */
function reference(key: string): string {
  return `0x${createHash('md5').update(key).digest('hex').slice(0, 12)}`;
}

function serverOf(context: AdminContext, entry: StickEntry): Server | undefined {
  return context.model.servers[entry.server];
}

function storedTypes({ proxy, config }: NamedTable): readonly { readonly name: string; readonly label: string }[] {
  const names = new Map(config.store.map(({ name, periodMs }) => [name, periodMs > 0 ? `${name}(${periodMs})` : name]));
  if (proxy.stickRules.length > 0 || names.has('server_id')) names.set('server_id', 'server_id').set('server_key', 'server_key');
  return dataTypes.filter(name => names.has(name)).map(name => ({ name, label: names.get(name) ?? name }));
}

function entryLine(context: AdminContext, named: NamedTable, entry: StickEntry): string {
  const server = serverOf(context, entry);
  const values = storedTypes(named).map(({ name, label }) => {
    if (name === 'server_id') return ` ${label}=${server?.sid ?? 0}`;
    return name === 'server_key' ? ` ${label}=${server?.name ?? '-'}` : ` ${label}=0`;
  });
  return `${reference(entry.key)}: key=${entry.key} use=0 exp=${Math.max(0, entry.expiresInMs)}${values.join('')}\n`;
}

/** A filter, or the answer that says what is wrong with it. */
function parseFilter(named: NamedTable, words: readonly string[]): Filter | string {
  if (words[0] === 'key') return words[1] === undefined ? 'Key value expected\n' : { key: words[1], data: [] };
  const data: { type: string; operator: string; value: number }[] = [];
  for (let index = 0; index < words.length; index += 3) {
    const type = /^data\.(.+)$/.exec(words[index] ?? '')?.[1];
    const position = data.length + 1;
    if (type === undefined) return 'Optional argument only supports "data.<store_data_type>" <operator> <value> and key <key>\n';
    if (!dataTypes.includes(type)) return `Filter entry #${position}: Unknown data type\n`;
    if (!storedTypes(named).some(({ name }) => name === type)) return `Filter entry #${position}: Data type not stored in this table\n`;
    const operator = words[index + 1] ?? '';
    if (!operators.includes(operator)) return `Filter entry #${position}: Require and operator among "eq", "ne", "le", "ge", "lt", "gt"\n`;
    const value = number(words[index + 2]);
    if (value === undefined) return `Filter entry #${position}: Require a valid integer value to compare against\n`;
    data.push({ type, operator, value });
  }
  return { key: null, data };
}

function compare(operator: string, left: number, right: number): boolean {
  switch (operator) {
    case 'eq': return left === right;
    case 'ne': return left !== right;
    case 'le': return left <= right;
    case 'ge': return left >= right;
    case 'lt': return left < right;
    default: return left > right;
  }
}

function selected(context: AdminContext, entry: StickEntry, filter: Filter): boolean {
  if (filter.key !== null) return entry.key === filter.key;
  return filter.data.every(({ type, operator, value }) => compare(operator, type === 'server_id' ? (serverOf(context, entry)?.sid ?? 0) : 0, value));
}

function entries(context: AdminContext, named: NamedTable, filter: Filter): readonly StickEntry[] {
  const found: StickEntry[] = [];
  named.table.forEach((entry) => { if (selected(context, entry, filter)) found.push(entry); });
  return found;
}

function* dumped(context: AdminContext, named: NamedTable, found: readonly StickEntry[]): Generator<string> {
  yield header(named);
  yield* inSlices(found, entry => entryLine(context, named, entry));
}

function show(call: CommandCall): Answer {
  if (call.args[0] === undefined) return tables(call.context).map(header).join('');
  const named = findTable(call);
  if (named === undefined) return 'No such table\n';
  const filter = parseFilter(named, call.args.slice(1));
  if (typeof filter === 'string') return filter;
  if (levels[call.session.level] < levels.operator) return `${header(named)}# contents not dumped due to insufficient privileges\n`;
  const found = entries(call.context, named, filter);
  if (filter.key !== null && found.length === 0) return '';
  return dumped(call.context, named, found);
}

/** The sample that a key's text stands for in a table of this type; undefined when it cannot be one. */
function sampleOf(config: StickTable, text: string): StickSample | undefined {
  if (config.type === 'ip' || config.type === 'ipv6') return parseIp(text);
  if (config.type === 'integer') return number(text);
  return config.type === 'binary' ? Buffer.from(text, 'hex') : text;
}

function clear(call: CommandCall): string {
  if (call.args[0] === undefined) return clearUsage;
  const named = findTable(call);
  if (named === undefined) return 'No such table\n';
  if (call.args[1] !== undefined && call.args[1] !== 'key' && !call.args[1].startsWith('data.')) return clearUsage;
  const filter = parseFilter(named, call.args.slice(1));
  if (typeof filter === 'string') return filter;
  if (filter.key === null && filter.data.length === 0) {
    named.table.clear();
    return '';
  }
  for (const entry of entries(call.context, named, filter)) {
    const sample = sampleOf(named.config, entry.key);
    if (sample !== undefined) named.table.remove(sample);
  }
  return '';
}

function set(call: CommandCall): string {
  const named = findTable(call);
  if (named === undefined) return call.args[0] === undefined ? setUsage : 'No such table\n';
  const [, keyword, key, ...data] = call.args;
  if (keyword === undefined) return '';
  if (keyword !== 'key') return setUsage;
  if (key === undefined) return 'Key value expected\n';
  const sample = sampleOf(named.config, key);
  if (sample === undefined) return `Invalid key value '${key}'\n`;
  let server = -1;
  for (let index = 0; index < data.length; index += 2) {
    const type = /^data\.(.+)$/.exec(data[index] ?? '')?.[1];
    if (type === undefined) return '"data.<type>" followed by a value expected\n';
    if (!dataTypes.includes(type)) return 'Unknown data type\n';
    if (!storedTypes(named).some(({ name }) => name === type)) return 'Data type not stored in this table\n';
    const value = number(data[index + 1]);
    if (value === undefined) return 'Require a valid integer value to store\n';
    if (type !== 'server_id') return `Data type ${type} cannot be set: it is not counted yet\n`;
    server = named.proxy.servers.find(candidate => call.context.model.servers[candidate]?.sid === value) ?? -1;
  }
  return named.table.store(sample, server) ? '' : 'Unable to allocate a new entry\n';
}

export const tableCommands: readonly Command[] = [
  command('show table', 'user', 'show table <table> [<filter>]*', 'list the stick tables, or the entries of one (filter: data/key)', show),
  command('set table', 'operator', 'set table <table> key <k> [data.* <v>]*', 'make or change an entry of a stick table', set),
  command('clear table', 'operator', 'clear table <table> [<filter>]*', 'remove entries of a stick table (filter: data/key)', clear),
];
