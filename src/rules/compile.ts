/**
 * Turns the Model's expressions into closures, once per thread at load (and per plan after a reload). Used by traffic/, balance/ and
 * control/health. What it gives is called per request and allocates as little as the result needs; it never throws.
 */
import type { Answer, Condition, Format, PatternEntry, Rule, SampleExpr, SwitchRule } from '../model/expression.ts';
import type { Model, Proxy } from '../model/model.ts';
import type { ActionContext } from './actions/types.ts';
import { AnswerMaker, answerBytes, type ReadyAnswer } from './answers.ts';
import { ConditionCompiler } from './compile-condition.ts';
import { compileSample } from './compile-sample.ts';
import { makeAliases } from './format/aliases.ts';
import { compileFormat, type Encoding, type FormatParts } from './format/compile-format.ts';
import { PatternIndex } from './pattern-index.ts';
import { RuleIndex } from './rule-index.ts';
import { compileRuleSet, type RuleSet } from './rule-set.ts';
import type { Subject } from './subject.ts';
import { backendsByName, serversByName, Switching, targetOf } from './switching.ts';
import type { CompileContext, FormatFn, SampleFn, TestFn } from './types.ts';

export type { RuleSet } from './rule-set.ts';
export type { FormatFn, SampleFn, TestFn } from './types.ts';

/** Sets below are made when first needed. */
const manyPatterns = 100;

export class Compiler implements CompileContext, ActionContext {
  readonly model: Model;
  readonly answers: AnswerMaker;
  private readonly indexes = new Map<number, PatternIndex>();
  private readonly conditions: ConditionCompiler;
  private readonly ruleIndexes: RuleIndex[] = [];
  private readonly formatParts: FormatParts;
  /** For every empty chain: most proxies have ten of them. */
  private noRules: RuleSet | null = null;
  /** Made when first needed: every proxy asks. */
  private backendNames: ReadonlyMap<string, number> | null = null;

  constructor(model: Model) {
    this.model = model;
    this.conditions = new ConditionCompiler(this);
    const aliases = makeAliases();
    this.formatParts = {
      sample: (item) => this.sample(item.expr),
      alias: (name, flags) => aliases[name]?.(flags) ?? (() => ''),
    };
    this.answers = new AnswerMaker((format) => this.format(format, 'http'));
  }

  /** Patterns in force under an index of Model.patterns. */
  patterns(id: number): PatternIndex {
    let index = this.indexes.get(id);
    if (index === undefined) {
      const set = this.model.patterns[id];
      index = new PatternIndex(id, set?.method ?? 'str', set?.ignoreCase ?? false, set?.entries ?? []);
      this.indexes.set(id, index);
    }
    return index;
  }

  /** Sets that were loaded from the same file as `id`. Handles of rules (method 'found') are not among them. */
  setsOfFile(id: number): readonly PatternIndex[] {
    const file = this.model.patterns[id]?.file ?? '';
    return this.model.patterns.filter((set) => set.file === file && file !== '' && set.method !== 'found').map((set) => this.patterns(set.id));
  }

  sample(expr: SampleExpr): SampleFn {
    return compileSample(expr, this);
  }

  /** Null: always true. */
  condition(condition: Condition | null): TestFn {
    return this.conditions.condition(condition);
  }

  /** `log` prints '-' for empty mandatory items; `http` percent-encodes control characters, as header values need. */
  format(format: Format, encoding: Encoding = 'log'): FormatFn {
    return compileFormat(format, this.formatParts, encoding);
  }

  ruleSet(rules: readonly Rule[]): RuleSet {
    if (rules.length === 0) return this.noRules ??= this.compiled(rules);
    return this.compiled(rules);
  }

  private compiled(rules: readonly Rule[]): RuleSet {
    return compileRuleSet(rules, this.conditions, this, (conditions) => this.ruleIndex(conditions));
  }

  /** Index into Model.proxies chosen by the first matching rule, else `fallback`. */
  switching(rules: readonly SwitchRule[], fallback: number): (s: Subject) => number {
    this.backendNames ??= backendsByName(this.model);
    return this.switcher(rules, fallback, this.backendNames);
  }

  /** use-server: index into Model.servers of the first matching rule, -1 = none. */
  serverRules(rules: readonly SwitchRule[], proxy: Proxy): (s: Subject) => number {
    return this.switcher(rules, -1, serversByName(this.model, proxy));
  }

  private switcher(rules: readonly SwitchRule[], fallback: number, byName: ReadonlyMap<string, number>): (s: Subject) => number {
    if (rules.length === 0) return () => fallback;
    const switching = new Switching(rules, fallback, {
      conditions: this.conditions,
      index: this.ruleIndex(rules.map((rule) => rule.condition)),
      target: (rule) => targetOf(rule, rule.dynamic === null ? null : this.format(rule.dynamic, 'http'), byName),
    });
    return (s) => switching.choose(s);
  }

  private ruleIndex(conditions: readonly (Condition | null)[]): RuleIndex {
    const index = new RuleIndex(conditions, this);
    this.ruleIndexes.push(index);
    return index;
  }

  /** Makes now, in steps, what the first request that needs it would wait for. */
  *index(): Generator<undefined> {
    for (const index of this.ruleIndexes) {
      yield* index.build();
      yield;
    }
    for (const { id, entries } of this.model.patterns) {
      if (entries.length >= manyPatterns) yield* this.patterns(id).build();
    }
  }

  /** Patterns changed at run time (message `patterns`, or a rule of this thread). */
  updatePatterns(id: number, entries: readonly PatternEntry[]): void {
    this.patterns(id).replace(entries);
    for (const index of this.ruleIndexes) index.changed(id);
  }

  /** The generated answer for an error status: errorfile of backend, then frontend, then the built-in page. No connection header. */
  errorAnswer(frontend: Proxy, backend: Proxy | null, status: number): Uint8Array {
    return answerBytes(this.answers.page(frontend, backend, status, null));
  }

  /** An Answer of the Model (`http-error`, `return`) made for one subject. */
  answer(answer: Answer): (s: Subject) => ReadyAnswer {
    return this.answers.answer(answer);
  }
}
