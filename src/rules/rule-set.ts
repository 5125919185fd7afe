/**
 * A ruleset ready to run. Rules without effect are left out at load. A rule whose condition needs bytes that have not come yet ends
 * the run with 'wait'; the caller comes back with `resumeAt` when more have come, and with Subject.final when the delay is over.
 */
import type { Rule } from '../model/expression.ts';
import { compileAction } from './actions/compile-action.ts';
import type { ActionContext, Step } from './actions/types.ts';
import type { ConditionCompiler, TernaryFn } from './compile-condition.ts';
import type { Subject, Verdict } from './subject.ts';
import type { TestFn } from './types.ts';

export interface RuleSet {
  readonly length: number;
  /** Where to go on after a 'wait' or 'wait-for-body' verdict: pass it as `from`. */
  resumeAt: number;
  run(s: Subject, from: number): Verdict | null;
}

const wait: Verdict = { kind: 'wait' };

interface CompiledRule {
  readonly step: Step;
  /** Null: unconditional, or `ternary` decides. */
  readonly test: TestFn | null;
  readonly ternary: TernaryFn | null;
  /** wait-for-body: the run goes on behind the rule. */
  readonly resumesAfter: boolean;
}

class CompiledRuleSet implements RuleSet {
  readonly length: number;
  resumeAt = 0;
  private readonly rules: readonly CompiledRule[];

  constructor(rules: readonly CompiledRule[]) {
    this.rules = rules;
    this.length = rules.length;
  }

  run(s: Subject, from: number): Verdict | null {
    for (let i = from; i < this.rules.length; i++) {
      const rule = this.rules[i];
      if (rule === undefined) break;
      if (rule.ternary !== null) {
        const result = rule.ternary(s);
        if (result === 1) {
          this.resumeAt = i;
          return wait;
        }
        if (result === 0) continue;
      } else if (rule.test !== null && !rule.test(s)) continue;
      const verdict = rule.step(s);
      if (verdict !== null) {
        this.resumeAt = rule.resumesAfter ? i + 1 : i;
        return verdict;
      }
    }
    return null;
  }
}

/** Actions that turn clients away. */
const refusing: ReadonlySet<Rule['action']['kind']> = new Set(['deny', 'tarpit', 'reject', 'silent-drop', 'close', 'return']);

export function compileRuleSet(rules: readonly Rule[], conditions: ConditionCompiler, context: ActionContext): RuleSet {
  const compiled: CompiledRule[] = [];
  for (const rule of rules) {
    const step = compileAction(rule.action, context);
    if (step === null) continue;
    const waits = conditions.waits(rule.condition);
    const refuses = refusing.has(rule.action.kind);
    compiled.push({
      step,
      test: rule.condition === null || waits ? null : conditions.condition(rule.condition, refuses),
      ternary: waits ? conditions.ternary(rule.condition, refuses) : null,
      resumesAfter: rule.action.kind === 'wait-for-body',
    });
  }
  return new CompiledRuleSet(compiled);
}
