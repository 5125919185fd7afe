/**
 * What keyword readers work with: the draft, the collector of problems, files, environment, and the names of everything in
 * the configuration. Made by load.ts, one per load; handed down to every reader of config/.
 */
import { dirname, join } from 'node:path';
import type { SampleExpr } from '../model/expression.ts';
import type { Place, Severity } from '../model/problem.ts';
import { durationFault, parseDuration } from '../base/duration.ts';
import type { DurationUnit } from '../base/duration.ts';
import { parseSize } from '../base/size.ts';
import type { Draft } from './draft.ts';
import type { ConfigFiles } from './files.ts';
import type { Line, Section } from './line.ts';
import { expandInAddress } from './lexer.ts';
import type { Variables } from './lexer.ts';
import type { Names } from './names.ts';
import type { Problems } from './problems.ts';

export interface Context {
  readonly draft: Draft;
  readonly problems: Problems;
  readonly files: ConfigFiles;
  readonly variables: Variables;
  readonly names: Names;
  /** Words of `no effect` and `later` that were told already. */
  readonly told: Set<string>;
  /** Fetches without arguments and converters, by their text: thousands of ACLs read the same few. */
  readonly plainExpressions: Map<string, SampleExpr>;
  /** The environment with what `setenv` and relatives made of it. */
  readonly environment: ReadonlyMap<string, string>;
}

/** A path as a line writes it → a path to open, after `default-path`. */
export function filePath(context: Context, written: string, place: Place): string {
  // Configuration text is latin1, names of files are UTF-8.
  const path = /[\x80-\xff]/.test(written) ? Buffer.from(written, 'latin1').toString('utf8') : written;
  const origin = context.draft.global.pathOrigin;
  if (path.startsWith('/') || path === '' || origin.kind === 'current') return path;
  if (origin.kind === 'origin') return join(origin.path, path);
  return join(dirname(place.file), origin.kind === 'parent' ? '..' : '.', path);
}

/** One line being read, with the words after its keyword, and the ways to complain about it. */
export class Reading {
  readonly context: Context;
  readonly section: Section;
  line: Line;
  /** The keyword as the table spells it. */
  keyword = '';
  args: readonly string[] = [];

  constructor(context: Context, section: Section) {
    this.context = context;
    this.section = section;
    this.line = { place: section.place, words: [section.kind], negation: '' };
  }

  get place(): Place {
    return this.line.place;
  }

  /** Argument `index`, '' when it is not there. */
  arg(index: number): string {
    return this.args[index] ?? '';
  }

  /** An address with its environment variables expanded; those that are not set are told. */
  expanded(text: string): string {
    return expandInAddress(text, (name) => {
      const value = this.context.variables(name);
      if (value === undefined) this.warning(name, `environment variable '${name}' is not set`, 'set it, or write the address');
      return value;
    });
  }

  report(severity: Severity, word: string, message: string, remedy = ''): void {
    this.context.problems.report(severity, this.place, word, message, remedy);
  }

  error(word: string, message: string, remedy = ''): void {
    this.report('error', word, message, remedy);
  }

  warning(word: string, message: string, remedy = ''): void {
    this.report('warning', word, message, remedy);
  }

  notice(word: string, message: string, remedy = ''): void {
    this.report('notice', word, message, remedy);
  }

  /** A whole number within bounds, or a reported error and undefined. */
  count(text: string, what: string, min = 0, max = 2147483647): number | undefined {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(value) || value < min || value > max) {
      const range = max === 2147483647 ? `of at least ${min}` : `from ${min} to ${max}`;
      this.error(text, `${what} needs a whole number ${range}, not '${text}'`);
      return undefined;
    }
    return value;
  }

  duration(text: string, what: string, unit: DurationUnit = 'ms'): number | undefined {
    const value = parseDuration(text, unit);
    if (value === undefined) this.error(text, `${what}: ${durationFault(text)}`);
    return value;
  }

  size(text: string, what: string): number | undefined {
    const value = parseSize(text);
    if (value === undefined) this.error(text, `${what} needs a size such as 200k, not '${text}'`);
    return value;
  }

  /** One of a few words. */
  choice<T extends string>(text: string, what: string, choices: readonly T[]): T | undefined {
    const found = choices.find((each) => each === text);
    if (found === undefined) this.error(text, `${what} does not know '${text}'`, `use one of: ${choices.join(', ')}`);
    return found;
  }
}
