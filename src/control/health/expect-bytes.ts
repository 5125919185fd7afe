/**
 * `expect` steps over the bytes that came: strings, binary, regular expressions, and what their results say. Used by the
 * tcp-check program and, for bodies, by expect-http.ts.
 */
import { compileRegex } from '../../config/expression/regex.ts';
import type { CheckStep } from '../../model/model.ts';
import type { CheckStatus } from '../../model/server-state.ts';
import type { CheckWords } from './check-words.ts';
import type { Answer, ExpectStep } from './check-step.ts';

export type ExpectConfig = Extract<CheckStep, { kind: 'expect' }>;

/** Does the text (latin1) match? */
type TextTest = (text: string) => boolean;

/** How the pattern is looked for, and the words for it in results. */
interface BytesPattern {
  readonly test: TextTest;
  /** Bytes needed before a look is worthwhile. */
  readonly bytesMin: number;
  /** As in `did not match content 'x'` or `(regex)`. */
  readonly named: string;
  /** As in `(expect string 'x')`. */
  readonly looksFor: string;
}

export function bytesPattern(step: ExpectConfig, words: CheckWords): BytesPattern {
  switch (step.match) {
    case 'binary': {
      const wanted = Buffer.from(step.pattern, 'hex').toString('latin1');
      return { test: (text) => text.includes(wanted), bytesMin: wanted.length, named: '(binary)', looksFor: `binary '${wanted}'` };
    }
    case 'rstring': {
      const regex = toRegExp(step);
      return { test: (text) => regex.test(text), bytesMin: 0, named: '(regex)', looksFor: 'regex' };
    }
    case 'rbinary': {
      const regex = toRegExp(step);
      return { test: (text) => regex.test(Buffer.from(text, 'latin1').toString('hex').toUpperCase()), bytesMin: 0, named: '(binary regex)', looksFor: 'binary regex' };
    }
    case 'string-lf': {
      const wanted = words.text(step.format ?? []);
      return { test: (text) => text.includes(wanted()), bytesMin: 0, named: '(log-format string)', looksFor: 'log-format string' };
    }
    default:
      return { test: (text) => text.includes(step.pattern), bytesMin: step.pattern.length, named: `'${step.pattern}'`, looksFor: `string '${step.pattern}'` };
  }
}

/** An `expect` of tcp-check as an executable step. `number` is its number in messages. */
export function expectBytes(step: ExpectConfig, number: number, words: CheckWords): ExpectStep & { readonly comment: string } {
  const pattern = bytesPattern(step, words);
  const outcome = words.outcome(step);
  const failure = `TCPCHK ${step.negate ? 'matched unwanted' : 'did not match'} content ${pattern.named} at step ${number}`;
  return {
    kind: 'expect', comment: step.comment,
    looksFor: pattern.looksFor,
    okStatus: statusOr(step.okStatus, 'L7OK'),
    timeoutStatus: statusOr(step.timeoutStatus, 'L7TOUT'),
    emptyStatus: statusOr(step.errorStatus, 'L7RSP'),
    judge: (answer) => {
      if (!enough(answer, step, pattern)) return null;
      const found = pattern.test(answer.bytes.toString('latin1'));
      // With min-recv a look that found nothing is the last word.
      if (!found && !answer.ended && step.minRecvBytes <= 0) return null;
      if (found !== step.negate) return outcome.success(answer.bytes, 0, '(tcp-check)');
      return outcome.failure(answer.bytes, statusOr(step.errorStatus, 'L7RSP'), 0, failure);
    },
  };
}

function enough(answer: Answer, step: ExpectConfig, pattern: BytesPattern): boolean {
  return answer.ended || answer.bytes.length >= Math.max(pattern.bytesMin, step.minRecvBytes);
}

export function statusOr(word: string, otherwise: CheckStatus): CheckStatus {
  return word === '' ? otherwise : (word as CheckStatus);
}

/** The configuration was checked; a pattern that still cannot be compiled matches nothing. */
export function toRegExp(step: ExpectConfig): RegExp {
  const regex = compileRegex(step.pattern, step.regexFlags.includes('i'));
  return typeof regex === 'string' ? /(?!)/ : regex;
}
