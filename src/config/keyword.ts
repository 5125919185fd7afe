/**
 * The shape of every keyword table. One row says everything about a word: where it may stand, how many words follow, what
 * reads it, how far Poise supports it, and one sentence for docs/configuration.md. Sections look words up here and nowhere else.
 */

/**
 * - `active`: does what HAProxy does.
 * - `no effect`: accepted, has no meaning here (process tuning); one notice per word.
 * - `later`: accepted and checked, works once the feature is built; a warning says so.
 * - `legacy`: old syntax, translated with a warning that gives the modern line.
 * - `unsupported`: HAProxy knows it, Poise does not; the configuration is refused.
 */
export type KeywordState = 'active' | 'no effect' | 'later' | 'legacy' | 'unsupported';

export interface Keyword<Reading> {
  /** One or two words as written. */
  readonly word: string;
  /** Proxy tables: letters of D(efaults) F(rontend) L(isten) B(ackend); other tables: ''. */
  readonly where: string;
  /** Fewest and most words after the keyword. */
  readonly args: readonly [number, number];
  readonly state: KeywordState;
  readonly help: string;
  readonly read: ((reading: Reading) => void) | null;
  /** `no X` and `default X` are allowed. */
  readonly negatable: boolean;
}

export const many = Number.POSITIVE_INFINITY;

/** A row that works. */
export function active<R>(word: string, where: string, args: readonly [number, number], help: string, read: (reading: R) => void): Keyword<R> {
  return { word, where, args, state: 'active', help, read, negatable: false };
}

/** A row that works and may be preceded by `no` or `default`; its reader looks at the line's negation. */
export function negatable<R>(word: string, where: string, args: readonly [number, number], help: string, read: (reading: R) => void): Keyword<R> {
  return { word, where, args, state: 'active', help, read, negatable: true };
}

/** A row of old syntax; its reader gives the warning. */
export function legacy<R>(word: string, where: string, args: readonly [number, number], help: string, read: (reading: R) => void): Keyword<R> {
  return { word, where, args, state: 'legacy', help, read, negatable: false };
}

/** A row that is read and kept in the Model, but that nothing acts on yet. */
export function pending<R>(row: Keyword<R>): Keyword<R> {
  return { ...row, state: 'later' };
}

/** A row that is read although nothing needs it here. */
export function needless<R>(row: Keyword<R>): Keyword<R> {
  return { ...row, state: 'no effect' };
}

/** Rows that are accepted without effect. */
export function noEffect<R>(where: string, rows: Readonly<Record<string, string>>): Keyword<R>[] {
  return Object.entries(rows).map(([word, help]) => ({ word, where, args: [0, many], state: 'no effect', help, read: null, negatable: true }));
}

/** Rows that are accepted and work later. */
export function later<R>(where: string, rows: Readonly<Record<string, string>>): Keyword<R>[] {
  return Object.entries(rows).map(([word, help]) => ({ word, where, args: [0, many], state: 'later', help, read: null, negatable: true }));
}

/** Rows that HAProxy knows and Poise refuses. */
export function unsupported<R>(where: string, rows: Readonly<Record<string, string>>): Keyword<R>[] {
  return Object.entries(rows).map(([word, help]) => ({ word, where, args: [0, many], state: 'unsupported', help, read: null, negatable: true }));
}

export class KeywordTable<R> {
  readonly rows: readonly Keyword<R>[];
  private readonly byWord: ReadonlyMap<string, Keyword<R>>;
  /** Of those with two words: by the first, then by the second. */
  private readonly pairs = new Map<string, Map<string, Keyword<R>>>();
  private readonly firstWords: ReadonlySet<string>;

  constructor(rows: readonly Keyword<R>[]) {
    this.rows = rows;
    this.byWord = new Map(rows.map((row) => [row.word, row]));
    for (const row of rows) {
      const [first = '', second] = row.word.split(' ');
      if (second === undefined) continue;
      const seconds = this.pairs.get(first) ?? new Map<string, Keyword<R>>();
      this.pairs.set(first, seconds.set(second, row));
    }
    this.firstWords = new Set(rows.map((row) => row.word.split(' ')[0] ?? ''));
  }

  /** The row of a line, two-word keywords first. */
  find(first: string, second: string): Keyword<R> | undefined {
    return this.pairs.get(first)?.get(second) ?? this.byWord.get(first);
  }

  /** True when some keyword begins with this word. */
  knows(first: string): boolean {
    return this.firstWords.has(first);
  }

  /** Words to choose from when `first` or `first second` is not known. */
  candidates(first: string): string[] {
    const prefix = `${first} `;
    const seconds = this.rows.filter((row) => row.word.startsWith(prefix)).map((row) => row.word);
    return seconds.length > 0 ? seconds : this.rows.map((row) => row.word);
  }
}
