/**
 * What comes from the server: answer heads (1xx passed on at once), rules on the final one, then its body as it comes, with
 * backpressure. Head and first body bytes leave in one write, as the very slice they came in when nothing was changed.
 */
import { C } from '../../model/counters.ts';
import { faults } from '../../model/fault.ts';
import { broken } from '../../wire/http1/broken.ts';
import { body, flaw, frameResponse } from '../../wire/http1/framing.ts';
import { parsed } from '../../wire/http1/head-parser.ts';
import { leavesAsItCame, writeHead } from '../../wire/http1/write-head.ts';
import { answerRules } from './answer-rules.ts';
import { answerBindsConnection } from './authentication.ts';
import { captureBadAnswer } from './bad-request.ts';
import { connectionLine } from './after-rules.ts';
import { abort, fail } from './faults.ts';
import { answerCounted, finishIfDone, logEarly } from './finish.ts';
import { noBytes, stage, unheard, type HttpExchange } from './http-exchange.ts';
import { internalAnswered } from './stats.ts';
import { startUpgrade } from './upgrade.ts';
import { noteAnswer } from './watched-answers.ts';

export function serverData(x: HttpExchange, chunk: Buffer): void {
  if (x.stage === stage.answering && !x.answerDone) {
    answerBody(x, chunk, 0, chunk.length);
    finishIfDone(x);
  } else if (x.stage === stage.waiting) {
    answerHead(x, chunk);
  } else if (x.answerDone) {
    // More than one answer to one request: nothing of it can be trusted.
    x.serverKeeps = false;
  }
}

function answerHead(x: HttpExchange, chunk: Buffer): void {
  let bytes = chunk;
  const { responseParser } = x;
  x.answerSeen = true;
  if (x.answerStash === null) {
    responseParser.begin(bytes, 0);
    responseParser.relaxed = x.back?.proxy.switches.acceptInvalidHttpResponse === true;
  } else {
    bytes = Buffer.concat([x.answerStash, chunk]);
    responseParser.rebase(bytes, 0);
  }
  x.answerStash = null;
  for (;;) {
    const result = responseParser.parse(bytes.length);
    if (result === parsed.more) {
      x.answerStash = bytes;
      return;
    }
    if (result !== parsed.done) {
      refuse(x, responseParser.broken);
      return;
    }
    const { statusCode, end } = x.responseHead;
    if (statusCode >= 200 || statusCode === 101) {
      finalHead(x, bytes);
      return;
    }
    passInterim(x);
    if (x.stage !== stage.waiting) return;
    if (end === bytes.length) return;
    responseParser.begin(bytes, end);
  }
}

/** 1xx: passed on at once, no rules. */
function passInterim(x: HttpExchange): void {
  const head = x.responseHead;
  if (frameResponse(head, x.responseFraming, x.isHead, x.isConnect) !== flaw.none) {
    refuse(x, x.responseFraming.broken);
    return;
  }
  answerCounted(x, head.statusCode);
  // What the client has heard of cannot be sent again.
  x.replay = null;
  x.armServer();
  toClient(x, leavesAsItCame(head) ? head.bytes.subarray(head.start, head.end) : writeHead(head, '', noBytes));
}

function finalHead(x: HttpExchange, bytes: Buffer): void {
  const { responseHead: head, responseFraming: framing, facts } = x;
  const status = head.statusCode;
  const wrong = frameResponse(head, framing, x.isHead, x.isConnect);
  if (wrong !== flaw.none || (status === 101 && !x.requestFraming.upgrade)) {
    refuse(x, wrong === flaw.none ? broken.notUpgraded : framing.broken);
    return;
  }
  facts.status = status;
  facts.responseMs = x.context.clock.monoMs() - x.sentMs;
  x.dispatch.observeAnswer(status);
  if (retriesStatus(x, status)) return;
  if (x.link !== null && answerBindsConnection(head)) x.link.private = true;
  if (x.back !== null && x.back.watched) noteAnswer(x, status);
  x.response = head;
  if (x.internal !== '') internalAnswered(x);
  if (framing.close || framing.doubtful || framing.kind === body.untilClose) {
    x.serverKeeps = false;
    // With the server connection ends what the client proved on it.
    if (x.link?.private === true) x.closeClient = true;
  }
  if (framing.kind === body.untilClose || (framing.doubtful && head.minor === 0)) x.closeClient = true;
  if (framing.kind === body.tunnel) {
    answerCounted(x, status);
    answerRules(x);
    if (x.stage === stage.waiting) startUpgrade(x, bytes);
    return;
  }
  x.responseBody.begin(framing.kind, framing.length);
  const end = x.responseBody.take(bytes, head.end, bytes.length);
  if (x.responseBody.bad) {
    refuse(x, x.responseBody.broken);
    return;
  }
  answerCounted(x, status);
  if (end < bytes.length) x.serverKeeps = false;
  answerRules(x);
  if (x.stage === stage.waiting) sendHead(x, bytes);
}

function sendHead(x: HttpExchange, bytes: Buffer): void {
  const { responseHead: head, responseBody } = x;
  const line = connectionLine(x);
  const tailEnd = responseBody.pieces === null ? responseBody.rawEnd : head.end;
  x.stage = stage.answering;
  x.answerStarted = true;
  if (line === '' && leavesAsItCame(head)) {
    toClient(x, head.start === 0 && tailEnd === bytes.length ? bytes : bytes.subarray(head.start, tailEnd));
  } else {
    toClient(x, writeHead(head, line, bytes.subarray(head.end, tailEnd)));
  }
  if (responseBody.pieces !== null) for (const piece of responseBody.pieces) toClient(x, piece);
  if (x.frontend.switches.logasap) logEarly(x);
  if (responseBody.done) x.answerDone = true;
  else x.armServer();
  finishIfDone(x);
}

function answerBody(x: HttpExchange, bytes: Buffer, from: number, to: number): void {
  const { responseBody } = x;
  const end = responseBody.take(bytes, from, to);
  if (responseBody.bad) {
    x.facts.detail = responseBody.broken;
    abort(x, faults.badResponseData);
    return;
  }
  if (responseBody.pieces === null) {
    if (responseBody.rawEnd > from) toClient(x, from === 0 && responseBody.rawEnd === bytes.length ? bytes : bytes.subarray(from, responseBody.rawEnd));
  } else {
    for (const piece of responseBody.pieces) toClient(x, piece);
  }
  if (!responseBody.done) {
    x.armServer();
    return;
  }
  x.answerDone = true;
  if (end < to) x.serverKeeps = false;
}

/** One write to the client, counted. A slow client pauses the server. */
function toClient(x: HttpExchange, data: Uint8Array): void {
  const { transport } = x.client;
  x.countOut(data.length);
  if (transport.write(data) || x.serverPaused || x.link === null) return;
  x.serverPaused = true;
  x.link.transport.pause();
  x.client.awaitClient(x.clientTimeout);
}

// ---- the end of the server's side

export function serverEnded(x: HttpExchange, code: string): void {
  if (x.serverGone || x.stage < stage.waiting || x.stage > stage.draining) return;
  x.serverGone = true;
  if (x.stage === stage.waiting) {
    headMissing(x, code);
  } else if (!x.answerDone) {
    if (x.responseBody.kind !== body.untilClose || (code !== '' && code !== 'closed')) {
      x.facts.detail = code;
      abort(x, faults.serverAbortData);
      return;
    }
    x.answerDone = true;
    finishIfDone(x);
  } else {
    // The answer was complete; what is left of the request's body has nowhere to go.
    finishIfDone(x);
  }
}

/** Closed before a whole answer head: again on another connection when that is safe, else 502. */
function headMissing(x: HttpExchange, code: string): void {
  const untouched = !x.answerSeen;
  if (untouched && x.replay !== null && (x.reused ? isRepeatable(x) : retriesOn(x, 'empty-response')) && retry(x, 'empty-response')) return;
  x.facts.detail = code;
  if (untouched && x.reused && x.client.session.requestCount > 1) {
    // The client's next request met a connection that was just closing: it has to repeat it itself (RFC 9112 9.3.1).
    x.closeClient = true;
    abort(x, faults.serverAbortHead);
    return;
  }
  x.dispatch.observeNoAnswer(code === '' || code === 'closed' ? 'Close from server (http)' : 'Read error (http)');
  fail(x, faults.serverAbortHead);
}

/** Sends the request again, on another connection. False: no retry is left. */
function retry(x: HttpExchange, why: string): boolean {
  const { link } = x;
  const before = x.stage;
  // What the old connection still has to say is of no interest any more.
  if (link !== null) link.transport.handler = unheard;
  x.stage = stage.dispatch;
  x.answerStash = null;
  x.context.wheel.disarm(x.serverTimer);
  if (x.dispatch.retry(why)) return true;
  // The answer that is there is the one the client gets.
  if (link !== null) link.transport.handler = x;
  x.stage = before;
  return false;
}

const repeatable = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'PROPFIND', 'REPORT', 'SEARCH']);

function isRepeatable(x: HttpExchange): boolean {
  return repeatable.has(x.requestHead.method);
}

function retriesOn(x: HttpExchange, word: string): boolean {
  const words = x.back?.proxy.retryOn ?? [];
  return words.length > 0 && (words.includes(word) || words.includes('all-retryable-errors'));
}

/** Statuses of `retry-on all-retryable-errors`. */
const retryableStatuses = new Set([500, 502, 503, 504]);

/** `retry-on <status>`. True: the request is on its way again. */
function retriesStatus(x: HttpExchange, status: number): boolean {
  if (status < 400 || x.replay === null) return false;
  const words = x.back?.proxy.retryOn ?? [];
  if (!words.includes(String(status)) && !(words.includes('all-retryable-errors') && retryableStatuses.has(status))) return false;
  return retry(x, String(status));
}

/** The answer is malformed: 502 if nothing of it was passed on. */
function refuse(x: HttpExchange, what: string): void {
  x.facts.detail = what;
  captureBadAnswer(x);
  x.dispatch.observeNoAnswer('Invalid http response (headers)');
  if (x.replay !== null && retriesOn(x, 'junk-response') && retryJunk(x)) return;
  fail(x, faults.badResponse);
}

/** The answer that is thrown away counts, for the server that gave it. */
function retryJunk(x: HttpExchange): boolean {
  const { back, serverPlan } = x;
  if (!retry(x, 'junk-response')) return false;
  back?.back.count(C.eresp);
  serverPlan?.tally.count(C.eresp);
  return true;
}

export function serverTimedOut(x: HttpExchange): void {
  if (x.stage === stage.waiting) {
    if (x.replay !== null && retriesOn(x, 'response-timeout') && retry(x, 'response-timeout')) return;
    x.dispatch.observeNoAnswer('Read timeout (http)');
    fail(x, faults.serverTimeoutHead);
  } else if (x.stage === stage.answering && !x.answerDone) {
    // A client that does not read keeps the server waiting: its own timeout decides.
    if (x.serverPaused) x.armServer();
    else abort(x, faults.serverTimeoutData);
  } else if (x.stage === stage.draining || x.stage === stage.answering) {
    x.serverGone = true;
    finishIfDone(x);
  }
}
