/**
 * keepalived.conf text → statements: comments, quotes, braces, `include`, `$VAR` definitions and `@` conditions (keepalived.conf(5),
 * "Configuration parser"). Knows no keyword. Called by load.ts. Never throws; everything wrong becomes a problem.
 */
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { Place } from '../../model/problem.ts';
import { limits } from '../../model/limits.ts';
import type { ConfigFiles } from '../files.ts';
import type { Problems } from '../problems.ts';

/** One keyword with what follows it on its line, and its block when it has one. */
export interface Statement {
  readonly place: Place;
  readonly words: readonly string[];
  readonly block: readonly Statement[] | undefined;
}

interface LineOptions {
  readonly files: ConfigFiles;
  readonly problems: Problems;
  /** `-i`: what `@id` lines are compared with; the host's name when not given. */
  readonly configId: string;
  readonly hostName: string;
}

type Token = { readonly kind: 'word'; readonly text: string; readonly place: Place } | { readonly kind: '{' | '}' | 'end'; readonly place: Place };

interface Reading extends LineOptions {
  readonly definitions: Map<string, string>;
  readonly tokens: Token[];
  readonly paths: string[];
}

/** All files that `path` names, as statements. `paths` are the files in the order they were read. */
export function readStatements(path: string, options: LineOptions): { statements: readonly Statement[]; paths: readonly string[] } {
  const reading: Reading = { ...options, definitions: new Map([['_HOSTNAME', options.hostName], ['_INSTANCE', '']]), tokens: [], paths: [] };
  readFile(path, { file: path, line: 0 }, reading, []);
  return { statements: buildStatements(reading), paths: reading.paths };
}

// ---- lines

/** `within`: the files that include this one, outermost first. */
function readFile(path: string, from: Place, reading: Reading, within: readonly string[]): void {
  const bytes = reading.files.read(path);
  if (typeof bytes === 'string') {
    reading.problems.error(from, path, `cannot read '${path}': ${bytes}`);
    return;
  }
  reading.paths.push(path);
  const texts = Buffer.from(bytes).toString('latin1').split('\n');
  for (let index = 0; index < texts.length; index++) {
    const place = { file: path, line: index + 1 };
    let text = withoutComment(texts[index] ?? '');
    const defines = /^\s*\$[A-Za-z_]\w*\s*=/.test(text);
    while (/\\\s*$/.test(text) && index + 1 < texts.length) {
      index += 1;
      text = text.replace(/\\\s*$/, defines ? '\n' : ' ') + withoutComment(texts[index] ?? '');
    }
    readLine(text, place, reading, [...within, path]);
  }
}

/** `#` and `!` begin a comment outside quotes, anywhere in a line. */
function withoutComment(line: string): string {
  let quote = '';
  for (let index = 0; index < line.length; index++) {
    const char = line[index] ?? '';
    if (char === '\\') index += 1;
    else if (quote !== '') { if (char === quote) quote = ''; }
    else if (char === '"' || char === '\'') quote = char;
    else if (char === '#' || char === '!') return line.slice(0, index).replace(/\r$/, '');
  }
  return line.replace(/\r$/, '');
}

function readLine(raw: string, place: Place, reading: Reading, within: readonly string[]): void {
  const text = conditional(raw, reading);
  if (text === undefined) return;
  const definition = /^\s*\$([A-Za-z_]\w*)\s*=\s*([^]*)$/.exec(text);
  if (definition !== null) {
    reading.definitions.set(definition[1] ?? '', substitute(definition[2] ?? '', place, reading).trim());
    return;
  }
  const include = /^\s*(include[rmwba]?)\s+(\S+)\s*$/.exec(text);
  if (include !== null) {
    readInclude(include[1] ?? '', include[2] ?? '', place, reading, within);
    return;
  }
  for (const line of substitute(text, place, reading).split('\n')) splitWords(line, place, reading);
}

/** The line without its `@id`, or undefined when the condition does not hold. */
function conditional(line: string, reading: Reading): string | undefined {
  const found = /^\s*@(\^?)(?:\(([^)]*)\)|(\S+))(.*)$/s.exec(line);
  if (found === null) return line;
  const ids = (found[2] ?? found[3] ?? '').split('|').map((id) => id.trim());
  return ids.includes(reading.configId) === (found[1] !== '^') ? found[4] ?? '' : undefined;
}

function substitute(text: string, place: Place, reading: Reading): string {
  reading.definitions.set('_PWD', dirname(place.file));
  let result = text;
  // A definition may hold another one; each pass opens one level.
  for (let pass = 0; pass < limits.configIncludeDepthMax && result.includes('$'); pass++) {
    let bytes = result.length;
    const next = result.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced: string | undefined, bare: string | undefined) => {
      const value = reading.definitions.get(braced ?? bare ?? '') ?? whole;
      bytes += value.length;
      return bytes > limits.configLineBytesMax ? '' : value;
    });
    if (next === result) break;
    result = next;
    if (bytes <= limits.configLineBytesMax) continue;
    reading.problems.error(place, '$', `definitions make this line longer than ${limits.configLineBytesMax} characters`);
    return '';
  }
  const left = /\$\{(\w+)\}/.exec(result);
  if (left !== null) reading.problems.error(place, left[0], `no definition of '${left[0]}'`, `write '$${left[1] ?? ''}=…' before this line`);
  return result;
}

function readInclude(word: string, pattern: string, place: Place, reading: Reading, within: readonly string[]): void {
  if (within.length > limits.configIncludeDepthMax) {
    reading.problems.error(place, pattern, `includes are nested deeper than ${limits.configIncludeDepthMax}`, 'put some of the files together');
    return;
  }
  const path = isAbsolute(pattern) ? pattern : join(dirname(place.file), pattern);
  const wild = /[*?[]/.test(path);
  const found = wild ? expand(path, reading.files) : [path];
  if (found.length === 0) {
    const report = word === 'include' || word === 'includer' ? 'warning' : 'error';
    reading.problems.report(report, place, pattern, `no file matches '${pattern}'`);
  }
  for (const file of found) {
    if (within.includes(file)) reading.problems.error(place, pattern, `${file} includes itself`, 'remove this line');
    else readFile(file, place, reading, within);
  }
}

/** Undefined: a bracket that is not closed, which matches nothing. */
function wildcards(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}

/** Wildcards in the last part of a path, as a shell has them. */
function expand(path: string, files: ConfigFiles): string[] {
  const folder = dirname(path);
  const pattern = wildcards(`^${basename(path).replaceAll(/[.+^${}()|\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`);
  return files.list(folder).filter((name) => !name.startsWith('.') && pattern?.test(name) === true).map((name) => join(folder, name)).filter((file) => files.kind(file) === 'file');
}

// ---- words

const escapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', E: '\x1b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function splitWords(line: string, place: Place, reading: Reading): void {
  let [word, quote, started] = ['', '', false];
  const flush = (): void => {
    if (started) reading.tokens.push({ kind: 'word', text: word, place });
    [word, started] = ['', false];
  };
  for (let index = 0; index < line.length; index++) {
    const char = line[index] ?? '';
    if (char === '\\' && index + 1 < line.length) {
      index += 1;
      const next = line[index] ?? '';
      // Escapes are letters inside quotes only; outside, a backslash keeps the next character as it is.
      word += quote === '"' ? escapes[next] ?? next : next;
      started = true;
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === '\'') {
      // A quoted command keeps single quotes around its own arguments; they are read again where it is split.
      [quote, started] = [char, true];
    } else if (char === '{' || char === '}') {
      flush();
      reading.tokens.push({ kind: char, place });
    } else if (/\s/.test(char)) {
      flush();
    } else {
      word += char;
      started = true;
    }
  }
  flush();
  if (quote !== '') reading.problems.error(place, quote, `the quote ${quote} is not closed on its line`);
  reading.tokens.push({ kind: 'end', place });
}

// ---- blocks

function buildStatements(reading: Reading): readonly Statement[] {
  const { tokens, problems } = reading;
  let at = 0;
  const readBlock = (opened: Place | undefined): Statement[] => {
    const statements: Statement[] = [];
    for (;;) {
      const token = tokens[at];
      if (token === undefined) {
        if (opened !== undefined) problems.error(opened, '{', 'this block is not closed', 'add a line with }');
        return statements;
      }
      at += 1;
      if (token.kind === '}') {
        if (opened !== undefined) return statements;
        problems.error(token.place, '}', '} without a block');
      } else if (token.kind === '{') {
        problems.error(token.place, '{', '{ without a keyword before it');
        readBlock(token.place);
      } else if (token.kind === 'word') {
        statements.push(readStatement(token.text, token.place));
      }
    }
  };
  const readStatement = (first: string, place: Place): Statement => {
    const words = [first];
    for (let token = tokens[at]; token?.kind === 'word'; token = tokens[at]) {
      words.push(token.text);
      at += 1;
    }
    let next = at;
    while (tokens[next]?.kind === 'end') next += 1;
    const opening = tokens[next];
    if (opening?.kind !== '{') return { place, words, block: undefined };
    at = next + 1;
    return { place, words, block: readBlock(opening.place) };
  };
  return readBlock(undefined);
}
