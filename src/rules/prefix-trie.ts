/**
 * Texts in a trie: one walk over a value finds every key that begins there. Used by pattern-index.ts and rule-lookup.ts. Flat arrays,
 * about twenty bytes per node: sets of a million keys stay small, and a step is one probe of a hash table. Never looks at more of a
 * value than its longest key. Nodes are numbers, the root is 0.
 */

const slotsAtStart = 64;

export class PrefixTrie {
  readonly ignoreCase: boolean;
  private nodes = 1;
  // Edges in an open hash table: `ends` 0 marks a free slot, the root being nobody's child.
  private starts = new Int32Array(slotsAtStart);
  private codes = new Uint16Array(slotsAtStart);
  private ends = new Int32Array(slotsAtStart);

  constructor(ignoreCase: boolean) {
    this.ignoreCase = ignoreCase;
  }

  /** Child of `node`, 0 = none. */
  step(node: number, character: number): number {
    const code = this.ignoreCase ? folded(character) : character;
    const { starts, codes, ends } = this;
    const mask = ends.length - 1;
    for (let at = slotOf(node, code) & mask; ; at = (at + 1) & mask) {
      const end = ends[at] ?? 0;
      if (end === 0 || (starts[at] === node && codes[at] === code)) return end;
    }
  }

  /** The node where the key ends. */
  insert(key: string): number {
    let node = 0;
    for (let i = 0; i < key.length; i++) {
      const character = key.charCodeAt(i);
      const next = this.step(node, character);
      node = next === 0 ? this.grow(node, this.ignoreCase ? folded(character) : character) : next;
    }
    return node;
  }

  private grow(node: number, code: number): number {
    if (this.nodes * 2 > this.ends.length) this.widen();
    const end = this.nodes++;
    this.place(node, code, end);
    return end;
  }

  private place(node: number, code: number, end: number): void {
    const mask = this.ends.length - 1;
    let at = slotOf(node, code) & mask;
    while (this.ends[at] !== 0) at = (at + 1) & mask;
    this.starts[at] = node;
    this.codes[at] = code;
    this.ends[at] = end;
  }

  private widen(): void {
    const { starts, codes, ends } = this;
    const size = ends.length * 2;
    this.starts = new Int32Array(size);
    this.codes = new Uint16Array(size);
    this.ends = new Int32Array(size);
    for (let at = 0; at < ends.length; at++) if (ends[at] !== 0) this.place(starts[at] ?? 0, codes[at] ?? 0, ends[at] ?? 0);
  }
}

/** Letters of ASCII only, as HAProxy compares. */
function folded(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code;
}

function slotOf(node: number, code: number): number {
  const mixed = Math.imul(Math.imul(node, 0x9e3779b1) ^ code, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

/** Characters that end a word. */
export class Delimiters {
  private readonly table = new Uint8Array(256);

  constructor(characters: string) {
    for (let i = 0; i < characters.length; i++) this.table[characters.charCodeAt(i)] = 1;
  }

  has(code: number): boolean {
    return this.table[code] === 1;
  }

  /** The key without delimiters around it; '' never matches. */
  trim(key: string): string {
    let from = 0;
    let to = key.length;
    while (from < to && this.has(key.charCodeAt(from))) from++;
    while (to > from && this.has(key.charCodeAt(to - 1))) to--;
    return key.slice(from, to);
  }

  /** Position behind the next delimiter; past the end of the text when there is none. */
  nextWord(text: string, from: number): number {
    let at = from;
    while (at < text.length && !this.has(text.charCodeAt(at))) at++;
    return at + 1;
  }
}

export const directoryDelimiters = new Delimiters('/?');
export const domainDelimiters = new Delimiters('/?.:');
