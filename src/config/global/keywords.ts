/** The keyword table of the `global` section. Used by section.ts and by the documentation writer. */
import { capabilityNumbers } from '../../base/capabilities.ts';
import { addressText, parseAddress } from '../address.ts';
import type { AddressRules } from '../address.ts';
import type { GlobalDraft, Mutable, TlsDraft } from '../draft.ts';
import { active, KeywordTable, legacy, many, negatable, pending } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import { readLogTarget } from '../log-target.ts';
import { groupId, userId } from '../accounts.ts';
import { parseFormat } from '../expression/format.ts';
import { parseSample } from '../expression/sample.ts';
import { idle, option, optionMap, readOptions } from '../option-table.ts';
import type { LineOption } from '../option-table.ts';
import { tlsVersionRows } from '../tls-options.ts';
import type { StatsSocket } from '../../model/model.ts';
import type { GlobalReading } from './reading.ts';
import { restRows } from './rest.ts';

type Row = Keyword<GlobalReading>;

type NumberField = { [K in keyof GlobalDraft]: GlobalDraft[K] extends number ? K : never }[keyof GlobalDraft];
type TextField = { [K in keyof GlobalDraft]: GlobalDraft[K] extends string ? K : never }[keyof GlobalDraft];

function numberRow(word: string, field: NumberField, help: string, min = 0, max = 2147483647): Row {
  return active(word, '', [1, 1], help, (reading) => {
    const value = reading.count(reading.arg(0), `'${word}'`, min, max);
    if (value !== undefined) reading.global[field] = value;
    reading.global.places[word] = reading.place;
  });
}

function durationRow(word: string, field: 'statsTimeoutMs' | 'maxSpreadChecksMs' | 'hardStopAfterMs' | 'graceMs', help: string): Row {
  return active(word, '', [1, 1], help, (reading) => {
    const ms = reading.duration(reading.arg(0), `'${word}'`);
    if (ms !== undefined) reading.global[field] = ms;
  });
}

function textRow(word: string, field: TextField, help: string, words: readonly [number, number] = [1, 1]): Row {
  return active(word, '', words, help, (reading) => {
    reading.global[field] = reading.args.join(' ');
    reading.global.places[word] = reading.place;
  });
}

function readNbthread(reading: GlobalReading): void {
  const value = reading.count(reading.arg(0), "'nbthread'", 1, 1024);
  if (value === undefined) return;
  reading.global.nbthread = value;
  reading.global.nbthreadGiven = true;
}

function readUser(reading: GlobalReading): void {
  reading.global.user = reading.arg(0);
  reading.global.uid = userId(reading, reading.arg(0)) ?? 0;
}

function readGroup(reading: GlobalReading): void {
  reading.global.group = reading.arg(0);
  reading.global.gid = groupId(reading, reading.arg(0)) ?? 0;
}

function readLog(reading: GlobalReading): void {
  if (reading.line.negation !== '') {
    reading.global.logTargets = [];
    return;
  }
  if (reading.arg(0) === 'global') {
    reading.error('global', "'log global' stands in proxies; in the global section name a target", "write 'log /dev/log local0'");
    return;
  }
  const target = readLogTarget(reading);
  if (target !== undefined) reading.global.logTargets.push(target);
}

const socketAddressRules: AddressRules = { port: 'required', range: true, offset: false, fd: true, datagram: false, stream: true, names: false };

function readSocketAddress(reading: GlobalReading, text: string): StatsSocket['address'] | undefined {
  // Without prefix and port the word is a path, even a relative one.
  const expanded = reading.expanded(text);
  const path = !/[@:]/.test(expanded) && !expanded.startsWith('/') ? `unix@${expanded}` : expanded;
  const parsed = parseAddress(path, socketAddressRules);
  if (parsed.address === null) {
    reading.error(text, `'stats socket': ${parsed.fault}`);
    return undefined;
  }
  return parsed.address.kind === 'name' ? undefined : parsed.address;
}

type SocketRow = LineOption<Mutable<StatsSocket>, GlobalReading>;

const socketRows: readonly SocketRow[] = [
  option('level', 1, 'Rights of its users.', (socket, [value = ''], reading) => { socket.level = reading.choice(value, "'level'", ['user', 'operator', 'admin']) ?? 'operator'; }),
  option('mode', 1, 'File mode.', (socket, [value = ''], reading) => {
    if (/^[0-7]{1,4}$/.test(value)) socket.mode = Number.parseInt(value, 8);
    else reading.error(value, `'mode' needs an octal number such as 660, not '${value}'`);
  }),
  option('user', 1, 'Owner.', (socket, [value = ''], reading) => { socket.uid = userId(reading, value) ?? -1; }),
  option('group', 1, 'Group.', (socket, [value = ''], reading) => { socket.gid = groupId(reading, value) ?? -1; }),
  option('uid', 1, 'Owner by number.', (socket, [value = ''], reading) => { socket.uid = reading.count(value, "'uid'") ?? -1; }),
  option('gid', 1, 'Group by number.', (socket, [value = ''], reading) => { socket.gid = reading.count(value, "'gid'") ?? -1; }),
  option('expose-fd', 1, 'Hands listening sockets to a new process.', (socket, [value = ''], reading) => {
    if (reading.choice(value, "'expose-fd'", ['listeners']) !== undefined) socket.exposeFdListeners = true;
  }),
  ...idle<Mutable<StatsSocket>, GlobalReading>('no effect', {
    process: [1, 'Process set-up.'], thread: [1, 'Thread set-up.'], maxconn: [1, 'See stats maxconn.'], backlog: [1, 'Kernel tuning.'], name: [1, 'Name.'], id: [1, 'Number.'],
    nice: [1, 'Scheduling.'], 'severity-output': [1, 'Severity in answers.'], 'tcp-ut': [1, 'Kernel tuning.'], interface: [1, 'Network interface.'], v4v6: [0, 'Address families.'],
    v6only: [0, 'Address families.'], shards: [1, 'Thread set-up.'],
  }),
  ...idle<Mutable<StatsSocket>, GlobalReading>('unsupported', { ssl: [0, 'TLS on the runtime socket.'], crt: [1, 'TLS on the runtime socket.'] }),
];

const socketOptions = optionMap(socketRows);

function readStatsSocket(reading: GlobalReading): void {
  const address = readSocketAddress(reading, reading.arg(0));
  const { global } = reading;
  const socket: Mutable<StatsSocket> = {
    address: address ?? { kind: 'unix', path: '', abstract: false }, level: 'operator', mode: global.unixBindMode, uid: global.unixBindUid, gid: global.unixBindGid,
    exposeFdListeners: false, place: reading.place,
  };
  readOptions(socketOptions, reading.args.slice(1), socket, reading, 'stats socket');
  if (address === undefined) return;
  if (address.kind === 'unix' && !address.abstract && global.unixBindPrefix !== '') socket.address = { ...address, path: `${global.unixBindPrefix}${address.path}` };
  if (address.kind === 'inet') reading.notice(addressText(address), 'the runtime socket is open to the network', 'anybody who reaches it may use its level; a unix socket is safer');
  global.statsSockets.push(socket);
}

function readSpreadChecks(reading: GlobalReading): void {
  const value = reading.count(reading.arg(0), "'spread-checks'", 0, 50);
  if (value !== undefined) reading.global.spreadChecksPercent = value;
}

function readUnixBind(reading: GlobalReading): void {
  for (let index = 0; index < reading.args.length; index += 2) {
    const word = reading.arg(index);
    const value = reading.arg(index + 1);
    if (value === '') reading.error(word, `'unix-bind ${word}' needs a value`);
    else if (word === 'prefix') reading.global.unixBindPrefix = value;
    else if (word === 'mode') reading.global.unixBindMode = Number.parseInt(value, 8);
    else if (word === 'user') reading.global.unixBindUid = userId(reading, value) ?? -1;
    else if (word === 'group') reading.global.unixBindGid = groupId(reading, value) ?? -1;
    else if (word === 'uid') reading.global.unixBindUid = reading.count(value, "'uid'") ?? -1;
    else if (word === 'gid') reading.global.unixBindGid = reading.count(value, "'gid'") ?? -1;
    else reading.error(word, `'unix-bind' does not know '${word}'`, 'it takes prefix, mode, user, uid, group and gid');
  }
}

const tlsOptions = optionMap<TlsDraft, GlobalReading>(tlsVersionRows);
const verifyRow: LineOption<TlsDraft, GlobalReading> = option('verify', 1, 'Whether certificates are checked.', (tls, [value = ''], reading) => {
  tls.verify = reading.choice(value, "'verify'", ['none', 'optional', 'required']) ?? '';
});

function tlsOptionsRow(word: string, side: 'bind' | 'server', help: string): Row {
  return active(word, '', [1, many], help, (reading) => readOptions(new Map([...tlsOptions, ['verify', verifyRow]]), reading.args, reading.global.tls[side], reading, word));
}

function tlsTextRow(word: string, side: 'bind' | 'server', field: 'ciphers' | 'ciphersuites' | 'curves', help: string): Row {
  return active(word, '', [1, 1], help, (reading) => {
    reading.global.tls[side][field] = reading.arg(0);
  });
}

function readServerVerify(reading: GlobalReading): void {
  const chosen = reading.choice(reading.arg(0), "'ssl-server-verify'", ['none', 'required']);
  if (chosen !== undefined) reading.global.tls.serverVerify = chosen;
}

function readProcessVariable(reading: GlobalReading): void {
  const match = /^set-var(-fmt)?\(proc\.([A-Za-z0-9_.]+)\)$/.exec(reading.line.words[0] ?? '');
  const word = reading.line.words[0] ?? '';
  if (match === null) {
    // Newer files put the name into a word of its own: set-var proc.x int(1).
    const name = /^proc\.([A-Za-z0-9_.]+)$/.exec(reading.arg(0))?.[1];
    if (name === undefined) reading.error(word, 'only variables of scope proc can be set in the global section', "write 'set-var proc.name int(1)'");
    else addVariable(reading, name, word.startsWith('set-var-fmt'), reading.args.slice(1));
    return;
  }
  addVariable(reading, match[2] ?? '', match[1] !== undefined, reading.args);
}

function addVariable(reading: GlobalReading, name: string, formatted: boolean, words: readonly string[]): void {
  const text = words.join(' ');
  const format = formatted ? parseFormat(text, reading.scope()) ?? null : null;
  const expr = formatted ? null : parseSample(text, reading.scope()) ?? null;
  reading.global.processVars.push({ name, expr, format });
}

function readBufsize(reading: GlobalReading): void {
  const bytes = reading.size(reading.arg(0), "'tune.bufsize'");
  if (bytes === undefined) return;
  reading.global.bufsizeBytes = bytes;
  reading.global.headBytesMax = Math.max(reading.global.headBytesMax, bytes);
}

function readMaxhdr(reading: GlobalReading): void {
  const value = reading.count(reading.arg(0), "'tune.http.maxhdr'", 1, 32767);
  if (value !== undefined) reading.global.headerCountMax = value;
}

function readSendHostname(reading: GlobalReading): void {
  reading.global.logSendHostname = reading.arg(0) === '' ? null : reading.arg(0);
}

function readExtraFiles(reading: GlobalReading): void {
  for (const word of reading.args) reading.choice(word, "'ssl-load-extra-files'", ['none', 'all', 'bundle', 'key', 'sctl', 'ocsp', 'issuer']);
  const { tls } = reading.global;
  tls.loadExtraKey = reading.args.includes('key') || reading.args.includes('all');
  tls.loadExtraBundle = reading.args.includes('bundle') || reading.args.includes('all');
}

function readDefaultPath(reading: GlobalReading): void {
  const kind = reading.choice(reading.arg(0), "'default-path'", ['current', 'config', 'parent', 'origin']);
  if (kind === undefined) return;
  if (kind !== 'origin') reading.global.pathOrigin = { kind };
  else if (reading.arg(1) === '') reading.error('origin', "'default-path origin' needs a folder");
  else reading.global.pathOrigin = { kind, path: reading.arg(1) };
}

function oldRow(word: string, words: readonly [number, number], modern: string, change: (reading: GlobalReading) => void = () => {}): Row {
  return legacy(word, '', words, `Old; ${modern}.`, (reading) => {
    reading.warning(word, `'${word}' was removed from HAProxy`, modern);
    change(reading);
  });
}

/** Names with commas between them, or words of their own. */
function readCapabilities(reading: GlobalReading): void {
  const names = reading.args.flatMap((word) => word.split(',')).filter((name) => name !== '');
  const unknown = names.find((name) => capabilityNumbers[name] === undefined);
  if (unknown !== undefined) reading.error(unknown, `'setcap' does not know '${unknown}'`, `use ${Object.keys(capabilityNumbers).join(', ')}`);
  else reading.global.capabilities = names;
}

const environmentHelp = 'Environment variables for the lines that follow.';

const rows: readonly Row[] = [
  active('daemon', '', [0, 0], 'Runs in the background.', (reading) => { reading.global.daemon = true; }),
  active('master-worker', '', [0, 1], 'A master process supervises the balancer.', (reading) => { reading.global.masterWorker = true; }),
  active('nbthread', '', [1, 1], 'Number of traffic threads.', readNbthread),
  numberRow('maxconn', 'maxconn', 'Most connections of the process.'),
  numberRow('maxconnrate', 'maxconnrate', 'Most new connections per second.'),
  numberRow('maxsessrate', 'maxsessrate', 'Most new sessions per second.'),
  numberRow('maxsslconn', 'maxsslconn', 'Most TLS connections.'),
  numberRow('maxsslrate', 'maxsslrate', 'Most new TLS connections per second.'),
  textRow('pidfile', 'pidfile', 'File with the process number.'),
  textRow('chroot', 'chroot', 'Folder outside of which the balancer process sees no file, once it has started.'),
  active('setcap', '', [1, many], 'Capabilities that are kept when root is given up, beside those that the configuration needs.', readCapabilities),
  numberRow('ulimit-n', 'openFilesMax', 'Most open files of the process.', 0, 2147483647),
  active('user', '', [1, 1], 'User that the process becomes.', readUser),
  active('group', '', [1, 1], 'Group that the process becomes.', readGroup),
  numberRow('uid', 'uid', 'User by number.'),
  numberRow('gid', 'gid', 'Group by number.'),
  textRow('node', 'node', 'Name of this node.'),
  textRow('description', 'description', 'Text shown on the statistics page.', [1, many]),
  negatable('log', '', [0, many], 'Log targets that `log global` uses.', readLog),
  textRow('log-tag', 'logTag', 'Program name in log lines.'),
  active('log-send-hostname', '', [0, 1], 'Host name in log lines.', readSendHostname),
  active('stats socket', '', [1, many], 'Runtime socket.', readStatsSocket),
  durationRow('stats timeout', 'statsTimeoutMs', 'Longest silence on the runtime socket.'),
  numberRow('stats maxconn', 'statsMaxconn', 'Most connections to the runtime socket.', 1),
  active('spread-checks', '', [1, 1], 'Random spread of check intervals, in percent.', readSpreadChecks),
  durationRow('max-spread-checks', 'maxSpreadChecksMs', 'Longest spread of checks at start.'),
  durationRow('hard-stop-after', 'hardStopAfterMs', 'When a stopping process cuts what is left.'),
  pending(durationRow('grace', 'graceMs', 'Wait before a soft stop.')),
  textRow('server-state-file', 'serverStateFile', 'File with server states, as `show servers state` writes it; read at start by backends that want it.'),
  textRow('server-state-base', 'serverStateBase', 'Folder of files with server states.'),
  textRow('stats-file', 'statsFile', 'File with counters, as `dump stats-file` writes it; read at start.'),
  active('set-var', '', [1, many], 'Process-wide variable.', readProcessVariable),
  active('set-var-fmt', '', [1, many], 'Process-wide variable from a format.', readProcessVariable),
  active('unix-bind', '', [2, many], 'Defaults of unix sockets.', readUnixBind),
  active('ca-base', '', [1, 1], 'Folder of ca-file and crl-file.', (reading) => { reading.global.tls.caBase = reading.arg(0); }),
  active('crt-base', '', [1, 1], 'Folder of crt.', (reading) => { reading.global.tls.crtBase = reading.arg(0); }),
  tlsTextRow('ssl-default-bind-ciphers', 'bind', 'ciphers', 'Ciphers of all binds.'),
  tlsTextRow('ssl-default-bind-ciphersuites', 'bind', 'ciphersuites', 'TLS 1.3 ciphers of all binds.'),
  tlsTextRow('ssl-default-bind-curves', 'bind', 'curves', 'Curves of all binds.'),
  tlsOptionsRow('ssl-default-bind-options', 'bind', 'TLS options of all binds.'),
  tlsTextRow('ssl-default-server-ciphers', 'server', 'ciphers', 'Ciphers of all servers.'),
  tlsTextRow('ssl-default-server-ciphersuites', 'server', 'ciphersuites', 'TLS 1.3 ciphers of all servers.'),
  tlsTextRow('ssl-default-server-curves', 'server', 'curves', 'Curves of all servers.'),
  tlsOptionsRow('ssl-default-server-options', 'server', 'TLS options of all servers.'),
  active('ssl-server-verify', '', [1, 1], 'Whether certificates of servers are checked.', readServerVerify),
  active('ssl-load-extra-files', '', [1, many], 'Which files beside a certificate are read.', readExtraFiles),
  active('default-path', '', [1, 2], 'What relative paths are relative to.', readDefaultPath),
  active('setenv', '', [2, 2], environmentHelp, () => {}),
  active('presetenv', '', [2, 2], environmentHelp, () => {}),
  active('unsetenv', '', [1, many], environmentHelp, () => {}),
  active('resetenv', '', [0, many], environmentHelp, () => {}),
  active('tune.bufsize', '', [1, 1], 'Buffer for content inspection; larger heads are allowed with it.', readBufsize),
  active('tune.http.maxhdr', '', [1, 1], 'Most header lines of a message.', readMaxhdr),
  oldRow('debug', [0, 0], "leave it out, or start with '-d'"),
  oldRow('quiet', [0, 0], "leave it out, or start with '-q'"),
  oldRow('nbproc', [1, 1], "leave it out; 'nbthread' sets the number of threads", (reading) => {
    const value = reading.count(reading.arg(0), "'nbproc'", 1, 64);
    if (value !== undefined && value > 1 && !reading.global.nbthreadGiven) reading.global.nbthread = value;
  }),
  ...restRows,
];

export const globalTable = new KeywordTable<GlobalReading>(rows);
export const statsSocketRows = socketRows;
