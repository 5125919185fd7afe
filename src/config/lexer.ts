/**
 * One configuration line → words, as HAProxy cuts them (configuration manual 2.2 and 2.3): blanks, `#`, backslash escapes,
 * weak and strong quotes, environment variables inside weak quotes. Called by preprocess.ts for every line; knows no keyword.
 * Text is latin1: one character per byte of the file, so that escapes like \xNN and UTF-8 text keep their bytes.
 */
import { limits } from '../model/limits.ts';

/** Gives the value of an environment variable or of `.FILE`, `.LINE`, `.SECTION`; undefined = not set. */
export type Variables = (name: string) => string | undefined;

export interface LexFault {
  /** One sentence without full stop. */
  readonly message: string;
  /** Column of the fault, from 1. */
  readonly column: number;
  readonly remedy: string;
}

/** `unset`: environment variables that were expanded to nothing because they are not set and have no default. */
type Words = { readonly words: readonly string[]; readonly fault: null; readonly unset: readonly string[] } | { readonly words: null; readonly fault: LexFault };

const simpleEscapes: Readonly<Record<string, string>> = {
  ' ': ' ', '\\': '\\', '#': '#', "'": "'", '"': '"', $: '$', t: '\t', n: '\n', r: '\r',
};

function isBlank(char: string): boolean {
  return char === ' ' || (char >= '\t' && char <= '\r');
}

class LineLexer {
  private readonly text: string;
  private readonly variables: Variables;
  private at = 0;
  private word = '';
  private started = false;
  private readonly words: string[] = [];
  private readonly unset: string[] = [];

  constructor(text: string, variables: Variables) {
    this.text = text;
    this.variables = variables;
  }

  split(): Words {
    let quote = '';
    let quoteAt = 0;
    while (this.at < this.text.length) {
      const char = this.text.charAt(this.at);
      if (quote === '' && char === '#') break;
      if (quote === '' && isBlank(char)) {
        this.endWord();
        this.at += 1;
      } else if ((char === '"' && quote !== "'") || (char === "'" && quote !== '"')) {
        quote = quote === '' ? char : '';
        quoteAt = this.at;
        this.started = true;
        this.at += 1;
      } else {
        const fault = this.readChar(char, quote);
        if (fault !== null) return { words: null, fault };
      }
      if (this.words.length > limits.configLineWordsMax) return this.tooLong(`more than ${limits.configLineWordsMax} words`);
    }
    if (quote !== '') {
      return { words: null, fault: { message: 'unmatched quote', column: quoteAt + 1, remedy: `close it with ${quote}, or write \\${quote} for the character itself` } };
    }
    this.endWord();
    return { words: this.words, fault: null, unset: this.unset };
  }

  private tooLong(what: string): Words {
    return { words: null, fault: { message: `the line has ${what}`, column: this.at + 1, remedy: 'split it into several lines, or move patterns to a file and name it with -f' } };
  }

  private endWord(): void {
    if (!this.started) return;
    this.words.push(this.word);
    this.word = '';
    this.started = false;
  }

  private readChar(char: string, quote: string): LexFault | null {
    if (char === '\\' && quote !== "'") return this.readEscape();
    if (char === '$' && quote === '"') return this.readVariable();
    this.word += char;
    this.started = true;
    this.at += 1;
    return null;
  }

  private readEscape(): LexFault | null {
    const next = this.text.charAt(this.at + 1);
    this.started = true;
    const plain = next === '' ? undefined : simpleEscapes[next];
    if (plain !== undefined) {
      this.word += plain;
      this.at += 2;
    } else if (next === 'x') {
      const digits = this.text.slice(this.at + 2, this.at + 4);
      if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
        return { message: 'truncated or invalid hexadecimal sequence', column: this.at + 1, remedy: 'write \\x and two hexadecimal digits, or \\\\x for the characters themselves' };
      }
      this.word += String.fromCharCode(Number.parseInt(digits, 16));
      this.at += 4;
    } else {
      // Any other combination is not an escape: the backslash stands for itself (regular expressions rely on it).
      this.word += '\\';
      this.at += 1;
    }
    return null;
  }

  /** `$NAME`, `${NAME}`, `${NAME-default}`, `${NAME[*]}`, at a dollar sign inside weak quotes. */
  private readVariable(): LexFault | null {
    const open = this.at + 1;
    const braces = this.text.charAt(open) === '{';
    let end = braces ? open + 1 : open;
    const nameAt = end;
    if (!/[A-Za-z_.]/.test(this.text.charAt(end))) {
      return { message: 'forbidden first character in an environment variable name', column: end + 1, remedy: 'write \\$ for a dollar sign, or use single quotes' };
    }
    end += 1;
    while (/[A-Za-z0-9_]/.test(this.text.charAt(end))) end += 1;
    const nameEnd = end;
    let value = this.variables(this.text.slice(nameAt, nameEnd));
    let expand = false;
    if (braces) {
      if (this.text.charAt(end) === '[') {
        if (this.text.slice(end, end + 3) !== '[*]') {
          return { message: "only '[*]' may stand in brackets after an environment variable name", column: end + 1, remedy: 'write "${NAME[*]}"' };
        }
        expand = true;
        end += 3;
      }
      if (this.text.charAt(end) === '-') {
        const close = this.text.indexOf('}', end);
        if (close >= 0) {
          value ??= this.text.slice(end + 1, close);
          end = close;
        }
      }
      if (this.text.charAt(end) !== '}') {
        return { message: 'unmatched brace in an environment variable name', column: open + 1, remedy: 'close it with }' };
      }
      end += 1;
    }
    if (value === undefined) this.unset.push(this.text.slice(nameAt, nameEnd));
    this.at = end;
    this.emitValue(value ?? '', expand);
    return null;
  }

  private emitValue(value: string, expand: boolean): void {
    if (!expand) {
      this.word += value;
      return;
    }
    const parts = value.split(/[ \t\n\v\f\r]+/);
    for (const [index, part] of parts.entries()) {
      if (index > 0) {
        this.words.push(this.word);
        this.word = '';
      }
      this.word += part;
    }
  }
}

/** What gives a character, or those behind it, another meaning; a line without is cut at its blanks. */
const special = /["#'$\\]/;
const plainWords = /[^\t-\r ]+/g;

/** Cuts one line. A CR at its end is a blank like any other. */
export function splitLine(text: string, variables: Variables): Words {
  if (text.length > limits.configLineBytesMax) {
    return { words: null, fault: { message: `the line is longer than ${limits.configLineBytesMax} bytes`, column: limits.configLineBytesMax, remedy: 'split it into several lines' } };
  }
  if (!special.test(text)) {
    const words = text.match(plainWords) ?? [];
    if (words.length <= limits.configLineWordsMax) return { words, fault: null, unset: [] };
  }
  return new LineLexer(text, variables).split();
}

/** Expands `$NAME` and `${NAME}` in an address, which HAProxy does outside of quotes too. Unset variables are empty. */
export function expandInAddress(text: string, variables: Variables): string {
  if (!text.includes('$')) return text;
  return text.replaceAll(/\$(?:\{([A-Za-z0-9_]*)\}|([A-Za-z0-9_]+))/g, (_, braced: string | undefined, bare: string | undefined) => variables(braced ?? bare ?? '') ?? '');
}
