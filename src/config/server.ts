/** `server`, `default-server` and `server-template` lines. Called by the proxy table; build.ts makes Servers of the drafts. */
import type { AddressRules } from './address.ts';
import type { CheckWords, ServerDraft, ServerWords, TlsDraft } from './draft.ts';
import { dispatchServer, templateNumbers } from './names.ts';
import { idle, option, optionMap, readOptions } from './option-table.ts';
import type { LineOption } from './option-table.ts';
import { parseSample } from './expression/sample.ts';
import { checkAddressRules } from './proxy/reading.ts';
import type { ProxyReading } from './proxy/reading.ts';
import { readSourceWords } from './proxy/source.ts';
import { tellProtocol, tlsValueRows, tlsVersionRows } from './tls-options.ts';

type Row = LineOption<ServerWords, ProxyReading>;

const tlsRows: readonly Row[] = [...tlsVersionRows, ...tlsValueRows].map((row) => ({
  ...row, read: row.read === null ? null : (server, values, reading) => row.read?.(server.tls, values, reading),
}));

function tlsRow(word: string, values: number, help: string, change: (tls: TlsDraft, value: string, reading: ProxyReading) => void): Row {
  return option(word, values, help, (server, [value = ''], reading) => change(server.tls, value, reading));
}

function checkRow(word: string, values: number, help: string, change: (check: CheckWords, value: string, reading: ProxyReading) => void): Row {
  return option(word, values, help, (server, [value = ''], reading) => change(server.check, value, reading));
}

type NumberField = { [K in keyof ServerWords]: ServerWords[K] extends number ? K : never }[keyof ServerWords];

function numberRow(word: string, field: NumberField, help: string, min = 0, max = 2147483647): Row {
  return option(word, 1, help, (server, [value = ''], reading) => {
    const count = reading.count(value, `'${word}'`, min, max);
    if (count !== undefined) server[field] = count;
  });
}

function durationRow(word: string, field: NumberField, help: string): Row {
  return option(word, 1, help, (server, [value = ''], reading) => {
    const ms = reading.duration(value, `'${word}'`);
    if (ms !== undefined) server[field] = ms;
  });
}

function checkDuration(word: string, field: 'interMs' | 'fastinterMs' | 'downinterMs', help: string): Row {
  return checkRow(word, 1, help, (check, value, reading) => {
    const ms = reading.duration(value, `'${word}'`);
    if (ms === 0) reading.error(value, `'${word}' must be longer than 0`);
    else if (ms !== undefined) check[field] = ms;
  });
}

const checkRows: readonly Row[] = [
  checkRow('check', 0, 'Health checks.', (check) => { check.check = true; }),
  checkRow('no-check', 0, 'No health checks.', (check) => { check.check = false; }),
  checkRow('check-ssl', 0, 'TLS for health checks.', (check) => { check.checkSsl = true; }),
  checkRow('no-check-ssl', 0, 'No TLS for health checks.', (check) => { check.checkSsl = false; }),
  checkRow('check-sni', 1, 'Server name in the handshake of health checks.', (check, value) => { check.sni = value; }),
  checkRow('check-alpn', 1, 'Protocols offered by health checks.', (check, value) => { check.alpn = value.split(',').filter((name) => name !== 'h2'); }),
  checkDuration('inter', 'interMs', 'Time between two health checks.'),
  checkDuration('fastinter', 'fastinterMs', 'The same while the state is changing.'),
  checkDuration('downinter', 'downinterMs', 'The same while the server is down.'),
  checkRow('rise', 1, 'Good checks that bring a server up.', (check, value, reading) => { check.rise = reading.count(value, "'rise'", 1) ?? 2; }),
  checkRow('fall', 1, 'Bad checks that take a server down.', (check, value, reading) => { check.fall = reading.count(value, "'fall'", 1) ?? 3; }),
  checkRow('port', 1, 'Port of health checks.', (check, value, reading) => { check.port = reading.count(value, "'port'", 0, 65535) ?? 0; }),
  checkRow('addr', 1, 'Address of health checks.', (check, value, reading) => {
    const parsed = reading.address(value, checkAddressRules);
    if (parsed === undefined || parsed.address.kind === 'fd') return;
    check.address = parsed.address;
    if (parsed.address.kind === 'inet' && parsed.address.port > 0) check.port = parsed.address.port;
  }),
];

function readSni(tls: TlsDraft, value: string, reading: ProxyReading): void {
  tls.sni = parseSample(value, reading.scope('server')) ?? null;
}

const serverTlsRows: readonly Row[] = [
  ...tlsRows,
  tlsRow('ssl', 0, 'TLS to the server.', (tls) => { tls.ssl = true; }),
  tlsRow('no-ssl', 0, 'No TLS to the server.', (tls) => { tls.ssl = false; }),
  tlsRow('verify', 1, 'Whether the certificate of the server is checked.', (tls, value, reading) => {
    tls.verify = reading.choice(value, "'verify'", ['none', 'required']) ?? '';
  }),
  tlsRow('verifyhost', 1, 'Name that the certificate must have.', (tls, value) => { tls.verifyHost = value; }),
  tlsRow('sni', 1, 'Server name sent in the handshake.', readSni),
  tlsRow('no-sni-auto', 0, 'No server name of its own accord.', () => {}),
  tlsRow('crt', 1, 'Client certificate.', (tls, value) => { tls.crt = [{ path: value, list: false }]; }),
  tlsRow('ssl-reuse', 0, 'Resumes TLS sessions.', (tls) => { tls.noReuse = false; }),
  tlsRow('no-ssl-reuse', 0, 'Does not resume TLS sessions.', (tls) => { tls.noReuse = true; }),
  tlsRow('strict-maxconn', 0, 'maxconn counts idle connections too.', () => {}),
];

function proxyRow(version: 'v1' | 'v2' | 'v2-ssl' | 'v2-ssl-cn', word: string): Row[] {
  return [
    option(word, 0, 'Sends the PROXY protocol.', (server) => { server.sendProxy = version; }),
    option(`no-${word}`, 0, 'Does not send the PROXY protocol.', (server) => { if (server.sendProxy === version) server.sendProxy = 'none'; }),
  ];
}

function choiceRow<K extends 'observe' | 'onError' | 'onMarkedDown' | 'onMarkedUp' | 'initState' | 'resolvePrefer'>(
  word: string, field: K, choices: readonly ServerWords[K][], help: string,
): Row {
  return option(word, 1, help, (server, [value = ''], reading) => {
    const chosen = reading.choice<string>(value, `'${word}'`, choices);
    if (chosen !== undefined) server[field] = chosen as ServerWords[K];
  });
}

function readInitAddr(server: ServerWords, values: readonly string[], reading: ProxyReading): void {
  const words = (values[0] ?? '').split(',').filter((word) => word !== '');
  for (const word of words) {
    if (!['last', 'libc', 'none'].includes(word) && !/^[0-9a-fA-F.:]+$/.test(word)) {
      reading.error(word, `'init-addr' does not know '${word}'`, 'use last, libc, none or an address');
    }
  }
  server.initAddr = words;
}

function readServerSource(server: ServerWords, values: readonly string[], reading: ProxyReading): number {
  const found = readSourceWords(reading, values, true);
  if (found !== undefined) server.source = found.source;
  return found?.used ?? 1;
}

export const serverRows: readonly Row[] = [
  ...checkRows,
  ...serverTlsRows,
  ...proxyRow('v1', 'send-proxy'), ...proxyRow('v2', 'send-proxy-v2'), ...proxyRow('v2-ssl', 'send-proxy-v2-ssl'), ...proxyRow('v2-ssl-cn', 'send-proxy-v2-ssl-cn'),
  option('check-send-proxy', 0, 'Sends the PROXY protocol in health checks.', (server) => { server.checkSendProxy = true; }),
  option('no-check-send-proxy', 0, 'Does not send it in health checks.', (server) => { server.checkSendProxy = false; }),
  option('proxy-v2-options', 1, 'Details of the PROXY protocol, version 2.', (server, [value = '']) => { server.proxyV2Options = value.split(','); }),
  numberRow('weight', 'weight', 'Share of the traffic, 0 to 256.', 0, 256),
  option('backup', 0, 'Used only when no other server is up.', (server) => { server.backup = true; }),
  option('no-backup', 0, 'Not a backup.', (server) => { server.backup = false; }),
  option('disabled', 0, 'Starts in maintenance.', (server) => { server.disabled = true; }),
  option('enabled', 0, 'Does not start in maintenance.', (server) => { server.disabled = false; }),
  option('cookie', 1, 'Value of the persistence cookie.', (server, [value = '']) => { server.cookie = value; }),
  numberRow('maxconn', 'maxconn', 'Most connections at a time.'),
  numberRow('minconn', 'minconn', 'Lower limit of a dynamic maxconn.'),
  numberRow('maxqueue', 'maxqueue', 'Longest queue of the server.'),
  numberRow('id', 'id', 'Number in statistics.', 1),
  durationRow('slowstart', 'slowstartMs', 'How long the weight grows after the server came up.'),
  option('track', 1, 'Follows the state of another server.', (server, [value = '']) => { server.track = value; }),
  choiceRow('observe', 'observe', ['none', 'layer4', 'layer7'], 'Watches live traffic for errors.'),
  numberRow('error-limit', 'errorLimit', 'Errors in a row that on-error needs.', 1),
  choiceRow('on-error', 'onError', ['fastinter', 'fail-check', 'sudden-death', 'mark-down'], 'What happens then.'),
  choiceRow('on-marked-down', 'onMarkedDown', ['none', 'shutdown-sessions'], 'Cuts sessions when the server goes down.'),
  choiceRow('on-marked-up', 'onMarkedUp', ['none', 'shutdown-backup-sessions'], 'Cuts sessions of backups when the server comes up.'),
  option('redir', 1, 'Redirects clients instead of forwarding.', (server, [value = '']) => { server.redirectPrefix = value; }),
  numberRow('pool-max-conn', 'poolMaxConn', 'Most idle connections kept.', -1),
  durationRow('pool-purge-delay', 'poolPurgeDelayMs', 'How often idle connections are thinned out.'),
  numberRow('pool-low-conn', 'poolLowConn', 'Idle connections below which none is taken from another thread.'),
  numberRow('max-reuse', 'maxReuse', 'How often a connection is used again.', -1),
  option('guid', 1, 'Name in a stats-file.', (server, [value = '']) => { server.guid = value; }),
  option('init-addr', 1, 'How the address is found at start.', readInitAddr),
  choiceRow('init-state', 'initState', ['up', 'fully-up', 'down', 'fully-down'], 'State before the first health check.'),
  option('resolvers', 1, 'Resolvers section for run-time resolution.', (server, [value = '']) => { server.resolvers = value; }),
  choiceRow('resolve-prefer', 'resolvePrefer', ['ipv4', 'ipv6'], 'Preferred family of resolved addresses.'),
  option('non-stick', 0, 'Never put into a stick table.', (server) => { server.nonStick = true; }),
  option('stick', 0, 'May be put into a stick table.', (server) => { server.nonStick = false; }),
  durationRow('tcp-ut', 'tcpUserTimeoutMs', 'TCP user timeout.'),
  option('source', -1, 'Address that connections come from.', readServerSource),
  option('proto', 1, 'Protocol spoken: HTTP/1 until HTTP/2 is built.', (_, [value = ''], reading) => tellProtocol(reading, value)),
  ...idle<ServerWords, ProxyReading>('no effect', {
    tfo: [0, 'TCP fast open.'], 'no-tfo': [0, 'TCP fast open.'], 'check-proto': [1, 'HTTP/1 is spoken.'], 'log-proto': [1, 'Ring sections only.'],
    'resolve-net': [1, 'Resolvers are not active yet.'], 'resolve-opts': [1, 'Resolvers are not active yet.'], ws: [1, 'HTTP/1 is spoken.'],
    'log-bufsize': [1, 'Ring sections only.'], shard: [1, 'Peers sections only.'], 'hash-key': [1, 'Hashing uses the number of the server.'],
    'idle-ping': [1, 'HTTP/2 only.'], cc: [1, 'Kernel tuning.'], 'pool-conn-name': [1, 'Names of pooled connections.'], renegotiate: [0, 'TLS option.'],
    'no-renegotiate': [0, 'TLS option.'], 'sni-auto': [0, 'Name of its own accord.'], 'check-reuse-pool': [0, 'Checks open their own connections.'],
    'check-sni-auto': [0, 'Name of its own accord.'], 'no-check-sni-auto': [0, 'Name of its own accord.'], process: [1, 'Process set-up.'],
  }),
  ...idle<ServerWords, ProxyReading>('later', {
    'agent-check': [0, 'Agent checks.'], 'no-agent-check': [0, 'Agent checks.'], 'agent-port': [1, 'Agent checks.'], 'agent-inter': [1, 'Agent checks.'],
    'agent-addr': [1, 'Agent checks.'], 'agent-send': [1, 'Agent checks.'],
  }),
  ...idle<ServerWords, ProxyReading>('unsupported', {
    socks4: [1, 'SOCKS4 proxies.'], 'check-via-socks4': [0, 'SOCKS4 proxies.'], namespace: [1, 'Network namespaces.'], 'set-proxy-v2-tlv-fmt': [1, 'Own TLVs.'],
    'tcp-md5sig': [1, 'Kernel option.'], ech: [1, 'Encrypted client hello.'],
  }),
];

const serverOptions = optionMap(serverRows);

function copyWords(words: Readonly<ServerWords>): ServerWords {
  return { ...words, tls: { ...words.tls }, check: { ...words.check } };
}

export function readDefaultServer(reading: ProxyReading): void {
  const words = copyWords(reading.settings.defaultServer);
  readOptions(serverOptions, reading.args, words, reading, 'default-server');
  reading.settings.defaultServer = words;
}

const addressRules: AddressRules = { port: 'optional', range: false, offset: true, fd: false, datagram: false, stream: true, names: true };

function addServer(reading: ProxyReading, name: string, address: string, words: readonly string[], templateNumber: number): void {
  const { proxy, context } = reading;
  if (proxy === null) return;
  const { servers } = context.draft;
  const draft: ServerDraft = {
    ...copyWords(reading.settings.defaultServer), index: servers.length, name, proxy: proxy.index, place: reading.place, address: null, portMode: 'fixed', portOffset: 0, sid: 0,
    templateNumber,
  };
  // Stored even when words of the line are wrong: indexes must be those that names.ts gave out.
  servers.push(draft);
  proxy.servers.push(draft.index);
  const parsed = reading.address(address, addressRules);
  if (parsed !== undefined && parsed.address.kind !== 'fd') {
    draft.address = parsed.address;
    draft.portMode = parsed.portMode;
    draft.portOffset = parsed.portOffset;
  }
  readOptions(serverOptions, words, draft, reading, 'server');
}

export function readServer(reading: ProxyReading): void {
  const [name = '', address = '', ...words] = reading.args;
  const bad = /[^A-Za-z0-9_.:-]/.exec(name);
  if (bad !== null) reading.error(name, `the server name '${name}' holds '${bad[0]}'`, 'names are made of letters, digits, - _ . and :');
  addServer(reading, name, address, words, 0);
}

/** `dispatch <address>`: a server of that name, never checked. */
export function addDispatch(reading: ProxyReading, address: string): void {
  addServer(reading, dispatchServer, address, ['no-check'], 0);
}

/** `server-template <prefix> <n or low-high> <address> …` stands for one server per number. */
export function readServerTemplate(reading: ProxyReading): void {
  const [prefix = '', range = '', address = '', ...words] = reading.args;
  const numbers = templateNumbers(range);
  if (numbers.length === 0) reading.error(range, `'server-template' needs a number or a range such as 1-5, not '${range}'`);
  for (const number of numbers) addServer(reading, `${prefix}${number}`, address, words, number);
}
