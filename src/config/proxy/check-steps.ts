/** One `http-check` or `tcp-check` line → one step. Called by checks.ts. */
import type { Format, VarScope } from '../../model/expression.ts';
import type { CheckStep } from '../../model/model.ts';
import type { HttpCheckRequest } from '../draft.ts';
import { parseFormat } from '../expression/format.ts';
import { compileRegex } from '../expression/regex.ts';
import { parseSample } from '../expression/sample.ts';
import { didYouMean } from '../problems.ts';
import { sourceAddressRules } from './reading.ts';
import type { ProxyReading } from './reading.ts';

type Kind = 'http' | 'tcp';
type Step = CheckStep | { readonly kind: 'request'; readonly request: HttpCheckRequest };
type Connect = Extract<CheckStep, { kind: 'connect' }>;
type Expect = Extract<CheckStep, { kind: 'expect' }>;
type Open<T> = { -readonly [K in keyof T]: T[K] };

function format(reading: ProxyReading, text: string): Format {
  return parseFormat(text, reading.scope('check')) ?? [];
}

function unknown(reading: ProxyReading, kind: Kind, word: string, known: readonly string[]): undefined {
  reading.error(word, `'${kind}-check ${reading.arg(0)}' does not know '${word}'`, didYouMean(word, known) || `it takes ${known.join(', ')}`);
  return undefined;
}

/** Value of the word at `index`; undefined: missing and reported. */
function valueAfter(reading: ProxyReading, index: number): string | undefined {
  const value = reading.args[index + 1];
  if (value === undefined) reading.error(reading.arg(index), `'${reading.arg(index)}' needs a value`);
  return value;
}

const connectWords = ['default', 'port', 'addr', 'send-proxy', 'via-socks4', 'ssl', 'sni', 'alpn', 'linger', 'proto', 'comment'];

function readConnectWord(reading: ProxyReading, step: Open<Connect>, word: string, value: string): void {
  if (word === 'comment') step.comment = value;
  else if (word === 'sni') step.sni = value;
  else if (word === 'alpn') step.alpn = value.split(',');
  else if (word === 'proto') reading.warning('proto', "'proto' has no effect on checks: they speak HTTP/1");
  else if (word === 'port') {
    if (/^\d+$/.test(value)) step.port = reading.count(value, "'connect port'", 1, 65535) ?? 0;
    else reading.report('unsupported', value, "a sample expression after 'connect port' is not supported yet", 'write a port number');
  } else if (word === 'addr') {
    const parsed = reading.address(value, sourceAddressRules);
    if (parsed !== undefined && parsed.address.kind !== 'fd') step.address = parsed.address;
  }
}

function readConnect(reading: ProxyReading, kind: Kind): Step | undefined {
  const step: Open<Connect> = {
    kind: 'connect', comment: '', port: 0, address: null, sendProxy: false, useDefault: false, ssl: false, sni: '', alpn: [], linger: false,
  };
  for (let index = 1; index < reading.args.length; index += 1) {
    const word = reading.arg(index);
    if (word === 'default') step.useDefault = true;
    else if (word === 'send-proxy') step.sendProxy = true;
    else if (word === 'ssl') step.ssl = true;
    else if (word === 'linger') step.linger = true;
    else if (word === 'via-socks4') reading.report('unsupported', word, 'SOCKS4 proxies are not supported yet');
    else if (!connectWords.includes(word)) return unknown(reading, kind, word, connectWords);
    else {
      const value = valueAfter(reading, index);
      if (value === undefined) return undefined;
      readConnectWord(reading, step, word, value);
      index += 1;
    }
  }
  return step;
}

/** Hexadecimal text → one character per byte; undefined: reported. */
function hexBytes(reading: ProxyReading, text: string): string | undefined {
  if (text.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(text)) return Buffer.from(text, 'hex').toString('latin1');
  reading.error(text, `'${text}' is not a hexadecimal string`, 'it needs an even number of the digits 0-9 and a-f');
  return undefined;
}

function readTcpSend(reading: ProxyReading): Step | undefined {
  const word = reading.arg(0);
  const text = valueAfter(reading, 0);
  if (text === undefined) return undefined;
  let comment = '';
  if (reading.arg(2) === 'comment') comment = reading.arg(3);
  else if (reading.arg(2) !== '') return unknown(reading, 'tcp', reading.arg(2), ['comment']);
  if (word === 'send-lf' || word === 'send-binary-lf') {
    return { kind: 'send', comment, bytes: null, format: format(reading, text), hex: word === 'send-binary-lf' };
  }
  const bytes = word === 'send-binary' ? hexBytes(reading, text) : text;
  return bytes === undefined ? undefined : { kind: 'send', comment, bytes, format: null, hex: false };
}

const sendWords = ['comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body', 'body-lf'];

function readHttpSend(reading: ProxyReading): Step | undefined {
  const request: HttpCheckRequest = { method: null, uri: null, version: null, headers: [], body: null, comment: '', place: reading.place };
  for (let index = 1; index < reading.args.length; index += 2) {
    const word = reading.arg(index);
    if (!sendWords.includes(word)) return unknown(reading, 'http', word, sendWords);
    const value = valueAfter(reading, index);
    if (value === undefined) return undefined;
    if (word === 'comment') request.comment = value;
    else if (word === 'meth') request.method = value;
    else if (word === 'uri') request.uri = [{ kind: 'text', text: value }];
    else if (word === 'uri-lf') request.uri = format(reading, value);
    else if (word === 'ver') request.version = value;
    else if (word === 'body') request.body = [{ kind: 'text', text: value }];
    else if (word === 'body-lf') request.body = format(reading, value);
    else {
      if (reading.args[index + 2] === undefined) {
        reading.error('hdr', "'hdr' needs a name and a value");
        return undefined;
      }
      request.headers = [...request.headers, { name: value, value: format(reading, reading.arg(index + 2)) }];
      index += 1;
    }
  }
  return { kind: 'request', request };
}

const httpMatches = ['status', 'rstatus', 'hdr', 'fhdr', 'string', 'rstring', 'string-lf'] as const;
const tcpMatches = ['string', 'rstring', 'string-lf', 'binary', 'rbinary', 'binary-lf'] as const;
const expectOptions = ['min-recv', 'comment', 'ok-status', 'error-status', 'tout-status', 'on-success', 'on-error', 'status-code'];
const statusesOf: Readonly<Record<string, readonly string[]>> = {
  'ok-status': ['L7OK', 'L7OKC', 'L6OK', 'L4OK'],
  'error-status': ['L7OKC', 'L7RSP', 'L7STS', 'L6RSP', 'L4CON'],
  'tout-status': ['L7TOUT', 'L6TOUT', 'L4TOUT'],
};

function readExpectOption(reading: ProxyReading, step: Open<Expect>, word: string, value: string): void {
  if (word === 'comment') step.comment = value;
  else if (word === 'min-recv') step.minRecvBytes = reading.count(value, "'min-recv'", -1, 2147483647) ?? -1;
  else if (word === 'on-success') step.onSuccess = format(reading, value);
  else if (word === 'on-error') step.onError = format(reading, value);
  else if (word === 'status-code') step.statusCode = parseSample(value, reading.scope('check')) ?? null;
  else {
    const chosen = reading.choice(value, `'${word}'`, statusesOf[word] ?? []);
    if (chosen === undefined) return;
    if (word === 'ok-status') step.okStatus = chosen;
    else if (word === 'error-status') step.errorStatus = chosen;
    else step.timeoutStatus = chosen;
  }
}

function readStatuses(reading: ProxyReading, text: string): (readonly [number, number])[] {
  const made: (readonly [number, number])[] = [];
  for (const part of text.split(',')) {
    const match = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part);
    if (match === null) {
      reading.error(part, `'${part}' is not a status or a range of statuses`, "write 'status 200-299,301'");
      continue;
    }
    made.push([Number(match[1]), Number(match[2] ?? match[1])]);
  }
  return made;
}

function checkRegex(reading: ProxyReading, pattern: string): void {
  const compiled = compileRegex(pattern, false);
  if (typeof compiled === 'string') reading.error(pattern, `'${pattern}' is not a regular expression: ${compiled}`);
}

/** `hdr name [-m meth] <n> [value [-m meth] <v>]` from `index` on; gives the index of the last word used. */
function readHeaderMatch(reading: ProxyReading, step: Open<Expect>, index: number): number | undefined {
  let at = index;
  for (const side of ['name', 'value'] as const) {
    const word = reading.arg(at + 1);
    if (word === `${side}-lf`) {
      reading.report('unsupported', word, `'${word}' is not supported yet`, `use '${side}'`);
      return undefined;
    }
    if (word !== side) break;
    at += 1;
    let method = 'str';
    if (reading.arg(at + 1) === '-m') {
      const chosen = reading.choice(reading.arg(at + 2), "'-m'", ['str', 'beg', 'end', 'sub', 'reg']);
      if (chosen === undefined) return undefined;
      method = chosen;
      at += 2;
    }
    const value = valueAfter(reading, at);
    if (value === undefined) return undefined;
    at += 1;
    if (method === 'reg') checkRegex(reading, value);
    if (side === 'name') {
      step.headerName = value;
      step.headerNameMatch = method;
    } else {
      step.headerValue = value;
      step.headerValueMatch = method;
    }
  }
  if (step.headerName === '') reading.error(step.match, `'expect ${step.match}' needs the name of a header`, `write 'expect ${step.match} name <header> value <text>'`);
  return at;
}

/** The match word at `index` and its pattern; gives the index of the last word used. */
function readMatch(reading: ProxyReading, step: Open<Expect>, index: number): number | undefined {
  if (step.match === 'hdr' || step.match === 'fhdr') return readHeaderMatch(reading, step, index);
  const pattern = valueAfter(reading, index);
  if (pattern === undefined) return undefined;
  step.pattern = pattern;
  if (step.match === 'status') step.statuses = readStatuses(reading, pattern);
  else if (step.match === 'binary') hexBytes(reading, pattern);
  else if (step.match === 'string-lf') step.format = format(reading, pattern);
  else if (step.match === 'rstatus' || step.match === 'rstring' || step.match === 'rbinary') checkRegex(reading, pattern);
  else if (step.match === 'binary-lf') reading.report('unsupported', 'binary-lf', "'binary-lf' is not supported yet", "use 'binary'");
  return index + 1;
}

function readExpect(reading: ProxyReading, kind: Kind): Step | undefined {
  const matches: readonly Expect['match'][] = kind === 'http' ? httpMatches : tcpMatches;
  const step: Open<Expect> = {
    kind: 'expect', comment: '', negate: false, match: 'string', pattern: '', regexFlags: '', format: null, statuses: [], headerName: '', headerNameMatch: '',
    headerValue: '', headerValueMatch: '', minRecvBytes: -1, okStatus: '', errorStatus: '', timeoutStatus: '', onSuccess: null, onError: null,
    statusCode: null,
  };
  let found = false;
  for (let index = 1; index < reading.args.length; index += 1) {
    let word = reading.arg(index);
    if (word === '!') {
      step.negate = true;
      continue;
    }
    if (word.startsWith('!')) {
      step.negate = true;
      word = word.slice(1);
    }
    const match = matches.find((each) => each === word);
    if (match !== undefined) {
      if (found) reading.error(word, "'expect' takes one pattern only", 'write one expect line per pattern');
      found = true;
      step.match = match;
      const last = readMatch(reading, step, index);
      if (last === undefined) return undefined;
      index = last;
    } else if (expectOptions.includes(word)) {
      const value = valueAfter(reading, index);
      if (value === undefined) return undefined;
      readExpectOption(reading, step, word, value);
      index += 1;
    } else return unknown(reading, kind, word, [...matches, ...expectOptions]);
  }
  if (found) return step;
  reading.error('expect', "'expect' needs a pattern", `use one of: ${matches.join(', ')}`);
  return undefined;
}

/** `set-var(check.x) expr`, `set-var-fmt(check.x) fmt`, `unset-var(check.x)`. */
function readVariable(reading: ProxyReading, word: string): Step | undefined {
  const match = /^(set-var|set-var-fmt|unset-var)\((?:(proc|sess|txn|req|res|check)\.)([A-Za-z0-9_.]+)\)$/.exec(word);
  if (match === null) {
    reading.error(word, `'${word}' does not name a variable`, "write 'set-var(check.name) <expression>'");
    return undefined;
  }
  const name = `${(match[2] ?? 'check') as VarScope}.${match[3] ?? ''}`;
  const text = reading.args.slice(1).join(' ');
  if (match[1] === 'unset-var') return { kind: 'unset-var', name, expr: null, format: null };
  if (match[1] === 'set-var-fmt') return { kind: 'set-var', name, expr: null, format: format(reading, reading.arg(1)) };
  return { kind: 'set-var', name, expr: parseSample(text, reading.scope('check')) ?? null, format: null };
}

/** Reads the words after `http-check` or `tcp-check`. Undefined: reported. */
export function readCheckStep(reading: ProxyReading, kind: Kind): Step | undefined {
  const word = reading.arg(0);
  if (word === 'connect') return readConnect(reading, kind);
  if (word === 'expect') return readExpect(reading, kind);
  if (word === 'comment') return { kind: 'comment', comment: reading.arg(1) };
  if (kind === 'http' && word === 'send') return readHttpSend(reading);
  if (kind === 'tcp' && ['send', 'send-lf', 'send-binary', 'send-binary-lf'].includes(word)) return readTcpSend(reading);
  if (/^(?:un)?set-var/.test(word)) return readVariable(reading, word);
  const known = kind === 'http' ? ['send', 'disable-on-404', 'send-state'] : ['send', 'send-lf', 'send-binary', 'send-binary-lf'];
  reading.error(word, `'${kind}-check' does not know '${word}'`, didYouMean(word, [...known, 'connect', 'expect', 'comment', 'set-var', 'unset-var']));
  return undefined;
}
