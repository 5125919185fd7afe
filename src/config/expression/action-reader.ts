/** What every action reader gets and gives; small readers shared by them. Called by rule.ts. */
import type { Action, Format, SampleExpr } from '../../model/expression.ts';
import { parseFormat } from './format.ts';
import { translateRegex } from './regex.ts';
import { fail } from './report.ts';
import { parseSampleWords } from './sample.ts';
import type { ExpressionScope } from './scope.ts';

/** The words of one rule; `at` stands on the first word not read yet. */
export interface ActionWords {
  readonly words: readonly string[];
  at: number;
  /** Arguments in parentheses of the action word, [] when none. */
  readonly args: readonly string[];
  readonly scope: ExpressionScope;
  /** The action's name, for messages. */
  readonly name: string;
}

/** Undefined: a problem was reported. */
export type ActionReader = (input: ActionWords) => Action | undefined;

export function isCondition(word: string | undefined): boolean {
  return word === 'if' || word === 'unless';
}

/** The next word, unless the rule or its options end here. */
export function takeWord(input: ActionWords, what: string): string | undefined {
  const word = input.words[input.at];
  if (word === undefined) return fail(input.scope, input.name, `'${input.name}' needs ${what}`);
  input.at++;
  return word;
}

export function takeFormat(input: ActionWords, what: string): Format | undefined {
  const word = takeWord(input, what);
  return word === undefined ? undefined : parseFormat(word, input.scope);
}

export function takeSample(input: ActionWords): SampleExpr | undefined {
  if (input.words[input.at] === undefined) return fail(input.scope, input.name, `'${input.name}' needs a sample expression`);
  const read = parseSampleWords(input.words, input.at, input.scope);
  if (read === undefined) return undefined;
  input.at = read.next;
  return read.expr;
}

export function takeRegex(input: ActionWords): string | undefined {
  const word = takeWord(input, 'a regular expression');
  if (word === undefined) return undefined;
  const translated = translateRegex(word, false);
  return 'error' in translated ? fail(input.scope, word, `the regular expression '${word}' cannot be used: ${translated.error}`) : word;
}

/** Decimal or 0x hexadecimal within bounds. */
export function takeInteger(input: ActionWords, min: number, max: number): number | undefined {
  const word = takeWord(input, 'a number');
  if (word === undefined) return undefined;
  const value = /^(?:-?\d+|0x[0-9a-fA-F]+)$/.test(word) ? Number(word) : Number.NaN;
  return value >= min && value <= max ? value : fail(input.scope, word, `'${word}' is not a number from ${min} to ${max}`);
}
