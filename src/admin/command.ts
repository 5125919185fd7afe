/**
 * What a runtime command is, how a command line is read, and what an unknown one is answered. Used by the command files and by
 * socket.ts. Answers are HAProxy's word for word; the socket adds the empty line that ends each.
 */
import { limits } from '../model/limits.ts';
import type { AdminContext } from './context.ts';

export type Level = 'user' | 'operator' | 'admin';
export const levels: Readonly<Record<Level, number>> = { user: 0, operator: 1, admin: 2 };

/** State of one connection to a runtime socket. */
export interface CommandSession {
  level: Level;
  /** Who is at the other end, in words for the list of events. */
  readonly peer: string;
  /** The client has gone, or has said something more: what waits for news stops waiting. */
  readonly interrupted: () => boolean;
  /** `prompt` was given. */
  interactive: boolean;
  /** `quit` was given. */
  closing: boolean;
  /** 0 = none. */
  idleTimeoutMs: number;
  experimental: boolean;
  expert: boolean;
}

export interface CommandCall {
  readonly context: AdminContext;
  readonly session: CommandSession;
  /** Words after those of the command itself. */
  readonly args: readonly string[];
  /** Lines after `<<`, null when there was none. */
  readonly payload: string | null;
}

export interface Command {
  readonly words: readonly string[];
  readonly level: Level;
  /** Left column of `help`. */
  readonly usage: string;
  readonly help: string;
  readonly run: (call: CommandCall) => Answer;
}

/** The whole answer, or its pieces one after the other. */
export type Answer = string | Promise<string> | AsyncIterable<string> | Iterable<string>;

export function command(words: string, level: Level, usage: string, help: string, run: (call: CommandCall) => Answer): Command {
  return { words: words.split(' '), level, usage, help, run };
}

export const permissionDenied = 'Permission denied\n';

const sliceLines = limits.adminSliceLines;

/** A long answer in pieces of some lines each. */
export function* inSlices<T>(items: Iterable<T>, line: (item: T) => string): Generator<string> {
  let text = '';
  let lines = 0;
  for (const item of items) {
    text += line(item);
    lines += 1;
    if (lines % sliceLines !== 0) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

/** Splits a line into commands at `;` and each into words; a backslash takes the next character as it is. */
export function splitLine(line: string): readonly (readonly string[])[] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | null = null;
  const endWord = (): void => {
    if (word !== null) words.push(word);
    word = null;
  };
  for (let index = 0; index < line.length; index++) {
    const char = line.charAt(index);
    if (char === ' ' || char === '\t' || char === '\r') endWord();
    else if (char === ';') {
      endWord();
      commands.push(words);
      words = [];
    } else if (char === '\\' && index + 1 < line.length) {
      index += 1;
      word = (word ?? '') + line.charAt(index);
    } else word = (word ?? '') + char;
  }
  endWord();
  commands.push(words);
  return commands;
}

function startsWithWords(words: readonly string[], start: readonly string[]): boolean {
  return start.every((word, index) => words[index] === word);
}

/** The command with the most words that the line starts with. */
export function findCommand(table: readonly Command[], words: readonly string[]): Command | undefined {
  let found: Command | undefined;
  for (const entry of table) {
    if (startsWithWords(words, entry.words) && (found === undefined || entry.words.length > found.words.length)) found = entry;
  }
  return found;
}

/** Number of single-character edits between two words. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = (row[j - 1] ?? 0) + (left.charAt(i - 1) === right.charAt(j - 1) ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

/** Leading words in common; a last word that is nearly right counts half. */
function closeness(entry: Command, words: readonly string[]): number {
  let same = 0;
  while (same < words.length && same < entry.words.length && entry.words[same] === words[same]) same += 1;
  const given = words[same];
  const wanted = entry.words[same];
  if (given === undefined || wanted === undefined) return same;
  return given.length > 1 && (wanted.startsWith(given) || distance(given, wanted) <= Math.max(1, Math.floor(wanted.length / 3))) ? same + 0.5 : same;
}

/** Commands that are as close to the words as any. */
function closest(table: readonly Command[], words: readonly string[]): readonly Command[] {
  const scores = table.map(entry => closeness(entry, words));
  const best = Math.max(...scores);
  return best === 0 ? [] : table.filter((_, index) => scores[index] === best);
}

function usageLines(entries: readonly Command[], table: readonly Command[]): string {
  const always = table.filter(entry => ['help', 'prompt', 'quit'].includes(entry.words.join(' ')));
  const listed = [...entries.filter(entry => !always.includes(entry)), ...always];
  return listed.map(entry => `  ${entry.usage.padEnd(40)}: ${entry.help}\n`).join('');
}

export function unknownCommand(table: readonly Command[], words: readonly string[]): string {
  const near = closest(table, words);
  if (near.length === 0) return `Unknown command. Please enter one of the following commands only:\n${usageLines(table, table)}`;
  return `Unknown command, but maybe one of the following ones is a better match:\n${usageLines(near, table)}`;
}

export function helpText(table: readonly Command[], words: readonly string[]): string {
  const wanted = words.length === 0 ? table : closest(table, words);
  return `The following commands are valid at this level:\n${usageLines(wanted, table)}`;
}

/** A decimal number as C's atoi() reads it, undefined when there is none. */
export function number(text: string | undefined): number | undefined {
  const digits = /^[+-]?\d+/.exec(text ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
}
