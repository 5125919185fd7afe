/**
 * Rules of HAProxy 1.x that were removed since: reqXXX, rspXXX, block, appsession and relatives. Each line is rewritten into
 * the modern line, which is read like any other and told in a warning. Rows of the proxy table.
 */
import type { Rule } from '../../model/expression.ts';
import { legacy, many } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import { translateRegex } from '../expression/regex.ts';
import { parseRule } from '../expression/rule.ts';
import { parseUseBackend } from '../expression/switch.ts';
import type { ProxyReading } from './reading.ts';

type Side = 'http-request' | 'http-response';

/** A word as it must be written in a line today. */
function quoted(word: string): string {
  return /[\s'"\\#$]/.test(word) || word === '' ? `'${word.replaceAll("'", "'\\''")}'` : word;
}

/** In 1.x these strings were literal; today they are log-format strings. */
function literal(text: string): string {
  return text.replaceAll('%', '%%');
}

function isCondition(word: string): boolean {
  return word === 'if' || word === 'unless';
}

/** Words before and after `if`/`unless`. */
function splitCondition(words: readonly string[]): { readonly plain: readonly string[]; readonly condition: readonly string[] } {
  const at = words.findIndex(isCondition);
  return at < 0 ? { plain: words, condition: [] } : { plain: words.slice(0, at), condition: words.slice(at) };
}

/** `if A or B` and one more term: `if X A or X B`. Undefined: cannot be said in one line. */
function withTerm(term: readonly string[], condition: readonly string[]): readonly string[] | undefined {
  if (condition.length === 0) return ['if', ...term];
  if (condition[0] === 'unless') return undefined;
  const made: string[] = ['if', ...term];
  for (const word of condition.slice(1)) {
    made.push(word);
    if (word === 'or' || word === '||') made.push(...term);
  }
  return made;
}

/** Reads the modern words and keeps the rule with its legacy family. */
function translate(reading: ProxyReading, side: Side, words: readonly string[], family: 'legacyBlock' | 'legacyRequest' | 'legacyResponse'): void {
  reading.warning(reading.keyword, `'${reading.keyword}' was removed from HAProxy`, `write '${side} ${words.map(quoted).join(' ')}'`);
  const rule: Rule | undefined = parseRule(side, words, reading.scope(side));
  if (rule !== undefined) reading.rules[family].push(rule);
  reading.mark('http rules');
}

function refuse(reading: ProxyReading, remedy: string): void {
  reading.report('unsupported', reading.keyword, `'${reading.keyword}' was removed from HAProxy, and this expression has no modern form that can be made here`, remedy);
}

const sideOf = (word: string): Side => (word.startsWith('rsp') ? 'http-response' : 'http-request');
const familyOf = (side: Side): 'legacyRequest' | 'legacyResponse' => (side === 'http-request' ? 'legacyRequest' : 'legacyResponse');

function readAdd(reading: ProxyReading): void {
  const side = sideOf(reading.keyword);
  const { plain, condition } = splitCondition(reading.args);
  const text = plain.join(' ');
  const colon = text.indexOf(':');
  if (colon < 1) {
    reading.error(text, `'${reading.keyword}' needs a header line`, `write '${side} add-header <name> <value>'`);
    return;
  }
  translate(reading, side, ['add-header', text.slice(0, colon).trim(), literal(text.slice(colon + 1).trim()), ...condition], familyOf(side));
}

/** `^Name:` at the start of an expression over a header line; the rest speaks of the value. */
function headerPart(source: string): { readonly name: string; readonly rest: string } | undefined {
  const match = /^\^?([A-Za-z0-9_-]+):(?:\\?\s|\[ \\t\]|\\s)?[*+]?(.*)$/s.exec(source);
  return match === null ? undefined : { name: match[1] ?? '', rest: match[2] ?? '' };
}

/** Only lines with a certain value: HAProxy has no word for it any more, so the rule is made here. */
function deleteByValue(reading: ProxyReading, side: Side, name: string, rest: string, condition: readonly string[]): void {
  const value = `^${rest}`;
  const translated = translateRegex(value, false);
  if ('error' in translated) {
    reading.error(value, `the regular expression '${value}' cannot be used: ${translated.error}`);
    return;
  }
  reading.warning(reading.keyword, `'${reading.keyword}' was removed from HAProxy`, `there is no modern line that deletes only some '${name}' lines; '${side} del-header ${name} if …' or 'replace-header' come close`);
  const rule = parseRule(side, ['del-header', name, ...condition], reading.scope(side));
  if (rule?.action.kind === 'del-header') reading.rules[familyOf(side)].push({ ...rule, action: { ...rule.action, value, ignoreCase: /^(?:req|rsp)i/.test(reading.keyword) } });
  reading.mark('http rules');
}

function readDelete(reading: ProxyReading): void {
  const side = sideOf(reading.keyword);
  const { plain, condition } = splitCondition(reading.args);
  const source = plain[0] ?? '';
  const header = headerPart(source);
  const prefix = /^\^([A-Za-z0-9_-]+)$/.exec(source)?.[1];
  if (header !== undefined && /^(?:\.\*\$?|)$/.test(header.rest)) translate(reading, side, ['del-header', header.name, ...condition], familyOf(side));
  else if (prefix !== undefined) translate(reading, side, ['del-header', prefix, '-m', 'beg', ...condition], familyOf(side));
  else if (header !== undefined) deleteByValue(reading, side, header.name, header.rest, condition);
  else refuse(reading, `write '${side} del-header <name> [-m reg]'`);
}

/** \1 becomes \0's neighbour: every group number falls by one. */
function shiftGroups(text: string): string {
  return text.replaceAll(/\\([1-9])/g, (_, digit: string) => `\\${Number(digit) - 1}`);
}

/** Expressions over a request line that leave the method alone: `^([^\ ]*)\ /old(.*)` → uri only. */
const methodPattern = /^\^\(\[\^(?:\\? |\\s|:|\\)+\][*+]\)(?:\\? |\\s)(?:\+|\*)?/;
const methodReplacement = /^\\1(?:\\? )/;

function replaceWords(side: Side, source: string, replacement: string, insensitive: boolean): readonly string[] | undefined {
  const flag = insensitive ? '(?i)' : '';
  const header = headerPart(source);
  if (header !== undefined) {
    const target = /^([A-Za-z0-9_-]+):\s*(.*)$/s.exec(replacement);
    if (target !== null && target[1]?.toLowerCase() === header.name.toLowerCase()) {
      return ['replace-header', header.name, `${flag}^${header.rest}`, literal(target[2] ?? '')];
    }
    return undefined;
  }
  if (side === 'http-response' || !methodPattern.test(source) || !methodReplacement.test(replacement)) return undefined;
  const rest = source.replace(methodPattern, '').replace(/(?:\\? )HTTP.*$/, '$');
  const uri = replacement.replace(methodReplacement, '').replace(/(?:\\? )HTTP\/1\.[01]$/, '');
  if (/ /.test(uri)) return undefined;
  return ['replace-uri', `${flag}^${rest}`, shiftGroups(literal(uri))];
}

function readReplace(reading: ProxyReading): void {
  const side = sideOf(reading.keyword);
  const { plain, condition } = splitCondition(reading.args);
  const [source = '', replacement = ''] = plain;
  const insensitive = /^(?:req|rsp)i/.test(reading.keyword);
  const words = replaceWords(side, source, replacement, insensitive);
  if (words === undefined) refuse(reading, `write '${side} replace-header', 'replace-path' or 'replace-uri'`);
  else translate(reading, side, [...words, ...condition], familyOf(side));
}

/** Expressions over the request line that name no method, or one: `^[^\ ]*\ /img` and `^GET\ /img`. */
function targetTerms(source: string, insensitive: boolean): readonly string[] | undefined {
  const match = /^\^(?:\(?\[\^[^\]]*\][*+]\)?|([A-Z]+))(?:\\? |\\s)[*+]?(.*)$/s.exec(source);
  if (match === null) return undefined;
  const uri = (match[2] ?? '').replace(/(?:\\? |\\s)HTTP.*$/, '$');
  const flag = insensitive ? ['-i'] : [];
  return [...(match[1] === undefined ? [] : ['{', 'method', match[1], '}']), '{', 'url_reg', ...flag, `^${uri}`, '}'];
}

function headerTerms(source: string, side: Side, insensitive: boolean): readonly string[] | undefined {
  const header = headerPart(source);
  if (header === undefined) return undefined;
  return ['{', `${side === 'http-request' ? 'req' : 'res'}.fhdr(${header.name})`, '-m', 'reg', ...(insensitive ? ['-i'] : []), `^${header.rest}`, '}'];
}

function readSetBackend(reading: ProxyReading): void {
  const { plain, condition } = splitCondition(reading.args);
  const [source = '', backend = ''] = plain;
  const insensitive = reading.keyword === 'reqisetbe';
  const term = headerTerms(source, 'http-request', insensitive) ?? targetTerms(source, insensitive);
  const whole = term === undefined ? undefined : withTerm(term, condition);
  if (whole === undefined || backend === '') {
    refuse(reading, "write 'use_backend <name> if { … }'");
    return;
  }
  reading.warning(reading.keyword, `'${reading.keyword}' was removed from HAProxy`, `write 'use_backend ${[backend, ...whole].map(quoted).join(' ')}'`);
  const rule = parseUseBackend([backend, ...whole], reading.scope('use_backend'));
  if (rule !== undefined) reading.proxy?.useBackend.push(rule);
}

/** reqdeny and relatives: an expression over any line; expressions over headers and over the target can be said today. */
function matchRow(word: string, action: string): Keyword<ProxyReading> {
  const side = sideOf(word);
  return legacy(word, 'FLB', [1, many], `Old; today: ${side} ${action} if { ${side === 'http-request' ? 'req' : 'res'}.fhdr(name) -m reg … }.`, (reading) => {
    const { plain, condition } = splitCondition(reading.args);
    const insensitive = /^(?:req|rsp)i/.test(word);
    const source = plain[0] ?? '';
    const term = headerTerms(source, side, insensitive) ?? (side === 'http-request' ? targetTerms(source, insensitive) : undefined);
    // `reqitarpit . if bad`: any line will do, so the condition alone decides.
    const any = source === '.' || source === '.*' || source === '^';
    const whole = any ? condition : term === undefined ? undefined : withTerm(term, condition);
    if (whole === undefined) refuse(reading, `write '${side} ${action} if { path_reg … }' or another condition`);
    else translate(reading, side, [action, ...whole], familyOf(side));
  });
}

function readBlock(reading: ProxyReading): void {
  if (!isCondition(reading.arg(0))) reading.error(reading.arg(0), "'block' needs 'if' or 'unless' and a condition");
  else translate(reading, 'http-request', ['deny', ...reading.args], 'legacyBlock');
}

function readNothing(reading: ProxyReading, modern: string): void {
  reading.warning(reading.keyword, `'${reading.keyword}' was removed from HAProxy`, modern);
}

/** Words without a translation: refused by name. */
function removedRow(word: string, modern: string): Keyword<ProxyReading> {
  const row = legacy<ProxyReading>(word, 'DFLB', [0, many], `Removed from HAProxy; ${modern}.`, (reading) => {
    reading.report('unsupported', word, `'${word}' was removed from HAProxy and is not supported here either`, modern);
  });
  return { ...row, state: 'unsupported' };
}

const addRow = (word: string): Keyword<ProxyReading> => legacy(word, 'FLB', [1, many], `Old; today: ${sideOf(word)} add-header.`, readAdd);
const deleteRow = (word: string): Keyword<ProxyReading> => legacy(word, 'FLB', [1, many], `Old; today: ${sideOf(word)} del-header.`, readDelete);
const replaceRow = (word: string): Keyword<ProxyReading> => legacy(word, 'FLB', [2, many], `Old; today: ${sideOf(word)} replace-header or replace-uri.`, readReplace);

export const legacyRows: readonly Keyword<ProxyReading>[] = [
  addRow('reqadd'), addRow('rspadd'),
  deleteRow('reqdel'), deleteRow('reqidel'), deleteRow('rspdel'), deleteRow('rspidel'),
  replaceRow('reqrep'), replaceRow('reqirep'), replaceRow('rsprep'), replaceRow('rspirep'),
  matchRow('reqdeny', 'deny'), matchRow('reqideny', 'deny'), matchRow('rspdeny', 'deny'), matchRow('rspideny', 'deny'),
  matchRow('reqallow', 'allow'), matchRow('reqiallow', 'allow'), matchRow('reqpass', 'allow'), matchRow('reqipass', 'allow'),
  matchRow('reqtarpit', 'tarpit'), matchRow('reqitarpit', 'tarpit'),
  legacy('block', 'FLB', [1, many], 'Old; today: http-request deny.', readBlock),
  legacy('bind-process', 'DFLB', [1, many], 'Old; all threads serve all proxies.', (reading) => readNothing(reading, 'leave it out: all threads serve all proxies')),
  legacy('grace', 'DFLB', [1, 1], 'Old; per-proxy delay of a soft stop.', (reading) => readNothing(reading, "leave it out, or write 'grace' in the global section")),
  removedRow('appsession', "use 'cookie … insert', or 'stick-table type string len 52 size 100k expire 3h', 'stick store-response res.cook(<name>)' and 'stick match req.cook(<name>)'"),
  legacy('reqsetbe', 'FL', [2, many], 'Old; today: use_backend.', readSetBackend),
  legacy('reqisetbe', 'FL', [2, many], 'Old; today: use_backend.', readSetBackend),
];
