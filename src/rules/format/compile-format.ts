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

/** A log line in which a variable may vanish together with the blank after it. */
function joinMerging(items: Format, pieces: readonly FormatFn[]): FormatFn {
  const mayVanish = items.map((item) => item.kind === 'alias' && vanishing.has(item.name));
  return (s: Subject) => {
    let out = '';
    let vanished = false;
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i]?.(s) ?? '';
      out += vanished && piece.startsWith(' ') && (out === '' || out.endsWith(' ')) ? piece.slice(1) : piece;
      vanished = piece === '' && (mayVanish[i] ?? false);
    }
    return out;
  };
}

export function compileFormat(format: Format, parts: FormatParts, encoding: Encoding): FormatFn {
  const pieces = format.map((item) => compileItem(item, parts, encoding));
  const [first, second] = pieces;
  if (first === undefined) return () => '';
  if (second === undefined) return first;
  if (encoding === 'log' && format.some((item) => item.kind === 'alias' && vanishing.has(item.name))) return joinMerging(format, pieces);
  if (pieces.length === 2) return (s) => first(s) + second(s);
  return (s) => {
    let out = '';
    for (let i = 0; i < pieces.length; i++) out += pieces[i]?.(s) ?? '';
    return out;
  };
}
