/**
 * Tables of options on one line (`bind`, `server`, `stats socket`): word, number of values, reader. Walks a line and reports
 * unknown words. Called by bind.ts and server.ts; docs take the rows too.
 */
import type { Reading } from './context.ts';
import type { KeywordState } from './keyword.ts';
import { didYouMean } from './problems.ts';

export interface LineOption<T, R extends Reading> {
  readonly word: string;
  /** Number of values after the word; -1: the reader says how many it used. */
  readonly values: number;
  readonly state: KeywordState;
  readonly help: string;
  readonly read: ((target: T, values: readonly string[], reading: R) => number | void) | null;
}

export function option<T, R extends Reading>(word: string, values: number, help: string, read: (target: T, values: readonly string[], reading: R) => number | void): LineOption<T, R> {
  return { word, values, state: 'active', help, read };
}

/** Options accepted or refused as they are: word, number of values, help. */
export function idle<T, R extends Reading>(state: Exclude<KeywordState, 'active'>, rows: Readonly<Record<string, readonly [number, string]>>): LineOption<T, R>[] {
  return Object.entries(rows).map(([word, [values, help]]) => ({ word, values, state, help, read: null }));
}

function tell<T, R extends Reading>(reading: R, row: LineOption<T, R>, line: string): void {
  const key = `${line} ${row.word}`;
  if (row.state === 'unsupported') {
    reading.report('unsupported', row.word, `'${row.word}' on a ${line} line is not supported yet`, row.help);
    return;
  }
  if (reading.context.told.has(key)) return;
  reading.context.told.add(key);
  if (row.state === 'no effect') reading.notice(row.word, `'${row.word}' on a ${line} line has no effect here`, row.help);
  else if (row.state === 'later') reading.warning(row.word, `'${row.word}' on a ${line} line is not active yet: accepted without effect`, row.help);
}

/** Reads all options of a line into `target`. */
export function readOptions<T, R extends Reading>(rows: ReadonlyMap<string, LineOption<T, R>>, words: readonly string[], target: T, reading: R, line: string): void {
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '') continue;
    // `set-proxy-v2-tlv-fmt(0x20)` is looked up without its argument.
    const row = rows.get(word) ?? rows.get(word.slice(0, Math.max(word.indexOf('('), 0)));
    if (row === undefined) {
      reading.error(word, `unknown word '${word}' on a '${line}' line`, didYouMean(word, rows.keys()));
      continue;
    }
    const values = words.slice(index + 1, row.values < 0 ? undefined : index + 1 + row.values);
    if (row.values > 0 && (values.length < row.values || values.includes(''))) {
      reading.error(word, `'${word}' on a '${line}' line needs ${row.values === 1 ? 'a value' : `${row.values} values`}`);
      return;
    }
    const used = row.read?.(target, values, reading);
    if (row.state !== 'active') tell(reading, row, line);
    index += row.values < 0 ? used ?? 0 : row.values;
  }
}

export function optionMap<T, R extends Reading>(rows: readonly LineOption<T, R>[]): ReadonlyMap<string, LineOption<T, R>> {
  return new Map(rows.map((row) => [row.word, row]));
}
