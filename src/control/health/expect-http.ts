/**
 * `http-check expect` over an HTTP answer: status, header and body conditions, and what their results say. Reads answers with the
 * data plane's own parser. Called by http-program.ts.
 */
import { limits } from '../../model/limits.ts';
import { ChunkedReader } from '../../wire/http1/chunked.ts';
import { Framing, body as bodyKind, flaw, frameResponse } from '../../wire/http1/framing.ts';
import { HeadParser, parsed } from '../../wire/http1/head-parser.ts';
import { Http1Head } from '../../wire/http1/head.ts';
import { compileRegex } from '../../config/expression/regex.ts';
import type { CheckWords } from './check-words.ts';
import type { Answer, ExpectStep } from './check-step.ts';
import { bytesPattern, statusOr, toRegExp } from './expect-bytes.ts';
import type { ExpectConfig } from './expect-bytes.ts';

export interface HttpAnswer {
  readonly head: Http1Head;
  /** Body without chunk framing, as far as it came. */
  readonly body: Buffer;
  /** Nothing more of the body will come. */
  readonly complete: boolean;
}

/** Decides over a parsed answer: true or false, or undefined while more bytes are needed. */
type Condition = (answer: HttpAnswer) => boolean | undefined;

interface HttpExpectOptions {
  /** `http-check disable-on-404` and the server runs: a 404 is a conditional success then. */
  readonly leavesOn404: () => boolean;
  readonly isHead: boolean;
}

export function expectHttp(step: ExpectConfig, words: CheckWords, options: HttpExpectOptions): ExpectStep & { readonly comment: string } {
  const onBody = step.match === 'string' || step.match === 'rstring' || step.match === 'string-lf';
  const condition = onBody ? bodyCondition(step, words) : headCondition(step);
  const outcome = words.outcome(step);
  const errorStatus = statusOr(step.errorStatus, onBody ? 'L7RSP' : 'L7STS');
  return {
    kind: 'expect', comment: step.comment,
    looksFor: looksFor(step),
    okStatus: statusOr(step.okStatus, 'L7OK'),
    timeoutStatus: statusOr(step.timeoutStatus, 'L7TOUT'),
    emptyStatus: 'L7RSP',
    judge: (answer) => {
      const read = readAnswer(answer, options.isHead);
      if (read === null) return null;
      if (read === 'bad') return { ok: false, status: 'L7RSP', code: 0, description: '' };
      const code = read.head.status;
      if (code === 404 && options.leavesOn404()) return { ok: true, status: 'L7OKC', code, description: '' };
      if (onBody && read.complete && read.body.length === 0) {
        return outcome.failure(answer.bytes, errorStatus, code, 'HTTP content check could not find a response body');
      }
      const found = condition(read);
      if (found === undefined) return null;
      if (found !== step.negate) return outcome.success(answer.bytes, code, '');
      const cause = onBody ? (step.negate ? 'HTTP check matched unwanted content' : 'HTTP content check did not match') : read.head.reason;
      return outcome.failure(answer.bytes, errorStatus, code, cause);
    },
  };
}

function looksFor(step: ExpectConfig): string {
  switch (step.match) {
    case 'status': return 'HTTP status codes';
    case 'rstatus': return 'HTTP status regex';
    case 'hdr': case 'fhdr': return 'HTTP header pattern';
    case 'rstring': return 'HTTP body regex';
    default: return `HTTP body content '${step.pattern}'`;
  }
}

function headCondition(step: ExpectConfig): Condition {
  if (step.match === 'rstatus') {
    const regex = toRegExp(step);
    return ({ head }) => regex.test(String(head.status));
  }
  if (step.match === 'hdr' || step.match === 'fhdr') return headerCondition(step);
  return ({ head }) => step.statuses.some(([from, to]) => head.status >= from && head.status <= to);
}

function bodyCondition(step: ExpectConfig, words: CheckWords): Condition {
  const pattern = bytesPattern(step, words);
  return ({ body, complete }) => {
    if (pattern.test(body.toString('latin1'))) return true;
    return complete ? false : undefined;
  };
}

function headerCondition(step: ExpectConfig): Condition {
  const nameMatches = textMatch(step.headerNameMatch, step.headerName.toLowerCase());
  const valueMatches = step.headerValue === '' ? null : textMatch(step.headerValueMatch, step.headerValue);
  const whole = step.match === 'fhdr';
  return ({ head }) => {
    for (let line = 0; line < head.lineCount; line += 1) {
      if (head.isRemoved(line) || !nameMatches(head.name(line).toLowerCase())) continue;
      if (valueMatches === null) return true;
      const value = head.value(line);
      const values = whole ? [value] : value.split(',').map((part) => part.trim());
      if (values.some(valueMatches)) return true;
    }
    return false;
  };
}

function textMatch(method: string, wanted: string): (text: string) => boolean {
  switch (method) {
    case 'beg': return (text) => text.startsWith(wanted);
    case 'end': return (text) => text.endsWith(wanted);
    case 'sub': return (text) => text.includes(wanted);
    case 'reg': {
      const regex = compileRegex(wanted, false);
      return (text) => typeof regex !== 'string' && regex.test(text);
    }
    default: return (text) => text === wanted;
  }
}

/** Null: more bytes are needed for a whole head. The answer's bytes stay as they came: they are read again by the next step. */
export function readAnswer(came: Answer, isHead: boolean): HttpAnswer | 'bad' | null {
  // Framing takes the connection line out of a head in place.
  const answer: Answer = { bytes: Buffer.from(came.bytes), ended: came.ended };
  const head = new Http1Head(true);
  const parser = new HeadParser(head, limits.checkAnswerBytesMax, limits.headerCountMax);
  let from = 0;
  for (;;) {
    parser.begin(answer.bytes, from);
    const result = parser.parse(answer.bytes.length);
    if (result === parsed.more) return answer.ended ? 'bad' : null;
    if (result !== parsed.done) return 'bad';
    // Interim answers (100, 103) come before the one that counts.
    if (head.status >= 200 || head.status === 101) return readBody(answer, head, isHead);
    from = head.end;
  }
}

function readBody(answer: Answer, head: Http1Head, isHead: boolean): HttpAnswer | 'bad' {
  const framing = new Framing();
  if (frameResponse(head, framing, isHead, false) !== flaw.none) return 'bad';
  const rest = answer.bytes.subarray(head.end);
  switch (framing.kind) {
    case bodyKind.none: return { head, body: rest.subarray(0, 0), complete: true };
    case bodyKind.length: return { head, body: rest.subarray(0, framing.length), complete: answer.ended || rest.length >= framing.length };
    case bodyKind.chunked: {
      const reader = new ChunkedReader();
      const pieces: Uint8Array[] = [];
      reader.data = pieces;
      reader.read(answer.bytes, head.end, answer.bytes.length);
      if (reader.bad) return 'bad';
      return { head, body: Buffer.concat(pieces), complete: answer.ended || reader.done };
    }
    default: return { head, body: rest, complete: answer.ended };
  }
}
