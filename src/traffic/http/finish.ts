/**
 * The end of an exchange: times, counters, the server connection given back, one log line, and the client connection goes on or
 * closes. Every path ends here exactly once.
 */
import { C } from '../../model/counters.ts';
import { stage, unheard, type HttpExchange } from './http-exchange.ts';
import { logEnd, logExchange } from './log.ts';

/** Ends the exchange when the answer is out and the request is read. */
export function finishIfDone(x: HttpExchange): void {
  if (!x.answerDone || (x.stage !== stage.answering && x.stage !== stage.draining)) return;
  if (x.requestBody.done) {
    if (x.serverGone && x.link?.private === true) x.loginLost = true;
    finish(x, x.serverKeeps && !x.serverGone, x.closeClient);
    return;
  }
  // The answer came before the end of the request: the rest is read, and goes to the server as long as it listens.
  if (x.stage === stage.answering) {
    x.stage = stage.draining;
    x.client.awaitClient(x.clientTimeout);
  }
  if (x.closeClient && x.serverGone) {
    finish(x, false, true);
    return;
  }
  if (x.serverGone && x.clientPaused) {
    x.clientPaused = false;
    x.client.transport.resume();
  }
}

/** The status of an answer that goes to the client: server's counters here, the others at the end. */
export function answerCounted(x: HttpExchange, status: number): void {
  const { serverPlan } = x;
  if (serverPlan === null) return;
  serverPlan.tally.count(statusField(status));
  serverPlan.tally.count(C.req_tot);
}

function statusField(status: number): number {
  switch (Math.floor(status / 100)) {
    case 1: return C.hrsp_1xx;
    case 2: return C.hrsp_2xx;
    case 3: return C.hrsp_3xx;
    case 4: return C.hrsp_4xx;
    case 5: return C.hrsp_5xx;
    default: return C.hrsp_other;
  }
}

/** `option logasap`: the line is written when the answer head has passed. */
export function logEarly(x: HttpExchange): void {
  x.facts.early = true;
  setTimes(x);
  x.logged = true;
  logExchange(x);
}

function setTimes(x: HttpExchange): void {
  const { facts } = x;
  facts.activeMs = x.context.clock.monoMs() - x.startMs;
  facts.totalMs = facts.activeMs + Math.max(facts.idleMs, 0) + facts.handshakeMs;
}

/** `keepServer`: its connection is between two messages. `closeClient`: the client connection ends too. */
export function finish(x: HttpExchange, keepServer: boolean, closeClient: boolean): void {
  if (x.stage === stage.over) return;
  x.stage = stage.over;
  const { facts, back, serverPlan, context, link, client } = x;
  context.wheel.disarm(x.serverTimer);
  if (x.waitTimer.armed) context.wheel.disarm(x.waitTimer);
  setTimes(x);
  countEnd(x);
  if (link !== null && !keepServer) link.transport.handler = unheard;
  x.dispatch.finish(keepServer);
  // A connection that nobody took over (also one that a full pool refused) only closes, when this exchange may be another request.
  if (link !== null && link.transport.handler === x) link.transport.handler = unheard;
  if (x.entered && back !== null) back.back.leave();
  if (x.logged) logEnd(x);
  else if (!x.unlogged) logExchange(x);
  if (back !== null && facts.queueMs >= 0) {
    const responseMs = Math.max(facts.responseMs, 0);
    const connectMs = Math.max(facts.connectMs, 0);
    back.back.times(facts.queueMs, connectMs, responseMs, facts.activeMs);
    if (serverPlan !== null) serverPlan.tally.times(facts.queueMs, connectMs, responseMs, facts.activeMs);
  }
  if (x.clientPaused && !closeClient) client.transport.resume();
  client.exchangeOver(x, closeClient || x.loginLost);
}

function countEnd(x: HttpExchange): void {
  const { status } = x.facts;
  if (x.unlogged && status <= 0) return;
  // A request that ended without an answer counts as "other".
  const field = statusField(status);
  x.front.front.count(field);
  x.listener.tally.count(field);
  if (x.back === null) return;
  x.back.back.count(field);
  x.back.back.count(C.req_tot);
}
