/**
 * The request on its way to the server: header lines that are added, the dispatch, one write for the head with what is there of the
 * body, then the rest of the body as it comes, with backpressure.
 */
import { C } from '../../model/counters.ts';
import { faults } from '../../model/fault.ts';
import { limits } from '../../model/limits.ts';
import { body } from '../../wire/http1/framing.ts';
import { leavesAsItCame, writeHead } from '../../wire/http1/write-head.ts';
import type { ServerConnection } from '../contract.ts';
import { bindsConnection } from './authentication.ts';
import { abort, bodyRefused } from './faults.ts';
import { serverEnded } from './from-server.ts';
import { finishIfDone } from './finish.ts';
import type { AddressHeader } from './http-rules.ts';
import { noParts, stage, type HttpExchange } from './http-exchange.ts';

/** The rules are through: what goes to the server besides the client's lines, then the way there. */
export function prepareRequest(x: HttpExchange): void {
  const { back } = x;
  if (back === null) return;
  const front = x.front.rules.http;
  const { http } = back.rules;
  if (x.requestHead.startEdited) {
    // The server answers the method that rules gave it.
    x.isHead = x.requestHead.method === 'HEAD';
    x.isConnect = x.requestHead.method === 'CONNECT';
  }
  let lines = '';
  if (x.uniqueId !== '' && x.frontend.uniqueIdHeader !== '') lines += `${x.frontend.uniqueIdHeader.toLowerCase()}: ${x.uniqueId}\r\n`;
  const forwardfor = http.forwardfor ?? front.forwardfor;
  if (forwardfor !== null) lines += forwardedLine(x, forwardfor);
  const originalto = http.originalto ?? front.originalto;
  if (originalto !== null) lines += originalLine(x, originalto);
  if (http.forwarded !== null) lines += `forwarded: ${http.forwarded(x)}\r\n`;
  const serverCloses = x.frontend.connectionMode !== 'keep-alive' || back.proxy.connectionMode !== 'keep-alive';
  const saysClose = serverCloses && !back.proxy.switches.httpPretendKeepalive;
  if (x.frontend.connectionMode === 'close' || back.proxy.connectionMode === 'close') x.closeClient = true;
  x.serverKeeps = !serverCloses && !(x.requestHead.minor === 0 && x.requestFraming.doubtful);
  // HAProxy asks a server in the request's own version: 1.1 keeps unless told to close, 1.0 closes unless told to keep.
  if (x.requestHead.minor === 0) {
    if (!saysClose && !x.requestFraming.doubtful) lines += 'connection: keep-alive\r\n';
  } else if (saysClose) {
    lines += 'connection: close\r\n';
  }
  x.serverLines = lines;
  x.facts.requestMs = x.readyMs - x.startMs;
  if (!x.requestBody.done && !x.clientPaused) x.pauseClient();
  x.stage = stage.dispatch;
  x.dispatch.start(x.client.session, back);
}

/** `x-forwarded-for: <client>`: always a new last line; the text is kept for the connection. */
function forwardedLine(x: HttpExchange, header: AddressHeader): string {
  const { client } = x;
  const { session } = client;
  if (header.ifNone && x.requestHead.find(header.lowerName, 0) >= 0) return '';
  if (header.hasExceptions && header.excepts(session.sourceIp())) return '';
  const address = session.sourceAddress;
  if (address === '') return '';
  if (client.forwardedFor !== address || !client.forwardedLine.startsWith(header.lowerName)) {
    client.forwardedFor = address;
    client.forwardedLine = `${header.lowerName}: ${address}\r\n`;
  }
  return client.forwardedLine;
}

function originalLine(x: HttpExchange, header: AddressHeader): string {
  const { session } = x.client;
  if (header.ifNone && x.requestHead.find(header.lowerName, 0) >= 0) return '';
  if (header.hasExceptions && header.excepts(session.destinationIp())) return '';
  return session.destinationAddress === '' ? '' : `${header.lowerName}: ${session.destinationAddress}\r\n`;
}

// ---- the connection is there

export function serverReady(x: HttpExchange, connection: ServerConnection, reused: boolean): void {
  const { transport } = connection;
  x.link = connection;
  x.serverPlan = x.dispatch.target;
  x.serverPlan?.tally.add(C.bin, x.facts.bytesFromClient);
  x.reused = reused;
  x.serverGone = false;
  x.answerSeen = false;
  x.stage = stage.waiting;
  x.sentMs = x.readyMs + Math.max(x.facts.queueMs, 0) + Math.max(x.facts.connectMs, 0);
  transport.handler = x;
  if (bindsConnection(x.requestHead)) {
    if (!connection.private && (x.loginLost || isKnownElsewhere(x, connection))) {
      // These credentials may answer a challenge of another connection, which closed or whose server takes no more: nobody else can make sense of them.
      x.closeClient = true;
      abort(x, faults.serverAbortHead);
      return;
    }
    connection.private = true;
  }
  const named = x.back?.rules.http.sendName ?? '';
  // What goes to another server carries another name.
  const first = named === '' ? x.replay ?? firstWrite(x, '') : firstWrite(x, nameLine(x, named, connection.server.name));
  let open = transport.write(first);
  for (const part of x.parts) open = transport.write(part);
  // Only what went out in one piece is kept: longer requests are not sent twice, nor is what a connection's own user said on it.
  x.replay = x.requestBody.done && x.parts.length === 0 && !x.sentOnce && !connection.private ? first : null;
  x.parts = noParts;
  x.partsBytes = 0;
  x.inspected = noParts;
  x.requestBody.collect(null);
  x.armServer();
  transport.resume();
  if (x.clientPaused && open) x.resumeClient();
  if (!x.requestBody.done) awaitBody(x);
}

/** The client has authenticated, or is about to, on another connection to this backend. */
function isKnownElsewhere(x: HttpExchange, connection: ServerConnection): boolean {
  for (const own of x.client.session.ownConnections) if (own.private && own.server.proxy === connection.server.proxy) return true;
  return false;
}

/** http-send-name-header: the client's own lines of that name go. */
function nameLine(x: HttpExchange, lowerName: string, server: string): string {
  const head = x.requestHead;
  for (let i = head.find(lowerName, 0); i >= 0; i = head.find(lowerName, i + 1)) head.remove(i);
  return `${lowerName}: ${server}\r\n`;
}

/** Head and first body bytes, as one slice of what the client sent if nothing was changed. */
function firstWrite(x: HttpExchange, lastLine: string): Uint8Array {
  const head = x.requestHead;
  const lines = x.serverLines + lastLine;
  if (lines === '' && leavesAsItCame(head)) {
    return head.start === 0 && x.firstEnd === head.bytes.length ? head.bytes : head.bytes.subarray(head.start, x.firstEnd);
  }
  return writeHead(head, lines, head.bytes.subarray(head.end, x.firstEnd));
}

/** Between two parts of a body `timeout server` counts, as in HAProxy: RPC channels are silent for longer than clients may be. Without one, and after the answer, `timeout client`. */
export function awaitBody(x: HttpExchange): void {
  if (x.serverTimeout === 0 || x.stage === stage.draining) x.client.awaitClient(x.clientTimeout);
  else if (!x.serverPaused) x.client.awaitNothing();
}

/** Body bytes of the client. Gives the first position that is not part of the body. */
export function requestData(x: HttpExchange, bytes: Buffer, from: number, to: number): number {
  const { requestBody } = x;
  const end = requestBody.take(bytes, from, to);
  x.countIn(end - from);
  if (requestBody.bad) {
    bodyRefused(x);
    return to;
  }
  const whole = from === 0 && requestBody.rawEnd === bytes.length ? bytes : bytes.subarray(from, requestBody.rawEnd);
  if (x.stage < stage.waiting) {
    keepBody(x, whole, bytes, from, end);
    return end;
  }
  x.replay = null;
  forward(x, whole);
  if (x.client.exchange !== x || x.stage < stage.waiting) return end;
  if (requestBody.done) {
    if (!x.serverPaused) x.client.awaitNothing();
    finishIfDone(x);
  } else {
    awaitBody(x);
  }
  return end;
}

function keepBody(x: HttpExchange, whole: Buffer, bytes: Buffer, from: number, end: number): void {
  const { pieces, kind } = x.requestBody;
  if (pieces === null) x.keepPart(whole);
  else for (const piece of pieces) x.keepPart(piece);
  if (kind === body.length) {
    if (x.inspected.length === 0) x.inspected = [];
    x.inspected.push(bytes.subarray(from, end));
  }
  if (x.stage === stage.inspecting || x.stage === stage.buffering) x.bodyArrived();
  if (x.client.exchange !== x || x.stage >= stage.waiting) return;
  if (!x.requestBody.done && x.partsBytes >= limits.pendingWriteBytesMax && !x.clientPaused) x.pauseClient();
}

function forward(x: HttpExchange, whole: Buffer): void {
  const { link, requestBody } = x;
  if (link === null || x.serverGone) return;
  let open = true;
  if (requestBody.pieces === null) {
    if (whole.length > 0) open = link.transport.write(whole);
  } else {
    for (const piece of requestBody.pieces) open = link.transport.write(piece);
  }
  if (x.stage !== stage.draining) x.armServer();
  if (link.transport.closed) serverEnded(x, 'EPIPE');
  else if (!open && !x.clientPaused) x.pauseClient();
}

/** The server has taken what was written. */
export function serverDrained(x: HttpExchange): void {
  if (!x.clientPaused || x.stage < stage.waiting || x.stage >= stage.tunnel) return;
  if (x.stage !== stage.draining) x.armServer();
  x.resumeClient();
}
