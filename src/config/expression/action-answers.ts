/** Reads the actions that answer: deny, tarpit, return, redirect, auth. Called by rule.ts. */
import type { Answer, AnswerBody, Format } from '../../model/expression.ts';
import { isCondition, takeFormat, takeWord, type ActionReader, type ActionWords } from './action-reader.ts';
import { parseFormat } from './format.ts';
import { fail, warn } from './report.ts';
import type { ExpressionScope } from './scope.ts';

/** Statuses for which there is a built-in error page. */
const errorStatuses: readonly number[] = [200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 421, 422, 425, 429, 500, 501, 502, 503, 504];

const ignoredHeaders = new Set(['content-length', 'content-type', 'transfer-encoding']);
const bodyWords = new Set(['default-errorfiles', 'errorfile', 'errorfiles', 'file', 'lf-file', 'string', 'lf-string']);

interface AnswerDraft {
  status: number | undefined;
  /** `deny_status` was used: the body is the error page unless another is given. */
  denyStatus: boolean;
  contentType: string;
  bodyWord: string;
  bodyValue: string;
  readonly headers: { name: string; value: Format }[];
}

function readStatus(input: ActionWords, draft: AnswerDraft, word: string): boolean {
  const text = takeWord(input, `a status after '${word}'`);
  if (text === undefined) return false;
  if (!/^[2-5]\d\d$/.test(text)) {
    fail(input.scope, text, `'${text}' is not a status from 200 to 599`);
    return false;
  }
  draft.status = Number(text);
  draft.denyStatus = word === 'deny_status';
  return true;
}

function readHeader(input: ActionWords, draft: AnswerDraft): boolean {
  const name = takeWord(input, "a name after 'hdr'");
  const value = name === undefined ? undefined : takeFormat(input, "a value after 'hdr'");
  if (name === undefined || value === undefined) return false;
  if (ignoredHeaders.has(name.toLowerCase())) warn(input.scope, name, `header '${name}' is always made by the answer itself and ignored here`);
  else draft.headers.push({ name, value });
  return true;
}

/** Options of deny, tarpit and return up to the condition. */
function readDraft(input: ActionWords): AnswerDraft | undefined {
  const draft: AnswerDraft = { status: undefined, denyStatus: false, contentType: '', bodyWord: '', bodyValue: '', headers: [] };
  while (input.at < input.words.length) {
    const word = input.words[input.at] ?? '';
    if (isCondition(word)) break;
    input.at++;
    if (word === 'status' || word === 'deny_status') {
      if (!readStatus(input, draft, word)) return undefined;
    } else if (word === 'content-type') {
      const type = takeWord(input, "a type after 'content-type'");
      if (type === undefined) return undefined;
      draft.contentType = type;
    } else if (word === 'hdr') {
      if (!readHeader(input, draft)) return undefined;
    } else if (bodyWords.has(word)) {
      if (draft.bodyWord !== '') return fail(input.scope, word, `'${word}' cannot stand beside '${draft.bodyWord}'`);
      draft.bodyWord = word;
      const value = word === 'default-errorfiles' ? '' : takeWord(input, `a value after '${word}'`);
      if (value === undefined) return undefined;
      draft.bodyValue = value;
    } else {
      return fail(input.scope, word, `unexpected word '${word}' after '${input.name}'`, "options are status, content-type, errorfile, file, string, lf-string, hdr, then 'if' or 'unless'");
    }
  }
  return draft;
}

function textBody(draft: AnswerDraft, bytes: Uint8Array, scope: ExpressionScope): AnswerBody | undefined {
  if (bytes.length === 0) return { kind: 'none' };
  if (draft.contentType === '') return fail(scope, draft.bodyWord, "a content type is needed with a body", 'add: content-type text/plain');
  return { kind: 'text', contentType: draft.contentType, bytes: Buffer.from(bytes).toString('latin1') };
}

function formatBody(draft: AnswerDraft, text: string, scope: ExpressionScope): AnswerBody | undefined {
  if (text !== '' && draft.contentType === '') return fail(scope, draft.bodyWord, "a content type is needed with a body", 'add: content-type text/plain');
  const format = parseFormat(text, scope);
  return format === undefined ? undefined : { kind: 'format', contentType: draft.contentType, format };
}

function errorPage(draft: AnswerDraft, status: number, scope: ExpressionScope): AnswerBody | undefined {
  if (!errorStatuses.includes(status)) return fail(scope, String(status), `there is no error page for status ${status}`, "use 'status' instead of 'deny_status', or give a body");
  if (draft.headers.length > 0) warn(scope, 'hdr', "'hdr' is ignored with an error page");
  return { kind: 'default-error' };
}

function readBody(draft: AnswerDraft, status: number, impliedPage: boolean, scope: ExpressionScope): AnswerBody | undefined {
  switch (draft.bodyWord) {
    case '':
      return impliedPage ? errorPage(draft, status, scope) : { kind: 'none' };
    case 'default-errorfiles':
      return errorPage(draft, status, scope);
    case 'errorfiles':
      if (!scope.errorsSection(draft.bodyValue)) return fail(scope, draft.bodyValue, `there is no http-errors section '${draft.bodyValue}'`);
      if (draft.headers.length > 0) warn(scope, 'hdr', "'hdr' is ignored with an error file");
      return scope.errorsBody(draft.bodyValue, status) ?? errorPage(draft, status, scope);
    case 'errorfile': {
      const bytes = scope.readFile(draft.bodyValue);
      if (bytes === undefined) return undefined;
      if (!/^HTTP\/1\.\d \d{3}/.test(Buffer.from(bytes.subarray(0, 16)).toString('latin1'))) return fail(scope, draft.bodyValue, `'${draft.bodyValue}' does not begin with an HTTP status line`);
      if (draft.headers.length > 0) warn(scope, 'hdr', "'hdr' is ignored with an error file");
      return { kind: 'raw', bytes: Buffer.from(bytes).toString('latin1') };
    }
    case 'file': {
      const bytes = scope.readFile(draft.bodyValue);
      return bytes === undefined ? undefined : textBody(draft, bytes, scope);
    }
    case 'lf-file': {
      const bytes = scope.readFile(draft.bodyValue);
      return bytes === undefined ? undefined : formatBody(draft, Buffer.from(bytes).toString('latin1'), scope);
    }
    case 'string':
      return textBody(draft, Buffer.from(draft.bodyValue, 'latin1'), scope);
    default:
      return formatBody(draft, draft.bodyValue, scope);
  }
}

function answerReader(kind: 'deny' | 'tarpit' | 'return', defaultStatus: (scope: ExpressionScope) => number): ActionReader {
  return (input) => {
    const draft = readDraft(input);
    if (draft === undefined) return undefined;
    const status = draft.status ?? defaultStatus(input.scope);
    const bare = draft.status === undefined && draft.headers.length === 0 && draft.contentType === '';
    const body = readBody(draft, status, kind !== 'return' && (draft.denyStatus || bare), input.scope);
    if (body === undefined) return undefined;
    const answer: Answer = { status, body, headers: draft.headers };
    return { kind, answer };
  };
}

const targets = ['location', 'prefix', 'scheme'] as const;
const redirectCodes = new Set(['301', '302', '303', '307', '308']);

/** `formatted` is false for the stand-alone `redirect` keyword, whose value is plain text. */
export function redirectReader(formatted: boolean): ActionReader {
  return (input) => {
    let target: (typeof targets)[number] | undefined;
    let value: Format = [];
    let code = 302;
    let setCookie = '';
    let clearCookie = '';
    const switches = { 'drop-query': false, 'append-slash': false, 'ignore-empty': false, 'keep-query': false };
    while (input.at < input.words.length && !isCondition(input.words[input.at])) {
      const word = input.words[input.at++] ?? '';
      const found = targets.find((each) => each === word);
      if (word in switches) { switches[word as keyof typeof switches] = true; continue; }
      if (found === undefined && word !== 'code' && word !== 'set-cookie' && word !== 'clear-cookie') {
        return fail(input.scope, word, `unexpected word '${word}' in a redirect`, 'expected: location, prefix, scheme, code, drop-query, append-slash, ignore-empty, set-cookie, clear-cookie, if, unless');
      }
      const text = takeWord(input, `a value after '${word}'`);
      if (text === undefined) return undefined;
      if (word === 'code') {
        if (!redirectCodes.has(text)) return fail(input.scope, text, `a redirect cannot have status '${text}'`, 'use 301, 302, 303, 307 or 308');
        code = Number(text);
      } else if (word === 'set-cookie') setCookie = text;
      else if (word === 'clear-cookie') clearCookie = text;
      else {
        target = found;
        const read = formatted ? parseFormat(text, input.scope) : [{ kind: 'text', text } as const];
        if (read === undefined) return undefined;
        value = read;
      }
    }
    if (target === undefined) return fail(input.scope, 'redirect', 'a redirect needs a target', 'location, prefix or scheme');
    return {
      kind: 'redirect', target, value, code, setCookie, clearCookie, dropQuery: switches['drop-query'], appendSlash: switches['append-slash'],
      ignoreEmpty: switches['ignore-empty'], keepQuery: switches['keep-query'],
    };
  };
}

const auth: ActionReader = (input) => {
  if (input.words[input.at] !== 'realm') return { kind: 'auth', realm: '' };
  input.at++;
  const realm = takeWord(input, "a name after 'realm'");
  return realm === undefined ? undefined : { kind: 'auth', realm };
};

export const answerActions: Readonly<Record<string, ActionReader>> = {
  deny: answerReader('deny', (scope) => (scope.layer === 'http-response' ? 502 : 403)),
  tarpit: answerReader('tarpit', () => 500),
  return: answerReader('return', () => 200),
  redirect: redirectReader(true),
  auth,
};
