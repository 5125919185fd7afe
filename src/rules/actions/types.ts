/** What compiled actions get. A step does its work and answers null to go on, or the verdict that ends the evaluation. */
import type { Format, SampleExpr } from '../../model/expression.ts';
import type { AnswerMaker } from '../answers.ts';
import type { PatternIndex } from '../pattern-index.ts';
import type { Subject, Verdict } from '../subject.ts';
import type { FormatFn, SampleFn } from '../types.ts';

export type Step = (s: Subject) => Verdict | null;

export interface ActionContext {
  readonly answers: AnswerMaker;
  sample(expr: SampleExpr): SampleFn;
  format(format: Format, encoding: 'log' | 'http'): FormatFn;
  /** All sets in force that were loaded from the same file as set `id`. */
  setsOfFile(id: number): readonly PatternIndex[];
  updatePatterns(id: number, entries: PatternIndex['entries']): void;
}
