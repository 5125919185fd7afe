/**
 * Finds the rules of a chain that can apply to a subject, in their order, without testing the others. Every alternative of a condition
 * gives one positive test on a text or address to the shared look-ups; a rule without such a test is a candidate always. Used by
 * switching.ts and rule-set.ts, whose outcome is that of testing every rule in order. Never runs a rule itself.
 */
import { atOnce } from '../base/slices.ts';
import type { Acl, Action, AclTerm, Condition, PatternSet, SampleExpr } from '../model/expression.ts';
import { changes, isIndexable, leavesNoTrace } from './indexable.ts';
import { Matches, placeOf, SharedLookup } from './rule-lookup.ts';
import type { Subject } from './subject.ts';
import type { CompileContext } from './types.ts';

/** Too few rules to be worth a look-up. */
const sharedRulesMin = 4;
/** Rules that are looked at between two pauses. */
const rulesPerStep = 50;
/** Keys of an ACL that are looked at to guess how many rules it shares them with. */
const comparedKeysMax = 16;
const noPatterns = { method: 'str', ignoreCase: false, entries: [] } as const;

export class RuleIndex {
  /** Pattern sets the look-ups are made of. */
  readonly patternIds = new Set<number>();
  /** After `next`: the rule's condition holds, there is nothing left to test. */
  sure = false;
  private readonly conditions: readonly (Condition | null)[];
  private readonly context: CompileContext;
  private readonly expressions = new Map<SampleExpr, string>();
  /** Sets that were changed at run time: not looked up any more, so that a change costs no new index each time. */
  private readonly changing = new Set<number>();
  private readonly matches = new Matches();
  private lookups: readonly SharedLookup[] = [];
  /** Rules outside of the look-ups, ascending. */
  private always: readonly number[] = [];
  private alwaysAt = 0;
  /** 1: a match of the look-up is the whole condition. */
  private readonly whole: Uint8Array;
  private isBuilt = false;

  constructor(conditions: readonly (Condition | null)[], context: CompileContext) {
    this.conditions = conditions;
    this.context = context;
    this.whole = new Uint8Array(conditions.length);
  }

  /** The set has other patterns now. */
  changed(id: number): void {
    this.changing.add(id);
    if (!this.patternIds.has(id)) return;
    this.isBuilt = false;
    atOnce(this.build());
  }

  /** True when `start` is needed again after this action has run. */
  isStaleAfter(action: Action): boolean {
    atOnce(this.build());
    return this.lookups.some((lookup) => changes(action, lookup.expr));
  }

  /** Looks the subject's values up; `next` then gives the candidates from rule `from` on. */
  start(s: Subject, from: number): void {
    if (!this.isBuilt) atOnce(this.build());
    this.alwaysAt = from === 0 ? 0 : placeOf(this.always, from);
    this.matches.clear();
    for (let i = 0; i < this.lookups.length; i++) this.lookups[i]?.run(s);
    this.matches.seek(from);
  }

  /** Number of the next candidate, Infinity = there is none. */
  next(): number {
    const unlisted = this.always[this.alwaysAt] ?? Infinity;
    const listed = this.matches.first();
    if (unlisted <= listed) {
      this.alwaysAt++;
      this.sure = false;
      return unlisted;
    }
    this.matches.pass(listed);
    this.sure = this.whole[listed] === 1;
    return listed;
  }

  /** In steps of some rules; nothing when it has been done. Whoever looks up before has it done at once. */
  *build(): Generator<undefined> {
    if (this.isBuilt) return;
    const { model } = this.context;
    let counted: ReadonlyMap<string, number> | undefined;
    const shared = this.conditions.length < sharedRulesMin ? null : (): ReadonlyMap<string, number> => counted ??= this.countKeys();
    const byExpression = new Map<string, SharedLookup>();
    const always: number[] = [];
    this.patternIds.clear();
    for (const [rule, condition] of this.conditions.entries()) {
      if (rule % rulesPerStep === rulesPerStep - 1) yield;
      const acls = shared === null || condition === null ? undefined : this.necessary(condition, shared);
      if (acls === undefined || condition === null) {
        always.push(rule);
        continue;
      }
      this.whole[rule] = condition.anyOf.every((suite) => suite.length === 1) ? 1 : 0;
      for (const index of acls) {
        const acl = model.acls[index];
        if (acl !== undefined) this.addAcl(rule, acl, byExpression);
      }
    }
    this.lookups = [...byExpression.values()];
    this.always = always;
    this.isBuilt = true;
  }

  private addAcl(rule: number, acl: Acl, byExpression: Map<string, SharedLookup>): void {
    const text = this.expression(acl.expr);
    let lookup = byExpression.get(text);
    if (lookup === undefined) {
      lookup = new SharedLookup(acl.expr, this.matches, this.context);
      byExpression.set(text, lookup);
    }
    for (const id of acl.patterns) {
      const set = this.patterns(id);
      this.patternIds.add(id);
      for (const entry of set.entries) lookup.add(set.method, set.ignoreCase, entry.key, rule);
    }
  }

  /** What is read, as text: equal for ACLs that can share a look-up. */
  private expression(expr: SampleExpr): string {
    let text = this.expressions.get(expr);
    if (text === undefined) {
      text = JSON.stringify([expr.fetch, expr.converters]);
      this.expressions.set(expr, text);
    }
    return text;
  }

  /** As configured: sets that have been changed since are not looked up. */
  private patterns(id: number): Pick<PatternSet, 'method' | 'ignoreCase' | 'entries'> {
    return this.context.model.patterns[id] ?? noPatterns;
  }

  private *keysOf(index: number): Generator<string> {
    const acl = this.context.model.acls[index];
    if (acl === undefined) return;
    let left = comparedKeysMax;
    for (const id of acl.patterns) {
      const set = this.patterns(id);
      for (const entry of set.entries) {
        if (left-- === 0) return;
        yield `${this.expression(acl.expr)} ${set.method} ${entry.key}`;
      }
    }
  }

  /** How many rules name a key: a path that a thousand rules share tells them apart badly, their hosts do it well. */
  private countKeys(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const condition of this.conditions) {
      for (const suite of condition?.anyOf ?? []) {
        for (const term of suite) {
          if (!this.canBeKey(term)) continue;
          for (const index of term.acls) for (const key of this.keysOf(index)) counts.set(key, (counts.get(key) ?? 0) + 1);
        }
      }
    }
    return counts;
  }

  private canBeKey(term: AclTerm): boolean {
    if (term.negate) return false;
    return term.acls.every((index) => {
      const acl = this.context.model.acls[index];
      return isIndexable(acl) && !acl.patterns.some((id) => this.changing.has(id) || this.patterns(id).method !== acl.method);
    });
  }

  /** ACLs of which one must match for the condition to hold: one positive term of every alternative. Undefined: there are none. */
  private necessary(condition: Condition, shared: () => ReadonlyMap<string, number>): number[] | undefined {
    const { model } = this.context;
    if (condition.unless || condition.anyOf.length === 0) return undefined;
    if (!condition.anyOf.every((suite) => suite.every((term) => term.acls.every((index) => leavesNoTrace(model.acls[index]))))) return undefined;
    const out: number[] = [];
    for (const suite of condition.anyOf) {
      let best: AclTerm | undefined;
      let fewest = Infinity;
      for (const term of suite) {
        if (!this.canBeKey(term)) continue;
        let rules = 0;
        // Where there is a choice, the term that the fewest rules share.
        if (suite.length > 1) for (const index of term.acls) for (const key of this.keysOf(index)) rules += shared().get(key) ?? 0;
        if (rules < fewest) {
          fewest = rules;
          best = term;
        }
      }
      if (best === undefined) return undefined;
      out.push(...best.acls);
    }
    return out;
  }
}
