/** Reads the actions that change something: headers, target, variables, captures, maps, addresses, timeouts. Called by rule.ts. */
import { durationFault, parseDuration } from '../../base/duration.ts';
import { parseSize } from '../../base/size.ts';
import type { Action } from '../../model/expression.ts';
import { didYouMean } from '../problems.ts';
import { isCondition, takeFormat, takeInteger, takeRegex, takeSample, takeWord, type ActionReader, type ActionWords } from './action-reader.ts';
import { parseVar } from './arguments.ts';
import { translateRegex } from './regex.ts';
import { fail } from './report.ts';

const levels = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug', 'silent'] as const;
const variableConditions = new Set(['ifexists', 'ifnotexists', 'ifempty', 'ifnotempty', 'ifset', 'ifnotset', 'ifgt', 'iflt']);

function plain(action: Action): ActionReader {
  return () => action;
}

function headerName(input: ActionWords): string | undefined {
  const name = takeWord(input, 'a header name');
  if (name !== undefined && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return fail(input.scope, name, `'${name}' is not a header name`);
  return name;
}

function headerReader(kind: 'set-header' | 'add-header' | 'early-hint'): ActionReader {
  return (input) => {
    const name = headerName(input);
    const value = name === undefined ? undefined : takeFormat(input, 'a value');
    return name === undefined || value === undefined ? undefined : { kind, name, value };
  };
}

const matchWords = ['str', 'beg', 'end', 'sub', 'reg'] as const;

const delHeader: ActionReader = (input) => {
  const name = takeWord(input, 'a header name');
  if (name === undefined) return undefined;
  if (input.words[input.at] !== '-m') return { kind: 'del-header', name, match: 'str', value: '', ignoreCase: false };
  input.at++;
  const method = takeWord(input, "a match method after '-m'");
  const match = matchWords.find((each) => each === method);
  if (match === undefined) return fail(input.scope, method ?? '', `'${method ?? ''}' is not a match method for header names`, 'str, beg, end, sub or reg');
  const translated = match === 'reg' ? translateRegex(name, true) : undefined;
  if (translated !== undefined && 'error' in translated) return fail(input.scope, name, `the regular expression '${name}' cannot be used: ${translated.error}`);
  return { kind: 'del-header', name, match, value: '', ignoreCase: false };
};

function replaceHeaderReader(kind: 'replace-header' | 'replace-value'): ActionReader {
  return (input) => {
    const name = headerName(input);
    const source = name === undefined ? undefined : takeRegex(input);
    const value = source === undefined ? undefined : takeFormat(input, 'a replacement');
    return name === undefined || source === undefined || value === undefined ? undefined : { kind, name, source, flags: '', value };
  };
}

function targetReader(kind: 'set-path' | 'set-pathq' | 'set-query' | 'set-uri' | 'set-method'): ActionReader {
  return (input) => {
    const value = takeFormat(input, 'a value');
    return value === undefined ? undefined : { kind, value };
  };
}

function replaceTargetReader(kind: 'replace-path' | 'replace-pathq' | 'replace-uri'): ActionReader {
  return (input) => {
    const source = takeRegex(input);
    const value = source === undefined ? undefined : takeFormat(input, 'a replacement');
    return source === undefined || value === undefined ? undefined : { kind, source, flags: '', value };
  };
}

const setStatus: ActionReader = (input) => {
  const status = takeInteger(input, 100, 999);
  if (status === undefined) return undefined;
  if (input.words[input.at] !== 'reason') return { kind: 'set-status', status, reason: '' };
  input.at++;
  const reason = takeWord(input, "a text after 'reason'");
  return reason === undefined ? undefined : { kind: 'set-status', status, reason };
};

/** The variable in parentheses with its conditions. */
function variable(input: ActionWords): { readonly scope: 'proc' | 'sess' | 'txn' | 'req' | 'res' | 'check'; readonly name: string; readonly conditions: readonly string[] } | undefined {
  const [text = '', ...conditions] = input.args;
  const read = parseVar(text, input.scope);
  if (read === undefined) return undefined;
  const unknown = conditions.find((each) => !variableConditions.has(each));
  if (unknown !== undefined) return fail(input.scope, unknown, `'${unknown}' is not a condition of ${input.name}`, didYouMean(unknown, variableConditions));
  return { scope: read.scope, name: read.name, conditions };
}

const setVar: ActionReader = (input) => {
  const target = variable(input);
  const expr = target === undefined ? undefined : takeSample(input);
  return target === undefined || expr === undefined ? undefined : { kind: 'set-var', ...target, expr };
};

const setVarFormat: ActionReader = (input) => {
  const target = variable(input);
  const value = target === undefined ? undefined : takeFormat(input, 'a value');
  return target === undefined || value === undefined ? undefined : { kind: 'set-var-fmt', ...target, value };
};

const unsetVar: ActionReader = (input) => {
  const target = variable(input);
  return target === undefined ? undefined : { kind: 'unset-var', scope: target.scope, name: target.name };
};

const capture: ActionReader = (input) => {
  const expr = takeSample(input);
  if (expr === undefined) return undefined;
  const side = input.scope.layer === 'http-response' || input.scope.layer === 'http-after-response' ? 'response' : 'request';
  const word = takeWord(input, "'len' or 'id'");
  if (word === undefined) return undefined;
  if (word === 'len') {
    const len = takeInteger(input, 1, 65535);
    return len === undefined ? undefined : { kind: 'capture', expr, slot: input.scope.addCapture(side, len), len };
  }
  if (word !== 'id') return fail(input.scope, word, `'len' or 'id' is expected after the expression of 'capture', not '${word}'`);
  const slot = takeInteger(input, 0, 255);
  // In a backend the slots belong to frontends that are not known here; len 0 stands for the slot's own length.
  return slot === undefined ? undefined : { kind: 'capture', expr, slot, len: 0 };
};

const setLogLevel: ActionReader = (input) => {
  const level = takeWord(input, 'a level');
  if (level === undefined) return undefined;
  if (!levels.some((each) => each === level)) return fail(input.scope, level, `'${level}' is not a log level`, didYouMean(level, levels) || `one of ${levels.join(', ')}`);
  return { kind: 'set-log-level', level };
};

function sampleReader(kind: 'set-src' | 'set-dst' | 'set-src-port' | 'set-dst-port' | 'set-priority-class' | 'set-priority-offset'): ActionReader {
  return (input) => {
    const expr = takeSample(input);
    return expr === undefined ? undefined : { kind, expr };
  };
}

function numberReader(kind: 'set-nice' | 'set-mark' | 'set-tos', min: number, max: number): ActionReader {
  return (input) => {
    const value = takeInteger(input, min, max);
    return value === undefined ? undefined : { kind, value };
  };
}

/**
 * Entries of a file in use. The set that is stored is a handle without entries (method 'found'): the rule changes every set
 * that was loaded from the same file.
 */
function entryReader(kind: 'set-map' | 'del-map' | 'add-acl' | 'del-acl'): ActionReader {
  return (input) => {
    const [file = ''] = input.args;
    if (file === '') return fail(input.scope, input.name, `'${input.name}' needs a file name in parentheses`);
    const key = takeFormat(input, 'a key');
    const value = key === undefined ? undefined : kind === 'set-map' ? takeFormat(input, 'a value') : [];
    if (key === undefined || value === undefined) return undefined;
    return { kind, patterns: input.scope.addPatterns(kind.endsWith('map') ? 'map' : 'acl', file, 'found', false, []), key, value };
  };
}

const setTimeout: ActionReader = (input) => {
  const which = takeWord(input, "'server', 'tunnel' or 'client'");
  if (which === undefined) return undefined;
  if (which !== 'server' && which !== 'tunnel' && which !== 'client') return fail(input.scope, which, `'${which}' is not a timeout that a rule can set`, 'server, tunnel or client');
  const word = input.words[input.at] ?? '';
  const ms = parseDuration(word);
  if (ms !== undefined) {
    input.at++;
    return ms === 0 ? fail(input.scope, word, 'the timeout may not be 0') : { kind: 'set-timeout', which, ms, expr: null };
  }
  if (/^\d/.test(word)) return fail(input.scope, word, durationFault(word));
  const expr = takeSample(input);
  return expr === undefined ? undefined : { kind: 'set-timeout', which, ms: 0, expr };
};

const useService: ActionReader = (input) => {
  const service = takeWord(input, 'a service');
  if (service === undefined) return undefined;
  if (service === 'prometheus-exporter') return { kind: 'use-service', service };
  if (service.startsWith('lua.')) {
    input.scope.report({ severity: 'unsupported', place: input.scope.place, word: service, message: 'Lua services are not supported', remedy: 'remove the rule' });
    return undefined;
  }
  return fail(input.scope, service, `there is no service '${service}'`, didYouMean(service, ['prometheus-exporter']));
};

const waitForBody: ActionReader = (input) => {
  let timeMs: number | undefined;
  let atLeastBytes = 0;
  while (input.at < input.words.length && !isCondition(input.words[input.at])) {
    const word = input.words[input.at++] ?? '';
    const text = input.words[input.at++] ?? '';
    if (word === 'time') {
      timeMs = parseDuration(text);
      if (timeMs === undefined) return fail(input.scope, text, durationFault(text));
    } else if (word === 'at-least') {
      const bytes = parseSize(text);
      if (bytes === undefined) return fail(input.scope, text, `'${text}' is not a size`);
      atLeastBytes = bytes;
    } else return fail(input.scope, word, `unexpected word '${word}' after 'wait-for-body'`, "write: wait-for-body time <time> [at-least <size>]");
  }
  return timeMs === undefined ? fail(input.scope, 'wait-for-body', "'wait-for-body' needs 'time'") : { kind: 'wait-for-body', timeMs, atLeastBytes };
};

const strictMode: ActionReader = (input) => {
  const word = takeWord(input, "'on' or 'off'");
  if (word !== undefined && word !== 'on' && word !== 'off') return fail(input.scope, word, `'on' or 'off' is expected, not '${word}'`);
  return word === undefined ? undefined : { kind: 'strict-mode' };
};

const expectProxy: ActionReader = (input) => {
  const layer = takeWord(input, "'layer4'");
  if (layer !== undefined && layer !== 'layer4') return fail(input.scope, layer, `'expect-proxy' does not know '${layer}'`, "write 'expect-proxy layer4'");
  return layer === undefined ? undefined : { kind: 'expect-proxy' };
};

/** Whatever is chosen afterwards must be a backend in mode http: the connection goes on there as HTTP. */
const switchMode: ActionReader = (input) => {
  const mode = takeWord(input, "'http'");
  if (mode === undefined) return undefined;
  if (mode !== 'http') return fail(input.scope, mode, `'switch-mode' cannot change to '${mode}'`, "write 'switch-mode http'");
  if (input.words[input.at] === 'proto') input.at += 2;
  return { kind: 'accept' };
};

const normalForms = ['fragment-encode', 'fragment-strip', 'path-merge-slashes', 'path-strip-dot', 'path-strip-dotdot', 'percent-decode-unreserved', 'percent-to-uppercase', 'query-sort-by-name'] as const;

const normalizeUri: ActionReader = (input) => {
  const word = takeWord(input, 'the name of a normal form');
  const form = normalForms.find((each) => each === word);
  if (word === undefined) return undefined;
  if (form === undefined) return fail(input.scope, word, `'normalize-uri' does not know '${word}'`, didYouMean(word, normalForms) || `one of ${normalForms.join(', ')}`);
  const option = form === 'path-strip-dotdot' ? 'full' : form.startsWith('percent') ? 'strict' : '';
  const given = option !== '' && input.words[input.at] === option;
  if (given) input.at++;
  return { kind: 'normalize-uri', form, strict: given };
};

/** HAProxy 2.8: `silent-drop rst-ttl <n>`. */
const silentDrop: ActionReader = (input) => {
  if (input.words[input.at] === 'rst-ttl') input.at += 2;
  return { kind: 'silent-drop' };
};

export const editActions: Readonly<Record<string, ActionReader>> = {
  allow: plain({ kind: 'allow' }), accept: plain({ kind: 'accept' }), reject: plain({ kind: 'reject' }), close: plain({ kind: 'close' }),
  'silent-drop': silentDrop, 'disable-l7-retry': plain({ kind: 'disable-l7-retry' }), 'wait-for-handshake': plain({ kind: 'wait-for-handshake' }),
  'strict-mode': strictMode, 'switch-mode': switchMode, 'expect-proxy': expectProxy, 'normalize-uri': normalizeUri,
  'set-header': headerReader('set-header'), 'add-header': headerReader('add-header'), 'early-hint': headerReader('early-hint'), 'del-header': delHeader,
  'replace-header': replaceHeaderReader('replace-header'), 'replace-value': replaceHeaderReader('replace-value'),
  'set-path': targetReader('set-path'), 'set-pathq': targetReader('set-pathq'), 'set-query': targetReader('set-query'), 'set-uri': targetReader('set-uri'),
  'set-method': targetReader('set-method'), 'replace-path': replaceTargetReader('replace-path'), 'replace-pathq': replaceTargetReader('replace-pathq'),
  'replace-uri': replaceTargetReader('replace-uri'), 'set-status': setStatus,
  'set-var': setVar, 'set-var-fmt': setVarFormat, 'unset-var': unsetVar, capture, 'set-log-level': setLogLevel,
  'set-src': sampleReader('set-src'), 'set-dst': sampleReader('set-dst'), 'set-src-port': sampleReader('set-src-port'), 'set-dst-port': sampleReader('set-dst-port'),
  'set-priority-class': sampleReader('set-priority-class'), 'set-priority-offset': sampleReader('set-priority-offset'),
  'set-nice': numberReader('set-nice', -1024, 1024), 'set-mark': numberReader('set-mark', 0, 0xffffffff), 'set-tos': numberReader('set-tos', 0, 255),
  'set-map': entryReader('set-map'), 'del-map': entryReader('del-map'), 'add-acl': entryReader('add-acl'), 'del-acl': entryReader('del-acl'),
  'set-timeout': setTimeout, 'use-service': useService, 'wait-for-body': waitForBody,
};
