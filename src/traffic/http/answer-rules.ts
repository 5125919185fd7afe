/**
 * Rules on an answer, the backend's first, then the frontend's: captures, tcp-response content, http-response, cookies,
 * http-after-response. Used for answers of servers and for those made here.
 */
import { C } from '../../model/counters.ts';
import { faults } from '../../model/fault.ts';
import type { RuleSet } from '../../rules/compile.ts';
import type { Verdict } from '../../rules/subject.ts';
import { afterRules } from './after-rules.ts';
import { answerNow, answerWithPage } from './answer.ts';
import { captureResponse } from './captures.ts';
import type { HttpExchange } from './http-exchange.ts';

/** A server's final answer. When a rule answers instead, the exchange has left stage.waiting afterwards. */
export function answerRules(x: HttpExchange): void {
  const { front, back, serverPlan } = x;
  if (x.internal !== '') {
    afterRules(x);
    return;
  }
  if (back === null) return;
  if (front.rules.http.hasResponseCaptures || x.frontend.cookieCapture !== null) captureResponse(x);
  if (back.rules.responseContent.length > 0 && !content(x, back.rules.responseContent)) return;
  if (back.rules.http.response.length > 0 && !run(x, back.rules.http.response)) return;
  if (back !== front && front.rules.http.response.length > 0 && !run(x, front.rules.http.response)) return;
  if (back.persistence.active && serverPlan !== null) back.persistence.answered(x, x.dispatch.memo, serverPlan.server.index);
  x.facts.status = x.responseHead.statusCode;
  afterRules(x);
}

function content(x: HttpExchange, set: RuleSet): boolean {
  x.final = true;
  const verdict = set.run(x, 0);
  if (verdict === null || verdict.kind === 'allow' || verdict.kind === 'wait') return true;
  x.facts.rule = set.decider;
  blocked(x);
  return false;
}

/** False: a rule answered instead. */
function run(x: HttpExchange, set: RuleSet): boolean {
  x.final = true;
  const verdict = set.run(x, 0);
  if (verdict === null || verdict.kind === 'allow') return true;
  if (verdict.kind !== 'answer') return verdict.kind === 'wait' || verdict.kind === 'wait-for-body';
  x.facts.rule = set.decider;
  replaced(x, verdict);
  return false;
}

function replaced(x: HttpExchange, verdict: Extract<Verdict, { kind: 'answer' }>): void {
  if (verdict.cause === 'deny') {
    countDenied(x);
    x.facts.fault = faults.responseDenied;
  } else if (x.back === null || x.back === x.front) x.front.front.count(C.intercepted);
  if (verdict.cause === 'deny') answerNow(x, verdict.bytes, 'P', 'H');
  else answerNow(x, verdict.bytes, 'L', 'H');
}

function blocked(x: HttpExchange): void {
  countDenied(x);
  answerWithPage(x, faults.responseDenied);
}

function countDenied(x: HttpExchange): void {
  x.front.front.count(C.dresp);
  x.listener.tally.count(C.dresp);
  x.back?.back.count(C.dresp);
  x.serverPlan?.tally.count(C.dresp);
}
