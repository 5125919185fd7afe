/** Converters of texts: case, trimming, fields, replacing, URL and JSON forms. */
import { compileRegex } from '../../config/expression/regex.ts';
import { parseVarName } from '../../config/expression/arguments.ts';
import { limits } from '../../model/limits.ts';
import { storeCapture } from '../actions/state.ts';
import { eachParameter } from '../fetch/target.ts';
import { fillReplacement } from '../replace.ts';
import type { Sample, Subject } from '../subject.ts';
import { intArg, textArg, type Args, type ConvertFn, type ConvertMaker, type ConvertTable } from '../types.ts';
import { foldCase, lengthOf, toText } from '../values.ts';
import { readVar } from '../vars.ts';

function onText(run: (text: string) => Sample): ConvertMaker {
  return () => (value) => run(toText(value));
}

/** ASCII only, as foldCase: other characters are bytes of an unknown encoding. */
function upper(text: string): string {
  return /[a-z]/.test(text) ? text.replaceAll(/[a-z]+/g, (part) => part.toUpperCase()) : text;
}

function trim(fromStart: boolean): ConvertMaker {
  return (args) => {
    const set = textArg(args, 0);
    return (value) => {
      const text = toText(value);
      let from = 0;
      let to = text.length;
      if (fromStart) while (from < to && set.includes(text.charAt(from))) from++;
      else while (to > from && set.includes(text.charAt(to - 1))) to--;
      return text.slice(from, to);
    };
  };
}

/** Pieces between delimiter characters; `skipEmpty` for word. */
interface Pieces {
  readonly starts: number[];
  readonly ends: number[];
}

function cut(text: string, delimiters: string, skipEmpty: boolean): Pieces {
  const starts: number[] = [];
  const ends: number[] = [];
  for (let from = 0; from <= text.length;) {
    let to = from;
    while (to < text.length && !delimiters.includes(text.charAt(to))) to++;
    if (to > from || !skipEmpty) {
      starts.push(from);
      ends.push(to);
    }
    from = to + 1;
  }
  return { starts, ends };
}

/**
 * field and word: piece number N, from the end when negative; `count` more pieces are taken along with the delimiters between them
 * (0 = all that follow, or precede). Where pieces run out the rest of the text goes along, delimiters included. A field that is not
 * there is no sample, a word that is not there is an empty text (as HAProxy 2.6 has it).
 */
function piece(skipEmpty: boolean): ConvertMaker {
  return (args) => {
    const index = intArg(args, 0, 1);
    const delimiters = textArg(args, 1);
    const count = intArg(args, 2, 1);
    return (value) => {
      const text = toText(value);
      const { starts, ends } = cut(text, delimiters, skipEmpty);
      const at = index > 0 ? index - 1 : starts.length + index;
      if (index === 0 || at < 0 || at >= starts.length) return skipEmpty ? '' : undefined;
      if (index > 0) return text.slice(starts[at], count === 0 ? text.length : ends[at + count - 1] ?? text.length);
      return text.slice(count === 0 ? 0 : starts[at - count + 1] ?? 0, ends[at]);
    };
  };
}

/** Text of a variable whose name is an argument, '' when it is not set or not named. */
function variableText(args: Args, index: number): (s: Subject) => string {
  const name = textArg(args, index);
  const read = name === '' ? undefined : parseVarName(name);
  if (read === undefined) return () => '';
  return (s) => {
    const value = readVar(s, read.scope, read.name);
    return value === undefined ? '' : toText(value);
  };
}

function concat(args: Args): ConvertFn {
  const before = textArg(args, 0);
  const variable = variableText(args, 1);
  const after = textArg(args, 2);
  return (value, s) => toText(value) + before + variable(s) + after;
}

function addItem(args: Args): ConvertFn {
  const delimiter = textArg(args, 0);
  const variable = variableText(args, 1);
  const suffix = textArg(args, 2);
  return (value, s) => {
    const text = toText(value);
    const item = variable(s) + suffix;
    return item === '' ? text : text === '' ? item : text + delimiter + item;
  };
}

function strcmp(args: Args): ConvertFn {
  const read = parseVarName(textArg(args, 0));
  return (value, s) => {
    const other = read === undefined ? undefined : readVar(s, read.scope, read.name);
    if (other === undefined) return undefined;
    const a = toText(value);
    const b = toText(other);
    for (let i = 0; i < a.length && i < b.length; i++) {
      const difference = a.charCodeAt(i) - b.charCodeAt(i);
      if (difference !== 0) return difference;
    }
    return a.length - b.length;
  };
}

function regsub(args: Args): ConvertFn {
  const [arg] = args;
  const flags = textArg(args, 2);
  const compiled = arg?.kind === 'regex' ? compileRegex(arg.source, flags.includes('i')) : '';
  if (!(compiled instanceof RegExp)) return () => undefined;
  const replacement = textArg(args, 1);
  const once = compiled;
  const every = new RegExp(compiled.source, `${compiled.flags}g`);
  if (!flags.includes('g')) {
    return (value) => {
      const text = toText(value);
      const match = once.exec(text);
      return match === null ? text : text.slice(0, match.index) + fillReplacement(replacement, match) + text.slice(match.index + match[0].length);
    };
  }
  return (value) => {
    const text = toText(value);
    let out = '';
    let from = 0;
    every.lastIndex = 0;
    for (let match = every.exec(text); match !== null; match = every.exec(text)) {
      out += text.slice(from, match.index) + fillReplacement(replacement, match);
      from = match.index + match[0].length;
      if (match[0] === '') {
        // An empty match: one character passes, so that the search moves on.
        out += text.charAt(from);
        from++;
        every.lastIndex = from;
        if (from > text.length) break;
      }
      if (out.length > limits.sampleBytesMax) return undefined;
    }
    return out + text.slice(from);
  };
}

function urlDecode(args: Args): ConvertFn {
  // In forms (argument 1) a plus stands for a blank from the start; else only behind the question mark.
  const inForm = intArg(args, 0, 0) !== 0;
  return (value) => {
    const text = toText(value);
    if (!text.includes('%') && !text.includes('+')) return text;
    let out = '';
    let query = inForm;
    for (let i = 0; i < text.length; i++) {
      const c = text.charAt(i);
      if (c === '+' && query) out += ' ';
      else if (c === '%') {
        const hex = text.slice(i + 1, i + 3);
        if (!/^[0-9a-fA-F]{2}$/.test(hex)) return undefined;
        out += String.fromCharCode(Number.parseInt(hex, 16));
        i += 2;
      } else {
        if (c === '?') query = true;
        out += c;
      }
    }
    return out;
  };
}

const urlEncode = onText((text) => text.replaceAll(/[^A-Za-z0-9._~-]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`));

const jsonShort: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '/': '\\/', '\b': '\\b', '\f': '\\f', '\r': '\\r', '\n': '\\n', '\t': '\\t' };

/** Escapes for JSON. Input is ASCII/latin1 or UTF-8; faults are refused (utf8), cut out (utf8s, utf8ps) or ignored (utf8p). */
function json(args: Args): ConvertFn {
  const mode = textArg(args, 0, 'ascii');
  return (value) => {
    const text = toText(value);
    let characters = text;
    if (mode !== 'ascii') {
      const decoded = Buffer.from(text, 'latin1').toString('utf8');
      if (decoded.includes('\ufffd')) {
        if (mode === 'utf8') return undefined;
        characters = mode === 'utf8p' ? decoded : decoded.replaceAll('\ufffd', '');
      } else characters = decoded;
    }
    let out = '';
    for (let i = 0; i < characters.length; i++) {
      const c = characters.charAt(i);
      const code = characters.charCodeAt(i);
      const short = jsonShort[c];
      if (short !== undefined) out += short;
      else if (code < 32 || code > 126) out += `\\u${code.toString(16).padStart(4, '0')}`;
      else out += c;
    }
    return out;
  };
}

/** Steps of `$.a.b[0]['c']`. Undefined: malformed. */
function jsonPath(path: string): (string | number)[] | undefined {
  if (!path.startsWith('$')) return undefined;
  const out: (string | number)[] = [];
  const pattern = /\.([^.[\]]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]/y;
  pattern.lastIndex = 1;
  while (pattern.lastIndex < path.length) {
    const match = pattern.exec(path);
    if (match === null) return undefined;
    out.push(match[2] === undefined ? match[1] ?? match[3] ?? match[4] ?? '' : Number(match[2]));
  }
  return out;
}

function jsonQuery(args: Args): ConvertFn {
  const steps = jsonPath(textArg(args, 0));
  const asInt = textArg(args, 1) === 'int';
  return (value) => {
    if (steps === undefined || lengthOf(value) > limits.sampleBytesMax) return undefined;
    let at: unknown;
    try {
      at = JSON.parse(Buffer.from(toText(value), 'latin1').toString('utf8'));
    } catch {
      return undefined;
    }
    for (const step of steps) {
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
      at = (at as Record<string | number, unknown>)[step];
    }
    if (typeof at === 'number') return asInt || Number.isInteger(at) ? Math.trunc(at) : String(at);
    if (typeof at === 'boolean') return at;
    if (typeof at === 'string') return asInt ? Number.parseInt(at, 10) || 0 : Buffer.from(at, 'utf8').toString('latin1');
    // Objects and null have no sample; an array gives its text.
    return Array.isArray(at) ? Buffer.from(JSON.stringify(at), 'utf8').toString('latin1') : undefined;
  };
}

/** Best match of an Accept-Language value among languages `fr;de;en` by quality, then by order in the header. */
function language(args: Args): ConvertFn {
  const offered = textArg(args, 0).split(';');
  const fallback = args[1]?.kind === 'str' ? args[1].value : undefined;
  return (value) => {
    let best: string | undefined;
    let bestQuality = -1;
    for (const part of toText(value).split(',')) {
      const [tag = '', ...params] = part.trim().split(';');
      const quality = Number(/^\s*q=([\d.]+)/.exec(params.find((each) => each.trim().startsWith('q=')) ?? '')?.[1] ?? 1);
      const found = offered.find((each) => each.toLowerCase() === tag.trim().toLowerCase());
      if (found !== undefined && quality > bestQuality) {
        best = found;
        bestQuality = quality;
      }
    }
    return best ?? fallback;
  };
}

/** Index of the colon before the port of a Host value, -1 when there is none. */
function portColon(host: string): number {
  const colon = host.lastIndexOf(':');
  return colon >= 0 && !(host.startsWith('[') && colon < host.indexOf(']')) && /^\d*$/.test(host.slice(colon + 1)) ? colon : -1;
}

function param(args: Args): ConvertFn {
  const name = textArg(args, 0);
  const delimiter = textArg(args, 1, '&');
  return (value) => {
    let found: string | undefined;
    eachParameter(toText(value), name, delimiter, (text) => { found = text; return true; });
    return found;
  };
}

function captureInto(side: 'request' | 'response'): ConvertMaker {
  return (args) => {
    const slot = intArg(args, 0, 0);
    return (value, s) => {
      const text = toText(value);
      return storeCapture(s, side, slot, text) ? text : undefined;
    };
  };
}

export const textConverters: ConvertTable = {
  lower: onText(foldCase),
  upper: onText(upper),
  length: () => (value) => toText(value).length,
  ltrim: trim(true),
  rtrim: trim(false),
  field: piece(false),
  word: piece(true),
  concat,
  add_item: addItem,
  strcmp,
  regsub,
  url_dec: urlDecode,
  url_enc: urlEncode,
  json,
  json_query: jsonQuery,
  language,
  host_only: onText((text) => {
    const colon = portColon(text);
    return foldCase(colon < 0 ? text : text.slice(0, colon));
  }),
  port_only: onText((text) => {
    const colon = portColon(text);
    return colon < 0 ? 0 : Number(text.slice(colon + 1));
  }),
  param,
  cut_crlf: onText((text) => {
    const end = text.search(/[\r\n]/);
    return end < 0 ? text : text.slice(0, end);
  }),
  hex2i: onText((text) => (/^[0-9a-fA-F]*$/.test(text) ? Number.parseInt(text === '' ? '0' : text, 16) : undefined)),
  'capture-req': captureInto('request'),
  'capture-res': captureInto('response'),
};
