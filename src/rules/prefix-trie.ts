/**
 * Prefixes of texts in a trie: finds the longest one, or all of them, in one walk over the text. Used by pattern-index.ts and by
 * the shared look-up of use_backend rules. Letters of either case share a path when case is ignored: no folding at run time.
 */

class TrieNode {
  /** -1: no prefix ends here. */
  value = -1;
  children: Map<number, TrieNode> | null = null;
}

function otherCase(code: number): number {
  if (code >= 65 && code <= 90) return code + 32;
  if (code >= 97 && code <= 122) return code - 32;
  return code;
}

export class PrefixTrie {
  private readonly root = new TrieNode();
  private readonly ignoreCase: boolean;

  constructor(ignoreCase: boolean) {
    this.ignoreCase = ignoreCase;
  }

  /** Adds a prefix; the first value of equal prefixes stays and is given back. */
  add(key: string, value: number): number {
    let node = this.root;
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i);
      node.children ??= new Map();
      let next = node.children.get(code);
      if (next === undefined) {
        next = new TrieNode();
        node.children.set(code, next);
        if (this.ignoreCase) node.children.set(otherCase(code), next);
      }
      node = next;
    }
    if (node.value < 0) node.value = value;
    return node.value;
  }

  /** Value of the longest prefix of `text`, -1 = none. */
  longest(text: string): number {
    let node = this.root;
    let best = node.value;
    for (let i = 0; i < text.length; i++) {
      const next = node.children?.get(text.charCodeAt(i));
      if (next === undefined) break;
      node = next;
      if (node.value >= 0) best = node.value;
    }
    return best;
  }

  /** Appends `lists[value]` of every prefix of `text` to `out`, shortest first. */
  collect(text: string, lists: readonly (readonly number[])[], out: number[]): void {
    let node: TrieNode | undefined = this.root;
    for (let i = 0; node !== undefined; i++) {
      const list = node.value >= 0 ? lists[node.value] : undefined;
      if (list !== undefined) for (let k = 0; k < list.length; k++) out.push(list[k] ?? 0);
      node = i < text.length ? node.children?.get(text.charCodeAt(i)) : undefined;
    }
  }
}
