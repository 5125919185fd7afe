/**
 * Reads log-format strings (configuration manual 8.2.6). Called by config/ for log-format, unique-id-format and the like, and by
 * rule.ts for the values of headers, paths and answers.
 */
import { logAliases } from '../../model/catalog/aliases.ts';
import type { Format, FormatFlags, FormatItem } from '../../model/expression.ts';
import { didYouMean } from '../problems.ts';
import { cutArguments } from './arguments.ts';
import { fail, warn } from './report.ts';
import { parseSample } from './sample.ts';
import type { ExpressionScope } from './scope.ts';

const flagLetters: Readonly<Record<string, keyof FormatFlags>> = { Q: 'quote', X: 'hex', E: 'escape', M: 'mandatory' };

function applyFlags(text: string, flags: FormatFlags, scope: ExpressionScope): FormatFlags {
  const out = { ...flags };
  for (const word of text.split(',')) {
    const match = /^([+-])([QXEM])$/.exec(word.trim());
    const field = match === null ? undefined : flagLetters[match[2] ?? ''];
    if (field === undefined) {
      if (word !== '') warn(scope, word, `'${word}' is not a flag of a log-format variable`, 'flags are +Q, +X, +E and +M, or with -');
      continue;
    }
    out[field] = match?.[1] === '+';
  }
  return out;
}

/** Index of the `]` that ends the expression whose first character is at `from`; quotes and parentheses protect brackets. */
function expressionEnd(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === ']') return i;
    if (c === '(') {
      const cut = cutArguments(text, i);
      if (typeof cut === 'string') return -1;
      i = cut.end - 1;
    }
  }
  return -1;
}

class FormatReader {
  readonly items: FormatItem[] = [];
  private readonly text: string;
  private readonly scope: ExpressionScope;
  private at = 0;
  private pending = '';
  private defaults: FormatFlags;
  /** Log lines and unique ids merge blanks and begin without one, as in HAProxy. */
  private readonly merges: boolean;
  failed = false;

  constructor(text: string, scope: ExpressionScope) {
    this.text = text;
    this.scope = scope;
    // A log line shows '-' where there is nothing; a header value shows nothing.
    this.merges = scope.layer === 'log-format' || scope.layer === 'unique-id';
    this.defaults = { quote: false, hex: false, escape: false, mandatory: scope.layer === 'log-format' };
  }

  read(): void {
    while (this.at < this.text.length) {
      const c = this.text.charAt(this.at);
      if (c === '%') {
        this.variable();
        continue;
      }
      const merged = this.merges && c === ' ' && (this.pending.endsWith(' ') || (this.pending === '' && this.items.length === 0));
      if (!merged) this.pending += c;
      this.at++;
    }
    this.flush();
  }

  private flush(): void {
    if (this.pending !== '') this.items.push({ kind: 'text', text: this.pending });
    this.pending = '';
  }

  private fault(word: string, message: string, remedy = ''): void {
    fail(this.scope, word, message, remedy);
    this.failed = true;
    this.at = this.text.length;
  }

  private variable(): void {
    const rest = this.text.slice(this.at + 1);
    if (rest.startsWith('%')) {
      this.pending += '%';
      this.at += 2;
      return;
    }
    let flags = this.defaults;
    let offset = this.at + 1;
    let braces = '';
    if (rest.startsWith('{')) {
      const end = this.text.indexOf('}', offset);
      if (end < 0) { this.fault(rest, `a closing } is missing after '%${rest.slice(0, 10)}'`); return; }
      braces = this.text.slice(offset + 1, end);
      flags = applyFlags(braces, this.defaults, this.scope);
      offset = end + 1;
    }
    if (this.text.charAt(offset) === '[') { this.expression(offset + 1, flags); return; }
    const name = /^[A-Za-z0-9]+/.exec(this.text.slice(offset))?.[0] ?? '';
    if (name === '') {
      this.fault('%', `a lone % at position ${this.at + 1} of '${this.text}'`, "write %% for a percent sign");
      return;
    }
    this.at = offset + name.length;
    if (name === 'o') { this.defaults = flags; return; }
    if (logAliases.has(name)) {
      this.flush();
      this.scope.use(name);
      this.items.push({ kind: 'alias', name, arg: '', flags });
      return;
    }
    this.fault(name, `there is no log-format variable '%${name}'`, didYouMean(name, logAliases.keys()) || 'write %% for a percent sign');
  }

  private expression(from: number, flags: FormatFlags): void {
    const end = expressionEnd(this.text, from);
    if (end < 0) { this.fault(this.text.slice(from), `a closing ] is missing after '${this.text.slice(from)}'`); return; }
    this.at = end + 1;
    const source = this.text.slice(from, end).trim();
    const expr = parseSample(source, this.scope);
    if (expr === undefined) { this.failed = true; return; }
    this.flush();
    this.items.push({ kind: 'expr', expr, flags });
  }
}

/** Undefined: a problem was reported. */
export function parseFormat(text: string, scope: ExpressionScope): Format | undefined {
  const reader = new FormatReader(text, scope);
  reader.read();
  return reader.failed ? undefined : reader.items;
}
