/**
 * What ends an exchange otherwise than well: letters, counters, and the page for the client while no answer has started. All
 * ways of failing go through here, so that log, counters and answer agree.
 */
import { C } from '../../model/counters.ts';
import { faults, type Fault } from '../../model/fault.ts';
import { answerWithPage } from './answer.ts';
import { finish } from './finish.ts';
import { stage, type HttpExchange } from './http-exchange.ts';

/** No answer has started: the client gets the fault's page, or nothing when it has none. */
export function fail(x: HttpExchange, fault: Fault): void {
  if (x.answerStarted) {
    abort(x, fault);
    return;
  }
  countFault(x, fault);
  if (fault.status === 0 || x.client.transport.closed) end(x, fault);
  else answerWithPage(x, fault);
}

/** The exchange ends here, as far as it came; both connections end with it. */
export function abort(x: HttpExchange, fault: Fault): void {
  countFault(x, fault);
  end(x, fault);
}

function end(x: HttpExchange, fault: Fault): void {
  if (x.stage >= stage.over) return;
  x.facts.cause = fault.cause;
  x.facts.stage = fault.stage;
  x.facts.fault = fault;
  finish(x, false, true);
}

/** Counts a fault by the side that is to blame. */
export function countFault(x: HttpExchange, fault: Fault): void {
  const { front, listener, back, serverPlan } = x;
  if (fault.side === 'client') {
    front.front.count(C.cli_abrt);
    listener.tally.count(C.cli_abrt);
    back?.back.count(C.cli_abrt);
    serverPlan?.tally.count(C.cli_abrt);
  } else if (fault === faults.badRequestBody || fault === faults.badRequestData) {
    front.front.count(C.ereq);
    listener.tally.count(C.ereq);
  } else if (fault === faults.badResponseData) {
    countBadAnswer(x);
  } else if (fault.stage === 'D') {
    front.front.count(C.srv_abrt);
    listener.tally.count(C.srv_abrt);
    back?.back.count(C.srv_abrt);
    serverPlan?.tally.count(C.srv_abrt);
    if (fault === faults.serverAbortData) countBadAnswer(x);
  } else if (fault.stage === 'H') {
    countBadAnswer(x);
  }
}

function countBadAnswer(x: HttpExchange): void {
  x.back?.back.count(C.eresp);
  x.serverPlan?.tally.count(C.eresp);
}

export function dispatchFailed(x: HttpExchange, fault: Fault): void {
  if (x.stage === stage.over) return;
  x.stage = stage.dispatch;
  fail(x, fault);
}

export function serverKilled(x: HttpExchange, fault: Fault): void {
  if (x.tunnel !== null) x.tunnel.kill(fault);
  else if (x.stage >= stage.waiting && x.stage < stage.over) fail(x, x.answerStarted ? fault : { ...fault, stage: 'H', status: 502 });
}

/** The framing of the request's body is broken. */
export function bodyRefused(x: HttpExchange): void {
  x.closeClient = true;
  x.facts.detail = x.requestBody.broken;
  fail(x, x.answerStarted ? faults.badRequestData : faults.badRequestBody);
}
