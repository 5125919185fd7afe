/** Rules, ACLs, switching and captures of a proxy. Their words are read in config/expression. Rows of the proxy table. */
import type { Rule } from '../../model/expression.ts';
import { active, later, many, unsupported } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import type { OwnRules, ProxySettings } from '../draft.ts';
import { parseAcl } from '../expression/acl.ts';
import { parseCondition } from '../expression/condition.ts';
import { parseRule } from '../expression/rule.ts';
import type { RulesetName } from '../expression/rule.ts';
import { parseUseBackend, parseUseServer } from '../expression/switch.ts';
import type { Layer } from '../expression/scope.ts';
import type { ProxyReading } from './reading.ts';

/** Named defaults sections may hold rules, anonymous ones may not. */
const named = 'NFLB';

function readAcl(reading: ProxyReading): void {
  parseAcl(reading.args, reading.scope('http-request'));
}

type Family = { [K in keyof OwnRules]: K extends keyof ProxySettings ? K : never }[keyof OwnRules];

function ruleRow(word: RulesetName & Layer, where: string, family: Family, help: string): Keyword<ProxyReading> {
  return active(word, where, [1, many], help, (reading) => {
    const rule = parseRule(word, reading.args, reading.scope(word));
    if (rule !== undefined) reading.rules[family].push(rule);
    if (word === 'http-request' || word.startsWith('tcp-request')) reading.ranked(word);
    if (word.startsWith('http')) reading.mark('http rules');
  });
}

function readRedirect(reading: ProxyReading): void {
  const rule: Rule | undefined = parseRule('redirect', reading.args, reading.scope('http-request'));
  if (rule !== undefined) reading.rules.redirects.push(rule);
  reading.ranked('redirect');
  reading.mark('http rules');
}

function readInspectDelay(reading: ProxyReading): void {
  const ms = reading.duration(reading.arg(0), `'${reading.keyword}'`);
  if (ms === undefined) return;
  if (reading.keyword.startsWith('tcp-request')) reading.settings.inspectDelayMs = ms;
  else reading.settings.responseInspectDelayMs = ms;
}

function readUseBackend(reading: ProxyReading): void {
  const rule = parseUseBackend(reading.args, reading.scope('use_backend'));
  if (rule !== undefined) reading.proxy?.useBackend.push(rule);
  reading.ranked('use_backend');
}

function readUseServer(reading: ProxyReading): void {
  const rule = parseUseServer(reading.args, reading.scope('use_backend'));
  if (rule !== undefined) reading.proxy?.useServer.push(rule);
  reading.ranked('use-server');
}

function readMonitorFail(reading: ProxyReading): void {
  const condition = parseCondition(reading.args, reading.scope('http-request'));
  if (condition === null) reading.error('monitor fail', "'monitor fail' needs 'if' or 'unless' and a condition");
  else if (condition !== undefined) reading.proxy?.monitorFail.push(condition);
}

function readCaptureHeader(reading: ProxyReading): void {
  const side = reading.keyword === 'capture request' ? 'requestCaptures' : 'responseCaptures';
  if (reading.arg(0) !== 'header' || reading.arg(2) !== 'len' || reading.args.length !== 4) {
    reading.error(reading.arg(0), `'${reading.keyword}' is not complete`, `write '${reading.keyword} header <name> len <bytes>'`);
    return;
  }
  const lengthMax = reading.count(reading.arg(3), `'${reading.keyword} header … len'`, 1, 65535);
  if (lengthMax !== undefined) reading.proxy?.[side].push({ header: reading.arg(1), lengthMax });
}

function readCaptureCookie(reading: ProxyReading): void {
  if (reading.arg(1) !== 'len' || reading.args.length !== 3) {
    reading.error(reading.arg(0), "'capture cookie' is not complete", "write 'capture cookie <name> len <bytes>'");
    return;
  }
  const lengthMax = reading.count(reading.arg(2), "'capture cookie … len'", 1, 65535);
  if (lengthMax === undefined || reading.proxy === null) return;
  // A name that ends in an equal sign is matched whole, any other one as a prefix.
  const whole = reading.arg(0).endsWith('=');
  reading.proxy.cookieCapture = { name: whole ? reading.arg(0).slice(0, -1) : reading.arg(0), prefix: !whole, lengthMax };
}

function readDeclare(reading: ProxyReading): void {
  const side = reading.choice(reading.arg(0), "'declare capture'", ['request', 'response']);
  if (side === undefined) return;
  if (reading.arg(1) !== 'len' || reading.args.length !== 3) {
    reading.error(reading.arg(1), "'declare capture' is not complete", `write 'declare capture ${side} len <bytes>'`);
    return;
  }
  const lengthMax = reading.count(reading.arg(2), "'declare capture … len'", 1, 65535);
  if (lengthMax !== undefined) reading.proxy?.[side === 'request' ? 'requestCaptures' : 'responseCaptures'].push({ header: '', lengthMax });
}

function readFilter(reading: ProxyReading): void {
  const name = reading.arg(0);
  if (name === 'trace') reading.notice(name, "'filter trace' has no effect here", 'it looks into HAProxy itself');
  else if (name === 'compression' || name === 'cache' || name.startsWith('bwlim-')) reading.warning(name, `'filter ${name}' is not active yet: accepted without effect`);
  else reading.report('unsupported', name, `'filter ${name}' is not supported yet`, 'leave it out');
}

export const ruleRows: readonly Keyword<ProxyReading>[] = [
  active('acl', named, [1, many], 'Names a condition.', readAcl),
  ruleRow('http-request', named, 'httpRequest', 'Rules for requests.'),
  ruleRow('http-response', named, 'httpResponse', 'Rules for answers.'),
  ruleRow('http-after-response', named, 'httpAfterResponse', 'Rules for all answers, those made here included.'),
  ruleRow('tcp-request connection', 'NFL', 'tcpRequestConnection', 'Rules for new connections, before TLS.'),
  ruleRow('tcp-request session', 'NFL', 'tcpRequestSession', 'Rules for new connections, after TLS.'),
  ruleRow('tcp-request content', named, 'tcpRequestContent', 'Rules for what clients send.'),
  ruleRow('tcp-response content', 'NLB', 'tcpResponseContent', 'Rules for what servers send.'),
  active('tcp-request inspect-delay', named, [1, 1], 'Longest wait for content to inspect.', readInspectDelay),
  active('tcp-response inspect-delay', 'NLB', [1, 1], 'Longest wait for content to inspect.', readInspectDelay),
  active('redirect', 'FLB', [1, many], 'Answers with a redirection, after all http-request rules.', readRedirect),
  active('use_backend', 'FLb', [1, many], 'Chooses a backend.', readUseBackend),
  active('use-server', 'fLB', [1, many], 'Chooses a server.', readUseServer),
  active('monitor fail', 'FLb', [1, many], 'When the monitor URI answers 503.', readMonitorFail),
  active('capture request', 'FLb', [1, many], 'Keeps a request header for the log.', readCaptureHeader),
  active('capture response', 'FLb', [1, many], 'Keeps an answer header for the log.', readCaptureHeader),
  active('capture cookie', 'FLb', [1, many], 'Keeps a cookie for the log.', readCaptureCookie),
  active('declare capture', 'FL', [1, many], 'Reserves a slot that rules capture into.', readDeclare),
  active('filter', 'FLB', [1, many], 'Filters. `compression`, `cache` and `bwlim-…` come later, others are refused.', readFilter),
  ...later<ProxyReading>('DFLB', { compression: 'Compression of answers.' }),
  ...unsupported<ProxyReading>('DFLB', {
    'use-fcgi-app': 'FastCGI applications.',
    'external-check': 'Health checks by an external program.',
    'quic-initial': 'Rules for QUIC.',
    'ssl-f-use': 'Certificates of a frontend (HAProxy 3.2); write `crt` on the bind line.',
    'force-be-switch': 'Switching to backends that are disabled.',
  }),
];
