/**
 * Which rules of a chain a value makes possible: one walk over the text (or one look-up of the address) per match method in use,
 * whatever the number of rules. Used by rule-index.ts alone. Never decides on a rule: it names candidates.
 */
import { NetworkMap, parseNetwork } from '../base/ip.ts';
import type { MatchMethod, SampleExpr } from '../model/expression.ts';
import { compileAny } from './compile-sample.ts';
import { directoryDelimiters, domainDelimiters, PrefixTrie, type Delimiters } from './prefix-trie.ts';
import type { SampleValue, Subject } from './subject.ts';
import type { CompileContext } from './types.ts';
import { foldCase, toIp, wholeText } from './values.ts';

/** Rules that share one key, ascending. */
class RuleList {
  readonly rules: number[] = [];
  /** Run of `Matches` that holds this list. */
  run = 0;
  /** Place of the next rule. */
  at = 0;

  add(rule: number): void {
    if (this.rules.at(-1) !== rule) this.rules.push(rule);
  }
}

/** Place of the first number that is not below `from`. */
export function placeOf(ascending: readonly number[], from: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? Infinity) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** With more lists than this, sorting their numbers once is cheaper than looking for the lowest head each time. */
const separateListsMax = 8;

/** Lists whose key the subject has, read together in ascending order. A list counts once, however often its key is found. */
export class Matches {
  private run = 0;
  private count = 0;
  private readonly lists: RuleList[] = [];
  private readonly merged = new RuleList();

  clear(): void {
    this.run++;
    this.count = 0;
  }

  add(list: RuleList | undefined): void {
    if (list === undefined || list.run === this.run) return;
    list.run = this.run;
    this.lists[this.count++] = list;
  }

  /** Goes to the first rule that is not below `from`. */
  seek(from: number): void {
    if (this.count > separateListsMax) this.merge();
    for (let i = 0; i < this.count; i++) {
      const list = this.lists[i];
      if (list !== undefined) list.at = from === 0 ? 0 : placeOf(list.rules, from);
    }
  }

  private merge(): void {
    const all = this.merged.rules;
    all.length = 0;
    for (let i = 0; i < this.count; i++) for (const rule of this.lists[i]?.rules ?? []) all.push(rule);
    all.sort((a, b) => a - b);
    this.lists[0] = this.merged;
    this.count = 1;
  }

  /** The lowest rule left, Infinity = none. */
  first(): number {
    let lowest = Infinity;
    for (let i = 0; i < this.count; i++) {
      const list = this.lists[i];
      const rule = list?.rules[list.at];
      if (rule !== undefined && rule < lowest) lowest = rule;
    }
    return lowest;
  }

  /** Takes `rule`, the lowest one, out of every list. */
  pass(rule: number): void {
    for (let i = 0; i < this.count; i++) {
      const list = this.lists[i];
      if (list !== undefined) while (list.rules[list.at] === rule) list.at++;
    }
  }
}

/** Keys of one method, as nodes of a trie. */
class TextKeys {
  readonly trie: PrefixTrie;
  private readonly lists: (RuleList | undefined)[] = [];

  constructor(ignoreCase: boolean) {
    this.trie = new PrefixTrie(ignoreCase);
  }

  add(key: string, rule: number): void {
    const node = this.trie.insert(key);
    while (this.lists.length <= node) this.lists.push(undefined);
    const list = this.lists[node] ??= new RuleList();
    list.add(rule);
  }

  at(node: number): RuleList | undefined {
    return this.lists[node];
  }
}

type Walk = (text: string, keys: TextKeys, into: Matches) => void;

function walkFrom(text: string, start: number, keys: TextKeys, into: Matches): void {
  for (let i = start, node = 0; i < text.length; i++) {
    node = keys.trie.step(node, text.charCodeAt(i));
    if (node === 0) return;
    into.add(keys.at(node));
  }
}

const walkPrefixes: Walk = (text, keys, into) => {
  into.add(keys.at(0));
  walkFrom(text, 0, keys, into);
};

/** The keys are in the trie from their last character to their first. */
const walkSuffixes: Walk = (text, keys, into) => {
  into.add(keys.at(0));
  for (let i = text.length - 1, node = 0; i >= 0; i--) {
    node = keys.trie.step(node, text.charCodeAt(i));
    if (node === 0) return;
    into.add(keys.at(node));
  }
};

const walkParts: Walk = (text, keys, into) => {
  into.add(keys.at(0));
  for (let start = 0; start < text.length; start++) walkFrom(text, start, keys, into);
};

function walkWords(delimiters: Delimiters): Walk {
  return (text, keys, into) => {
    for (let start = 0; start < text.length; start = delimiters.nextWord(text, start)) {
      for (let i = start, node = 0; i < text.length;) {
        node = keys.trie.step(node, text.charCodeAt(i++));
        if (node === 0) break;
        if (i === text.length || delimiters.has(text.charCodeAt(i))) into.add(keys.at(node));
      }
    }
  };
}

const walks: Readonly<Partial<Record<MatchMethod, Walk>>> = {
  beg: walkPrefixes, end: walkSuffixes, sub: walkParts, dir: walkWords(directoryDelimiters), dom: walkWords(domainDelimiters),
};

/** Methods that a look-up knows. */
export function isLookedUp(method: MatchMethod): boolean {
  return method === 'ip' || method === 'str' || walks[method] !== undefined;
}

function keyInTrie(method: MatchMethod, key: string): string {
  if (method === 'end') return key.split('').toReversed().join('');
  if (method === 'dir') return directoryDelimiters.trim(key);
  return method === 'dom' ? domainDelimiters.trim(key) : key;
}

/** Whole texts. One hash of the text is cheaper than a walk: ten thousand host names share their ends, not their beginnings. */
class ExactKeys {
  private readonly lists = new Map<string, RuleList>();
  private readonly ignoreCase: boolean;

  constructor(ignoreCase: boolean) {
    this.ignoreCase = ignoreCase;
  }

  get isEmpty(): boolean {
    return this.lists.size === 0;
  }

  add(key: string, rule: number): void {
    const text = this.ignoreCase ? foldCase(key) : key;
    let list = this.lists.get(text);
    if (list === undefined) {
      list = new RuleList();
      this.lists.set(text, list);
    }
    list.add(rule);
  }

  collect(text: string, into: Matches): void {
    into.add(this.lists.get(this.ignoreCase ? foldCase(text) : text));
  }
}

/** Networks by prefix length: all that hold an address, not only the narrowest. */
class NetworkKeys {
  private readonly levels = new Map<string, { readonly map: NetworkMap<RuleList>; readonly lists: Map<string, RuleList> }>();
  private readonly maps: NetworkMap<RuleList>[] = [];

  add(key: string, rule: number): void {
    const network = parseNetwork(key);
    if (network === undefined) return;
    const name = `${network.family}/${network.bits}`;
    let level = this.levels.get(name);
    if (level === undefined) {
      level = { map: new NetworkMap(), lists: new Map() };
      this.levels.set(name, level);
      this.maps.push(level.map);
    }
    const bytes = network.bytes.join('.');
    let list = level.lists.get(bytes);
    if (list === undefined) {
      list = new RuleList();
      level.lists.set(bytes, list);
      level.map.add(network, list);
    }
    list.add(rule);
  }

  collect(value: SampleValue, into: Matches): void {
    if (this.maps.length === 0) return;
    const ip = toIp(value);
    if (ip !== undefined) for (let i = 0; i < this.maps.length; i++) into.add(this.maps[i]?.get(ip));
  }
}

/** Rules by value, for one sample expression. Rules are added in ascending order. */
export class SharedLookup {
  readonly expr: SampleExpr;
  /** Adds the rules that the values of the expression make possible to the matches. */
  readonly run: (s: Subject) => void;
  private readonly texts: { readonly method: MatchMethod; readonly walk: Walk; readonly keys: TextKeys }[] = [];
  private readonly exact = new ExactKeys(false);
  private readonly exactFolded = new ExactKeys(true);
  private readonly networks = new NetworkKeys();

  constructor(expr: SampleExpr, matches: Matches, context: CompileContext) {
    this.expr = expr;
    const { texts, exact, exactFolded, networks } = this;
    const look = (value: SampleValue): boolean => {
      if (texts.length > 0 || !exact.isEmpty || !exactFolded.isEmpty) {
        const text = wholeText(value);
        if (!exact.isEmpty) exact.collect(text, matches);
        if (!exactFolded.isEmpty) exactFolded.collect(text, matches);
        for (let i = 0; i < texts.length; i++) {
          const one = texts[i];
          if (one !== undefined) one.walk(text, one.keys, matches);
        }
      }
      networks.collect(value, matches);
      return false;
    };
    this.run = compileAny(expr, look, context);
  }

  add(method: MatchMethod, ignoreCase: boolean, key: string, rule: number): void {
    if (method === 'ip') {
      this.networks.add(key, rule);
      return;
    }
    if (method === 'str') {
      (ignoreCase ? this.exactFolded : this.exact).add(key, rule);
      return;
    }
    const walk = walks[method];
    if (walk === undefined) return;
    let one = this.texts.find((each) => each.method === method && each.keys.trie.ignoreCase === ignoreCase);
    if (one === undefined) {
      one = { method, walk, keys: new TextKeys(ignoreCase) };
      this.texts.push(one);
    }
    one.keys.add(keyInTrie(method, key), rule);
  }
}
