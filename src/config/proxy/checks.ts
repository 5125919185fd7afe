/**
 * Health check methods: `option httpchk` and relatives, `http-check`, `tcp-check`. Rows of the proxy table. The steps of a
 * section replace inherited ones; build.ts adds the implicit connect, request and expectation.
 */
import type { Format } from '../../model/expression.ts';
import { active, many, negatable } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import type { CheckDraft, HttpCheckRequest } from '../draft.ts';
import { readCheckStep } from './check-steps.ts';
import type { ProxyReading } from './reading.ts';

const backend = 'DfLB';

function change(reading: ProxyReading, values: Partial<CheckDraft>): void {
  reading.settings.check = { ...reading.settings.check, ...values };
  reading.mark('check method');
}

export function textFormat(text: string): Format {
  return text === '' ? [] : [{ kind: 'text', text }];
}

/** `HTTP/1.1\r\nHost: a` of old files: version, headers, body. */
function splitVersion(reading: ProxyReading, text: string): Pick<HttpCheckRequest, 'version' | 'headers' | 'body'> {
  const end = text.indexOf('\r\n\r\n');
  const head = (end < 0 ? text : text.slice(0, end)).split('\r\n').filter((line) => line !== '');
  const headers = head.slice(1).map((line) => {
    const colon = line.indexOf(':');
    return { name: line.slice(0, Math.max(colon, 0)).trim(), value: textFormat(line.slice(colon + 1).trim()) };
  });
  if (headers.some((header) => header.name === '')) reading.error(text, "a header line in the version of 'option httpchk' has no name");
  const body = end < 0 ? '' : text.slice(end + 4);
  const modern = head.slice(1).map((line) => {
    const colon = line.indexOf(':');
    return ` hdr ${line.slice(0, colon).trim()} ${line.slice(colon + 1).trim().replaceAll(' ', '\\ ')}`;
  }).join('');
  reading.warning('option httpchk', "headers at the end of the version of 'option httpchk' were removed from HAProxy",
    `write 'option httpchk ${reading.arg(0)} ${reading.arg(1)} ${head[0] ?? 'HTTP/1.0'}' and 'http-check send${modern}${body === '' ? '' : ' body …'}'`);
  return { version: head[0] ?? null, headers, body: body === '' ? null : textFormat(body) };
}

function readHttpchk(reading: ProxyReading): void {
  if (!reading.on) {
    change(reading, { kind: 'none' });
    return;
  }
  if (reading.args.length === 0) {
    takeRequest(reading, null);
    return;
  }
  const lone = reading.args.length === 1;
  const method = lone ? null : reading.arg(0);
  const uri = textFormat(lone ? reading.arg(0) : reading.arg(1));
  const version = reading.arg(2);
  const split = version.includes('\r\n') ? splitVersion(reading, version) : { version: version === '' ? null : version, headers: [], body: null };
  if (split.version !== null && !/^HTTP\/\d\.\d$/.test(split.version)) {
    reading.warning(version, `'${split.version}' is not an HTTP version`, "write 'HTTP/1.0' or 'HTTP/1.1'");
  }
  const request: HttpCheckRequest = { method, uri, ...split, comment: '', place: reading.place };
  takeRequest(reading, request);
}

/** `option httpchk` in a proxy starts a new set of steps, even without a request: inherited lines belong to the inherited one. */
function takeRequest(reading: ProxyReading, request: HttpCheckRequest | null): void {
  const { proxy } = reading;
  const inherited = proxy !== null && !proxy.ownHttpSteps;
  change(reading, inherited ? { kind: 'http', request, send: null, httpSteps: [] } : { kind: 'http', request });
  if (proxy === null) return;
  proxy.ownHttpSteps = true;
  proxy.ownHttpRequest = true;
}

/** Drops inherited steps at the first line of this kind in a proxy section. */
function startOwnSteps(reading: ProxyReading, kind: 'http' | 'tcp'): void {
  const { proxy } = reading;
  if (proxy === null) return;
  const field = kind === 'http' ? 'ownHttpSteps' : 'ownTcpSteps';
  if (proxy[field]) return;
  proxy[field] = true;
  change(reading, kind === 'http' ? { httpSteps: [], send: null } : { tcpSteps: [] });
}

function readHttpCheck(reading: ProxyReading): void {
  const word = reading.arg(0);
  if (word === 'disable-on-404') reading.settings.checkDisableOn404 = reading.on;
  else if (word === 'send-state') reading.settings.checkSendState = reading.on;
  else {
    startOwnSteps(reading, 'http');
    const step = readCheckStep(reading, 'http');
    if (step === undefined) return;
    const { check } = reading.settings;
    const explicit = check.httpSteps.some((each) => each.kind === 'connect');
    if (step.kind === 'request' && !explicit) {
      if (check.send !== null) reading.error('send', "a second 'http-check send' needs 'http-check connect' as the first step");
      // An inherited request is not completed by it, as in HAProxy.
      const inherited = reading.proxy !== null && !reading.proxy.ownHttpRequest;
      change(reading, { send: step.request, httpPlace: reading.place, ...(inherited ? { request: null } : {}) });
      return;
    }
    const made = step.kind === 'request'
      ? {
        kind: 'http-send', comment: step.request.comment, method: step.request.method ?? 'OPTIONS', uri: step.request.uri ?? textFormat('/'),
        version: step.request.version ?? 'HTTP/1.0', headers: step.request.headers, body: step.request.body,
      } as const
      : step;
    refuseLateConnect(reading, made.kind, check.httpSteps.map((each) => each.kind), check.send !== null);
    change(reading, { httpSteps: [...check.httpSteps, made], httpPlace: reading.place });
  }
}

function refuseLateConnect(reading: ProxyReading, kind: string, before: readonly string[], sent: boolean): void {
  const quiet: ReadonlySet<string> = new Set(['comment', 'set-var', 'unset-var']);
  if (kind !== 'connect' || before.includes('connect')) return;
  if (sent || before.some((each) => !quiet.has(each))) {
    reading.error('connect', "when there is a 'connect' step, the first step must be a 'connect' too");
  }
}

function readTcpCheck(reading: ProxyReading): void {
  startOwnSteps(reading, 'tcp');
  const step = readCheckStep(reading, 'tcp');
  if (step === undefined || step.kind === 'request') return;
  const { check } = reading.settings;
  refuseLateConnect(reading, step.kind, check.tcpSteps.map((each) => each.kind), false);
  change(reading, { tcpSteps: [...check.tcpSteps, step], tcpPlace: reading.place });
}

function methodRow(word: string, kind: CheckDraft['kind'], help: string): Keyword<ProxyReading> {
  return negatable(`option ${word}`, backend, [0, 0], help, (reading) => change(reading, { kind: reading.on ? kind : 'none' }));
}

function readSmtpchk(reading: ProxyReading): void {
  const [hello = '', domain = ''] = reading.args;
  const known = (hello === 'HELO' || hello === 'EHLO') && domain !== '';
  if (hello !== '' && !known) reading.warning(hello, `'option smtpchk ${reading.args.join(' ')}' is read as 'HELO localhost'`, "write 'option smtpchk EHLO <domain>'");
  change(reading, { kind: reading.on ? 'smtp' : 'none', user: known ? `${hello} ${domain}` : 'HELO localhost' });
}

function readUserCheck(reading: ProxyReading, kind: 'mysql' | 'pgsql'): void {
  const [word = '', user = '', version = ''] = reading.args;
  if (kind === 'pgsql' || word !== '') {
    if (word !== 'user' || user === '') {
      reading.error(word, `'${reading.keyword}' needs 'user <name>'`);
      return;
    }
  }
  if (version !== '' && !(kind === 'mysql' && (version === 'post-41' || version === 'pre-41'))) {
    reading.error(version, `'${reading.keyword} user' does not know '${version}'`, "use 'post-41' or 'pre-41'");
  }
  change(reading, { kind: reading.on ? kind : 'none', user, post41: version !== 'pre-41' });
}

export const checkRows: readonly Keyword<ProxyReading>[] = [
  negatable('option httpchk', backend, [0, 3], 'Health checks by an HTTP request.', readHttpchk),
  methodRow('tcp-check', 'tcp-check', 'Health checks by a scenario of tcp-check lines.'),
  methodRow('ssl-hello-chk', 'ssl-hello', 'Health checks by a TLS hello.'),
  methodRow('redis-check', 'redis', 'Health checks of Redis.'),
  methodRow('ldap-check', 'ldap', 'Health checks of LDAP.'),
  methodRow('spop-check', 'spop', 'Health checks of SPOP agents.'),
  negatable('option smtpchk', backend, [0, 2], 'Health checks by SMTP.', readSmtpchk),
  negatable('option mysql-check', backend, [0, 3], 'Health checks of MySQL.', (reading) => readUserCheck(reading, 'mysql')),
  negatable('option pgsql-check', backend, [0, 3], 'Health checks of PostgreSQL.', (reading) => readUserCheck(reading, 'pgsql')),
  active('http-check', backend, [1, many], 'Steps of an HTTP check: connect, send, expect, comment, set-var, disable-on-404, send-state.', readHttpCheck),
  active('tcp-check', backend, [1, many], 'Steps of a TCP check: connect, send, send-binary, expect, comment, set-var.', readTcpCheck),
];
