/**
 * Turns the Model's expressions into closures, once per thread at load. Skeleton with final signatures; filled in by the rules room.
 */
import type { Answer, Condition, Format, PatternEntry, Rule, SampleExpr, SwitchRule } from '../model/expression.ts';
import type { Model, Proxy } from '../model/model.ts';
import type { Sample, Subject, Verdict } from './subject.ts';

export type SampleFn = (s: Subject) => Sample;
export type TestFn = (s: Subject) => boolean;
export type FormatFn = (s: Subject) => string;

export interface RuleSet {
  readonly length: number;
  /** Where to go on after a 'wait' verdict: pass it as `from`. */
  resumeAt: number;
  run(s: Subject, from: number): Verdict | null;
}

export class Compiler {
  readonly model: Model;

  constructor(model: Model) {
    this.model = model;
  }

  sample(expr: SampleExpr): SampleFn { void expr; return () => undefined; }
  /** Null: always true. */
  condition(condition: Condition | null): TestFn { void condition; return () => true; }
  /** `log` prints '-' for empty mandatory items; `http` percent-encodes control characters, as header values need. */
  format(format: Format, encoding: 'log' | 'http' = 'log'): FormatFn { void format; void encoding; return () => ''; }
  ruleSet(rules: readonly Rule[]): RuleSet {
    return { length: rules.length, resumeAt: 0, run: () => null };
  }
  /** Index into Model.proxies chosen by the first matching rule, else `fallback`. */
  switching(rules: readonly SwitchRule[], fallback: number): (s: Subject) => number { void rules; return () => fallback; }
  /** use-server: index into Model.servers of the first matching rule, -1 = none. */
  serverRules(rules: readonly SwitchRule[], proxy: Proxy): (s: Subject) => number { void rules; void proxy; return () => -1; }
  /** Patterns changed at run time (message `patterns`). */
  updatePatterns(id: number, entries: readonly PatternEntry[]): void { void id; void entries; }
  /** The generated answer for an error status: errorfile of backend, then frontend, then the built-in page. No connection header. */
  errorAnswer(frontend: Proxy, backend: Proxy | null, status: number): Uint8Array { void frontend; void backend; void status; return new Uint8Array(0); }
  /** An Answer of the Model (`http-error`, `monitor`) made for one subject. */
  answer(answer: Answer): (s: Subject) => Uint8Array { void answer; return () => new Uint8Array(0); }
}
