/** Rows of the proxy table that set one value each: mode, timeouts, limits, names, addresses. */
import type { Mode, Timeouts } from '../../model/model.ts';
import { active, legacy, many, negatable, pending } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import type { ProxySettings } from '../draft.ts';
import { parseRule } from '../expression/rule.ts';
import { readSource } from './source.ts';
import { addDispatch } from '../server.ts';
import type { ProxyReading } from './reading.ts';

const any = 'DFLB';
const frontend = 'DFLb';
const backend = 'DfLB';

function readMode(reading: ProxyReading): void {
  if (reading.arg(0) === 'health') {
    reading.error('health', "'mode health' was removed from HAProxy", "write 'mode http' and 'http-request return status 200'");
    return;
  }
  // After a mistake, mode http: so that it does not draw a warning after every HTTP word that follows.
  const mode: Mode = reading.choice(reading.arg(0), "'mode'", ['http', 'tcp']) ?? 'http';
  reading.settings.mode = mode;
  reading.mark('mode');
}

function setTimeoutMs(reading: ProxyReading, field: keyof Timeouts, text: string): void {
  const ms = reading.duration(text, `'${reading.keyword}'`);
  if (ms === undefined) return;
  reading.settings.timeouts = { ...reading.settings.timeouts, [field]: ms };
  reading.mark(field);
}

function timeoutRow(word: string, where: string, field: keyof Timeouts, help: string): Keyword<ProxyReading> {
  return active(`timeout ${word}`, where, [1, 1], help, (reading) => setTimeoutMs(reading, field, reading.arg(0)));
}

const timeoutRows: readonly Keyword<ProxyReading>[] = [
  timeoutRow('client', frontend, 'clientMs', 'Longest silence of a client.'),
  timeoutRow('server', backend, 'serverMs', 'Longest silence of a server.'),
  timeoutRow('connect', backend, 'connectMs', 'Longest wait for a server to accept a connection.'),
  timeoutRow('http-request', any, 'httpRequestMs', 'Longest wait for a whole request head.'),
  timeoutRow('http-keep-alive', any, 'httpKeepAliveMs', 'Longest wait for the next request of a connection.'),
  timeoutRow('queue', backend, 'queueMs', 'Longest wait for a free server slot.'),
  timeoutRow('tunnel', backend, 'tunnelMs', 'Longest silence of both sides after an upgrade, CONNECT, or in mode tcp.'),
  timeoutRow('check', backend, 'checkMs', 'Longest wait for the answer of a health check after its connection.'),
  timeoutRow('client-fin', frontend, 'clientFinMs', 'Longest silence of a client whose connection is half closed.'),
  timeoutRow('server-fin', backend, 'serverFinMs', 'Longest silence of a server whose connection is half closed.'),
  timeoutRow('tarpit', any, 'tarpitMs', 'How long a tarpitted request is held.'),
];

function oldTimeoutRow(word: string, modern: string, where: string, field: keyof Timeouts): Keyword<ProxyReading> {
  return legacy(word, where, [1, 1], `Old; today: timeout ${modern}.`, (reading) => {
    reading.warning(word, `'${word}' was removed from HAProxy`, `write 'timeout ${modern} ${reading.arg(0)}'`);
    setTimeoutMs(reading, field, reading.arg(0));
  });
}

type NumberSetting = { [K in keyof ProxySettings]: ProxySettings[K] extends number ? K : never }[keyof ProxySettings];

function numberRow(word: string, where: string, field: NumberSetting, help: string, min = 0, max = 2147483647): Keyword<ProxyReading> {
  return active(word, where, [1, 1], help, (reading) => {
    const value = reading.count(reading.arg(0), `'${word}'`, min, max);
    if (value === undefined) return;
    reading.settings[field] = value;
    reading.mark(field);
  });
}

function readDisabled(reading: ProxyReading): void {
  reading.settings.disabled = reading.keyword === 'disabled';
}

function readDescription(reading: ProxyReading): void {
  if (reading.proxy !== null) reading.proxy.description = reading.args.join(' ');
}

function readGuid(reading: ProxyReading): void {
  if (reading.proxy !== null) reading.proxy.guid = reading.arg(0);
}

function readId(reading: ProxyReading): void {
  const id = reading.count(reading.arg(0), "'id'", 1);
  if (id !== undefined && reading.proxy !== null) reading.proxy.id = id;
}

function readRateLimit(reading: ProxyReading): void {
  const value = reading.count(reading.arg(0), "'rate-limit sessions'");
  if (value !== undefined) reading.settings.rateLimitSessions = value;
}

function readDefaultBackend(reading: ProxyReading): void {
  const condition = reading.arg(1) === 'if' || reading.arg(1) === 'unless';
  if (reading.args.length > 1 && !condition) {
    reading.error(reading.arg(1), `'default_backend' takes one name, found '${reading.arg(1)}' too`, "use 'use_backend' for conditions");
    return;
  }
  if (condition) reading.error(reading.arg(1), "'default_backend' takes no condition", `write 'use_backend ${reading.args.join(' ')}'`);
  reading.settings.defaultBackend = { text: reading.arg(0), place: reading.place, condition: false };
}

function readMonitorUri(reading: ProxyReading): void {
  reading.settings.monitorUri = reading.arg(0);
  reading.mark('monitor-uri');
}

function readRetryOn(reading: ProxyReading): void {
  const words = ['none', 'conn-failure', 'empty-response', 'junk-response', 'response-timeout', '0rtt-rejected', 'all-retryable-errors',
    '401', '403', '404', '408', '421', '425', '429', '500', '501', '502', '503', '504'];
  for (const word of reading.args) {
    if (reading.choice(word, "'retry-on'", words) === undefined) return;
    if (word === 'none' && reading.args.length > 1) reading.error(word, "'none' stands alone in 'retry-on'");
  }
  const all = ['conn-failure', 'empty-response', 'junk-response', 'response-timeout', '0rtt-rejected', '500', '502', '503', '504'];
  reading.settings.retryOn = [...new Set(reading.args.flatMap((word) => (word === 'all-retryable-errors' ? all : word === 'none' ? [] : [word])))];
  reading.mark('retry-on');
}

function readHttpReuse(reading: ProxyReading): void {
  const chosen = reading.choice(reading.arg(0), "'http-reuse'", ['never', 'safe', 'aggressive', 'always']);
  if (chosen !== undefined) reading.settings.httpReuse = chosen;
}

function readServerState(reading: ProxyReading): void {
  const chosen = reading.choice(reading.arg(0), "'load-server-state-from-file'", ['none', 'global', 'local']);
  if (chosen !== undefined) reading.settings.serverStateFromFile = chosen;
}

function readOldRedispatch(reading: ProxyReading): void {
  reading.warning('redispatch', "'redispatch' was removed from HAProxy", "write 'option redispatch'");
  reading.settings.redispatch = -1;
}

function readTransparent(reading: ProxyReading): void {
  reading.warning('transparent', "'transparent' is the old spelling", "write 'option transparent'");
  reading.settings.switches = { ...reading.settings.switches, transparent: true };
}

/** The address becomes a server without checks; beside it other servers only get what persistence sends them (verify.ts). */
function readDispatch(reading: ProxyReading): void {
  reading.notice('dispatch', "'dispatch' appears as server 'dispatch' in logs and statistics", `the modern line is 'server dispatch ${reading.arg(0)}'`);
  addDispatch(reading, reading.arg(0));
  reading.mark('dispatch');
}

function readSendName(reading: ProxyReading): void {
  const name = reading.arg(0);
  if (reading.on && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) reading.error(name, `'${name}' is not a header name`);
  else reading.settings.sendNameHeader = reading.on ? name : '';
}

/** HAProxy 1.x answered 200 to these addresses before anything else. */
function readMonitorNet(reading: ProxyReading): void {
  const words = ['return', 'status', '200', 'if', '{', 'src', reading.arg(0), '}'];
  reading.warning('monitor-net', "'monitor-net' was removed from HAProxy", `write 'http-request ${words.join(' ')}'`);
  const rule = parseRule('http-request', words, reading.scope('http-request'));
  if (rule !== undefined) reading.rules.legacyBlock.push(rule);
}

function readLogTag(reading: ProxyReading): void {
  reading.settings.logTag = reading.arg(0);
}

export const simpleRows: readonly Keyword<ProxyReading>[] = [
  active('mode', any, [1, 1], 'http or tcp.', readMode),
  ...timeoutRows,
  oldTimeoutRow('clitimeout', 'client', frontend, 'clientMs'),
  oldTimeoutRow('contimeout', 'connect', backend, 'connectMs'),
  oldTimeoutRow('srvtimeout', 'server', backend, 'serverMs'),
  numberRow('maxconn', frontend, 'maxconn', 'Most connections at a time.'),
  numberRow('backlog', frontend, 'backlog', 'Connections that may wait to be accepted.'),
  numberRow('fullconn', backend, 'fullconn', 'Load at which dynamic limits (minconn) reach maxconn.'),
  numberRow('retries', backend, 'retries', 'How often a failed connection is tried again.'),
  pending(numberRow('max-keep-alive-queue', backend, 'maxKeepAliveQueue', 'Queue length above which a kept connection no longer waits for its server.', -1)),
  active('rate-limit sessions', frontend, [1, 1], 'Most new sessions per second.', readRateLimit),
  active('disabled', any, [0, 0], 'Switches the proxy off.', readDisabled),
  active('enabled', any, [0, 0], 'Undoes an inherited `disabled`.', readDisabled),
  active('guid', 'FLB', [1, 1], 'Name in a stats-file.', readGuid),
  active('description', 'FLB', [1, many], 'Text shown on the statistics page.', readDescription),
  active('id', 'FLB', [1, 1], 'Number of the proxy in statistics.', readId),
  active('default_backend', frontend, [1, many], 'Backend of requests that no `use_backend` claims.', readDefaultBackend),
  active('monitor-uri', frontend, [1, 1], 'Path that is answered 200 without a backend.', readMonitorUri),
  legacy('monitor-net', 'DFLB', [1, 1], 'Old; network whose connections are answered 200.', readMonitorNet),
  active('retry-on', 'DLB', [1, many], 'What counts as a failure that is tried again.', readRetryOn),
  active('http-reuse', backend, [1, 1], 'Which idle server connections another client may use.', readHttpReuse),
  active('load-server-state-from-file', backend, [1, 1], 'Where server states are read from at start.', readServerState),
  active('log-tag', any, [1, 1], 'Program name in log lines.', readLogTag),
  active('source', backend, [1, many], 'Address that connections to servers come from.', (reading) => {
    const source = readSource(reading);
    if (source !== undefined) reading.settings.source = source;
  }),
  active('dispatch', 'fLB', [1, 1], 'One address instead of servers.', readDispatch),
  negatable('http-send-name-header', backend, [0, 1], 'Header in which the name of the server is sent to it.', readSendName),
  legacy('redispatch', any, [0, 0], 'Old; today: option redispatch.', readOldRedispatch),
  legacy('transparent', any, [0, 0], 'Old; today: option transparent.', readTransparent),
];
