/**
 * One statement of keepalived.conf while its keyword is read: the words after it as numbers, times, addresses, commands. Called by the
 * keyword tables of this folder. A word that does not fit becomes a problem and the default is kept; nothing is thrown.
 */
import { type IpValue, parseIp } from '../../base/ip.ts';
import type { Command } from '../../model/keepalived.ts';
import type { Place } from '../../model/problem.ts';
import { didYouMean, type Problems } from '../problems.ts';
import type { Statement } from './lines.ts';

const yes = ['on', 'true', 'yes'];
const no = ['off', 'false', 'no'];

export class Line {
  readonly statement: Statement;
  readonly problems: Problems;

  constructor(statement: Statement, problems: Problems) {
    this.statement = statement;
    this.problems = problems;
  }

  get place(): Place { return this.statement.place; }
  get keyword(): string { return this.statement.words[0] ?? ''; }
  get args(): readonly string[] { return this.statement.words.slice(1); }
  get first(): string { return this.statement.words[1] ?? ''; }

  error(word: string, message: string, remedy = ''): void { this.problems.error(this.place, word, message, remedy); }
  warning(word: string, message: string, remedy = ''): void { this.problems.warning(this.place, word, message, remedy); }

  whole(text: string, min: number, max: number, fallback: number): number {
    if (/^[+-]?\d+$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
    this.error(text, `'${this.keyword}' wants a whole number from ${min} to ${max}, not '${text}'`);
    return fallback;
  }

  /** `<TIMER>`: seconds with fractions → milliseconds. */
  seconds(text: string, minMs: number, maxMs: number, fallbackMs: number): number {
    const ms = /^\d*\.?\d+$|^\d+\.$/.test(text) ? Math.round(Number(text) * 1e6) / 1000 : Number.NaN;
    if (ms >= minMs && ms <= maxMs) return ms;
    this.error(text, `'${this.keyword}' wants seconds from ${minMs / 1000} to ${maxMs / 1000}, not '${text}'`);
    return fallbackMs;
  }

  /** `<BOOL>`; nothing after the keyword means on. */
  flag(): boolean {
    const text = this.first.toLowerCase();
    if (text === '' || yes.includes(text)) return true;
    if (!no.includes(text)) this.error(this.first, `'${this.keyword}' wants on or off, not '${this.first}'`, 'one of on off true false yes no');
    return false;
  }

  address(text: string): IpValue | undefined {
    const found = parseIp(text);
    if (found === undefined) this.error(text, `'${text}' is not an address`);
    return found;
  }

  /** One quoted word is a command line; single quotes keep blanks together in it. */
  command(text: string, user: string, group: string): Command {
    const words = [...text.matchAll(/(?:[^\s']|'[^']*')+/g)].map((found) => found[0].replaceAll('\'', ''));
    if (words.length === 0) this.error(text, `'${this.keyword}' wants a command`);
    return { place: this.place, words, user, group };
  }

  /** `COMMAND [user [group]]`. */
  notifyCommand(): Command {
    const [command = '', user = '', group = ''] = this.args;
    return this.command(command, user, group);
  }
}

/**
 * One row per keyword: fewest and most words after it, whether a block follows, and what reads it. `ignored`: known, without meaning here;
 * `unsupported`: known to keepalived, refused by name with the remedy.
 */
export interface Row<Draft> {
  readonly args: readonly [number, number];
  readonly block?: boolean;
  readonly read?: (line: Line, draft: Draft) => void;
  readonly ignored?: string;
  readonly unsupported?: string;
}
export type Rows<Draft> = Readonly<Record<string, Row<Draft>>>;

const anything: readonly [number, number] = [0, 2048];
/** Keywords that tune keepalived's own processes. */
export function ignored(...words: readonly string[]): Record<string, Row<unknown>> {
  return Object.fromEntries(words.map((word) => [word, { args: anything, ignored: 'it tunes keepalived\'s own processes' }]));
}
export function unsupported(remedy: string, ...words: readonly string[]): Record<string, Row<unknown>> {
  return Object.fromEntries(words.map((word) => [word, { args: anything, unsupported: remedy }]));
}

/** Reads the statements of one block by its table. `where` is for messages: `vrrp_instance VI_1`. */
export function readBlock<Draft>(statements: readonly Statement[], rows: Rows<Draft>, draft: Draft, where: string, problems: Problems): void {
  for (const statement of statements) {
    const line = new Line(statement, problems);
    const row = Object.hasOwn(rows, line.keyword) ? rows[line.keyword] : undefined;
    if (row === undefined) line.error(line.keyword, `unknown keyword '${line.keyword}' in ${where}`, didYouMean(line.keyword, Object.keys(rows)));
    else if (row.unsupported !== undefined) problems.unsupported(line.place, line.keyword, `'${line.keyword}' is not supported`, row.unsupported);
    else if (row.ignored !== undefined) problems.notice(line.place, line.keyword, `'${line.keyword}' has no effect here: ${row.ignored}`);
    else if (fits(line, row)) row.read?.(line, draft);
  }
}

function fits(line: Line, row: Row<never>): boolean {
  const [min, max] = row.args;
  const count = line.args.length;
  if (count < min) line.error(line.keyword, `'${line.keyword}' wants ${min === 1 ? 'a word' : `${min} words`} after it`);
  else if (count > max) line.error(line.args[max] ?? '', `unexpected '${line.args[max] ?? ''}' after '${line.keyword}'`);
  else if (row.block === true && line.statement.block === undefined) line.error(line.keyword, `'${line.keyword}' wants a block`, `write ${line.keyword} { … }`);
  else if (row.block !== true && line.statement.block !== undefined) line.error(line.keyword, `'${line.keyword}' takes no block`);
  else return true;
  return false;
}

/** The lines of a block that is a list: each statement's words. */
export function listed(line: Line): readonly Line[] {
  return (line.statement.block ?? []).map((statement) => new Line(statement, line.problems));
}
