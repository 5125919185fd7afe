/**
 * Patterns of one set, indexed by match method so that a look-up does not walk the list: exact → Map, prefix → trie, suffix → Map per
 * length, words (dir, dom) → trie from every word on, addresses → prefix lengths, integers → Map and ranges. Only `sub` and `reg` walk.
 * Made when first needed, or in steps before a plan is put in force; `find` allocates nothing but what the method needs.
 */
import { NetworkMap, parseNetwork } from '../base/ip.ts';
import { atOnce } from '../base/slices.ts';
import { compileRegex } from '../config/expression/regex.ts';
import { intRange, type IntRange } from '../config/expression/patterns.ts';
import type { MatchMethod, PatternEntry } from '../model/expression.ts';
import type { SampleValue } from './subject.ts';
import { directoryDelimiters, domainDelimiters, PrefixTrie, type Delimiters } from './prefix-trie.ts';
import { foldCase, lengthOf, toInt, toIp, wholeText } from './values.ts';

/** Index of the first matching entry (see each method for which one wins), -1 = none. */
type Finder = (value: SampleValue) => number;
/** Makes a finder in steps of some entries. */
type Making = Generator<undefined, Finder>;

const entriesPerStep = 200;

/** True where the making may pause. */
function isPause(index: number): boolean {
  return index % entriesPerStep === entriesPerStep - 1;
}

function foldedText(value: SampleValue): string {
  return foldCase(wholeText(value));
}

type Reader = (value: SampleValue) => string;

function* exact(keys: readonly string[], read: Reader): Making {
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) return (value) => (read(value) === only ? 0 : -1);
  const map = new Map<string, number>();
  for (const [index, key] of keys.entries()) {
    if (!map.has(key)) map.set(key, index);
    if (isPause(index)) yield;
  }
  return (value) => map.get(read(value)) ?? -1;
}

/** The longest prefix wins; for ACLs any would do. */
function* prefix(keys: readonly string[], ignoreCase: boolean): Making {
  const [only] = keys;
  if (keys.length === 1 && only !== undefined && !ignoreCase) return (value) => (wholeText(value).startsWith(only) ? 0 : -1);
  const trie = new PrefixTrie(ignoreCase);
  const first = yield* firstByNode(trie, keys);
  return (value) => {
    const text = wholeText(value);
    let best = first[0] ?? -1;
    for (let i = 0, node = 0; i < text.length; i++) {
      node = trie.step(node, text.charCodeAt(i));
      if (node === 0) break;
      best = first[node] ?? best;
    }
    return best;
  };
}

/** Per node of the trie, the first entry that ends there. */
function* firstByNode(trie: PrefixTrie, keys: readonly string[]): Generator<undefined, readonly (number | undefined)[]> {
  const first: (number | undefined)[] = [];
  for (const [index, key] of keys.entries()) {
    const node = trie.insert(key);
    while (first.length <= node) first.push(undefined);
    first[node] ??= index;
    if (isPause(index)) yield;
  }
  return first;
}

/** The first entry of the list that fits wins. */
function* suffix(keys: readonly string[], read: Reader): Making {
  const byLength = new Map<number, Map<string, number>>();
  for (const [index, key] of keys.entries()) {
    const level = byLength.get(key.length) ?? new Map<string, number>();
    if (!level.has(key)) level.set(key, index);
    byLength.set(key.length, level);
    if (isPause(index)) yield;
  }
  const levels = [...byLength];
  return (value) => {
    const text = read(value);
    let best = -1;
    for (const [length, level] of levels) {
      if (length > text.length) continue;
      const found = level.get(text.slice(text.length - length));
      if (found !== undefined && (best < 0 || found < best)) best = found;
    }
    return best;
  };
}

function substring(keys: readonly string[], read: Reader): Finder {
  return (value) => {
    const text = read(value);
    for (let i = 0; i < keys.length; i++) if (text.includes(keys[i] ?? '')) return i;
    return -1;
  };
}

/** Whole words between delimiters; a key may itself contain delimiters and then spans several words. The first entry wins. */
function* words(keys: readonly string[], ignoreCase: boolean, delimiters: Delimiters): Making {
  const trie = new PrefixTrie(ignoreCase);
  const first = yield* firstByNode(trie, keys.map((key) => delimiters.trim(key)));
  return (value) => {
    const text = wholeText(value);
    let best = -1;
    for (let start = 0; start <= text.length; start = delimiters.nextWord(text, start)) {
      for (let i = start, node = 0; i < text.length;) {
        node = trie.step(node, text.charCodeAt(i++));
        if (node === 0) break;
        const index = first[node];
        if (index !== undefined && (best < 0 || index < best) && (i === text.length || delimiters.has(text.charCodeAt(i)))) best = index;
      }
    }
    return best;
  };
}

function* expressions(entries: readonly PatternEntry[], ignoreCase: boolean): Making {
  const compiled: ReturnType<typeof compileRegex>[] = [];
  for (const [index, entry] of entries.entries()) {
    compiled.push(compileRegex(entry.key, ignoreCase));
    if (isPause(index)) yield;
  }
  return (value) => {
    const text = wholeText(value);
    for (let i = 0; i < compiled.length; i++) {
      const regex = compiled[i];
      if (regex instanceof RegExp && regex.test(text)) return i;
    }
    return -1;
  };
}

function* integers(entries: readonly PatternEntry[], read: (value: SampleValue) => number | undefined): Making {
  const single = new Map<number, number>();
  const ranges: { readonly range: IntRange; readonly index: number }[] = [];
  for (const [index, entry] of entries.entries()) {
    if (isPause(index)) yield;
    const range = intRange(entry.key);
    if (range === undefined) continue;
    if (range.min === range.max) {
      if (!single.has(range.min)) single.set(range.min, index);
    } else ranges.push({ range, index });
  }
  return (value) => {
    const number = read(value);
    if (number === undefined) return -1;
    let best = single.get(number) ?? -1;
    for (const { range, index } of ranges) {
      if (best >= 0 && index > best) break;
      if (number >= range.min && number <= range.max) { best = index; break; }
    }
    return best;
  };
}

function* addresses(entries: readonly PatternEntry[]): Making {
  const map = new NetworkMap<number>();
  for (const [index, entry] of entries.entries()) {
    const network = parseNetwork(entry.key);
    if (network !== undefined) map.add(network, index);
    if (isPause(index)) yield;
  }
  return (value) => {
    const ip = toIp(value);
    return ip === undefined ? -1 : map.get(ip) ?? -1;
  };
}

/** Where there is nothing to prepare. */
function* made(finder: Finder): Making {
  yield;
  return finder;
}

function makeFinder(method: MatchMethod, ignoreCase: boolean, entries: readonly PatternEntry[]): Making {
  const read = ignoreCase ? foldedText : wholeText;
  const keys = entries.map((entry) => (ignoreCase ? foldCase(entry.key) : entry.key));
  switch (method) {
    case 'str': return exact(keys, read);
    case 'beg': return prefix(entries.map((entry) => entry.key), ignoreCase);
    case 'end': return suffix(keys, read);
    case 'sub': return made(substring(keys, read));
    case 'dir': return words(keys, ignoreCase, directoryDelimiters);
    case 'dom': return words(keys, ignoreCase, domainDelimiters);
    case 'reg': return expressions(entries, ignoreCase);
    case 'int': return integers(entries, toInt);
    case 'len': return integers(entries, lengthOf);
    case 'ip': return addresses(entries);
    case 'bin': return exact(entries.map((entry) => Buffer.from(entry.key, 'hex').toString('latin1')), wholeText);
    default: return made(() => -1);
  }
}

export class PatternIndex {
  readonly id: number;
  readonly method: MatchMethod;
  readonly ignoreCase: boolean;
  entries: readonly PatternEntry[];
  /** Counts changes, for what is derived from this set. */
  version = 0;
  private finder: Finder | null = null;

  constructor(id: number, method: MatchMethod, ignoreCase: boolean, entries: readonly PatternEntry[]) {
    this.id = id;
    this.method = method;
    this.ignoreCase = ignoreCase;
    this.entries = entries;
  }

  /** In steps of some entries; nothing when it has been done. Whoever looks up before has it done at once. */
  *build(): Generator<undefined> {
    const { entries } = this;
    if (this.finder !== null) return;
    const finder = yield* makeFinder(this.method, this.ignoreCase, entries);
    // They may have been replaced meanwhile.
    if (this.entries === entries) this.finder = finder;
  }

  private placeOf(value: SampleValue): number {
    if (this.finder === null) atOnce(this.build());
    return this.finder === null ? -1 : this.finder(value);
  }

  /** The entry that matches, undefined when none does. */
  find(value: SampleValue): PatternEntry | undefined {
    const index = this.placeOf(value);
    return index < 0 ? undefined : this.entries[index];
  }

  matches(value: SampleValue): boolean {
    return this.placeOf(value) >= 0;
  }

  replace(entries: readonly PatternEntry[]): void {
    this.entries = entries;
    this.finder = null;
    this.version++;
  }
}
