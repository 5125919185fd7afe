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

  /** Shows the value of every prefix of `text`, shortest first. */
  each(text: string, visit: (value: number) => void): void {
    let node = this.root;
    if (node.value >= 0) visit(node.value);
    for (let i = 0; i < text.length; i++) {
      const next = node.children?.get(text.charCodeAt(i));
      if (next === undefined) return;
      node = next;
      if (node.value >= 0) visit(node.value);
    }
  }
}
