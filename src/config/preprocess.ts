/**
 * Files → sections of lines cut into words: conditional blocks, messages, environment (with `setenv` of the global section,
 * which must act on the very next line), section starts. Called by load.ts; knows no keyword but those.
 */
import { limits } from '../model/limits.ts';
import type { Place } from '../model/problem.ts';
import type { ConfigFiles } from './files.ts';
import { splitLine } from './lexer.ts';
import type { Variables } from './lexer.ts';
import { sectionKinds } from './line.ts';
import type { Line, Section, SectionKind } from './line.ts';
import { evaluateCondition } from './predicate.ts';
import { closest, didYouMean } from './problems.ts';
import type { Problems } from './problems.ts';

/** State of one `.if` block. `done`: a branch was taken already, or the block itself lies in text that is skipped. */
interface Block {
  readonly place: Place;
  active: boolean;
  done: boolean;
  sawElse: boolean;
}

interface Preprocessed {
  readonly sections: readonly Section[];
  readonly files: readonly string[];
  readonly environment: Map<string, string>;
}

interface PreprocessOptions {
  readonly environment: Map<string, string>;
  readonly diagnostics: boolean;
  /** A last line without a line feed is an error: the file may be half written. */
  readonly wholeLines: boolean;
  /** True when the word may start a line of such a section; used to tell a mistyped section name from a mistyped keyword. */
  readonly knows: (kind: SectionKind, word: string) => boolean;
}

/** Lines, or rules, that are read without a pause. */
export const linesPerStep = 50;

/** Section words whose name is required, and that take none. */
const nameless: ReadonlySet<SectionKind> = new Set(['global', 'traces']);
const nameOptional: ReadonlySet<SectionKind> = new Set(['defaults', 'crt-store', 'poise']);

/** `from` may follow the name; an anonymous defaults section has it directly. */
function nameOf(kind: SectionKind, words: readonly string[]): { readonly name: string; readonly rest: readonly string[] } {
  const name = words[1] ?? '';
  if (nameless.has(kind)) return { name: '', rest: words.slice(1) };
  if (kind === 'defaults' && name === 'from') return { name: '', rest: words.slice(1) };
  return { name, rest: words.slice(2) };
}

class Preprocessor {
  private readonly problems: Problems;
  private readonly options: PreprocessOptions;
  private readonly environment: Map<string, string>;
  /** As it was before any setenv, for resetenv. */
  private readonly initial: ReadonlyMap<string, string>;
  private readonly sections: Section[] = [];
  private readonly blocks: Block[] = [];
  private section: Section | undefined;
  private place: Place = { file: '', line: 0 };
  private skippedSection = false;

  constructor(problems: Problems, options: PreprocessOptions) {
    this.problems = problems;
    this.options = options;
    this.environment = options.environment;
    this.initial = new Map(options.environment);
  }

  *readFile(file: string, text: string): Generator<undefined> {
    this.section = undefined;
    this.skippedSection = false;
    const outer = this.blocks.length;
    for (const [index, raw] of text.split('\n').entries()) {
      this.place = { file, line: index + 1 };
      this.readLine(raw);
      if (index % linesPerStep === linesPerStep - 1) yield;
    }
    if (this.options.wholeLines && text !== '' && !text.endsWith('\n')) {
      this.problems.error(this.place, '', 'the last line has no line feed: the file may not be written to its end', 'end the line and reload again');
    }
    for (const block of this.blocks.splice(outer)) {
      this.problems.error(block.place, '.if', "this '.if' block is not closed", "add '.endif' on a line of its own");
    }
  }

  result(files: readonly string[]): Preprocessed {
    return { sections: this.sections, files, environment: this.environment };
  }

  private readonly variables: Variables = (name) => {
    if (name === '.LINE') return String(this.place.line);
    if (name === '.FILE') return this.place.file;
    if (name === '.SECTION') return this.section === undefined ? '' : this.section.name || this.section.kind;
    return this.environment.get(name);
  };

  private get skipping(): boolean {
    return this.blocks.some((block) => !block.active);
  }

  private readLine(raw: string): void {
    const skipping = this.skipping;
    if (skipping && !/^\s*\.(?:if|elif|else|endif)\b/.test(raw)) return;
    // Conditions in text that is skipped are only counted, so unset variables in them do no harm.
    const cut = splitLine(raw, this.variables);
    if (cut.words === null) {
      this.problems.error(this.place, raw.trim().split(/\s/)[0] ?? '', `${cut.fault.message} at column ${cut.fault.column}`, cut.fault.remedy);
      return;
    }
    const first = cut.words[0];
    if (first === undefined || first === '') return;
    if (first.startsWith('.')) {
      this.readDirective(first, cut.words.slice(1));
      return;
    }
    for (const name of cut.unset) this.problems.warning(this.place, name, `environment variable '${name}' is not set`, `set it, or write a default: "\${${name}-value}"`);
    this.readWords(cut.words, /^[ \t]/.test(raw));
  }

  private evaluate(words: readonly string[], word: string): boolean {
    const result = evaluateCondition(words.join(' '), this.variables);
    if (result.value === null) {
      this.problems.error(this.place, word, result.fault, 'predicates are defined, feature, streq, strneq, strstr, version_atleast, version_before, enabled');
      return false;
    }
    return result.value;
  }

  private readDirective(word: string, args: readonly string[]): void {
    const block = this.blocks.at(-1);
    if (word === '.if') {
      const parentActive = !this.skipping;
      if (this.blocks.length >= limits.conditionDepthMax) this.problems.error(this.place, word, `more than ${limits.conditionDepthMax} nested '.if' blocks`);
      const active = parentActive && this.evaluate(args, word);
      this.blocks.push({ place: this.place, active, done: active || !parentActive, sawElse: false });
    } else if (word === '.elif' || word === '.else' || word === '.endif') {
      if (block === undefined) this.problems.error(this.place, word, `'${word}' has no matching '.if'`);
      else if (word === '.endif') this.blocks.pop();
      else this.readBranch(word, block, args);
    } else this.readMessage(word, args);
  }

  private readBranch(word: string, block: Block, args: readonly string[]): void {
    if (block.sawElse) this.problems.error(this.place, word, `'${word}' after '.else'`, "'.else' must be the last branch of its block");
    if (word === '.else') {
      block.sawElse = true;
      block.active = !block.done;
    } else block.active = !block.done && this.evaluate(args, word);
    block.done ||= block.active;
  }

  private readMessage(word: string, args: readonly string[]): void {
    const severity = ({ '.notice': 'notice', '.warning': 'warning', '.alert': 'error', '.diag': 'notice' } as const)[word];
    if (severity === undefined) {
      this.problems.error(this.place, word, `unknown directive '${word}'`, didYouMean(word, ['.if', '.elif', '.else', '.endif', '.notice', '.warning', '.alert', '.diag']));
      return;
    }
    const extra = args[1];
    if (extra !== undefined) this.problems.error(this.place, extra, `unexpected word '${extra}' after the message of '${word}'`, 'put the message in quotes');
    else if (word !== '.diag' || this.options.diagnostics) this.problems.report(severity, this.place, word, args[0] ?? '');
  }

  private readWords(words: readonly string[], indented: boolean): void {
    const first = words[0] ?? '';
    if ((sectionKinds as readonly string[]).includes(first)) {
      this.openSection(first as SectionKind, words);
      return;
    }
    if (this.section === undefined) {
      if (!this.skippedSection) this.refuseOutside(first, words);
      return;
    }
    if ((first === 'no' || first === 'default') && words.length > 1) {
      this.section.lines.push({ place: this.place, words: words.slice(1), negation: first });
      return;
    }
    if (!indented && this.mistypedSection(first, words)) return;
    if (this.section.kind === 'global') this.changeEnvironment(first, words);
    this.section.lines.push({ place: this.place, words, negation: '' });
  }

  private openSection(kind: SectionKind, words: readonly string[]): void {
    const { name, rest } = nameOf(kind, words);
    if (name === '' && !nameless.has(kind) && !nameOptional.has(kind)) {
      this.problems.error(this.place, kind, `'${kind}' needs a name`, `write '${kind} <name>'`);
    }
    this.section = { kind, place: this.place, name, rest, lines: [] as Line[] };
    this.sections.push(this.section);
  }

  /** A line that no section can hold: say so once and skip the lines that seem to belong to it. */
  private refuseOutside(first: string, words: readonly string[]): void {
    if (this.mistypedSection(first, words)) return;
    this.problems.error(this.place, first, `'${first}' stands before the first section`, didYouMean(first, sectionKinds) || "start a section such as 'defaults' or 'frontend <name>' first");
    this.skippedSection = true;
  }

  /** `fronted www`: reported, then read as the section that was meant, so that its lines are still checked. */
  private mistypedSection(first: string, words: readonly string[]): boolean {
    if (this.section !== undefined && this.options.knows(this.section.kind, first)) return false;
    const meant = closest(first, sectionKinds) as SectionKind | '';
    if (meant === '' || first.length < 5) return false;
    if (words.length > 2 && meant !== 'listen') return false;
    this.problems.error(this.place, first, `unknown section or keyword '${first}'`, `did you mean '${meant}'?`);
    this.openSection(meant, words);
    return true;
  }

  private changeEnvironment(word: string, words: readonly string[]): void {
    const name = words[1] ?? '';
    if (word === 'setenv') this.environment.set(name, words[2] ?? '');
    else if (word === 'presetenv') {
      if (!this.environment.has(name)) this.environment.set(name, words[2] ?? '');
    } else if (word === 'unsetenv') {
      for (const each of words.slice(1)) this.environment.delete(each);
    } else if (word === 'resetenv') {
      const keep = new Set(words.slice(1));
      for (const each of this.environment.keys()) if (!keep.has(each)) this.environment.delete(each);
      for (const each of keep) {
        const value = this.initial.get(each);
        if (value !== undefined && !this.environment.has(each)) this.environment.set(each, value);
      }
    }
  }
}

/** Files named by `-f`: a folder stands for its `*.cfg` files in the order of their names. */
function expandPaths(paths: readonly string[], files: ConfigFiles, problems: Problems): string[] {
  const found: string[] = [];
  for (const path of paths) {
    if (files.kind(path) !== 'folder') {
      found.push(path);
      continue;
    }
    const inside = files.list(path).filter((name) => name.endsWith('.cfg') && !name.startsWith('.'));
    if (inside.length === 0) problems.warning({ file: path, line: 0 }, path, `folder '${path}' holds no *.cfg file`);
    const slash = path.endsWith('/') ? '' : '/';
    found.push(...inside.map((name) => `${path}${slash}${name}`).filter((file) => files.kind(file) === 'file'));
  }
  return found;
}

/** In steps of some lines. */
export function* preprocess(paths: readonly string[], files: ConfigFiles, problems: Problems, options: PreprocessOptions): Generator<undefined, Preprocessed> {
  const names = expandPaths(paths, files, problems);
  options.environment.set('HAPROXY_CFGFILES', names.join(';'));
  const reader = new Preprocessor(problems, options);
  for (const name of names) {
    const bytes = files.read(name);
    if (typeof bytes === 'string') {
      problems.error({ file: name, line: 0 }, name, `cannot read '${name}': ${bytes}`, 'check the path and the permissions');
      continue;
    }
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    // A byte order mark of an editor would otherwise be part of the first keyword.
    yield* reader.readFile(name, text.startsWith('\xef\xbb\xbf') ? text.slice(3) : text);
  }
  return reader.result(names);
}
