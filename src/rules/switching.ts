/**
 * `use_backend` rules as one function. Rules whose condition rests on path, host or other plain text tests go into a shared look-up:
 * the text is read once, one hash or trie walk tells which rules can be true at all, and only those are tested, in their order. What
 * does not fit is tested as written. The outcome is that of testing every rule in order.
 */
import type { Acl, Condition, SampleExpr, SwitchRule } from '../model/expression.ts';
import type { Model, Proxy } from '../model/model.ts';
import type { ConditionCompiler } from './compile-condition.ts';
import { compileAny } from './compile-sample.ts';
import { PrefixTrie } from './prefix-trie.ts';
import type { SampleValue, Subject } from './subject.ts';
import type { CompileContext, FormatFn, TestFn } from './types.ts';
import { bytesToText, toText } from './values.ts';

/** Chooses; -1 = no rule applies. */
type Choose = (s: Subject) => number;

/** Rule numbers by value, for one sample expression and match method. */
class SharedLookup {
  /** Appends the rules that a value makes possible to the candidates. */
  readonly run: (s: Subject) => void;
  private readonly exact = new Map<string, number[]>();
  private readonly exactFolded = new Map<string, number[]>();
  private readonly tries: { readonly trie: PrefixTrie; readonly rules: number[][] }[] = [];
  private readonly ignoring: { readonly trie: PrefixTrie; readonly rules: number[][] };
  private readonly minding: { readonly trie: PrefixTrie; readonly rules: number[][] };

  constructor(expr: SampleExpr, candidates: number[], context: CompileContext) {
    this.minding = { trie: new PrefixTrie(false), rules: [] };
    this.ignoring = { trie: new PrefixTrie(true), rules: [] };
    const look = (value: SampleValue): boolean => {
      const text = value instanceof Uint8Array ? bytesToText(value) : toText(value);
      const same = this.exact.get(text);
      if (same !== undefined) candidates.push(...same);
      if (this.exactFolded.size > 0) {
        const folded = this.exactFolded.get(text.toLowerCase());
        if (folded !== undefined) candidates.push(...folded);
      }
      for (const { trie, rules } of this.tries) trie.collect(text, rules, candidates);
      return false;
    };
    this.run = compileAny(expr, look, context);
  }

  addExact(key: string, ignoreCase: boolean, rule: number): void {
    const map = ignoreCase ? this.exactFolded : this.exact;
    const folded = ignoreCase ? key.toLowerCase() : key;
    const list = map.get(folded);
    if (list === undefined) map.set(folded, [rule]);
    else if (list.at(-1) !== rule) list.push(rule);
  }

  addPrefix(key: string, ignoreCase: boolean, rule: number): void {
    const target = ignoreCase ? this.ignoring : this.minding;
    if (target.rules.length === 0) this.tries.push(target);
    const index = target.trie.add(key, target.rules.length);
    const list = target.rules[index];
    if (list === undefined) target.rules.push([rule]);
    else if (list.at(-1) !== rule) list.push(rule);
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** Too few rules to be worth a look-up. */
const sharedRulesMin = 4;

export interface SwitchParts {
  readonly model: Model;
  readonly context: CompileContext;
  readonly conditions: ConditionCompiler;
  /** Target of a rule for this subject; -1 = the name made at run time does not exist. */
  target(rule: SwitchRule): Choose;
}

/** ACLs that can go into a look-up: exact or prefix tests on texts, with patterns that only change through `rebuild`. */
function indexable(acl: Acl | undefined): acl is Acl {
  return acl !== undefined && (acl.method === 'str' || acl.method === 'beg') && acl.patterns.length > 0;
}

/**
 * ACLs of which at least one must match for the condition to be true; undefined when there is no such set of indexable ones. From
 * every alternative one positive term is taken.
 */
function necessaryAcls(condition: Condition | null, model: Model): number[] | undefined {
  if (condition === null || condition.unless || condition.anyOf.length === 0) return undefined;
  const out: number[] = [];
  for (const suite of condition.anyOf) {
    const key = suite.find((term) => !term.negate && term.acls.every((index) => indexable(model.acls[index])));
    if (key === undefined) return undefined;
    out.push(...key.acls);
  }
  return out;
}

export class Switching {
  /** Counts condition tests, for the test that shows what the look-up saves. */
  tests = 0;
  /** Pattern sets the look-up was built from. */
  readonly patternIds: ReadonlySet<number>;
  private readonly rules: readonly SwitchRule[];
  private readonly parts: SwitchParts;
  private readonly conditionTests: readonly TestFn[];
  private readonly targets: readonly Choose[];
  private lookups: readonly SharedLookup[] = [];
  /** Rules outside of the look-up, ascending. */
  private always: readonly number[] = [];
  private readonly candidates: number[] = [];
  private readonly fallback: number;

  constructor(rules: readonly SwitchRule[], fallback: number, parts: SwitchParts) {
    this.rules = rules;
    this.parts = parts;
    this.fallback = fallback;
    this.conditionTests = rules.map((rule) => parts.conditions.condition(rule.condition));
    this.targets = rules.map((rule) => parts.target(rule));
    this.patternIds = new Set(rules.flatMap((rule) => necessaryAcls(rule.condition, parts.model) ?? []).flatMap((index) => parts.model.acls[index]?.patterns ?? []));
    this.rebuild();
  }

  /** Builds the look-up from the patterns in force. Called again when one of `patternIds` changes. */
  rebuild(): void {
    const { model, context } = this.parts;
    const byExpression = new Map<string, SharedLookup>();
    const always: number[] = [];
    for (const [number, rule] of this.rules.entries()) {
      const acls = this.rules.length < sharedRulesMin ? undefined : necessaryAcls(rule.condition, model);
      if (acls === undefined) {
        always.push(number);
        continue;
      }
      for (const index of acls) {
        const acl = model.acls[index];
        if (acl === undefined) continue;
        const key = JSON.stringify([acl.expr.fetch, acl.expr.converters]);
        let lookup = byExpression.get(key);
        if (lookup === undefined) {
          lookup = new SharedLookup(acl.expr, this.candidates, context);
          byExpression.set(key, lookup);
        }
        for (const id of acl.patterns) {
          const set = context.patterns(id);
          for (const entry of set.entries) {
            if (acl.method === 'str') lookup.addExact(entry.key, set.ignoreCase, number);
            else lookup.addPrefix(entry.key, set.ignoreCase, number);
          }
        }
      }
    }
    this.lookups = [...byExpression.values()];
    this.always = always;
  }

  private applies(rule: number, s: Subject): number {
    this.tests++;
    return this.conditionTests[rule]?.(s) === true ? this.targets[rule]?.(s) ?? -1 : -1;
  }

  choose(s: Subject): number {
    const { candidates } = this;
    candidates.length = 0;
    for (let i = 0; i < this.lookups.length; i++) this.lookups[i]?.run(s);
    if (candidates.length > 1) candidates.sort(ascending);
    const { always } = this;
    let a = 0;
    let c = 0;
    while (a < always.length || c < candidates.length) {
      const fromAlways = always[a] ?? Infinity;
      const fromLookup = candidates[c] ?? Infinity;
      let next = fromAlways;
      if (fromLookup < fromAlways) {
        next = fromLookup;
        while (candidates[c] === next) c++;
      } else a++;
      const target = this.applies(next, s);
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
