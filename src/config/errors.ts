/** Error answers: `errorfile`, `errorloc*`, `errorfiles`, `http-error`, and `http-errors` sections. Called by their tables. */
import type { Answer } from '../model/expression.ts';
import type { Place } from '../model/problem.ts';
import { filePath } from './context.ts';
import type { Context, Reading } from './context.ts';
import type { Section } from './line.ts';
import { parseRule } from './expression/rule.ts';
import { didYouMean } from './problems.ts';
import type { ProxyReading } from './proxy/reading.ts';
import { active, many } from './keyword.ts';
import type { Keyword } from './keyword.ts';

/** Statuses that the proxy makes itself. */
export const errorStatuses: readonly number[] = [200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 421, 422, 425, 429, 500, 501, 502, 503, 504];

function statusOf(context: Context, place: Place, text: string, keyword: string): number | undefined {
  const status = Number(text);
  if (/^\d{3}$/.test(text) && errorStatuses.includes(status)) return status;
  context.problems.error(place, text, `'${keyword}' cannot replace status '${text}'`, `statuses are ${errorStatuses.join(', ')}`);
  return undefined;
}

/** A later answer for a status replaces an earlier one. */
function withAnswer(answers: readonly Answer[], made: Answer): readonly Answer[] {
  return [...answers.filter((answer) => answer.status !== made.status), made];
}

/** Whole answer from a file: head and body as they are. An empty file sends nothing. */
function answerFromFile(context: Context, place: Place, status: number, path: string): Answer | undefined {
  const bytes = context.files.read(filePath(context, path, place));
  if (typeof bytes === 'string') {
    context.problems.error(place, path, `cannot read '${path}': ${bytes}`, 'check the path and the permissions');
    return undefined;
  }
  const start = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  if (bytes.length > 0 && !/^HTTP\/\d\.\d \d{3}/.test(start)) {
    context.problems.error(place, path, `'${path}' is not an HTTP answer`, "its first line must be like 'HTTP/1.1 503 Service Unavailable', then headers, an empty line, and the page");
    return undefined;
  }
  return { status, body: { kind: 'raw', bytes: Buffer.from(bytes).toString('latin1') }, headers: [] };
}

function readErrorfile(reading: ProxyReading): void {
  const status = statusOf(reading.context, reading.place, reading.arg(0), 'errorfile');
  if (status === undefined) return;
  const answer = answerFromFile(reading.context, reading.place, status, reading.arg(1));
  if (answer !== undefined) reading.settings.errors = withAnswer(reading.settings.errors, answer);
}

function readErrorloc(reading: ProxyReading): void {
  const status = statusOf(reading.context, reading.place, reading.arg(0), reading.keyword);
  if (status === undefined) return;
  const line = reading.keyword === 'errorloc303' ? '303 See Other' : '302 Found';
  const bytes = `HTTP/1.1 ${line}\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: ${reading.arg(1)}\r\n\r\n`;
  reading.settings.errors = withAnswer(reading.settings.errors, { status, body: { kind: 'raw', bytes }, headers: [] });
}

function sectionAnswers(reading: Reading, name: string): readonly Answer[] | undefined {
  const answers = reading.context.draft.httpErrors.get(name);
  if (answers === undefined) {
    reading.error(name, `there is no http-errors section '${name}'`, didYouMean(name, reading.context.draft.httpErrors.keys()));
  }
  return answers;
}

function readErrorfiles(reading: ProxyReading): void {
  const answers = sectionAnswers(reading, reading.arg(0));
  if (answers === undefined) return;
  const wanted = reading.args.slice(1).map((text) => statusOf(reading.context, reading.place, text, 'errorfiles'));
  for (const answer of answers) {
    if (wanted.length === 0 || wanted.includes(answer.status)) reading.settings.errors = withAnswer(reading.settings.errors, answer);
  }
}

/** `http-error status N …` takes the words of `http-request return`, plus answers kept in http-errors sections. */
function readHttpError(reading: ProxyReading): void {
  const at = reading.args.indexOf('status');
  if (at < 0) {
    reading.error('http-error', "'http-error' needs a status", "write 'http-error status 503 content-type text/html file <path>'");
    return;
  }
  const status = statusOf(reading.context, reading.place, reading.arg(at + 1), 'http-error');
  if (status === undefined) return;
  if (reading.args.includes('default-errorfiles')) {
    reading.settings.errors = reading.settings.errors.filter((answer) => answer.status !== status);
    return;
  }
  const imported = reading.args.indexOf('errorfiles');
  if (imported >= 0) {
    const answer = sectionAnswers(reading, reading.arg(imported + 1))?.find((each) => each.status === status);
    if (answer !== undefined) reading.settings.errors = withAnswer(reading.settings.errors, answer);
    return;
  }
  const rule = parseRule('http-request', ['return', ...reading.args], reading.scope('http-request'));
  if (rule !== undefined && rule.action.kind === 'return') reading.settings.errors = withAnswer(reading.settings.errors, { ...rule.action.answer, status });
}

export const errorRows: readonly Keyword<ProxyReading>[] = [
  active('errorfile', 'DFLB', [2, 2], 'Answer of the proxy for a status, from a file.', readErrorfile),
  active('errorloc', 'DFLB', [2, 2], 'Redirects (302) instead of an error answer.', readErrorloc),
  active('errorloc302', 'DFLB', [2, 2], 'Redirects (302) instead of an error answer.', readErrorloc),
  active('errorloc303', 'DFLB', [2, 2], 'Redirects (303) instead of an error answer.', readErrorloc),
  active('errorfiles', 'DFLB', [1, many], 'Answers of an http-errors section.', readErrorfiles),
  active('http-error', 'DFLB', [2, many], 'Answer of the proxy for a status, from words of the line.', readHttpError),
];

/** Reads an `http-errors` section: `errorfile <status> <path>` lines only. */
export function readHttpErrors(context: Context, section: Section): void {
  const { draft, problems } = context;
  if (draft.httpErrors.has(section.name)) problems.error(section.place, section.name, `there is a http-errors section '${section.name}' already`);
  let answers: readonly Answer[] = [];
  for (const line of section.lines) {
    const [word = '', code = '', path = ''] = line.words;
    if (word !== 'errorfile' || line.words.length !== 3) {
      problems.error(line.place, word, `'${word}' cannot be read in an http-errors section`, "write 'errorfile <status> <path>'");
      continue;
    }
    const status = statusOf(context, line.place, code, 'errorfile');
    const answer = status === undefined ? undefined : answerFromFile(context, line.place, status, path);
    if (answer !== undefined) answers = withAnswer(answers, answer);
  }
  draft.httpErrors.set(section.name, [...answers]);
}
