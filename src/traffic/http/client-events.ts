/**
 * What the client's side does while an exchange is under way: it reads slowly, stops sending, half-closes, leaves; or somebody
 * ends its connection. Called by HttpConnection.
 */
import { faults, type Fault } from '../../model/fault.ts';
import { refuseHead, refuseSilence } from './bad-request.ts';
import { abort, fail } from './faults.ts';
import { finish } from './finish.ts';
import { stage, type HttpExchange } from './http-exchange.ts';
import { awaitBody } from './to-server.ts';

/** What was written has left: the server may send on. */
export function clientDrained(x: HttpExchange): void {
  if (!x.serverPaused) return;
  x.serverPaused = false;
  if (x.requestBody.done) x.client.awaitNothing();
  else awaitBody(x);
  if (x.link === null || x.stage >= stage.tunnel) return;
  x.armServer();
  x.link.transport.resume();
}

/** Half-close. After a whole request it is no reason to stop, unless `option abortonclose` says so. */
export function clientEndedSide(x: HttpExchange): void {
  x.clientEnded = true;
  if (x.stage === stage.head) {
    headLeft(x);
  } else if (!x.requestBody.done && x.stage < stage.draining) {
    bodyLeft(x);
  } else if (x.stage === stage.draining) {
    abort(x, faults.clientAbortData);
  } else {
    x.closeClient = true;
    if (aborts(x)) halfClosedWaiting(x);
  }
}

/** The connection is gone. */
export function clientLeft(x: HttpExchange): void {
  x.clientEnded = true;
  if (x.stage === stage.head) headLeft(x);
  else if (x.stage === stage.answering || x.stage === stage.draining) abort(x, faults.clientAbortData);
  else if (!x.requestBody.done) bodyLeft(x);
  else waitingLeft(x);
}

function headLeft(x: HttpExchange): void {
  if (!x.requestParser.untouched) refuseHead(x, faults.clientAbortHead, 400);
  else if (x.client.session.requestCount === 0) refuseSilence(x.client, faults.clientAbortHead);
  else dropSilence(x);
}

/** Only empty lines came after the last request: nothing to log. */
function dropSilence(x: HttpExchange): void {
  x.unlogged = true;
  finish(x, false, true);
}

/** The request will never be whole: the server must not take the part for it. */
function bodyLeft(x: HttpExchange): void {
  abort(x, x.stage < stage.waiting ? faults.clientAbortConnect : faults.clientAbortData);
}

function aborts(x: HttpExchange): boolean {
  if (x.stage === stage.tarpit) return true;
  return x.back !== null && x.back.proxy.switches.abortonclose && x.stage <= stage.waiting;
}

/** `option abortonclose`: the client still hears that nothing came of its request. */
function halfClosedWaiting(x: HttpExchange): void {
  if (x.stage === stage.dispatch) fail(x, { ...(x.dispatch.waiting ? faults.clientAbortQueue : faults.clientAbortConnect), status: 503 });
  else if (x.stage === stage.waiting) fail(x, { ...faults.clientAbortHeadWait, status: 400 });
  else waitingLeft(x);
}

function waitingLeft(x: HttpExchange): void {
  if (x.stage === stage.dispatch) abort(x, x.dispatch.waiting ? faults.clientAbortQueue : faults.clientAbortConnect);
  else if (x.stage === stage.waiting) abort(x, faults.clientAbortHeadWait);
  else abort(x, faults.clientAbortHead);
}

/** The client neither sent what is missing nor read what waits. */
export function clientTimedOut(x: HttpExchange): void {
  if (x.stage === stage.draining) finish(x, false, true);
  else if (x.answerStarted) abort(x, faults.clientTimeoutData);
  else if (!x.requestBody.done) fail(x, faults.clientTimeoutBody);
}

export function killExchange(x: HttpExchange, fault: Fault): void {
  if (x.tunnel !== null) x.tunnel.kill(fault);
  else abort(x, fault);
}
