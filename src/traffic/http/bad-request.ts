/**
 * Requests that never became one: malformed heads, clients that stay silent or leave. Answered below the rules, as HAProxy's
 * multiplexer does, logged as <BADREQ>, and kept for `show errors` when malformed.
 */
import { C } from '../../model/counters.ts';
import { faults, type Fault } from '../../model/fault.ts';
import { limits } from '../../model/limits.ts';
import { P } from '../../shared/segments.ts';
import type { HeadParser } from '../../wire/http1/head-parser.ts';
import type { ThreadContext } from '../thread-context.ts';
import type { HttpConnection } from './connection.ts';
import { finish } from './finish.ts';
import { stage, type HttpExchange } from './http-exchange.ts';

const pages: Readonly<Record<number, string>> = {
  400: page('400 Bad request', 90, 'Connection: close\r\n', 'Your browser sent an invalid request.'),
  408: page('408 Request Time-out', 110, 'Connection: close\r\n', "Your browser didn't send a complete request in time."),
  422: page('422 Unprocessable Content', 116, '', 'The server cannot process the contained instructions.'),
};

function page(status: string, length: number, connection: string, text: string): string {
  return `HTTP/1.1 ${status}\r\nContent-length: ${length}\r\nCache-Control: no-cache\r\n${connection}Content-Type: text/html\r\n\r\n<html><body><h1>${status}</h1>\n${text}\n</body></html>\n`;
}

/** The head is malformed, too large, or did not come in time; or the client left in the middle of it. */
export function refuseHead(x: HttpExchange, fault: Fault, status: number): void {
  const { facts, client } = x;
  if (fault.side === 'proxy') capture(x, 'request', x.requestParser, x.front.slot, -1, facts.detail || fault.why);
  facts.badRequest = true;
  count(x);
  facts.status = status;
  facts.cause = fault.cause;
  facts.stage = fault.stage;
  facts.fault = fault;
  x.answerStarted = true;
  if (!client.transport.closed) client.transport.write(pageFor(x, status));
  finish(x, false, true);
}

function pageFor(x: HttpExchange, status: number): string {
  const { frontend } = x;
  if (!frontend.errors.some((answer) => answer.status === status)) return pages[status] ?? '';
  // The operator's own page gets the line that the built-in ones have.
  const own = Buffer.from(x.client.session.plan.compiler.errorAnswer(frontend, null, status)).toString('latin1');
  return own.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n');
}

/** The client never sent a byte: closed or waited too long. Browsers open connections in advance, so options make it silent. */
export function refuseSilence(client: HttpConnection, fault: Fault): void {
  const { switches } = client.session.frontend;
  const spoke = client.exchange !== null;
  const x = client.exchange ?? client.openExchange();
  // All the time that it could have spoken in.
  if (!spoke) {
    x.startMs = client.idleSinceMs;
    x.facts.requestDateMs = client.idleSinceDateMs;
  }
  if (switches.httpIgnoreProbes) {
    x.unlogged = true;
    finish(x, false, true);
    return;
  }
  x.unlogged = switches.dontlognull;
  client.session.requestCount += 1;
  if (!spoke) x.facts.detail = 'no byte came';
  if (fault === faults.clientTimeoutHead) refuseHead(x, fault, 408);
  else left(x, fault);
}

/** Nobody is there to read an answer: logged as 400. */
function left(x: HttpExchange, fault: Fault): void {
  const { facts } = x;
  count(x);
  facts.badRequest = true;
  facts.status = 400;
  facts.cause = fault.cause;
  facts.stage = fault.stage;
  facts.fault = fault;
  finish(x, false, true);
}

function count(x: HttpExchange): void {
  const { front, listener, context } = x;
  if (x.facts.badRequest && x.stage === stage.head) {
    front.front.count(C.req_tot);
    listener.tally.count(C.req_tot);
    context.process[P.requests] = (context.process[P.requests] as number) + 1;
  }
  front.front.count(C.ereq);
  listener.tally.count(C.ereq);
}

/** Date of the last capture of each thread. */
const capturedAtMs = new WeakMap<ThreadContext, number>();

/** Keeps the bytes at fault for `show errors`, the last of many. */
function capture(x: HttpExchange, side: 'request' | 'response', parser: HeadParser, proxy: number, server: number, why: string): void {
  const { context } = x;
  const nowMs = context.clock.dateMs();
  const sinceMs = nowMs - (capturedAtMs.get(context) ?? 0);
  if (sinceMs >= 0 && sinceMs < limits.errorCaptureEveryMs) return;
  capturedAtMs.set(context, nowMs);
  const { session } = x.client;
  const from = parser.head.start;
  context.post({
    type: 'captured-error', proxy, side, server, client: `${session.sourceAddress}:${session.sourcePort}`, why, position: Math.max(0, parser.position - from),
    bytes: new Uint8Array(parser.head.bytes.subarray(from, from + limits.errorCaptureBytesMax)), atMs: nowMs,
  });
}

/** A server's malformed answer. */
export function captureBadAnswer(x: HttpExchange): void {
  capture(x, 'response', x.responseParser, (x.back ?? x.front).slot, x.serverPlan?.slot ?? -1, x.facts.detail || faults.badResponse.why);
}
