/**
 * One request of a client connection with its answer, from the first byte to the log line: what the state machine knows. What happens
 * at each step is in the other files of this folder, which all work on this; running-exchange.ts connects it to its events.
 */
import { TimerNode, type TimerOwner } from '../../base/timer-wheel.ts';
import { C } from '../../model/counters.ts';
import type { Fault } from '../../model/fault.ts';
import type { Server } from '../../model/model.ts';
import { limits } from '../../model/limits.ts';
import { BodyFlow } from '../../wire/http1/body-flow.ts';
import { Framing } from '../../wire/http1/framing.ts';
import { Http1Head } from '../../wire/http1/head.ts';
import { HeadParser } from '../../wire/http1/head-parser.ts';
import type { ServerConnection, TransportHandler } from '../contract.ts';
import { Dispatch } from '../dispatch/dispatch.ts';
import { Exchange, type ExchangeOwner } from '../exchange.ts';
import type { ListenerPlan, ProxyPlan, ServerPlan } from '../plan.ts';
import type { ClientSession } from '../session.ts';
import type { Tunnel, TunnelOwner } from '../tcp/tunnel.ts';
import type { ThreadContext } from '../thread-context.ts';
import type { HttpConnection } from './connection.ts';

/** Where an exchange stands. The order matters: later stages compare greater. */
export const stage = {
  /** Reading the request head. */ head: 0,
  /** Rules wait for more bytes or for the inspect delay. */ inspecting: 1,
  /** Rules or option http-buffer-request wait for the body. */ buffering: 2,
  /** Rules run. */ rules: 3,
  tarpit: 4,
  /** Looking for a server. */ dispatch: 5,
  /** Request under way, no answer yet. */ waiting: 6,
  /** The answer passes. */ answering: 7,
  /** The answer is out, the rest of the request's body is read. */ draining: 8,
  tunnel: 9,
  over: 10,
} as const;

export const timerKind = { server: 0, wait: 1 } as const;
const nobody: ExchangeOwner = {
  exchangeRedirected: () => false,
  exchangeServer: () => undefined, exchangeFailed: () => undefined, exchangeKilled: () => undefined,
  inspectedRequest: () => noBytes, inspectedResponse: () => noBytes, inspectedRequestComplete: () => true, inspectedResponseComplete: () => true,
};
export const noBytes: Buffer = Buffer.alloc(0);
/** No body parts; never added to. */
export const noParts: Uint8Array[] = [];

export abstract class HttpExchange extends Exchange implements ExchangeOwner, TransportHandler, TimerOwner, TunnelOwner {
  readonly context: ThreadContext;
  readonly dispatch: Dispatch;
  readonly requestHead = new Http1Head(false);
  readonly requestParser: HeadParser;
  readonly requestFraming = new Framing();
  readonly requestBody = new BodyFlow();
  readonly responseHead = new Http1Head(true);
  readonly responseParser: HeadParser;
  readonly responseFraming = new Framing();
  readonly responseBody = new BodyFlow();
  /** Of the server: silence while it should answer, read or write. */
  readonly serverTimer: TimerNode = new TimerNode(this, timerKind.server);
  /** Inspect delay, waiting for a body, tarpit. */
  readonly waitTimer: TimerNode = new TimerNode(this, timerKind.wait);
  client: HttpConnection;
  front: ProxyPlan;
  listener: ListenerPlan;
  back: ProxyPlan | null = null;
  /** Backend counted this exchange in. */
  entered = false;
  serverPlan: ServerPlan | null = null;
  link: ServerConnection | null = null;
  stage: number = stage.head;
  /** Next step of request-steps.ts and, within its rules, next rule. */
  step = 0;
  ruleAt = 0;
  /** Body bytes wanted before the rules go on. */
  bodyWanted = 0;
  /** Answer that a tarpit holds back. */
  held: Uint8Array | null = null;
  // ---- the request
  /** Where the head is read into when it comes in pieces; bytes up to stashEnd are used. */
  stash: Buffer | null = null;
  stashEnd = 0;
  /** The method is HEAD, CONNECT. */
  isHead = false;
  isConnect = false;
  /** End of the first body bytes, which stand behind the head and go out with it. */
  firstEnd = 0;
  /** Body bytes that wait for a server connection. */
  parts: Uint8Array[] = noParts;
  partsBytes = 0;
  /** Body without chunk framing, while rules want to see it. */
  inspected: Uint8Array[] = noParts;
  /** All of the request as it was sent, while it can be sent again. */
  replay: Uint8Array | null = null;
  /** Header lines that go to the server after those of the client. */
  serverLines = '';
  reused = false;
  // ---- the answer
  /** Bytes of an answer head that came in pieces. */
  answerStash: Buffer | null = null;
  /** A byte of an answer came on the present connection. */
  answerSeen = false;
  /** Something of the final answer (or a tunnel) went to the client. */
  answerStarted = false;
  answerDone = false;
  /** The server ended or reset its side. */
  serverGone = false;
  /** The server connection may carry another request as far as the answer is concerned. */
  serverKeeps = false;
  serverPaused = false;
  clientPaused = false;
  // ---- the client connection afterwards
  closeClient = false;
  /** A server connection that the client authenticated on closed while this request ran elsewhere. */
  loginLost = false;
  /** The client has ended its side. */
  clientEnded = false;
  /** Written early (option logasap), so not again at the end. */
  logged = false;
  /** Neither logged nor counted as a session's request (monitor-uri, probes). */
  unlogged = false;
  tunnel: Tunnel | null = null;
  /** Name in the log of the page that the control thread answers with; '' for all other requests. */
  internal = '';
  // ---- times, monoMs
  startMs = 0;
  /** Head (and what rules waited for) was there. */
  readyMs = 0;
  sentMs = 0;

  constructor(context: ThreadContext, client: HttpConnection) {
    super(client.session.world, client.session, nobody);
    this.context = context;
    this.client = client;
    this.front = client.session.proxy;
    this.listener = client.session.listener;
    const { global } = context.plan.model;
    const bytesMax = global.headBytesMax > 0 ? global.headBytesMax : limits.headBytesMax;
    const linesMax = global.headerCountMax > 0 ? global.headerCountMax : limits.headerCountMax;
    this.requestParser = new HeadParser(this.requestHead, bytesMax, linesMax);
    this.responseParser = new HeadParser(this.responseHead, bytesMax, linesMax);
    this.dispatch = new Dispatch(context, this);
    this.owner = this;
  }

  /** Ready for the first byte of a request of `client`. */
  begin(client: HttpConnection, session: ClientSession): void {
    this.reset(session.world, session, this);
    this.client = client;
    this.front = session.proxy;
    this.listener = session.listener;
    this.back = null;
    this.entered = false;
    this.serverPlan = null;
    this.link = null;
    this.stage = stage.head;
    this.step = 0;
    this.ruleAt = 0;
    this.bodyWanted = 0;
    this.held = null;
    this.stash = null;
    this.stashEnd = 0;
    this.isHead = false;
    this.isConnect = false;
    this.firstEnd = 0;
    this.parts = noParts;
    this.partsBytes = 0;
    this.inspected = noParts;
    this.replay = null;
    this.serverLines = '';
    this.reused = false;
    this.answerStash = null;
    this.answerSeen = false;
    this.internal = '';
    this.answerStarted = false;
    this.answerDone = false;
    this.serverGone = false;
    this.serverKeeps = false;
    this.serverPaused = false;
    this.clientPaused = false;
    this.closeClient = false;
    this.loginLost = false;
    this.clientEnded = false;
    this.logged = false;
    this.unlogged = false;
    this.tunnel = null;
    this.startMs = 0;
    this.readyMs = 0;
    this.sentMs = 0;
    this.requestParser.relaxed = this.frontend.switches.acceptInvalidHttpRequest;
  }

  /** Lets go of everything big, before it waits in the pool. */
  forget(): void {
    this.requestHead.reset();
    this.responseHead.reset();
    this.facts.source = null;
    this.request = null;
    this.response = null;
    this.stash = null;
    this.answerStash = null;
    this.replay = null;
    this.held = null;
    this.parts = noParts;
    this.inspected = noParts;
    this.link = null;
    this.tunnel = null;
  }

  get serverTimeout(): number {
    return this.serverTimeoutMs ?? this.back?.proxy.timeouts.serverMs ?? 0;
  }

  get clientTimeout(): number {
    return this.clientTimeoutMs ?? this.frontend.timeouts.clientMs ?? 0;
  }

  armServer(): void {
    const timeoutMs = this.serverTimeout;
    if (timeoutMs > 0) this.context.wheel.arm(this.serverTimer, timeoutMs);
  }

  countIn(bytes: number): void {
    this.facts.bytesFromClient += bytes;
    this.front.front.add(C.bin, bytes);
    this.listener.tally.add(C.bin, bytes);
    // What came before the choice is added to backend and server when they are known.
    this.back?.back.add(C.bin, bytes);
    this.serverPlan?.tally.add(C.bin, bytes);
  }

  countOut(bytes: number): void {
    this.facts.bytesToClient += bytes;
    this.front.front.add(C.bout, bytes);
    this.listener.tally.add(C.bout, bytes);
    if (this.back === null) return;
    this.back.back.add(C.bout, bytes);
    this.serverPlan?.tally.add(C.bout, bytes);
  }

  /** Keeps a body part until there is a server connection. */
  keepPart(part: Uint8Array): void {
    if (this.parts === noParts) this.parts = [];
    this.parts.push(part);
    this.partsBytes += part.length;
  }

  pauseClient(): void {
    this.clientPaused = true;
    this.client.transport.pause();
  }

  resumeClient(): void {
    this.clientPaused = false;
    this.client.transport.resume();
  }

  // ---- content inspection
  inspectedRequest(): Uint8Array { return this.inspected.length === 1 ? this.inspected[0] ?? noBytes : Buffer.concat(this.inspected); }
  inspectedResponse(): Uint8Array { return noBytes; }
  inspectedRequestComplete(): boolean { return this.requestBody.done; }
  inspectedResponseComplete(): boolean { return this.answerDone; }

  // ---- events, see running-exchange.ts
  abstract exchangeRedirected(server: Server): boolean;
  abstract exchangeServer(connection: ServerConnection, reused: boolean): void;
  abstract exchangeFailed(fault: Fault): void;
  abstract exchangeKilled(fault: Fault): void;
  abstract onData(chunk: Buffer): void;
  abstract onDrain(): void;
  abstract onEnd(): void;
  abstract onClose(code: string): void;
  abstract onTimer(node: TimerNode): void;
  abstract onTunnelEnd(fault: Fault | null): void;
  /** More of the body is there while rules wait for it. */
  abstract bodyArrived(): void;
}

/** Handler of a server connection that is no longer ours and only has to close. */
export const unheard: TransportHandler = { onData: () => undefined, onDrain: () => undefined, onEnd: () => undefined, onClose: () => undefined };
