/**
 * A ruleset ready to run. Rules without effect are left out at load. A rule whose condition needs bytes that have not come yet ends
 * the run with 'wait'; the caller comes back with `resumeAt` when more have come, and with Subject.final when the delay is over. Which
 * rules are worth a test tells rule-index.ts, asked again after every action that changes what it has looked up.
 */
import type { Condition, Rule } from '../model/expression.ts';
import { compileAction } from './actions/compile-action.ts';
import type { ActionContext, Step } from './actions/types.ts';
import type { ConditionCompiler, TernaryFn } from './compile-condition.ts';
import type { RuleIndex } from './rule-index.ts';
import type { Subject, Verdict } from './subject.ts';
import type { TestFn } from './types.ts';

export interface RuleSet {
  readonly length: number;
  /** Where to go on after a 'wait' or 'wait-for-body' verdict: pass it as `from`. */
  resumeAt: number;
  /** The rule that gave the verdict of the last run. */
  readonly decider: Rule | null;
  run(s: Subject, from: number): Verdict | null;
}

const wait: Verdict = { kind: 'wait' };

interface CompiledRule {
  readonly rule: Rule;
  readonly step: Step;
  /** Null: unconditional, or `ternary` decides. */
  readonly test: TestFn | null;
  readonly ternary: TernaryFn | null;
  /** wait-for-body: the run goes on behind the rule. */
  readonly resumesAfter: boolean;
  /** The index is to be asked again behind the rule. */
  readonly stales: boolean;
}

class CompiledRuleSet implements RuleSet {
  readonly length: number;
  resumeAt = 0;
  private readonly rules: readonly CompiledRule[];

  private readonly index: RuleIndex;

  constructor(rules: readonly CompiledRule[], index: RuleIndex) {
    this.rules = rules;
    this.index = index;
    this.length = rules.length;
  }

  get decider(): Rule | null { return this.rules[this.resumeAt]?.rule ?? null; }

  run(s: Subject, from: number): Verdict | null {
    const { index, rules } = this;
    if (rules.length === 0) return null;
    index.start(s, from);
    for (let i = index.next(); i < rules.length; i = index.next()) {
      const rule = rules[i];
      if (rule === undefined) break;
      if (rule.ternary !== null) {
        const result = rule.ternary(s);
        if (result === 1) {
          this.resumeAt = i;
          return wait;
        }
        if (result === 0) continue;
      } else if (!index.sure && rule.test !== null && !rule.test(s)) continue;
      const verdict = rule.step(s);
      if (verdict !== null) {
        this.resumeAt = rule.resumesAfter ? i + 1 : i;
        return verdict;
      }
      if (rule.stales) index.start(s, i + 1);
    }
    return null;
  }
}

/** Actions that turn clients away. */
const refusing: ReadonlySet<Rule['action']['kind']> = new Set(['deny', 'tarpit', 'reject', 'silent-drop', 'close', 'return']);

export function compileRuleSet(rules: readonly Rule[], conditions: ConditionCompiler, context: ActionContext, indexOf: (conditions: readonly (Condition | null)[]) => RuleIndex): RuleSet {
  const kept: { readonly rule: Rule; readonly step: Step }[] = [];
  for (const rule of rules) {
    const step = compileAction(rule.action, context);
    if (step !== null) kept.push({ rule, step });
  }
  const index = indexOf(kept.map(({ rule }) => rule.condition));
  const compiled = kept.map(({ rule, step }): CompiledRule => {
    const waits = conditions.waits(rule.condition);
    const refuses = refusing.has(rule.action.kind);
    return {
      rule,
      step,
      test: rule.condition === null || waits ? null : conditions.condition(rule.condition, refuses),
      ternary: waits ? conditions.ternary(rule.condition, refuses) : null,
      resumesAfter: rule.action.kind === 'wait-for-body',
      stales: index.isStaleAfter(rule.action),
    };
  });
  return new CompiledRuleSet(compiled, index);
}
