/**
 * Patterns of one set, indexed by match method so that a look-up does not walk the list: exact → Map, prefix → trie, suffix → Map per
 * length, words (dir, dom) → Map by first word, addresses → prefix lengths, integers → Map and ranges. Only `sub` and `reg` walk.
 * Compiled at load and again when a set changes at run time; `find` allocates nothing but what the method needs.
 */
import { NetworkMap, parseNetwork } from '../base/ip.ts';
import { compileRegex } from '../config/expression/regex.ts';
import { intRange, type IntRange } from '../config/expression/patterns.ts';
import type { MatchMethod, PatternEntry } from '../model/expression.ts';
import type { SampleValue } from './subject.ts';
import { PrefixTrie } from './prefix-trie.ts';
import { bytesToText, lengthOf, toInt, toIp, toText } from './values.ts';

/** Index of the first matching entry (see each method for which one wins), -1 = none. */
type Finder = (value: SampleValue) => number;

/** Texts and binaries as latin1, whole (no cut at NUL). */
function wholeText(value: SampleValue): string {
  return value instanceof Uint8Array ? bytesToText(value) : toText(value);
}

function foldedText(value: SampleValue): string {
  return wholeText(value).toLowerCase();
}

type Reader = (value: SampleValue) => string;

function exact(keys: readonly string[], read: Reader): Finder {
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) return (value) => (read(value) === only ? 0 : -1);
  const map = new Map<string, number>();
  for (const [index, key] of keys.entries()) if (!map.has(key)) map.set(key, index);
  return (value) => map.get(read(value)) ?? -1;
}

/** The longest prefix wins; for ACLs any would do. */
function prefix(keys: readonly string[], ignoreCase: boolean): Finder {
  const [only] = keys;
  if (keys.length === 1 && only !== undefined && !ignoreCase) return (value) => (wholeText(value).startsWith(only) ? 0 : -1);
  const trie = new PrefixTrie(ignoreCase);
  for (const [index, key] of keys.entries()) trie.add(key, index);
  return (value) => trie.longest(wholeText(value));
}

/** The first entry of the list that fits wins. */
function suffix(keys: readonly string[], read: Reader): Finder {
  const byLength = new Map<number, Map<string, number>>();
  for (const [index, key] of keys.entries()) {
    const level = byLength.get(key.length) ?? new Map<string, number>();
    if (!level.has(key)) level.set(key, index);
    byLength.set(key.length, level);
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

/** Whole words between delimiters; a key may itself contain delimiters and then spans several words. */
function words(keys: readonly string[], read: Reader, delimiters: string): Finder {
  const isDelimiter = (c: string): boolean => delimiters.includes(c);
  const byWord = new Map<string, { readonly key: string; readonly index: number }[]>();
  for (const [index, raw] of keys.entries()) {
    let from = 0;
    let to = raw.length;
    while (from < to && isDelimiter(raw.charAt(from))) from++;
    while (to > from && isDelimiter(raw.charAt(to - 1))) to--;
    const key = raw.slice(from, to);
    // A key of delimiters only never matches.
    if (key === '') continue;
    let end = 0;
    while (end < key.length && !isDelimiter(key.charAt(end))) end++;
    const first = key.slice(0, end);
    byWord.set(first, [...(byWord.get(first) ?? []), { key, index }]);
  }
  return (value) => {
    const text = read(value);
    let best = -1;
    for (let start = 0; start <= text.length;) {
      let end = start;
      while (end < text.length && !isDelimiter(text.charAt(end))) end++;
      const candidates = byWord.get(text.slice(start, end));
      if (candidates !== undefined) {
        for (const { key, index } of candidates) {
          const after = start + key.length;
          if (text.startsWith(key, start) && (after === text.length || isDelimiter(text.charAt(after))) && (best < 0 || index < best)) best = index;
        }
      }
      start = end + 1;
    }
    return best;
  };
}

function expressions(entries: readonly PatternEntry[], ignoreCase: boolean): Finder {
  const compiled = entries.map((entry) => compileRegex(entry.key, ignoreCase));
  return (value) => {
    const text = wholeText(value);
    for (let i = 0; i < compiled.length; i++) {
      const regex = compiled[i];
      if (regex instanceof RegExp && regex.test(text)) return i;
    }
    return -1;
  };
}

function integers(entries: readonly PatternEntry[], read: (value: SampleValue) => number | undefined): Finder {
  const single = new Map<number, number>();
  const ranges: { readonly range: IntRange; readonly index: number }[] = [];
  for (const [index, entry] of entries.entries()) {
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

function addresses(entries: readonly PatternEntry[]): Finder {
  const map = new NetworkMap<number>();
  for (const [index, entry] of entries.entries()) {
    const network = parseNetwork(entry.key);
    if (network !== undefined) map.add(network, index);
  }
  return (value) => {
    const ip = toIp(value);
    return ip === undefined ? -1 : map.get(ip) ?? -1;
  };
}

function makeFinder(method: MatchMethod, ignoreCase: boolean, entries: readonly PatternEntry[]): Finder {
  const read = ignoreCase ? foldedText : wholeText;
  const keys = entries.map((entry) => (ignoreCase ? entry.key.toLowerCase() : entry.key));
  switch (method) {
    case 'str': return exact(keys, read);
    case 'beg': return prefix(entries.map((entry) => entry.key), ignoreCase);
    case 'end': return suffix(keys, read);
    case 'sub': return substring(keys, read);
    case 'dir': return words(keys, read, '/?');
    case 'dom': return words(keys, read, '/?.:');
    case 'reg': return expressions(entries, ignoreCase);
    case 'int': return integers(entries, toInt);
    case 'len': return integers(entries, lengthOf);
    case 'ip': return addresses(entries);
    case 'bin': return exact(entries.map((entry) => Buffer.from(entry.key, 'hex').toString('latin1')), wholeText);
    default: return () => -1;
  }
}

export class PatternIndex {
  readonly id: number;
  readonly method: MatchMethod;
  readonly ignoreCase: boolean;
  entries: readonly PatternEntry[];
  /** Counts changes, for what is derived from this set. */
  version = 0;
  private finder: Finder;

  constructor(id: number, method: MatchMethod, ignoreCase: boolean, entries: readonly PatternEntry[]) {
    this.id = id;
    this.method = method;
    this.ignoreCase = ignoreCase;
    this.entries = entries;
    this.finder = makeFinder(method, ignoreCase, entries);
  }

  /** The entry that matches, undefined when none does. */
  find(value: SampleValue): PatternEntry | undefined {
    const index = this.finder(value);
    return index < 0 ? undefined : this.entries[index];
  }

  matches(value: SampleValue): boolean {
    return this.finder(value) >= 0;
  }

  replace(entries: readonly PatternEntry[]): void {
    this.entries = entries;
    this.finder = makeFinder(this.method, this.ignoreCase, entries);
    this.version++;
  }
}
