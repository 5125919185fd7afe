/**
 * Conditions of `.if`, `.elif` and `-cc` (configuration manual 2.4): `!`, `&&`, `||`, parentheses, integers and predicates.
 * Called by preprocess.ts and, through load.ts, by cli/. Poise answers as the HAProxy version whose syntax it reads.
 */
import type { Variables } from './lexer.ts';

/** Version that `version_atleast()` and `version_before()` compare with: what the accepted syntax is closest to. */
export const haproxyVersion = '2.6.12';
/** What `openssl_version_*` compare with, whichever library the runtime has: configurations ask it before they name ciphers. */
const opensslVersion = '3.0.0';

/** What `feature()` finds: build options that mean something for a configuration. */
export const features: ReadonlySet<string> = new Set([
  'ACCEPT4', 'CRYPT_H', 'DL', 'EPOLL', 'GETADDRINFO', 'LIBCRYPT', 'OPENSSL', 'PCRE2', 'PCRE2_JIT', 'POLL', 'PROMEX', 'RT', 'THREAD',
]);

/** Words that `enabled()` asks for; none of these run-time options exists here. */
const enabledOptions: ReadonlySet<string> = new Set(['POLL', 'EPOLL', 'KQUEUE', 'EVPORTS', 'SPLICE', 'GETADDRINFO', 'REUSEPORT', 'FAST-FORWARD', 'SERVER-SSL-VERIFY-NONE']);
const enabledHere: ReadonlySet<string> = new Set(['POLL', 'EPOLL', 'GETADDRINFO', 'REUSEPORT']);

type Evaluation = { readonly value: boolean; readonly fault: '' } | { readonly value: null; readonly fault: string };

/** `2.4-dev19`, `2.5.1` → comparable numbers; development versions sort below the release. */
function versionKey(text: string): readonly number[] | undefined {
  const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-(dev|rc|pre)(\d+))?(?:[-+~].*)?$/.exec(text.trim());
  if (match === null) return undefined;
  const stage = match[4] === undefined ? [9, 0] : [match[4] === 'dev' ? 0 : 1, Number(match[5])];
  return [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0), ...stage];
}

function compareVersions(have: string, want: string): number | undefined {
  const left = versionKey(have);
  const right = versionKey(want);
  if (left === undefined || right === undefined) return undefined;
  for (const [index, part] of left.entries()) {
    const difference = part - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

interface Predicate {
  readonly args: number;
  readonly test: (args: readonly string[], variables: Variables) => boolean | undefined;
}

function versionTest(have: string, wanted: 'atleast' | 'before'): Predicate['test'] {
  return ([want = '']) => {
    const difference = compareVersions(have, want);
    if (difference === undefined) return undefined;
    return wanted === 'atleast' ? difference >= 0 : difference < 0;
  };
}

const predicates: Readonly<Record<string, Predicate>> = {
  defined: { args: 1, test: ([name = ''], variables) => variables(name) !== undefined },
  feature: { args: 1, test: ([name = '']) => features.has(name) },
  streq: { args: 2, test: ([left, right]) => left === right },
  strneq: { args: 2, test: ([left, right]) => left !== right },
  strstr: { args: 2, test: ([text = '', part = '']) => text.includes(part) },
  version_atleast: { args: 1, test: versionTest(haproxyVersion, 'atleast') },
  version_before: { args: 1, test: versionTest(haproxyVersion, 'before') },
  openssl_version_atleast: { args: 1, test: versionTest(opensslVersion, 'atleast') },
  openssl_version_before: { args: 1, test: versionTest(opensslVersion, 'before') },
  awslc_api_atleast: { args: 1, test: () => false },
  awslc_api_before: { args: 1, test: () => false },
  ssllib_name_startswith: { args: 1, test: ([name = '']) => `OpenSSL ${opensslVersion}`.startsWith(name) },
  enabled: { args: 1, test: ([name = '']) => (enabledOptions.has(name) ? enabledHere.has(name) : undefined) },
};

class ConditionReader {
  private readonly text: string;
  private readonly variables: Variables;
  private at = 0;
  fault = '';

  constructor(text: string, variables: Variables) {
    this.text = text;
    this.variables = variables;
  }

  read(): boolean {
    const value = this.readOr();
    this.skipBlanks();
    if (this.fault === '' && this.at < this.text.length) {
      this.fault = `unexpected character '${this.text.charAt(this.at)}' at the end of condition '${this.text}'`;
    }
    return value;
  }

  private skipBlanks(): void {
    while (this.text.charAt(this.at) === ' ' || this.text.charAt(this.at) === '\t') this.at += 1;
  }

  private readOr(): boolean {
    let value = this.readAnd();
    for (;;) {
      this.skipBlanks();
      if (this.fault !== '' || !this.text.startsWith('||', this.at)) return value;
      this.at += 2;
      const right = this.readAnd();
      value = value || right;
    }
  }

  private readAnd(): boolean {
    let value = this.readTerm();
    for (;;) {
      this.skipBlanks();
      if (this.fault !== '' || !this.text.startsWith('&&', this.at)) return value;
      this.at += 2;
      const right = this.readTerm();
      value = value && right;
    }
  }

  private readTerm(): boolean {
    this.skipBlanks();
    const char = this.text.charAt(this.at);
    if (char === '!') {
      this.at += 1;
      return !this.readTerm();
    }
    if (char === '(') {
      this.at += 1;
      const value = this.readOr();
      this.skipBlanks();
      if (this.text.charAt(this.at) === ')') this.at += 1;
      else if (this.fault === '') this.fault = `closing parenthesis is missing in condition '${this.text}'`;
      return value;
    }
    const word = /^[A-Za-z0-9_]+/.exec(this.text.slice(this.at))?.[0] ?? '';
    if (/^\d+$/.test(word)) {
      this.at += word.length;
      return Number(word) !== 0;
    }
    return this.readPredicate(word);
  }

  private readPredicate(word: string): boolean {
    const predicate = Object.hasOwn(predicates, word) ? predicates[word] : undefined;
    if (predicate === undefined) {
      if (this.fault === '') this.fault = word === '' ? `condition '${this.text}' cannot be read at position ${this.at + 1}` : `unknown predicate '${word}' in condition '${this.text}'`;
      return false;
    }
    this.at += word.length;
    const args = this.readArguments();
    if (args === undefined || args.length !== predicate.args) {
      if (this.fault === '') this.fault = `predicate '${word}' takes ${predicate.args} argument(s) in parentheses`;
      return false;
    }
    const value = predicate.test(args, this.variables);
    if (value === undefined && this.fault === '') this.fault = `predicate '${word}' does not know '${args.join(',')}'`;
    return value ?? false;
  }

  /** `(a,b)`: quotes and backslashes protect commas and parentheses (second level of quoting, manual 2.2). */
  private readArguments(): string[] | undefined {
    if (this.text.charAt(this.at) !== '(') return [];
    const args: string[] = [];
    let current = '';
    let quote = '';
    for (this.at += 1; this.at < this.text.length; this.at += 1) {
      const char = this.text.charAt(this.at);
      if (quote !== '' ? char === quote : char === '"' || char === "'") quote = quote === '' ? char : '';
      else if (char === '\\' && quote !== "'" && this.at + 1 < this.text.length) {
        this.at += 1;
        current += this.text.charAt(this.at);
      } else if (quote === '' && char === ',') {
        args.push(current);
        current = '';
      } else if (quote === '' && char === ')') {
        this.at += 1;
        args.push(current);
        return args;
      } else current += char;
    }
    return undefined;
  }
}

/** Evaluates a condition; the empty one is false. */
export function evaluateCondition(text: string, variables: Variables): Evaluation {
  if (text.trim() === '') return { value: false, fault: '' };
  const reader = new ConditionReader(text, variables);
  const value = reader.read();
  return reader.fault === '' ? { value, fault: '' } : { value: null, fault: reader.fault };
}
