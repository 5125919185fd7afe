/**
 * One client connection in mode http: reads requests one after the other, pipelined ones too, gives each to an HttpExchange, and
 * waits in between. Made by serve.ts; lives until the transport has closed. Knows nothing of rules and servers.
 */
import { TimerNode, type TimerOwner } from '../../base/timer-wheel.ts';
import { faults, type Fault } from '../../model/fault.ts';
import { limits } from '../../model/limits.ts';
import { parsed } from '../../wire/http1/head-parser.ts';
import type { SessionUser, TransportHandler } from '../contract.ts';
import type { ClientSession } from '../session.ts';
import type { ThreadContext } from '../thread-context.ts';
import type { Transport } from '../contract.ts';
import { refuseHead, refuseSilence } from './bad-request.ts';
import { clientDrained, clientLeft, clientEndedSide, clientTimedOut, killExchange } from './client-events.ts';
import { stage, type HttpExchange } from './http-exchange.ts';
import { headRead } from './request-steps.ts';
import { exchangePool, RunningExchange } from './running-exchange.ts';
import { requestData } from './to-server.ts';

/** What the client timer is armed for. */
const awaited = { nothing: 0, firstRequest: 1, nextRequest: 2, head: 3, exchange: 4, linger: 5, reader: 6, lastRequest: 7, lastLook: 8 } as const;

export class HttpConnection implements TransportHandler, TimerOwner, SessionUser {
  readonly transport: Transport;
  readonly session: ClientSession;
  readonly context: ThreadContext;
  exchange: HttpExchange | null = null;
  /** Monotonic and calendar time when the connection became idle (or ready): start of %Ti. */
  idleSinceMs: number;
  idleSinceDateMs: number;
  handshakeMs: number;
  private readonly pool: HttpExchange[];
  private readonly timer: TimerNode = new TimerNode(this, 0);
  private awaits: number = awaited.nothing;
  /** Bytes that came before their turn: requests after the one under way. */
  private input: Buffer | null = null;
  private inputPaused = false;
  /** Answers wait to be read, so the next request waits too. */
  private clogged = false;
  private running = false;
  /** The client has ended its side; requests that came before are still answered. */
  private peerEnded = false;
  /** The listener is being closed: the next request is the last, and its answer says so. */
  isLast = false;
  /** Our side has ended; what still comes is thrown away. */
  private lingering = false;
  /** What waited for the client to read it when the wait began. */
  private unreadBytes = 0;
  private lingerMs = 0;
  private lingerBytes = 0;
  private lingerSinceMs = 0;
  /** Cached `X-Forwarded-For` line for an address. */
  forwardedLine = '';
  forwardedFor = '';

  constructor(transport: Transport, session: ClientSession, context: ThreadContext) {
    this.transport = transport;
    this.session = session;
    this.context = context;
    this.pool = exchangePool(context);
    this.idleSinceMs = context.clock.monoMs();
    this.idleSinceDateMs = session.acceptedAtMs;
    this.handshakeMs = session.handshakeMs;
  }

  start(): void {
    this.session.user = this;
    this.transport.handler = this;
    const { timeouts } = this.session.frontend;
    this.await(awaited.firstRequest, timeouts.httpRequestMs ?? timeouts.clientMs ?? 0);
    if (this.context.draining) this.onStop();
    this.transport.resume();
  }

  // ---- the transport
  onData(chunk: Buffer): void {
    const { exchange } = this;
    if (this.lingering) return;
    if (exchange === null) {
      this.input = this.input === null ? chunk : Buffer.concat([this.input, chunk]);
      this.proceed();
    } else if (exchange.stage === stage.head) {
      this.moreHead(exchange, chunk);
      this.proceed();
    } else if (!exchange.requestBody.done) {
      const end = requestData(exchange, chunk, 0, chunk.length);
      if (end < chunk.length) this.keepInput(chunk.subarray(end));
      this.proceed();
    } else {
      this.keepInput(chunk);
    }
  }

  onDrain(): void {
    if (this.lingering) return;
    if (this.clogged) this.unclog();
    else if (this.exchange !== null) clientDrained(this.exchange);
  }

  onEnd(): void {
    const { exchange } = this;
    this.peerEnded = true;
    if (exchange !== null) {
      if (this.input === null) clientEndedSide(exchange);
    } else if (this.session.requestCount === 0 && !this.lingering) {
      refuseSilence(this, faults.clientAbortHead);
    } else if (!this.clogged) {
      // Answers that it has not read yet still reach it.
      this.close();
    }
  }

  onClose(): void {
    this.context.wheel.disarm(this.timer);
    this.input = null;
    const { exchange } = this;
    if (exchange !== null) clientLeft(exchange);
    else if (this.session.requestCount === 0 && !this.lingering) refuseSilence(this, faults.clientAbortHead);
  }

  // ---- requests

  /** Starts the requests whose bytes are there, until one is under way. */
  proceed(): void {
    if (this.running) return;
    this.running = true;
    while (this.exchange === null && this.input !== null && !this.lingering && !this.transport.closed && !this.clogs()) {
      const bytes = this.input;
      this.input = null;
      this.begin(bytes);
    }
    this.running = false;
    if (this.exchange === null && this.inputPaused && !this.clogged) {
      this.inputPaused = false;
      this.transport.resume();
    }
  }

  /** A client that sends requests without reading the answers: nothing more is read from it until it does. */
  private clogs(): boolean {
    if (this.transport.pendingBytes <= limits.pendingWriteBytesMax) return false;
    this.clogged = true;
    this.inputPaused = true;
    this.transport.pause();
    this.await(awaited.reader, this.session.frontend.timeouts.clientMs ?? 0);
    return true;
  }

  private unclog(): void {
    this.clogged = false;
    this.awaits = awaited.nothing;
    this.proceed();
  }

  /** A request starts (or, for a client that never spoke, is logged as none). */
  openExchange(): HttpExchange {
    this.onReload();
    const exchange = this.pool.pop() ?? new RunningExchange(this.context, this);
    exchange.begin(this, this.session);
    this.startTimes(exchange);
    this.exchange = exchange;
    return exchange;
  }

  private startTimes(exchange: HttpExchange): void {
    const { clock } = this.context;
    const { facts } = exchange;
    exchange.startMs = clock.monoMs();
    exchange.readyMs = exchange.startMs;
    facts.requestDateMs = clock.dateMs();
    facts.acceptDateMs = this.idleSinceDateMs;
    facts.handshakeMs = this.handshakeMs;
    facts.idleMs = exchange.startMs - this.idleSinceMs;
  }

  private begin(bytes: Buffer): void {
    const exchange = this.openExchange();
    exchange.requestParser.begin(bytes, 0);
    this.parseHead(exchange, bytes, bytes.length, true);
    // The last request of a client that has ended its side.
    if (this.peerEnded && this.exchange === exchange && this.input === null) clientEndedSide(exchange);
  }

  private parseHead(exchange: HttpExchange, bytes: Buffer, to: number, isFirst: boolean): void {
    const result = exchange.requestParser.parse(to);
    if (result === parsed.done) {
      exchange.stash = null;
      // A head that came in one piece was there when it started: no need to ask the clock again.
      if (!isFirst) exchange.readyMs = this.context.clock.monoMs();
      this.awaits = awaited.nothing;
      const end = headRead(exchange, bytes, to);
      if (end < to) this.keepInput(bytes.subarray(end, to));
    } else if (result === parsed.more) {
      if (isFirst) this.awaitHead(exchange);
      exchange.stash = bytes;
      exchange.stashEnd = to;
    } else {
      exchange.facts.detail = exchange.requestParser.broken;
      refuseHead(exchange, result === parsed.tooLarge ? faults.headTooLarge : faults.badRequest, 400);
    }
  }

  /** A head that is not whole yet has `timeout http-request` from its first byte. */
  private awaitHead(exchange: HttpExchange): void {
    const { timeouts } = this.session.frontend;
    if (exchange.requestParser.untouched) {
      // Only empty lines: nothing has started.
      return;
    }
    if (this.awaits === awaited.firstRequest) this.awaits = awaited.head;
    else this.await(awaited.head, timeouts.httpRequestMs ?? timeouts.clientMs ?? 0);
  }

  private moreHead(exchange: HttpExchange, chunk: Buffer): void {
    const { stash, requestParser } = exchange;
    if (stash === null) return;
    const wasUntouched = requestParser.untouched;
    // Only empty lines had come: the request starts now.
    if (wasUntouched) this.startTimes(exchange);
    let bytes = stash;
    let used = exchange.stashEnd;
    if (used + chunk.length > bytes.length) {
      const start = exchange.requestHead.start;
      bytes = Buffer.allocUnsafe(Math.max(2 * (used - start + chunk.length), 1024));
      stash.copy(bytes, 0, start, used);
      requestParser.rebase(bytes, start);
      used -= start;
    }
    chunk.copy(bytes, used);
    this.parseHead(exchange, bytes, used + chunk.length, wasUntouched);
  }

  private keepInput(bytes: Buffer): void {
    this.input = this.input === null ? bytes : Buffer.concat([this.input, bytes]);
    // Told each time: whoever waited for the server may have let the client go on.
    if (this.input.length >= limits.pendingWriteBytesMax) {
      this.inputPaused = true;
      this.transport.pause();
    }
  }

  /** The exchange has been logged: the next request, waiting for it, or the end. */
  exchangeOver(exchange: HttpExchange, close: boolean): void {
    if (this.exchange !== exchange) return;
    this.exchange = null;
    // In a body, after a tunnel, a refused head or an answer that did not say that the connection ends, the client may still be speaking.
    const unread = exchange.request === null ? exchange.facts.cause === 'P' : !exchange.requestBody.done || exchange.tunnel !== null || exchange.loginLost;
    const endMs = exchange.startMs + exchange.facts.activeMs;
    const endDateMs = exchange.facts.requestDateMs + exchange.facts.activeMs;
    exchange.forget();
    if (this.pool.length < limits.idleExchangesMax) this.pool.push(exchange);
    if (this.transport.closed) {
      this.context.wheel.disarm(this.timer);
      return;
    }
    // Somebody else has the transport now.
    if (this.lingering) return;
    if (close || (this.peerEnded && this.input === null)) {
      this.close(unread);
      return;
    }
    this.idleSinceMs = endMs;
    this.idleSinceDateMs = endDateMs;
    this.handshakeMs = 0;
    const { timeouts } = this.session.frontend;
    this.await(awaited.nextRequest, timeouts.httpKeepAliveMs ?? timeouts.httpRequestMs ?? timeouts.clientMs ?? 0);
    if (this.isLast) this.awaitLast();
    this.proceed();
  }

  /** The bytes of the client that came after the request: for a tunnel. */
  takeInput(): Buffer | null {
    const { input } = this;
    this.input = null;
    return input;
  }

  /**
   * Ends the connection once all that was written has left. With `unread` the client may still be sending: it gets a moment to
   * read the answer, because a reset would take it away.
   */
  close(unread = false): void {
    const { transport } = this;
    if (this.lingering || transport.closed) return;
    this.lingering = true;
    this.input = null;
    transport.end();
    if (!unread && transport.pendingBytes === 0) {
      transport.destroy();
      return;
    }
    transport.resume();
    this.lingerMs = unread ? limits.lingerMsMax : 0;
    this.lingerBytes = transport.pendingBytes;
    this.lingerSinceMs = this.context.clock.monoMs();
    this.await(awaited.linger, limits.lingerLookMs);
  }

  /** What was written leaves as slowly as the client reads, for as long as it does. */
  private lookLingering(): void {
    const { transport } = this;
    const nowMs = this.context.clock.monoMs();
    const waiting = transport.pendingBytes;
    if (waiting < this.lingerBytes) {
      this.lingerBytes = waiting;
      this.lingerSinceMs = nowMs;
    }
    const patienceMs = waiting === 0 ? this.lingerMs : this.session.frontend.timeouts.clientMs ?? limits.lingerMsMax;
    if (nowMs - this.lingerSinceMs >= patienceMs) transport.destroy();
    else this.await(awaited.linger, limits.lingerLookMs);
  }

  /** The transport is somebody else's from now on (tunnel, silent-drop). */
  release(): void {
    this.lingering = true;
    this.awaits = awaited.nothing;
    this.context.wheel.disarm(this.timer);
  }

  /** A tunnel is over: what is left of the connection ends here. */
  takeBack(): void {
    this.lingering = false;
    this.transport.handler = this;
  }

  // ---- time

  private await(what: number, timeoutMs: number): void {
    this.awaits = what;
    if (timeoutMs > 0) this.context.wheel.arm(this.timer, timeoutMs);
    else this.awaits = awaited.nothing;
  }

  /** The exchange waits for the client to send or to read. */
  awaitClient(timeoutMs: number): void {
    this.unreadBytes = this.transport.pendingBytes;
    this.await(awaited.exchange, timeoutMs);
  }

  /** A slow reader that has taken something since is not late. */
  private clientLate(exchange: HttpExchange): void {
    if (this.transport.pendingBytes < this.unreadBytes) this.awaitClient(exchange.clientTimeout);
    else clientTimedOut(exchange);
  }

  awaitNothing(): void { this.awaits = awaited.nothing; }

  onTimer(): void {
    const what = this.awaits;
    const { exchange } = this;
    this.awaits = awaited.nothing;
    if (what === awaited.linger) this.lookLingering();
    else if (what === awaited.exchange && exchange !== null) this.clientLate(exchange);
    else if (what === awaited.reader) this.transport.destroy();
    // This thread may have stood still itself: what came meanwhile is read first.
    else if (what === awaited.lastRequest) this.await(awaited.lastLook, limits.lingerLookMs);
    else if (what === awaited.head || what === awaited.firstRequest || what === awaited.nextRequest || what === awaited.lastLook) this.requestTimedOut(what, exchange);
  }

  private requestTimedOut(what: number, exchange: HttpExchange | null): void {
    if (exchange !== null && exchange.stage === stage.head && !exchange.requestParser.untouched) refuseHead(exchange, faults.clientTimeoutHead, 408);
    else if (what === awaited.firstRequest) refuseSilence(this, faults.clientTimeoutHead);
    else this.close();
  }

  // ---- from outside
  onStop(): void {
    this.isLast = true;
    if (this.exchange === null) this.awaitLast();
    else if (this.exchange.stage < stage.answering) this.exchange.closeClient = true;
  }

  /**
   * A client that was told that the connection stays may have a request on its way: closing now would lose it. It gets a moment, or with
   * `option idle-close-on-response` the time that it has anyway.
   */
  private awaitLast(): void {
    if (this.lingering || this.clogged || this.session.frontend.switches.idleCloseOnResponse) return;
    this.await(awaited.lastRequest, limits.lastRequestMs);
  }

  onReload(): void {
    const { session } = this;
    if (this.exchange === null && session.plan !== this.context.plan) session.follow(this.context.plan);
  }

  onOwnConnectionLost(): void {
    const { exchange } = this;
    if (exchange === null) {
      // A request may be on its way already: what meets it must be an end, not a reset.
      this.close(true);
      return;
    }
    exchange.closeClient = true;
    exchange.loginLost = true;
  }

  whereNow(): readonly [backend: string, server: string] {
    const facts = this.exchange?.facts;
    return facts === undefined ? ['', ''] : [facts.backendName, facts.serverName];
  }

  onKill(fault: Fault): void {
    if (this.exchange === null) this.transport.destroy();
    else killExchange(this.exchange, fault);
  }
}
