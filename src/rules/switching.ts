/**
 * `use_backend` rules as one function: the first rule that applies decides. Which rules are worth a test tells rule-index.ts; the
 * outcome is that of testing every rule in order.
 */
import type { SwitchRule } from '../model/expression.ts';
import type { Model, Proxy } from '../model/model.ts';
import type { ConditionCompiler } from './compile-condition.ts';
import type { RuleIndex } from './rule-index.ts';
import type { Subject } from './subject.ts';
import type { FormatFn, TestFn } from './types.ts';

/** Chooses; -1 = no rule applies. */
type Choose = (s: Subject) => number;

interface SwitchParts {
  readonly conditions: ConditionCompiler;
  readonly index: RuleIndex;
  /** Target of a rule for this subject; -1 = the name made at run time does not exist. */
  target(rule: SwitchRule): Choose;
}

export class Switching {
  /** Counts condition tests, for the test that shows what the look-up saves. */
  tests = 0;
  private readonly index: RuleIndex;
  private readonly rules: readonly SwitchRule[];
  private readonly conditions: ConditionCompiler;
  /** Made when first needed: most rules of a long chain are decided by the look-up alone. */
  private readonly conditionTests: (TestFn | undefined)[];
  private readonly targets: readonly Choose[];
  private readonly fallback: number;

  constructor(rules: readonly SwitchRule[], fallback: number, parts: SwitchParts) {
    this.fallback = fallback;
    this.index = parts.index;
    this.rules = rules;
    this.conditions = parts.conditions;
    this.conditionTests = rules.map(() => undefined);
    this.targets = rules.map((rule) => parts.target(rule));
  }

  private applies(rule: number, s: Subject): boolean {
    if (this.index.sure) return true;
    this.tests++;
    const test = this.conditionTests[rule] ??= this.conditions.condition(this.rules[rule]?.condition ?? null);
    return test(s);
  }

  choose(s: Subject): number {
    const { index, targets } = this;
    index.start(s, 0);
    for (let rule = index.next(); rule < targets.length; rule = index.next()) {
      if (!this.applies(rule, s)) continue;
      const target = targets[rule]?.(s) ?? -1;
      if (target >= 0) return target;
    }
    return this.fallback;
  }
}

/** Target of a rule: fixed, or found by the name that its format makes. */
export function targetOf(rule: SwitchRule, format: FormatFn | null, byName: ReadonlyMap<string, number>): Choose {
  if (format === null) {
    const { target } = rule;
    return () => target;
  }
  return (s) => byName.get(format(s)) ?? -1;
}

export function backendsByName(model: Model): ReadonlyMap<string, number> {
  return new Map(model.proxies.filter((proxy) => proxy.isBackend).map((proxy) => [proxy.name, proxy.index]));
}

export function serversByName(model: Model, proxy: Proxy): ReadonlyMap<string, number> {
  return new Map(proxy.servers.map((index) => [model.servers[index]?.name ?? '', index]));
}
