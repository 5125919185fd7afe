/** Format → function from a subject to text. Called by the Compiler at load. */
import type { Format, FormatFlags, FormatItem } from '../../model/expression.ts';
import type { Sample, Subject } from '../subject.ts';
import type { FormatFn, SampleFn } from '../types.ts';
import { toText } from '../values.ts';
import { vanishing, type AliasFn } from './aliases.ts';
import { escapeHttp, escapeStructured } from './escape.ts';

export type Encoding = 'log' | 'http';

export interface FormatParts {
  sample(item: Extract<FormatItem, { kind: 'expr' }>): SampleFn;
  alias(name: string, flags: FormatFlags): AliasFn;
}

function printSample(value: Sample, flags: FormatFlags, encoding: Encoding): string {
  let text = value === undefined ? '' : toText(value);
  if (encoding === 'http') {
    // Samples in messages are never quoted, as in HAProxy.
    text = escapeHttp(text);
    return flags.escape ? escapeStructured(text) : text;
  }
  if (text === '') {
    if (flags.quote) return '""';
    return flags.mandatory ? '-' : '';
  }
  if (flags.escape) text = escapeStructured(text);
  return flags.quote ? `"${text}"` : text;
}

function compileItem(item: FormatItem, parts: FormatParts, encoding: Encoding): FormatFn {
  if (item.kind === 'text') {
    const { text } = item;
    return () => text;
  }
  if (item.kind === 'alias') return parts.alias(item.name, item.flags);
  const sample = parts.sample(item);
  const { flags } = item;
  const plain = !flags.escape && encoding === 'http';
  return plain ? (s) => {
    const value = sample(s);
    return value === undefined ? '' : escapeHttp(toText(value));
  } : (s) => printSample(sample(s), flags, encoding);
}

/** One value of a log line and the fixed text behind it. */
interface Part {
  readonly value: FormatFn;
  readonly text: string;
  readonly mayVanish: boolean;
}

/** Joins many pieces. A value that vanishes takes the blank behind it along when there is one before it. */
function joinParts(start: string, parts: readonly Part[]): FormatFn {
  return (s: Subject) => {
    let out = start;
    // What was added last: looking into `out` itself would copy it.
    let last = start;
    for (let i = 0; i < parts.length; i++) {
      const { value, text, mayVanish } = parts[i] as Part;
      const shown = value(s);
      const rest = mayVanish && shown === '' && text.startsWith(' ') && (last === '' || last.endsWith(' ')) ? text.slice(1) : text;
      out = `${out}${shown}${rest}`;
      if (rest !== '') last = rest;
      else if (shown !== '') last = shown;
    }
    return out;
  };
}

function splitParts(format: Format, pieces: readonly FormatFn[], encoding: Encoding): { start: string; parts: Part[] } {
  let start = '';
  const parts: Part[] = [];
  format.forEach((item, index) => {
    const before = parts.at(-1);
    if (item.kind !== 'text') parts.push({ value: pieces[index] as FormatFn, text: '', mayVanish: encoding === 'log' && item.kind === 'alias' && vanishing.has(item.name) });
    else if (before === undefined) start += item.text;
    else parts[parts.length - 1] = { ...before, text: before.text + item.text };
  });
  return { start, parts };
}

export function compileFormat(format: Format, parts: FormatParts, encoding: Encoding): FormatFn {
  const pieces = format.map((item) => compileItem(item, parts, encoding));
  const [first, second] = pieces;
  if (first === undefined) return () => '';
  if (second === undefined) return first;
  if (pieces.length === 2 && !format.some((item) => item.kind === 'alias' && vanishing.has(item.name))) return (s) => first(s) + second(s);
  const split = splitParts(format, pieces, encoding);
  return joinParts(split.start, split.parts);
}
