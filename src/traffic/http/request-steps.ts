/**
 * From a whole request head to the choice of a server: framing, captures, then the rules in HAProxy's order, one step after the
 * other. A step that has to wait (inspect delay, body, tarpit) stops here and goes on where it stopped. Sends nothing itself.
 */
import { C } from '../../model/counters.ts';
import { faults } from '../../model/fault.ts';
import { limits } from '../../model/limits.ts';
import type { RuleSet } from '../../rules/compile.ts';
import type { Verdict } from '../../rules/subject.ts';
import { P } from '../../shared/segments.ts';
import { body, flaw, frameRequest } from '../../wire/http1/framing.ts';
import { dropSilently } from '../listen/silent-drop.ts';
import type { ProxyPlan } from '../plan.ts';
import { answerNow, answerWithPage } from './answer.ts';
import { refuseHead } from './bad-request.ts';
import { captureRequest } from './captures.ts';
import { finish } from './finish.ts';
import { stage, type HttpExchange } from './http-exchange.ts';
import { monitored } from './monitor.ts';
import { askStats, serveInternal } from './stats.ts';
import { prepareRequest } from './to-server.ts';

const step = {
  frontContent: 0, monitor: 1, body: 2, frontRules: 3, frontStats: 4, frontRedirects: 5, backend: 6, backContent: 7, backRules: 8, backStats: 9, backRedirects: 10, dispatch: 11,
} as const;

/** A head is whole and stands in bytes[..to). Gives the first position behind what belongs to this request so far. */
export function headRead(x: HttpExchange, bytes: Buffer, to: number): number {
  const head = x.requestHead;
  const wrong = frameRequest(head, x.requestFraming, x.requestParser.relaxed);
  if (wrong !== flaw.none) {
    x.requestParser.position = head.start;
    x.facts.detail = x.requestFraming.broken;
    refuseHead(x, faults.badRequest, wrong === flaw.unprocessable ? 422 : 400);
    return to;
  }
  countRequest(x);
  const end = takeFirstBody(x, bytes, to);
  if (x.requestBody.bad) {
    // The request is counted already.
    x.stage = stage.rules;
    x.facts.detail = x.requestBody.broken;
    refuseHead(x, faults.badRequest, 400);
    return to;
  }
  x.request = head;
  x.facts.source = head;
  x.stage = stage.rules;
  x.closeClient = x.loginLost || x.requestFraming.close || x.requestFraming.doubtful || x.client.isLast;
  if (x.front.rules.http.hasRequestCaptures || x.frontend.cookieCapture !== null) captureRequest(x);
  if (x.front.rules.http.uniqueId !== null) x.uniqueId = x.front.rules.http.uniqueId(x);
  if (x.client.session.upgradedTo !== null) x.step = step.backend;
  proceed(x);
  return end;
}

function countRequest(x: HttpExchange): void {
  const { front, listener, context, requestHead, facts } = x;
  x.client.session.requestCount += 1;
  front.front.count(C.req_tot);
  listener.tally.count(C.req_tot);
  context.process[P.requests] = (context.process[P.requests] as number) + 1;
  facts.badRequest = false;
  const length = requestHead.firstEnd - requestHead.start;
  const first = requestHead.bytes[requestHead.start];
  x.isHead = length === 4 && first === 0x48 && requestHead.method === 'HEAD';
  x.isConnect = length === 7 && first === 0x43 && requestHead.method === 'CONNECT';
}

/** The part of the body that came with the head: it goes out together with it. */
function takeFirstBody(x: HttpExchange, bytes: Buffer, to: number): number {
  const { requestBody, requestFraming, requestHead } = x;
  requestBody.begin(requestFraming.kind, requestFraming.length);
  const from = requestHead.end;
  let end = from;
  x.firstEnd = from;
  if (requestFraming.kind !== body.none) {
    collectBody(x);
    end = requestBody.take(bytes, from, to);
    if (requestBody.pieces === null) x.firstEnd = requestBody.rawEnd;
    else for (const piece of requestBody.pieces) x.keepPart(piece);
    if (requestFraming.kind === body.length && end > from) x.inspected = [bytes.subarray(from, end)];
  }
  x.countIn(end - requestHead.start);
  return end;
}

/** Until the request is on its way, rules may want to see a body without its chunks. */
function collectBody(x: HttpExchange): void {
  if (x.requestFraming.kind !== body.chunked) return;
  x.inspected = [];
  x.requestBody.collect(x.inspected);
}

/** Runs the steps from x.step on. */
function proceed(x: HttpExchange): void {
  x.stage = stage.rules;
  while (x.stage === stage.rules) {
    if (x.step === step.dispatch) {
      prepareRequest(x);
      return;
    }
    if (!takeStep(x)) return;
    x.step += 1;
    x.ruleAt = 0;
  }
}

/** True: the next step follows. */
function takeStep(x: HttpExchange): boolean {
  const { front, back } = x;
  switch (x.step) {
    case step.frontContent: return front.rules.requestContent.length === 0 || runContent(x, front);
    case step.monitor: return !front.monitored || !monitored(x);
    case step.body: return !front.proxy.switches.httpBufferRequest || hasBody(x, x.context.plan.model.global.bufsizeBytes, 0);
    case step.frontRules: return restrictNames(x, front) && (front.rules.http.request.length === 0 || runRules(x, front.rules.http.request));
    case step.frontStats: return front.rules.http.stats === null || !askStats(x, front.rules.http.stats);
    case step.frontRedirects: return front.rules.http.redirects.length === 0 || runRules(x, front.rules.http.redirects);
    case step.backend: return chooseBackend(x);
    case step.backContent: return back === null || back === front || back.rules.requestContent.length === 0 || runContent(x, back);
    case step.backRules: return back === null || back === front || (restrictNames(x, back) && (!back.proxy.switches.httpBufferRequest || hasBody(x, x.context.plan.model.global.bufsizeBytes, 0))
      && (back.rules.http.request.length === 0 || runRules(x, back.rules.http.request)));
    case step.backStats: return back === null || back === front || back.rules.http.stats === null || !askStats(x, back.rules.http.stats);
    default: return back === null || back === front || back.rules.http.redirects.length === 0 || runRules(x, back.rules.http.redirects);
  }
}

/** `option http-restrict-req-hdr-names`: names that a CGI variable could not tell apart from others. */
function restrictNames(x: HttpExchange, proxy: ProxyPlan): boolean {
  const mode = proxy.proxy.switches.httpRestrictReqHdrNames;
  if (mode === 'preserve') return true;
  const head = x.requestHead;
  for (let line = 0; line < head.lineCount; line += 1) {
    if (head.isRemoved(line) || /^[a-z0-9-]+$/i.test(head.name(line))) continue;
    if (mode === 'reject') {
      countDenied(x);
      x.facts.requestMs = x.readyMs - x.startMs;
      x.facts.detail = 'option http-restrict-req-hdr-names';
      answerWithPage(x, faults.denied);
      return false;
    }
    head.remove(line);
  }
  return true;
}

function chooseBackend(x: HttpExchange): boolean {
  const { front } = x;
  const { session } = x.client;
  const back = session.upgradedTo ?? session.plan.proxies[front.rules.backend(x)];
  if (back === undefined || back.proxy.disabled) {
    front.front.count(C.econ);
    x.facts.requestMs = -1;
    answerWithPage(x, faults.noServer);
    return false;
  }
  if (front.missedRoutes !== null && back.proxy.index === front.missedRoutes.fallback) front.missedRoutes.look(x.requestHead.path(), session.sourceAddress, x.context.sightings);
  x.back = back;
  x.backend = back.proxy;
  x.facts.backendName = back.proxy.name;
  x.entered = true;
  back.back.enter(x.facts.requestDateMs);
  back.back.add(C.bin, x.facts.bytesFromClient);
  return true;
}

// ---- rules

function runContent(x: HttpExchange, proxy: ProxyPlan): boolean {
  const delayMs = proxy.proxy.inspectDelayMs ?? 0;
  const leftMs = delayMs - (x.context.clock.monoMs() - x.startMs);
  x.final = leftMs <= 0;
  x.needMore = false;
  const set = proxy.rules.requestContent;
  const verdict = set.run(x, x.ruleAt);
  if (verdict === null || verdict.kind === 'allow') return true;
  if (verdict.kind === 'wait') {
    if (x.final) return true;
    x.ruleAt = set.resumeAt;
    x.stage = stage.inspecting;
    x.context.wheel.arm(x.waitTimer, leftMs);
    return false;
  }
  x.facts.badRequest = proxy === x.front;
  return act(x, verdict, set);
}

function runRules(x: HttpExchange, set: RuleSet): boolean {
  // http-request rules never wait for more bytes: what is not there is not there.
  x.final = true;
  const verdict = set.run(x, x.ruleAt);
  if (verdict === null || verdict.kind === 'allow') return true;
  x.ruleAt = set.resumeAt;
  return act(x, verdict, set);
}

/** True: the rules went on and the next step may follow. */
function act(x: HttpExchange, verdict: Verdict, set: RuleSet): boolean {
  x.facts.rule = set.decider;
  switch (verdict.kind) {
    case 'allow': return true;
    case 'wait':
    case 'wait-for-body': return waitForBody(x, verdict);
    case 'answer': answer(x, verdict); return false;
    case 'service': serveInternal(x, 'prometheus', false); return false;
    case 'silent-drop':
      dropSilently(x.client.session);
      x.client.release();
      end(x, true);
      return false;
    default:
      end(x, false);
      return false;
  }
}

function waitForBody(x: HttpExchange, verdict: Verdict): boolean {
  if (verdict.kind !== 'wait-for-body') return true;
  return hasBody(x, verdict.atLeastBytes > 0 ? verdict.atLeastBytes : x.context.plan.model.global.bufsizeBytes, verdict.timeMs) && continueRules(x);
}

function continueRules(x: HttpExchange): boolean {
  const set = x.step === step.frontRules ? x.front.rules.http.request : x.back?.rules.http.request;
  return set === undefined || runRules(x, set);
}

function answer(x: HttpExchange, verdict: Extract<Verdict, { kind: 'answer' }>): void {
  const { front, back } = x;
  const denied = verdict.cause === 'deny' || verdict.cause === 'tarpit';
  if (denied) {
    countDenied(x);
    x.facts.fault = verdict.cause === 'tarpit' ? faults.tarpit : faults.denied;
  } else if (back === null || back === front) front.front.count(C.intercepted);
  if (!verdict.keepAlive) x.closeClient = true;
  if (verdict.cause === 'tarpit') {
    x.stage = stage.tarpit;
    x.held = verdict.bytes;
    const { timeouts } = (back ?? front).proxy;
    const waitMs = timeouts.tarpitMs ?? timeouts.connectMs ?? 0;
    if (waitMs > 0) x.context.wheel.arm(x.waitTimer, waitMs);
    else tarpitOver(x);
    return;
  }
  x.facts.requestMs = x.context.clock.monoMs() - x.startMs;
  answerNow(x, verdict.bytes, denied ? 'P' : 'L', 'R');
}

function countDenied(x: HttpExchange): void {
  x.front.front.count(C.dreq);
  x.listener.tally.count(C.dreq);
  x.back?.back.count(C.dreq);
}

function tarpitOver(x: HttpExchange): void {
  const bytes = x.held;
  x.held = null;
  if (bytes === null) return;
  x.facts.queueMs = x.context.clock.monoMs() - x.startMs;
  answerNow(x, bytes, 'P', 'T');
}

/** reject, silent-drop, close: no answer. */
function end(x: HttpExchange, keepOpen: boolean): void {
  countDenied(x);
  x.facts.cause = 'P';
  x.facts.stage = 'R';
  x.facts.fault = faults.denied;
  finish(x, false, !keepOpen);
}

// ---- waiting

/** True: `wanted` bytes of the body are there, or all of it. Else the exchange waits for them. */
function hasBody(x: HttpExchange, wanted: number, timeMs: number): boolean {
  if (x.requestBody.done || inspectedBytes(x) >= wanted) return true;
  x.stage = stage.buffering;
  x.bodyWanted = wanted;
  const { timeouts } = x.frontend;
  const waitMs = timeMs > 0 ? timeMs : timeouts.httpRequestMs ?? timeouts.clientMs ?? 0;
  if (waitMs > 0) x.context.wheel.arm(x.waitTimer, waitMs);
  return false;
}

function inspectedBytes(x: HttpExchange): number {
  let sum = 0;
  for (const part of x.inspected) sum += part.length;
  return sum;
}

/** More of the body came while rules wait for it. */
export function bodyArrived(x: HttpExchange): void {
  if (x.stage === stage.buffering) {
    // What waits is bounded: rules see no more than fits.
    if (!x.requestBody.done && inspectedBytes(x) < x.bodyWanted && x.partsBytes < limits.pendingWriteBytesMax) return;
    x.bodyWanted = 0;
  }
  goOn(x);
}

function goOn(x: HttpExchange): void {
  x.readyMs = x.context.clock.monoMs();
  x.context.wheel.disarm(x.waitTimer);
  const resume = x.ruleAt > 0 && (x.step === step.frontRules || x.step === step.backRules);
  x.stage = stage.rules;
  if (resume) {
    if (!continueRules(x)) return;
    x.step += 1;
    x.ruleAt = 0;
  }
  proceed(x);
}

/** The wait timer fired. */
export function waitOver(x: HttpExchange): void {
  if (x.stage === stage.tarpit) tarpitOver(x);
  else if (x.stage === stage.inspecting) goOn(x);
  else if (x.stage === stage.buffering) bodyTimedOut(x);
}

function bodyTimedOut(x: HttpExchange): void {
  x.front.front.count(C.ereq);
  x.listener.tally.count(C.ereq);
  answerWithPage(x, faults.clientTimeoutHead);
}
