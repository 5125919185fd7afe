/** Looks a line up in its keyword table, checks place, negation and number of words, and calls the reader. Used by section.ts. */
import type { Reading } from './context.ts';
import type { Keyword, KeywordTable } from './keyword.ts';
import type { Line } from './line.ts';
import { didYouMean } from './problems.ts';
import { sectionKinds } from './line.ts';

/** `set-var(proc.x)` is looked up as `set-var`. */
function tableWord(word: string): string {
  const open = word.indexOf('(');
  return open > 0 ? word.slice(0, open) : word;
}

/** How a table letter answers for this section: read, ignored with a warning, or refused. */
type Placement = 'read' | 'ignored' | 'refused';

function placement<R>(row: Keyword<R>, kind: string, name: string): Placement {
  if (row.where === '') return 'read';
  if (kind === 'defaults') return row.where.includes('D') || (name !== '' && row.where.includes('N')) ? 'read' : 'refused';
  const letter = kind.charAt(0).toUpperCase();
  if (row.where.includes(letter)) return 'read';
  return row.where.includes(letter.toLowerCase()) ? 'ignored' : 'refused';
}

const places: Readonly<Record<string, string>> = { F: 'frontend', L: 'listen', B: 'backend', D: 'defaults', N: 'named defaults' };

function placesOf(where: string): string {
  return [...where].filter((letter) => places[letter] !== undefined).map((letter) => `'${places[letter]}'`).join(', ');
}

function misplaced<R>(reading: Reading, row: Keyword<R>): boolean {
  const { kind, name } = reading.section;
  const found = placement(row, kind, name);
  if (found === 'read') return false;
  const where = `it belongs into ${placesOf(row.where)} sections`;
  const shown = name === '' ? kind : `${kind} '${name}'`;
  if (found === 'ignored') reading.warning(row.word, `'${row.word}' is ignored in ${shown}`, where);
  else reading.error(row.word, kind === 'defaults' && row.where.includes('N') ? `'${row.word}' is not allowed in an anonymous defaults section` : `'${row.word}' is not allowed in ${shown}`,
    kind === 'defaults' && row.where.includes('N') ? "give the defaults section a name and use it with 'from'" : where);
  return true;
}

/** Words after which HAProxy ignores what is too much; here it is told, but not refused. */
const looseWords: ReadonlySet<string> = new Set([
  'errorfile', 'errorloc', 'errorloc302', 'errorloc303', 'email-alert from', 'email-alert level', 'email-alert mailers', 'email-alert myhostname', 'email-alert to', 'hash-balance-factor', 'load-server-state-from-file', 'log-tag', 'max-keep-alive-queue', 'option redispatch',
  'rate-limit sessions', 'tcp-request inspect-delay', 'tcp-response inspect-delay', 'unique-id-header', 'dynamic-cookie-key', 'log-send-hostname', 'hard-stop-after',
  'grace', 'setenv', 'server-state-file', 'stats timeout', 'stats maxconn', 'stats enable', 'stats uri', 'stats auth', 'stats realm', 'stats hide-version',
  'stats show-legends', 'stats show-modules', 'stats refresh', 'stats scope', 'stats show-node',
]);

function wrongCount<R>(reading: Reading, row: Keyword<R>): boolean {
  const [min, max] = row.args;
  const found = reading.args.length;
  if (found >= min && found <= max) return false;
  if (found < min) reading.error(row.word, `'${row.word}' needs ${min === 1 ? 'a value' : `at least ${min} words`} after it`);
  else {
    const extra = reading.arg(max);
    if (looseWords.has(row.word)) {
      reading.warning(extra, `'${extra}' after '${row.word}' is ignored`, 'quote the value if it holds blanks, or leave the word out');
      reading.args = reading.args.slice(0, max);
      return false;
    }
    reading.error(extra, `'${row.word}' takes ${max === 0 ? 'no words' : max === 1 ? 'one word' : `at most ${max} words`} after it, found '${extra}' too`, max === 1 ? 'quote it if it holds blanks' : '');
  }
  return true;
}

function unknown<R>(reading: Reading, table: KeywordTable<R>, first: string, second: string): void {
  const { kind } = reading.section;
  const known = table.knows(first) && second !== '';
  const word = known ? `${first} ${second}` : first;
  const candidates = [...table.candidates(first), ...(known ? [] : sectionKinds)];
  reading.error(word, `unknown keyword '${word}' in a '${kind}' section`, didYouMean(word, candidates));
}

/** True for a row without effect that was not told yet; tells it. */
function tellState<R>(reading: Reading, row: Keyword<R>): void {
  const shown = row.where === '' ? `'${reading.section.kind}'` : 'proxy';
  if (row.state === 'unsupported') {
    if (row.read !== null) return;
    reading.report('unsupported', row.word, `'${row.word}' is not supported yet`, row.help);
    return;
  }
  const key = `${shown} ${row.word}`;
  if (reading.context.told.has(key)) return;
  if (row.state === 'no effect') reading.notice(row.word, `'${row.word}' has no effect here`, row.help);
  else if (row.state === 'later') reading.warning(row.word, `'${row.word}' is not active yet: accepted without effect`, row.help);
  else return;
  reading.context.told.add(key);
}

export function dispatch<R extends Reading>(reading: R, table: KeywordTable<R>, line: Line): void {
  const [first = '', second = ''] = line.words;
  const word = tableWord(first);
  reading.line = line;
  const row = table.find(word, second);
  if (row === undefined) {
    reading.keyword = word;
    unknown(reading, table, word, second);
    return;
  }
  reading.keyword = row.word;
  reading.args = line.words.slice(row.word.includes(' ') ? 2 : 1);
  if (line.negation !== '' && !row.negatable) {
    reading.error(line.negation, `'${line.negation}' cannot stand before '${row.word}'`, "it is for 'option …', 'log' and some words of the global section");
    return;
  }
  if (misplaced(reading, row)) return;
  tellState(reading, row);
  if (row.read === null || (line.negation === '' && wrongCount(reading, row))) return;
  row.read(reading);
}
