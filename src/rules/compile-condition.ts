/**
 * ACLs and conditions → functions. Two forms: plain booleans for everything that can be decided at once, and three-valued for
 * content rules, where a test may not be decidable before more bytes have come (HAProxy: miss). Called by the Compiler at load.
 */
import type { Acl, AclTerm, Condition } from '../model/expression.ts';
import { compileAny, isInactive, mayWait } from './compile-sample.ts';
import type { SampleValue, Subject } from './subject.ts';
import type { CompileContext, TestFn } from './types.ts';
import { toBool } from './values.ts';

/** 0 = false, 1 = not known yet, 3 = true: "and" is bitwise and, "or" bitwise or, "not" is 3 >> x. */
type Ternary = 0 | 1 | 3;
export type TernaryFn = (s: Subject) => Ternary;

function compileAclMatch(acl: Acl, context: CompileContext): (value: SampleValue) => boolean {
  if (acl.method === 'found') return () => true;
  if (acl.method === 'bool') return (value) => toBool(value) === true;
  const sets = acl.patterns.map((id) => context.patterns(id));
  const [first, second] = sets;
  if (first === undefined) return () => false;
  if (second === undefined) return (value) => first.matches(value);
  return (value) => {
    for (let i = 0; i < sets.length; i++) if (sets[i]?.matches(value) === true) return true;
    return false;
  };
}

export class ConditionCompiler {
  private readonly context: CompileContext;
  /** One test per ACL, shared by all conditions that name it. */
  private readonly byAcl = new Map<number, TestFn>();

  constructor(context: CompileContext) {
    this.context = context;
  }

  acl(index: number): TestFn {
    let test = this.byAcl.get(index);
    if (test === undefined) {
      const acl = this.context.model.acls[index];
      test = acl === undefined ? () => false : compileAny(acl.expr, compileAclMatch(acl, this.context), this.context);
      this.byAcl.set(index, test);
    }
    return test;
  }

  /**
   * The tests of a term. In the condition of a rule that refuses, an ACL that rests on something not built yet is taken to be what
   * makes the condition false: such a rule applies only when it would whatever that ACL said.
   */
  private tests(term: AclTerm, unless: boolean, refuses: boolean): TestFn[] {
    return term.acls.map((index) => {
      const acl = this.context.model.acls[index];
      if (!refuses || acl === undefined || !isInactive(acl.expr)) return this.acl(index);
      const taken = term.negate !== unless;
      return () => taken;
    });
  }

  private term(term: AclTerm, unless: boolean, refuses: boolean): TestFn {
    const one = anyOf(this.tests(term, unless, refuses));
    return term.negate ? (s) => !one(s) : one;
  }

  /** Null: always true. `refuses`: see `tests`. */
  condition(condition: Condition | null, refuses = false): TestFn {
    if (condition === null) return () => true;
    const { unless } = condition;
    const one = anyOf(condition.anyOf.map((suite) => allOf(suite.map((term) => this.term(term, unless, refuses)))));
    return unless ? (s) => !one(s) : one;
  }

  /** True when a term of the condition may have to wait for bytes. */
  waits(condition: Condition | null): boolean {
    return condition !== null && condition.anyOf.some((suite) => suite.some((term) => term.acls.some((index) => {
      const acl = this.context.model.acls[index];
      return acl !== undefined && mayWait(acl.expr);
    })));
  }

  ternary(condition: Condition | null, refuses = false): TernaryFn {
    if (condition === null) return () => 3;
    const { unless } = condition;
    const suites = condition.anyOf.map((suite) => suite.map((term) => this.ternaryTerm(term, unless, refuses)));
    return (s) => {
      let result = 0;
      for (const suite of suites) {
        let all = 3;
        for (const term of suite) {
          all &= term(s);
          if (all === 0) break;
        }
        result |= all;
        if (result === 3) break;
      }
      return (unless ? 3 >> result : result) as Ternary;
    };
  }

  private ternaryTerm(term: AclTerm, unless: boolean, refuses: boolean): TernaryFn {
    const tests = this.tests(term, unless, refuses);
    const { negate } = term;
    return (s) => {
      let result = 0;
      for (const test of tests) {
        s.needMore = false;
        result |= test(s) ? 3 : s.needMore ? 1 : 0;
        if (result === 3) break;
      }
      s.needMore = false;
      return (negate ? 3 >> result : result) as Ternary;
    };
  }
}

function anyOf(tests: readonly TestFn[]): TestFn {
  const [first, second] = tests;
  if (first === undefined) return () => false;
  if (second === undefined) return first;
  if (tests.length === 2) return (s) => first(s) || second(s);
  return (s) => {
    for (let i = 0; i < tests.length; i++) if (tests[i]?.(s) === true) return true;
    return false;
  };
}

function allOf(tests: readonly TestFn[]): TestFn {
  const [first, second] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (tests.length === 2) return (s) => first(s) && second(s);
  return (s) => {
    for (let i = 0; i < tests.length; i++) if (tests[i]?.(s) !== true) return false;
    return true;
  };
}
