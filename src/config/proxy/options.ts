/** `option X`, `no option X`: plain switches, connection modes, forwardfor and relatives, log formats. Rows of the proxy table. */
import type { HeaderAppend, Switches } from '../../model/model.ts';
import { active, later, legacy, many, needless, negatable, noEffect, pending, unsupported } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import { initialSwitches } from '../initial.ts';
import type { ProxyReading } from './reading.ts';

type SwitchName = Exclude<keyof Switches, 'httpRestrictReqHdrNames'>;

/** Sections: upper case letters read it, lower case ones ignore it with a warning (see table.ts). */
const any = 'DFLB';
const frontend = 'DFLb';
const backend = 'DfLB';

function setSwitch(reading: ProxyReading, name: SwitchName): void {
  const { settings } = reading;
  const value = reading.line.negation === 'default' ? initialSwitches()[name] : reading.on;
  settings.switches = { ...settings.switches, [name]: value };
  reading.mark(`option ${name}`);
}

function switchRow(word: string, where: string, name: SwitchName, help: string): Keyword<ProxyReading> {
  return negatable(`option ${word}`, where, [0, 0], help, (reading) => setSwitch(reading, name));
}

const switchRows: readonly Keyword<ProxyReading>[] = [
  switchRow('abortonclose', backend, 'abortonclose', 'Gives up a request whose client has left while it waits or is being connected.'),
  switchRow('accept-invalid-http-request', frontend, 'acceptInvalidHttpRequest', 'Lets requests with some forbidden characters through.'),
  switchRow('accept-unsafe-violations-in-http-request', frontend, 'acceptInvalidHttpRequest', 'Newer name of accept-invalid-http-request.'),
  switchRow('accept-invalid-http-response', backend, 'acceptInvalidHttpResponse', 'Lets answers with some forbidden characters through.'),
  switchRow('accept-unsafe-violations-in-http-response', backend, 'acceptInvalidHttpResponse', 'Newer name of accept-invalid-http-response.'),
  switchRow('allbackups', backend, 'allbackups', 'Uses all backup servers together when no other server is up.'),
  pending(switchRow('checkcache', backend, 'checkcache', 'Refuses answers that set a cookie and could be cached.')),
  switchRow('clitcpka', frontend, 'clitcpka', 'TCP keep-alive packets towards clients.'),
  switchRow('srvtcpka', backend, 'srvtcpka', 'TCP keep-alive packets towards servers.'),
  switchRow('contstats', frontend, 'contstats', 'Byte counters grow during a transfer (Poise always counts that way).'),
  switchRow('dontlog-normal', frontend, 'dontlogNormal', 'Does not log what ended well.'),
  switchRow('dontlognull', frontend, 'dontlognull', 'Does not log connections on which nothing was sent.'),
  switchRow('http-buffer-request', any, 'httpBufferRequest', 'Waits for the body, or a buffer full of it, before rules and balancing.'),
  switchRow('http-ignore-probes', frontend, 'httpIgnoreProbes', 'Neither answers nor logs connections that close before a request.'),
  switchRow('http-no-delay', any, 'httpNoDelay', 'Forwards every piece of a message at once.'),
  switchRow('http-pretend-keepalive', backend, 'httpPretendKeepalive', 'Announces keep-alive to servers even when the connection is closed afterwards.'),
  pending(switchRow('http-use-proxy-header', frontend, 'httpUseProxyHeader', 'Uses Proxy-Connection instead of Connection for proxy requests.')),
  switchRow('idle-close-on-response', frontend, 'idleCloseOnResponse', 'Keeps idle client connections until their next answer when stopping.'),
  needless(switchRow('independent-streams', any, 'independentStreams', 'Writing does not refresh the timeout for reading.')),
  switchRow('log-health-checks', backend, 'logHealthChecks', 'Logs every change of a health check result.'),
  switchRow('log-separate-errors', frontend, 'logSeparateErrors', 'Logs failed requests at level err.'),
  switchRow('logasap', frontend, 'logasap', 'Logs when the answer head has come instead of at the end.'),
  pending(switchRow('nolinger', any, 'nolinger', 'Resets connections instead of closing them.')),
  switchRow('persist', backend, 'persist', 'Tries the server of the cookie even when it is down.'),
  switchRow('prefer-last-server', backend, 'preferLastServer', 'Goes back to the server of the last request of the connection.'),
  switchRow('socket-stats', frontend, 'socketStats', 'Statistics per bind.'),
  needless(switchRow('tcp-smart-accept', frontend, 'tcpSmartAccept', 'Delays the acknowledgement of an accepted connection.')),
  needless(switchRow('tcp-smart-connect', backend, 'tcpSmartConnect', 'Delays the acknowledgement of an outgoing connection.')),
  switchRow('transparent', backend, 'transparent', 'Connects to the address the client wanted when no server is there.'),
];

function readTcpka(reading: ProxyReading): void {
  setSwitch(reading, 'clitcpka');
  setSwitch(reading, 'srvtcpka');
}

function readRestrictNames(reading: ProxyReading): void {
  const chosen = reading.choice(reading.arg(0), "'option http-restrict-req-hdr-names'", ['preserve', 'delete', 'reject']);
  if (chosen !== undefined) reading.settings.switches = { ...reading.settings.switches, httpRestrictReqHdrNames: chosen };
}

function modeRow(word: string, mode: 'keep-alive' | 'server-close' | 'close', help: string): Keyword<ProxyReading> {
  return negatable(`option ${word}`, any, [0, 0], help, (reading) => {
    const { settings } = reading;
    if (reading.on) settings.connectionMode = mode;
    else if (settings.connectionMode === mode) settings.connectionMode = 'keep-alive';
    reading.mark('connection mode');
  });
}

/** `except <net>`, `header <name>`, `if-none` of forwardfor and originalto. */
function readHeaderAppend(reading: ProxyReading, standard: string): HeaderAppend | undefined {
  let header = standard;
  let ifNone = false;
  const except: string[] = [];
  for (let index = 0; index < reading.args.length; index += 1) {
    const word = reading.arg(index);
    if (word === 'if-none' && standard === 'X-Forwarded-For') ifNone = true;
    else if (word === 'except' || word === 'header') {
      index += 1;
      const value = reading.arg(index);
      if (value === '') {
        reading.error(word, `'${reading.keyword} ${word}' needs a value`);
        return undefined;
      }
      if (word === 'except') except.push(value);
      else header = value;
    } else {
      reading.error(word, `'${reading.keyword}' does not know '${word}'`, "it takes 'except <network>', 'header <name>' and 'if-none'");
      return undefined;
    }
  }
  if (except.length > 1) reading.warning('except', "only the last 'except' counts", 'HAProxy keeps one network; leave the others out');
  const network = except.at(-1);
  if (network !== undefined && !/^[0-9a-fA-F.:]+(?:\/[0-9a-fA-F.:]+)?$/.test(network)) {
    reading.error(network, `'${network}' is not a network`, 'write an address or a network such as 10.0.0.0/8');
  }
  return { header, except: network === undefined ? [] : [network], ifNone };
}

function readForwardfor(reading: ProxyReading): void {
  reading.settings.forwardfor = reading.on ? readHeaderAppend(reading, 'X-Forwarded-For') ?? null : null;
  reading.mark('option forwardfor');
}

function readOriginalto(reading: ProxyReading): void {
  reading.settings.originalto = reading.on ? readHeaderAppend(reading, 'X-Original-To') ?? null : null;
}

/** A value that RFC 7239 wants in quotes when it is not a token. */
const tokenOrQuoted = `,regsub('^(.*[^-!#$%&*+.^_|~0-9A-Za-z].*)$','"\\1"')`;
const addressOrQuoted = `,regsub('^(.*:.*)$','"[\\1]"')`;

/** `option forwarded [proto] [host|host-expr X] [by|by-expr X] [by_port] [for|for-expr X] [for_port]`, in the order HAProxy sends them. */
function readForwarded(reading: ProxyReading): void {
  if (!reading.on) {
    reading.settings.forwarded = null;
    return;
  }
  const parts: { proto?: string; host?: string; by?: string; for?: string } = {};
  const ports: { by?: string; for?: string } = {};
  const words = reading.args.length === 0 ? ['proto', 'for'] : reading.args;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const expression = word.endsWith('-expr') ? words[index += 1] ?? '' : '';
    const name = word.replace('-expr', '');
    if (word.endsWith('-expr') && expression === '') reading.error(word, `'option forwarded ${word}' needs an expression`);
    if (word === 'proto') parts.proto = '%[ssl_fc,iif(https,http)]';
    else if (name === 'host') parts.host = `%[${expression === '' ? 'req.hdr(host)' : expression}${tokenOrQuoted}]`;
    else if (name === 'by') parts.by = expression === '' ? `%[dst${addressOrQuoted}]` : `%[${expression}${tokenOrQuoted}]`;
    else if (name === 'for') parts.for = expression === '' ? `%[src${addressOrQuoted}]` : `%[${expression}${tokenOrQuoted}]`;
    else if (name === 'by_port') ports.by = expression === '' ? '%[dst_port]' : `%[${expression}]`;
    else if (name === 'for_port') ports.for = expression === '' ? '%[src_port]' : `%[${expression}]`;
    else reading.error(word, `'option forwarded' does not know '${word}'`, 'it takes proto, host, by, by_port, for, for_port and the same with -expr');
  }
  // With a port the node is always quoted: the address stands in it without quotes of its own.
  if (ports.by !== undefined) parts.by = `"${bare(parts.by, 'dst')}:${ports.by}"`;
  if (ports.for !== undefined) parts.for = `"${bare(parts.for, 'src')}:${ports.for}"`;
  const order = ['proto', 'host', 'by', 'for'] as const;
  reading.settings.forwarded = { text: order.filter((name) => parts[name] !== undefined).map((name) => `${name}=${parts[name]}`).join(';'), place: reading.place };
}

function bare(part: string | undefined, address: 'src' | 'dst'): string {
  return part === undefined || part.startsWith(`%[${address},`) ? `%[${address},regsub('^(.*:.*)$','[\\1]')]` : part.replace(tokenOrQuoted, '');
}

function readHttplog(reading: ProxyReading): void {
  const clf = reading.arg(0);
  if (clf !== '' && clf !== 'clf') reading.error(clf, `'option httplog' does not know '${clf}'`, "it takes nothing or 'clf'");
  reading.settings.log = { style: clf === 'clf' ? 'clf' : 'httplog', format: null };
  reading.mark('log format');
}

function logRow(word: string, style: 'tcplog' | 'httpslog', where: string, help: string): Keyword<ProxyReading> {
  return active(`option ${word}`, where, [0, 1], help, (reading) => {
    if (reading.arg(0) === 'clf') reading.warning('clf', "'option tcplog clf' is not active yet, the plain format is used");
    reading.settings.log = { style, format: null };
    reading.mark('log format');
  });
}

function readRedispatch(reading: ProxyReading): void {
  if (!reading.on) {
    reading.settings.redispatch = 0;
    return;
  }
  const interval = reading.arg(0) === '' ? -1 : reading.count(reading.arg(0), "'option redispatch'", -2147483648);
  if (interval !== undefined) reading.settings.redispatch = interval;
  reading.mark('option redispatch');
}

function oldRow(word: string, modern: string, change: (reading: ProxyReading) => void): Keyword<ProxyReading> {
  return { ...legacy<ProxyReading>(`option ${word}`, any, [0, 0], `Old; today: ${modern}.`, (reading) => {
    reading.warning(word, `'option ${word}' was removed from HAProxy`, modern);
    change(reading);
  }), negatable: true };
}

export const optionRows: readonly Keyword<ProxyReading>[] = [
  ...switchRows,
  negatable('option tcpka', any, [0, 0], 'TCP keep-alive packets on both sides.', readTcpka),
  active('option http-restrict-req-hdr-names', any, [1, 1], 'What to do with header names other than letters, digits and dashes.', readRestrictNames),
  modeRow('http-keep-alive', 'keep-alive', 'Keeps connections on both sides open between requests (the default).'),
  modeRow('http-server-close', 'server-close', 'Closes the server side after each answer.'),
  modeRow('httpclose', 'close', 'Closes both sides after each answer.'),
  negatable('option forwardfor', any, [0, 8], 'Adds the client address in X-Forwarded-For.', readForwardfor),
  negatable('option originalto', any, [0, 8], 'Adds the address the client connected to in X-Original-To.', readOriginalto),
  negatable('option forwarded', backend, [0, many], 'Adds the client and the protocol in Forwarded (RFC 7239).', readForwarded),
  active('option httplog', any, [0, 1], 'HTTP log line; `clf` for the common log format.', readHttplog),
  logRow('httpslog', 'httpslog', any, 'HTTP log line with TLS facts.'),
  logRow('tcplog', 'tcplog', any, 'TCP log line.'),
  negatable('option redispatch', backend, [0, 1], 'A failed connection may be retried on another server.', readRedispatch),
  oldRow('forceclose', "write 'option httpclose'", (reading) => {
    if (reading.on) reading.settings.connectionMode = 'close';
  }),
  oldRow('http-tunnel', "leave it out; keep-alive mode is used", () => {}),
  oldRow('independant-streams', "leave it out: 'option independent-streams' has no effect here", () => {}),
  oldRow('http-use-htx', 'leave it out', () => {}),
  ...noEffect<ProxyReading>(any, {
    'option disable-h2-upgrade': 'HTTP/2 upgrade from a TCP proxy does not exist here.',
    'option h1-case-adjust-bogus-client': 'Header spelling is never changed here.',
    'option h1-case-adjust-bogus-server': 'Header spelling is never changed here.',
    'option splice-auto': 'Kernel splicing.',
    'option splice-request': 'Kernel splicing.',
    'option splice-response': 'Kernel splicing.',
    'option use-small-buffers': 'Buffer tuning.',
  }),
  ...later<ProxyReading>(any, {
    'option http-drop-request-trailers': 'Drops trailers of requests.',
    'option http-drop-response-trailers': 'Drops trailers of answers.',
  }),
  ...unsupported<ProxyReading>(any, {
    'option external-check': 'Health checks by an external program.',
    'option http_proxy': 'Forward proxy without name resolution (removed in HAProxy 2.5).',
    'option http-proxy': 'Forward proxy without name resolution (removed in HAProxy 2.5).',
  }),
];
