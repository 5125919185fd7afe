/** The shapes that compiled expressions are made of. Shared by compile.ts, fetch/ and convert/. */
import type { Arg } from '../model/expression.ts';
import type { Model } from '../model/model.ts';
import type { PatternIndex } from './pattern-index.ts';
import type { Sample, SampleValue, Subject } from './subject.ts';

export type SampleFn = (s: Subject) => Sample;
export type TestFn = (s: Subject) => boolean;
export type FormatFn = (s: Subject) => string;
/** Looks at one value of a fetch that has several; true ends the search. */
export type Visit = (value: SampleValue, s: Subject) => boolean;
/** Shows every value to `visit` until it answers true; answers what the last visit did. */
export type EachFn = (s: Subject, visit: Visit) => boolean;
export type ConvertFn = (value: SampleValue, s: Subject) => Sample;

export type Args = readonly (Arg | null)[];

/** What makers of fetches and converters may use while the Model is compiled. */
export interface CompileContext {
  readonly model: Model;
  /** Patterns in force under an index of Model.patterns; the object stays, its contents change. */
  patterns(id: number): PatternIndex;
}

export interface FetchMaker {
  readonly make: (args: Args, context: CompileContext) => SampleFn;
  /** For fetches with several values: ACLs look at all of them. */
  readonly each?: (args: Args, context: CompileContext) => EachFn;
  /** True when the fetch may ask for more bytes (sets Subject.needMore). */
  readonly waits?: boolean;
}

export type FetchTable = Readonly<Record<string, FetchMaker>>;
export type ConvertMaker = (args: Args, context: CompileContext) => ConvertFn;
export type ConvertTable = Readonly<Record<string, ConvertMaker>>;

export function fetch(make: (args: Args, context: CompileContext) => SampleFn): FetchMaker {
  return { make };
}

/** A fetch without arguments. */
export function plain(run: SampleFn): FetchMaker {
  return { make: () => run };
}

export function textArg(args: Args, index: number, fallback = ''): string {
  const arg = args[index];
  return arg?.kind === 'str' ? arg.value : fallback;
}

export function intArg(args: Args, index: number, fallback: number): number {
  const arg = args[index];
  return arg?.kind === 'int' ? arg.value : fallback;
}
