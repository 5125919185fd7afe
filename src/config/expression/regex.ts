/**
 * Regular expressions as HAProxy's users write them (PCRE) → JavaScript, for matching on latin1 strings. Called by the readers
 * (to check), by rules/ and by health checks (to compile at load). Never called while traffic runs, except for patterns that
 * the runtime socket adds. What JavaScript cannot express is refused with the reason instead of matching something else.
 */

interface Translated {
  readonly source: string;
  readonly flags: string;
}

interface Untranslatable {
  readonly error: string;
}

const posixClasses: Readonly<Record<string, string>> = {
  alpha: 'a-zA-Z', digit: '0-9', alnum: 'a-zA-Z0-9', upper: 'A-Z', lower: 'a-z', space: '\\t-\\r\\x20', blank: '\\t\\x20', punct: '!-\\/:-@\\[-`{-~',
  print: '\\x20-~', graph: '!-~', cntrl: '\\x00-\\x1f\\x7f', xdigit: '0-9a-fA-F', word: '\\w', ascii: '\\x00-\\x7f',
};

/** Class escapes: contents of a character class, and of its complement. */
const classEscapes: Readonly<Record<string, string>> = {
  h: '\\t\\x20\\xa0', H: '\\x00-\\x08\\n-\\x1f!-\\x9f\\xa1-\\uffff', s: '\\t-\\r\\x20', S: '\\x00-\\x08\\x0e-\\x1f!-\\uffff',
  v: '\\n-\\r\\x85', V: '\\x00-\\t\\x0e-\\x84\\x86-\\uffff', N: '\\x00-\\t\\x0b-\\uffff', d: '\\d', D: '\\D', w: '\\w', W: '\\W',
};

const atomEscapes: Readonly<Record<string, string>> = {
  A: '(?<![^])', z: '(?![^])', Z: '(?=\\n?(?![^]))', R: '(?:\\r\\n|[\\n-\\r\\x85])', C: '[^]', e: '\\x1b', a: '\\x07', f: '\\f', n: '\\n', r: '\\r', t: '\\t',
  b: '\\b', B: '\\B',
};

interface Options {
  i: boolean;
  m: boolean;
  s: boolean;
  x: boolean;
}

class TranslationFault extends Error {}

/** Group numbers by name, and how many groups there are. */
function groupNames(source: string): { readonly names: Map<string, number>; readonly count: number } {
  const names = new Map<string, number>();
  let count = 0;
  for (let i = 0; i < source.length; i++) {
    const c = source.charAt(i);
    if (c === '\\') {
      if (source.charAt(i + 1) === 'Q') {
        const end = source.indexOf('\\E', i);
        i = end < 0 ? source.length : end;
      }
      i++;
    } else if (c === '[') {
      i = classEnd(source, i);
    } else if (c === '(') {
      const named = /^\((?:\?P?<([A-Za-z_]\w*)>|\?'([A-Za-z_]\w*)')/.exec(source.slice(i, i + 64));
      if (named !== null) names.set(named[1] ?? named[2] ?? '', ++count);
      else if (source.charAt(i + 1) !== '?' && source.charAt(i + 1) !== '*') count++;
    }
  }
  return { names, count };
}

/** Index of the `]` that ends the class starting at `at`. */
function classEnd(source: string, at: number): number {
  let i = at + 1;
  if (source.charAt(i) === '^') i++;
  if (source.charAt(i) === ']') i++;
  for (; i < source.length; i++) {
    const c = source.charAt(i);
    if (c === '\\') i++;
    else if (c === '[' && source.charAt(i + 1) === ':') {
      const end = source.indexOf(':]', i + 2);
      if (end > 0) i = end + 1;
    } else if (c === ']') return i;
  }
  return source.length;
}

class Translator {
  private readonly source: string;
  private at = 0;
  private out = '';
  private options: Options;
  /** Options to come back to at each open group. */
  private readonly stack: Options[] = [];
  /** True when letters are expanded to both cases because the i flag covers only a part. */
  private readonly expand: boolean;
  private readonly names: Map<string, number>;
  private readonly groups: number;
  private opened = 0;

  constructor(source: string, options: Options, expand: boolean) {
    this.source = source;
    this.options = { ...options };
    this.expand = expand;
    const { names, count } = groupNames(source);
    this.names = names;
    this.groups = count;
  }

  run(): string {
    while (this.at < this.source.length) this.step();
    if (this.stack.length > 0) throw new TranslationFault('a closing parenthesis is missing');
    return this.out;
  }

  private step(): void {
    const c = this.source.charAt(this.at);
    switch (c) {
      case '\\': this.escape(); return;
      case '[': this.characterClass(); return;
      case '(': this.group(); return;
      case ')': this.close(); return;
      case '.': this.put(this.options.s ? '[^]' : '[^\\n]'); return;
      case '^': this.put(this.options.m ? '(?<![^\\n])' : '^'); return;
      case '$': this.put(this.options.m ? '(?![^\\n])' : '$'); return;
      case '*': case '+': case '?': case '{': this.quantifier(); return;
      case '#':
        if (this.options.x) {
          const end = this.source.indexOf('\n', this.at);
          this.at = end < 0 ? this.source.length : end + 1;
          return;
        }
        break;
      default:
    }
    if (this.options.x && /\s/.test(c)) { this.at++; return; }
    this.at++;
    this.out += this.literal(c);
  }

  private put(text: string): void {
    this.out += text;
    this.at++;
  }

  private literal(c: string): string {
    if (this.expand && this.options.i && /[a-zA-Z]/.test(c)) return `[${c.toLowerCase()}${c.toUpperCase()}]`;
    if (c === '/' || /[.*+?^${}()|[\]\\]/.test(c)) return c === '|' ? c : `\\${c}`;
    return c;
  }

  /** A quantifier; possessive ones become greedy, which differs only where backtracking would have been forbidden. */
  private quantifier(): void {
    const rest = this.source.slice(this.at);
    const match = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(rest);
    if (match === null) { this.put('\\{'); return; }
    this.out += match[0];
    this.at += match[0].length;
    const next = this.source.charAt(this.at);
    if (next === '+') this.at++;
    else if (next === '?') this.put('?');
  }

  private close(): void {
    const before = this.stack.pop();
    if (before === undefined) throw new TranslationFault('a closing parenthesis has no opening one');
    this.options = before;
    this.put(')');
  }

  private open(text: string, length: number): void {
    this.stack.push({ ...this.options });
    this.out += text;
    this.at += length;
  }

  private group(): void {
    const rest = this.source.slice(this.at);
    if (rest.startsWith('(*')) {
      const verb = /^\(\*(?:UTF8?|UCP|ANYCRLF|CR|LF|CRLF|ANY|BSR_ANYCRLF|NO_START_OPT)\)/.exec(rest);
      if (verb === null || this.at > 0) throw new TranslationFault('backtracking verbs such as (*SKIP) are not supported');
      this.at += verb[0].length;
      return;
    }
    if (!rest.startsWith('(?')) { this.opened++; this.open('(', 1); return; }
    const named = /^\((?:\?P?<([A-Za-z_]\w*)>|\?'([A-Za-z_]\w*)')/.exec(rest);
    if (named !== null) { this.opened++; this.open('(', named[0].length); return; }
    const plain = /^\(\?(?::|=|!|<=|<!)/.exec(rest);
    if (plain !== null) { this.open(plain[0], plain[0].length); return; }
    // Atomic groups become plain ones: they differ only where backtracking would have been forbidden.
    if (rest.startsWith('(?>')) { this.open('(?:', 3); return; }
    if (rest.startsWith('(?#')) {
      const end = rest.indexOf(')');
      if (end < 0) throw new TranslationFault('a comment is not closed');
      this.at += end + 1;
      return;
    }
    const reference = /^\(\?P=(\w+)\)/.exec(rest);
    if (reference !== null) { this.at += reference[0].length; this.out += this.backReference(reference[1] ?? ''); return; }
    this.inlineOptions(rest);
  }

  private inlineOptions(rest: string): void {
    const match = /^\(\?\^?([imsxJUX]*)(?:-([imsxJUX]*))?([:)])/.exec(rest);
    if (match === null) throw new TranslationFault(`'${rest.slice(0, 4)}' (recursion, condition or branch reset) is not supported`);
    if (/[JUX]/.test((match[1] ?? '') + (match[2] ?? ''))) throw new TranslationFault(`the option '${match[0]}' is not supported`);
    if (match[3] === ':') this.open('(?:', match[0].length);
    else this.at += match[0].length;
    for (const letter of match[1] ?? '') this.options = { ...this.options, [letter]: true };
    for (const letter of match[2] ?? '') this.options = { ...this.options, [letter]: false };
  }

  private backReference(word: string): string {
    let number = this.names.get(word) ?? Number.NaN;
    if (/^\d+$/.test(word)) number = Number(word);
    else if (/^-\d+$/.test(word)) number = this.opened + 1 + Number(word);
    if (!(number >= 1 && number <= this.groups)) throw new TranslationFault(`the reference to group '${word}' leads nowhere`);
    // The group keeps a digit that follows from joining the number.
    return `(?:\\${number})`;
  }

  private escape(): void {
    const c = this.source.charAt(this.at + 1);
    if (c === '') throw new TranslationFault('a backslash ends the expression');
    if (c === 'Q') {
      const end = this.source.indexOf('\\E', this.at + 2);
      for (const each of this.source.slice(this.at + 2, end < 0 ? undefined : end)) this.out += each === '|' ? '\\|' : this.literal(each);
      this.at = end < 0 ? this.source.length : end + 2;
      return;
    }
    if (c === 'E') { this.at += 2; return; }
    const rest = this.source.slice(this.at);
    const reference = /^\\(?:g\{?(-?\w+)\}?|k(?:\{(\w+)\}|<(\w+)>|'(\w+)'))/.exec(rest);
    if (reference !== null) {
      this.at += reference[0].length;
      this.out += this.backReference(reference[1] ?? reference[2] ?? reference[3] ?? reference[4] ?? '');
      return;
    }
    const digits = /^\\([1-9]\d?)/.exec(rest);
    if (digits !== null && (Number(digits[1]) <= this.groups || Number(digits[1]) < 8)) {
      this.at += digits[0].length;
      this.out += this.backReference(digits[1] ?? '');
      return;
    }
    const code = characterCode(rest) ?? octalCode(rest);
    if (code !== undefined) { this.at += code.length; this.out += this.literalCode(code.code); return; }
    if (/[GKXpPluLU]/.test(c)) throw new TranslationFault(`'\\${c}' is not supported`);
    this.at += 2;
    const atom = atomEscapes[c];
    if (atom !== undefined) { this.out += atom; return; }
    const inClass = classEscapes[c];
    if (inClass !== undefined) { this.out += inClass.length === 2 ? inClass : `[${inClass}]`; return; }
    this.out += c === '|' ? '\\|' : this.literal(c);
  }

  private literalCode(code: number): string {
    const c = String.fromCharCode(code);
    if (this.expand && this.options.i && /[a-zA-Z]/.test(c)) return this.literal(c);
    return `\\x${code.toString(16).padStart(2, '0')}`;
  }

  private characterClass(): void {
    const end = classEnd(this.source, this.at);
    if (end >= this.source.length) throw new TranslationFault('a character class is not closed');
    let i = this.at + 1;
    let text = '[';
    if (this.source.charAt(i) === '^') { text += '^'; i++; }
    let body = '';
    for (const start = i; i < end;) {
      const c = this.source.charAt(i);
      const rest = this.source.slice(i, end + 1);
      const posix = /^\[:(\^?)(\w+):\]/.exec(rest);
      if (posix !== null) {
        const set = posixClasses[posix[2] ?? ''];
        if (set === undefined || posix[1] === '^') throw new TranslationFault(`the class '${posix[0]}' is not supported`);
        body += set;
        i += posix[0].length;
      } else if (c === '\\') {
        const read = this.classEscape(rest);
        body += read.text;
        i += read.length;
      } else {
        body += c === '[' || c === ']' || c === '\\' || (c === '^' && i === start) ? `\\${c}` : c;
        i++;
      }
    }
    if (this.expand && this.options.i) body += otherCase(body);
    this.out += `${text}${body}]`;
    this.at = end + 1;
  }

  private classEscape(rest: string): { readonly text: string; readonly length: number } {
    const code = characterCode(rest) ?? octalCode(rest);
    if (code !== undefined) return { text: `\\x${code.code.toString(16).padStart(2, '0')}`, length: code.length };
    const c = rest.charAt(1);
    if (c === 'b') return { text: '\\b', length: 2 };
    const set = classEscapes[c] ?? (/[efanrt]/.test(c) ? atomEscapes[c] : undefined);
    if (set !== undefined) return { text: set, length: 2 };
    if (/[GKXpPluLUQE]/.test(c)) throw new TranslationFault(`'\\${c}' in a character class is not supported`);
    return { text: /\w/.test(c) ? c : `\\${c}`, length: 2 };
  }
}

/** `\xhh`, `\x{hh}`, `\0oo`, `\o{…}`, `\cX` at the start of `rest`. */
function characterCode(rest: string): { readonly code: number; readonly length: number } | undefined {
  const match = /^\\(?:x\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{0,2})|o\{([0-7]+)\}|(0[0-7]{0,2})|c([@-_a-z]))/.exec(rest);
  if (match === null) return undefined;
  let code = 0;
  if (match[1] !== undefined) code = Number.parseInt(match[1], 16);
  else if (match[2] !== undefined) code = match[2] === '' ? 0 : Number.parseInt(match[2], 16);
  else if (match[3] !== undefined) code = Number.parseInt(match[3], 8);
  else if (match[4] !== undefined) code = Number.parseInt(match[4], 8);
  else code = (match[5] ?? '@').toUpperCase().charCodeAt(0) ^ 64;
  if (code > 255) throw new TranslationFault(`the character '${match[0]}' is above 255`);
  return { code, length: match[0].length };
}

/** `\101` where it is no back reference. */
function octalCode(rest: string): { readonly code: number; readonly length: number } | undefined {
  const match = /^\\([1-3]?[0-7]{1,2})/.exec(rest);
  return match === null ? undefined : { code: Number.parseInt(match[1] ?? '0', 8), length: match[0].length };
}

/** Letters and letter ranges of a class body in the other case. */
function otherCase(body: string): string {
  let out = '';
  for (const match of body.replaceAll(/\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[^]/g, ' ').matchAll(/([a-z])-([a-z])|([A-Z])-([A-Z])|[a-zA-Z]/g)) {
    out += /^[a-z]/.test(match[0]) ? match[0].toUpperCase() : match[0].toLowerCase();
  }
  return out;
}

/** Translates a PCRE expression. `ignoreCase` is the `-i` of the ACL or the `i` of regsub. */
export function translateRegex(source: string, ignoreCase: boolean): Translated | Untranslatable {
  const options: Options = { i: ignoreCase, m: false, s: false, x: false };
  let body = source;
  // Options in front hold for the whole expression: they become real flags.
  for (let match = /^\(\?([imsx]+)\)/.exec(body); match !== null; match = /^\(\?([imsx]+)\)/.exec(body)) {
    for (const letter of match[1] ?? '') options[letter as keyof Options] = true;
    body = body.slice(match[0].length);
  }
  const expand = /\(\?[imsxJUX]*(?:i|-[imsxJUX]*i)[-imsxJUX]*[:)]/.test(body);
  try {
    const translated = new Translator(body, options, expand).run();
    const flags = options.i && !expand ? 'i' : '';
    // Also finds what only the engine can tell: ranges out of order, nothing to repeat.
    RegExp(translated, flags);
    return { source: translated, flags };
  } catch (fault) {
    if (fault instanceof TranslationFault) return { error: fault.message };
    return { error: fault instanceof Error ? fault.message.replace(/^Invalid regular expression: /, '') : 'invalid' };
  }
}

/** The compiled expression (not global), or the reason why there is none. */
export function compileRegex(source: string, ignoreCase: boolean): RegExp | string {
  const translated = translateRegex(source, ignoreCase);
  return 'error' in translated ? translated.error : new RegExp(translated.source, translated.flags);
}
