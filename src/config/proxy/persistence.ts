/** `cookie`, `stick-table`, `stick`, `force-persist` and relatives. Rows of the proxy table. */
import type { Cookie, StickTable } from '../../model/model.ts';
import { active, many, negatable } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import { parseCondition } from '../expression/condition.ts';
import { parseStickRule } from '../expression/switch.ts';
import { didYouMean } from '../problems.ts';
import type { Mutable } from '../draft.ts';
import type { ProxyReading } from './reading.ts';

const backend = 'DfLB';

const cookieFlags = ['rewrite', 'insert', 'prefix', 'indirect', 'nocache', 'postonly', 'preserve', 'httponly', 'secure', 'dynamic'] as const;
const cookieValues = ['domain', 'maxidle', 'maxlife', 'attr'] as const;

function setCookieFlag(cookie: Mutable<Cookie>, flag: (typeof cookieFlags)[number]): void {
  if (flag === 'rewrite' || flag === 'insert' || flag === 'prefix') cookie.mode = flag;
  else cookie[flag] = true;
}

function setCookieValue(reading: ProxyReading, cookie: Mutable<Cookie>, word: (typeof cookieValues)[number], value: string): void {
  if (value === '') reading.error(word, `'cookie … ${word}' needs a value`);
  else if (word === 'domain') cookie.domains = [...cookie.domains, value];
  else if (word === 'attr') cookie.attrs = [...cookie.attrs, value];
  else {
    const seconds = reading.duration(value, `'cookie … ${word}'`, 's');
    if (seconds === undefined) return;
    if (word === 'maxidle') cookie.maxIdleSeconds = seconds;
    else cookie.maxLifeSeconds = seconds;
  }
}

function readCookie(reading: ProxyReading): void {
  const cookie: Mutable<Cookie> = {
    name: reading.arg(0), mode: 'passive', indirect: false, nocache: false, postonly: false, preserve: false, httponly: false, secure: false,
    domains: [], maxIdleSeconds: 0, maxLifeSeconds: 0, dynamic: false, attrs: [],
  };
  const modes = new Set<string>();
  for (let index = 1; index < reading.args.length; index += 1) {
    const word = reading.arg(index);
    const flag = cookieFlags.find((each) => each === word);
    const valued = cookieValues.find((each) => each === word);
    if (flag !== undefined) {
      setCookieFlag(cookie, flag);
      if (flag === 'rewrite' || flag === 'insert' || flag === 'prefix') modes.add(flag);
    } else if (valued !== undefined) {
      index += 1;
      setCookieValue(reading, cookie, valued, reading.arg(index));
    } else {
      reading.error(word, `'cookie' does not know '${word}'`, didYouMean(word, [...cookieFlags, ...cookieValues]));
      return;
    }
  }
  if (modes.size > 1) reading.error(reading.arg(1), "'cookie' takes only one of rewrite, insert and prefix");
  if (cookie.dynamic && cookie.mode !== 'insert') reading.warning('dynamic', "'cookie … dynamic' has no effect without 'insert'");
  reading.settings.cookie = cookie;
  reading.mark('cookie');
}

function readDynamicKey(reading: ProxyReading): void {
  reading.settings.dynamicCookieKey = reading.arg(0);
}

const tableTypes: Readonly<Record<string, StickTable['type']>> = { ip: 'ip', ipv4: 'ip', ipv6: 'ipv6', integer: 'integer', string: 'string', binary: 'binary' };

/** Data types of `store`; the number says whether a period is wanted. */
const storeTypes: Readonly<Record<string, 'plain' | 'rate' | 'array' | 'array rate'>> = {
  server_id: 'plain', gpt0: 'plain', gpt: 'array', gpc0: 'plain', gpc0_rate: 'rate', gpc1: 'plain', gpc1_rate: 'rate', gpc: 'array', gpc_rate: 'array rate',
  conn_cnt: 'plain', conn_cur: 'plain', conn_rate: 'rate', sess_cnt: 'plain', sess_rate: 'rate', http_req_cnt: 'plain', http_req_rate: 'rate',
  http_err_cnt: 'plain', http_err_rate: 'rate', http_fail_cnt: 'plain', http_fail_rate: 'rate', bytes_in_cnt: 'plain', bytes_in_rate: 'rate',
  bytes_out_cnt: 'plain', bytes_out_rate: 'rate', server_key: 'plain', glitch_cnt: 'plain', glitch_rate: 'rate', key: 'plain',
};

function readStore(reading: ProxyReading, text: string): StickTable['store'] {
  const made: { name: string; periodMs: number; count: number }[] = [];
  for (const item of text.match(/[^,(]+(?:\([^)]*\))?/g) ?? []) {
    const match = /^([a-z0-9_]+)(?:\(([^)]*)\))?$/.exec(item);
    const name = match?.[1] ?? item;
    const form = Object.hasOwn(storeTypes, name) ? storeTypes[name] : undefined;
    if (match === null || form === undefined) {
      reading.error(item, `'store' does not know '${item}'`, didYouMean(name, Object.keys(storeTypes)));
      continue;
    }
    const values = (match[2] ?? '').split(',').map((value) => value.trim());
    const period = form === 'rate' ? values[0] ?? '' : form === 'array rate' ? values[1] ?? '' : '';
    const periodMs = form.endsWith('rate') ? reading.duration(period, `'store ${name}'`) ?? 0 : 0;
    const count = form.startsWith('array') ? reading.count(values[0] ?? '', `'store ${name}'`, 1, 100) ?? 1 : 1;
    if (form === 'plain' && match[2] !== undefined) reading.error(item, `'store ${name}' takes no argument`);
    made.push({ name, periodMs, count });
  }
  if (made.some((item) => item.name !== 'server_id' && item.name !== 'server_key')) {
    reading.warning('store', "counters in stick tables are not active yet: they are declared, but stay zero");
  }
  return made;
}

type TableWord = (reading: ProxyReading, table: Mutable<StickTable>, value: string) => void;

const tableWords: Readonly<Record<string, TableWord>> = {
  size: (reading, table, value) => { table.sizeEntries = reading.size(value, "'stick-table size'") ?? 0; },
  expire: (reading, table, value) => { table.expireMs = reading.duration(value, "'stick-table expire'") ?? 0; },
  peers: (reading, table, value) => {
    table.peers = value;
    if (!(reading.context.names.sections.get('peers') ?? []).some((section) => section.name === value)) {
      reading.error(value, `there is no peers section '${value}'`, didYouMean(value, (reading.context.names.sections.get('peers') ?? []).map((section) => section.name)));
    }
  },
  store: (reading, table, value) => { table.store = [...table.store, ...readStore(reading, value)]; },
  srvkey: (reading, table, value) => { table.srvkey = reading.choice(value, "'stick-table srvkey'", ['name', 'addr']) ?? 'name'; },
  'write-to': (_, table, value) => { table.writeTo = value; },
  'recv-only': () => {},
  brates: () => {},
};

function readType(reading: ProxyReading, table: Mutable<StickTable>, index: number): number {
  const word = reading.arg(index + 1);
  const type = Object.hasOwn(tableTypes, word) ? tableTypes[word] : undefined;
  if (type === undefined) {
    reading.error(word, `'stick-table type' does not know '${word}'`, 'use ip, ipv6, integer, string or binary');
    return index + 1;
  }
  table.type = type;
  table.keyBytes = type === 'string' || type === 'binary' ? 32 : type === 'ipv6' ? 16 : 4;
  // 'string len 40' and the older 'string 40'.
  const next = reading.arg(index + 2);
  if (next === 'len') {
    table.keyBytes = reading.count(reading.arg(index + 3), "'stick-table len'", 1, 65535) ?? 32;
    return index + 3;
  }
  return index + 1;
}

function readStickTable(reading: ProxyReading): void {
  const table: Mutable<StickTable> = {
    type: 'ip', keyBytes: 4, sizeEntries: 0, expireMs: 0, nopurge: false, peers: '', srvkey: 'name', writeTo: '', store: [],
  };
  let typed = false;
  for (let index = 0; index < reading.args.length; index += 1) {
    const word = reading.arg(index);
    const read = Object.hasOwn(tableWords, word) ? tableWords[word] : undefined;
    if (word === 'type') {
      typed = true;
      index = readType(reading, table, index);
    } else if (word === 'nopurge') table.nopurge = true;
    else if (word === 'recv-only') reading.notice(word, "'recv-only' has no effect before peers are active");
    else if (read !== undefined) {
      index += 1;
      if (reading.arg(index) === '') reading.error(word, `'stick-table ${word}' needs a value`);
      else read(reading, table, reading.arg(index));
    } else {
      reading.error(word, `'stick-table' does not know '${word}'`, didYouMean(word, [...Object.keys(tableWords), 'type', 'nopurge']));
      return;
    }
  }
  if (!typed) reading.error('stick-table', "'stick-table' needs a type", "write 'stick-table type ip size 100k expire 30m'");
  if (table.sizeEntries === 0) reading.error('stick-table', "'stick-table' needs a size", "write 'stick-table type ip size 100k expire 30m'");
  if (reading.proxy === null) return;
  if (reading.proxy.stickTable !== null) reading.error('stick-table', 'this section has a stick table already');
  reading.proxy.stickTable = table;
  reading.mark('stick-table');
}

function readStick(reading: ProxyReading): void {
  const kind = reading.arg(0);
  if (!['on', 'match', 'store-request', 'store-response'].includes(kind)) {
    reading.error(kind, `'stick' does not know '${kind}'`, "use 'stick on', 'stick match', 'stick store-request' or 'stick store-response'");
    return;
  }
  const rule = parseStickRule(reading.args, reading.scope('stick'));
  if (rule !== undefined) reading.proxy?.stickRules.push(rule);
  reading.mark('stick');
}

function readPersist(reading: ProxyReading): void {
  const match = /^rdp-cookie(?:\((.*)\))?$/.exec(reading.arg(0));
  if (match === null) reading.error(reading.arg(0), `'persist' does not know '${reading.arg(0)}'`, "write 'persist rdp-cookie' or 'persist rdp-cookie(<name>)'");
  else reading.settings.rdpPersist = reading.on ? { text: match[1] ?? 'msts', place: reading.place } : null;
}

function readPersistRule(reading: ProxyReading): void {
  const condition = parseCondition(reading.args, reading.scope('use_backend'));
  if (condition === null) reading.error(reading.keyword, `'${reading.keyword}' needs 'if' or 'unless' and a condition`);
  else if (condition !== undefined) reading.proxy?.persistRules.push({ kind: reading.keyword === 'force-persist' ? 'force' : 'ignore', condition });
}

function readStateFileName(reading: ProxyReading): void {
  const [name = 'use-backend-name'] = reading.args;
  reading.settings.serverStateFileName = name === 'use-backend-name' ? '' : name;
}

export const persistenceRows: readonly Keyword<ProxyReading>[] = [
  active('cookie', backend, [1, many], 'Keeps a browser on its server by a cookie.', readCookie),
  active('dynamic-cookie-key', backend, [1, 1], 'Secret from which dynamic cookie values are made.', readDynamicKey),
  active('stick-table', 'FLB', [1, many], 'Table of keys that remembers servers.', readStickTable),
  active('stick', 'fLB', [1, many], 'Reads and writes the stick table: on, match, store-request, store-response.', readStick),
  active('force-persist', 'fLB', [1, many], 'Keeps to the server of the cookie even when it is down.', readPersistRule),
  active('ignore-persist', 'fLB', [1, many], 'Ignores cookie and stick table.', readPersistRule),
  negatable('persist', backend, [0, 1], 'Persistence by the cookie of the remote desktop protocol: persist rdp-cookie[(name)].', readPersist),
  active('server-state-file-name', 'DfLB', [0, 1], 'File for `load-server-state-from-file local`; without a word, or with use-backend-name, the name of the backend.', readStateFileName),
];
