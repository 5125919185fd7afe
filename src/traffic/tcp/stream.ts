/**
 * One client connection in mode tcp, from its first byte to its log line: content rules, backend, server, tunnel. Made by
 * serve.ts. Every stream is logged once and leaves every gauge as it found it, whatever ends it.
 */
import { TimerNode, type TimerOwner } from '../../base/timer-wheel.ts';
import { C } from '../../model/counters.ts';
import { faults, type Fault } from '../../model/fault.ts';
import { limits } from '../../model/limits.ts';
import type { RuleSet } from '../../rules/compile.ts';
import type { ServerConnection, SessionUser, TransportHandler } from '../contract.ts';
import { Dispatch } from '../dispatch/dispatch.ts';
import { Exchange, type ExchangeOwner } from '../exchange.ts';
import { dropSilently } from '../listen/silent-drop.ts';
import type { ProxyPlan } from '../plan.ts';
import type { ClientSession } from '../session.ts';
import type { ThreadContext } from '../thread-context.ts';
import type { SocketTransport } from '../transport.ts';
import { closeGently } from './gentle-close.ts';
import { InspectBuffer } from './inspect-buffer.ts';
import { ResponseInspection } from './response-inspection.ts';
import { logConnect, logStream } from './stream-log.ts';
import { startTunnel, type Tunnel, type TunnelOwner } from './tunnel.ts';

const stage = { inspecting: 0, dispatching: 1, answering: 2, tunnel: 3, over: 4 } as const;

/** Goes on with a connection as HTTP: sets the transport's handler. */
export type Upgrade = (transport: SocketTransport, session: ClientSession, context: ThreadContext) => void;

export class TcpStream implements TransportHandler, ExchangeOwner, TunnelOwner, SessionUser, TimerOwner {
  readonly context: ThreadContext;
  readonly session: ClientSession;
  readonly transport: SocketTransport;
  readonly exchange: Exchange;
  private readonly dispatch: Dispatch;
  private readonly upgrade: Upgrade;
  private readonly request = new InspectBuffer(limits.inspectBytesMax);
  private readonly timer = new TimerNode(this, 0);
  private stage: number = stage.inspecting;
  private backend: ProxyPlan | null = null;
  private response: ResponseInspection | null = null;
  private tunnel: Tunnel | null = null;
  /** Content rules being run: the frontend's first, then the backend's. */
  private rules: RuleSet | null = null;
  private rulesFrom = 0;
  private inspectStartedMs = 0;
  private clientEnded = false;
  private entered = false;
  private counted = false;

  constructor(transport: SocketTransport, session: ClientSession, context: ThreadContext, upgrade: Upgrade) {
    this.context = context;
    this.session = session;
    this.transport = transport;
    this.exchange = new Exchange(session.world, session, this);
    this.exchange.reset(session.world, session, this);
    this.dispatch = new Dispatch(context, this.exchange);
    this.upgrade = upgrade;
  }

  start(): void {
    const { session, transport } = this;
    const { facts } = this.exchange;
    session.user = this;
    session.requestCount = 1;
    facts.acceptDateMs = session.acceptedAtMs;
    facts.requestDateMs = session.acceptedAtMs;
    facts.handshakeMs = session.handshakeMs;
    facts.badRequest = false;
    const { uniqueId } = session.proxy.rules;
    if (uniqueId !== null) this.exchange.uniqueId = uniqueId(this.exchange);
    transport.handler = this;
    logConnect(this.context, session);
    this.inspect(session.proxy);
    if (this.stage !== stage.over) transport.resume();
  }

  // ---- client side until the tunnel

  onData(chunk: Buffer): void {
    this.request.push(chunk);
    if (this.request.full) this.transport.pause();
    if (this.stage === stage.inspecting) this.runRules();
  }

  onDrain(): void {}

  onEnd(): void {
    this.clientEnded = true;
    if (this.stage === stage.inspecting) this.runRules();
    else if (this.stage === stage.dispatching) this.endedWhileDispatching();
  }

  onClose(code: string): void {
    if (this.stage === stage.over) return;
    if (this.stage === stage.inspecting) this.end(code === '' ? null : faults.clientAbortContent);
    else if (this.stage === stage.dispatching) this.end(this.dispatch.waiting ? faults.clientAbortQueue : faults.clientAbortConnect);
    else this.end(faults.clientAbortData);
  }

  /** Content inspection has waited long enough. */
  onTimer(): void {
    if (this.stage === stage.inspecting) this.runRules();
  }

  /** A client that leaves before the server is there, with nothing to say, wants nothing. */
  private endedWhileDispatching(): void {
    if (this.request.size > 0 && this.backend?.proxy.switches.abortonclose !== true) return;
    this.end(this.dispatch.waiting ? faults.clientAbortQueue : faults.clientAbortConnect);
  }

  // ---- content rules

  private inspect(proxy: ProxyPlan): void {
    this.rules = proxy.rules.requestContent;
    this.rulesFrom = 0;
    this.inspectStartedMs = this.context.clock.monoMs();
    this.runRules();
  }

  private runRules(): void {
    const { rules, exchange } = this;
    if (rules === null) return;
    if (rules.length > 0) {
      exchange.final = this.inspectionIsOver();
      exchange.needMore = false;
      const verdict = rules.run(exchange, this.rulesFrom);
      if (verdict !== null && verdict.kind === 'wait' && !exchange.final) {
        this.rulesFrom = rules.resumeAt;
        this.waitForMore();
        return;
      }
      if (verdict !== null && verdict.kind !== 'allow' && verdict.kind !== 'wait') {
        exchange.facts.rule = rules.decider;
        this.rejected(verdict.kind === 'silent-drop');
        return;
      }
    }
    this.context.wheel.disarm(this.timer);
    this.rules = null;
    if (this.backend === null) this.switchBackend();
    else this.findServer(this.backend);
  }

  private inspectionIsOver(): boolean {
    if (this.clientEnded || this.request.full) return true;
    const delayMs = this.inspectDelayMs();
    return delayMs === 0 || this.context.clock.monoMs() - this.inspectStartedMs >= delayMs;
  }

  private inspectDelayMs(): number {
    return (this.backend ?? this.session.proxy).proxy.inspectDelayMs ?? 0;
  }

  private waitForMore(): void {
    const leftMs = this.inspectDelayMs() - (this.context.clock.monoMs() - this.inspectStartedMs);
    if (!this.timer.armed) this.context.wheel.arm(this.timer, leftMs);
  }

  private rejected(silently: boolean): void {
    const { front } = this.session.proxy;
    front.count(C.dreq);
    this.session.listener.tally.count(C.dreq);
    if (this.backend !== null) this.backend.back.count(C.dreq);
    if (silently) dropSilently(this.session);
    this.end(faults.rejectedContent, silently);
  }

  // ---- backend and server

  private switchBackend(): void {
    const { session, exchange } = this;
    const backend = session.plan.proxies[session.proxy.rules.backend(exchange)];
    if (backend === undefined || backend.proxy.disabled) {
      session.proxy.back.count(C.econ);
      this.end(faults.noServer);
      return;
    }
    if (backend.proxy.mode === 'http') {
      this.continueAsHttp(backend);
      return;
    }
    this.backend = backend;
    exchange.backend = backend.proxy;
    exchange.facts.backendName = backend.proxy.name;
    backend.back.enter(this.context.clock.dateMs());
    this.entered = true;
    if (backend === session.proxy) this.findServer(backend);
    else this.inspect(backend);
  }

  /** This stream ends without a word: what it has read is the beginning of the first request. */
  private continueAsHttp(backend: ProxyPlan): void {
    const { session, transport, context } = this;
    this.stage = stage.over;
    context.wheel.disarm(this.timer);
    session.upgradedTo = backend;
    session.requestCount = 0;
    const read = Buffer.concat(this.request.take());
    this.upgrade(transport, session, context);
    if (read.length > 0) transport.handler.onData(read);
    if (this.clientEnded) transport.handler.onEnd();
  }

  private findServer(backend: ProxyPlan): void {
    this.stage = stage.dispatching;
    if (this.clientEnded && this.request.size === 0) {
      this.end(faults.clientAbortConnect);
      return;
    }
    if (!this.clientEnded && !this.request.full) this.transport.resume();
    this.dispatch.start(this.session, backend, this.session.acceptedMonoMs);
  }

  exchangeRedirected(): boolean { return false; }

  exchangeServer(connection: ServerConnection): void {
    const { backend } = this;
    if (backend === null || this.stage !== stage.dispatching) return;
    if (backend.persistence.active) backend.persistence.connected(this.exchange, this.dispatch.memo, connection.server.index);
    const rules = backend.rules.responseContent;
    if (this.session.frontend.switches.logasap) this.logEarly();
    if (rules.length === 0) {
      this.startTunnel(connection, [], false);
      return;
    }
    this.stage = stage.answering;
    this.response = new ResponseInspection(this.context, this.exchange, connection, rules, backend.proxy.responseInspectDelayMs ?? 0, {
      accepted: (chunks, ended) => this.startTunnel(connection, chunks, ended),
      refused: () => this.responseRefused(),
      closed: () => this.end(faults.serverAbortData),
    });
    // The client's first bytes go to the server at once: its answer depends on them.
    for (const chunk of this.request.take()) this.forwardEarly(connection, chunk);
    if (!this.clientEnded) this.transport.resume();
    this.response.start();
  }

  exchangeFailed(fault: Fault): void {
    this.end(fault);
  }

  exchangeKilled(fault: Fault): void {
    if (this.tunnel !== null) this.tunnel.kill(fault);
    else this.end(fault);
  }

  private forwardEarly(connection: ServerConnection, chunk: Uint8Array): void {
    connection.transport.write(chunk);
    this.exchange.facts.bytesFromClient += chunk.length;
    for (const tally of this.tallies()) tally.add(C.bin, chunk.length);
  }

  private responseRefused(): void {
    this.session.proxy.front.count(C.dresp);
    this.backend?.back.count(C.dresp);
    this.dispatch.target?.tally.count(C.dresp);
    this.end(faults.responseRejected);
  }

  // ---- tunnel

  private startTunnel(connection: ServerConnection, fromServer: readonly Uint8Array[], serverEnded: boolean): void {
    const { backend, session, exchange } = this;
    if (backend === null || this.stage === stage.over) return;
    this.stage = stage.tunnel;
    const front = session.frontend.timeouts;
    const back = backend.proxy.timeouts;
    this.tunnel = startTunnel({
      context: this.context,
      owner: this,
      client: this.transport,
      server: connection.transport,
      facts: exchange.facts,
      tallies: this.tallies(),
      clientTimeoutMs: exchange.clientTimeoutMs ?? front.clientMs ?? 0,
      serverTimeoutMs: exchange.serverTimeoutMs ?? back.serverMs ?? 0,
      tunnelTimeoutMs: exchange.tunnelTimeoutMs ?? back.tunnelMs ?? 0,
      clientFinTimeoutMs: front.clientFinMs ?? 0,
      serverFinTimeoutMs: back.serverFinMs ?? 0,
      closesWithServer: false,
    }, this.request.take(), fromServer, this.clientEnded, serverEnded);
  }

  private tallies(): ProxyPlan['front'][] {
    const { session, backend, dispatch } = this;
    const all = [session.proxy.front, session.listener.tally];
    if (backend !== null) all.push(backend.back);
    if (dispatch.target !== null) all.push(dispatch.target.tally);
    return all;
  }

  onTunnelEnd(fault: Fault | null): void {
    this.end(fault);
  }

  // ---- being told to go

  onStop(): void {}
  onOwnConnectionLost(): void {}
  /** A stream ends as it began. */
  onReload(): void {}

  whereNow(): readonly [backend: string, server: string] {
    const { facts } = this.exchange;
    return [facts.backendName, facts.serverName];
  }

  onKill(fault: Fault): void {
    if (this.tunnel !== null) this.tunnel.kill(fault);
    else this.end(fault);
  }

  // ---- the end

  private end(fault: Fault | null, keepOpen = false): void {
    if (this.stage === stage.over) return;
    const before = this.stage;
    this.stage = stage.over;
    const { context, session, exchange, dispatch, backend } = this;
    const { facts } = exchange;
    context.wheel.disarm(this.timer);
    this.response?.stop();
    facts.totalMs = context.clock.monoMs() - session.acceptedMonoMs;
    facts.activeMs = facts.totalMs;
    facts.cause = fault?.cause ?? '-';
    facts.stage = fault?.stage ?? '-';
    if (fault !== null && before === stage.inspecting && fault.side === 'client') facts.stage = 'R';
    facts.fault = fault;
    this.countEnd(fault);
    dispatch.finish(false);
    if (this.entered) backend?.back.leave();
    // HAProxy's line does not count the stream itself among its backend's and server's any more.
    if (!facts.early || session.proxy.rules.logWhy) logStream(context, exchange, session, this.request.received + facts.bytesFromClient > 0, fault, true);
    if (keepOpen) return;
    session.release();
    // A tunnel has closed both sides already.
    if (this.tunnel === null) closeGently(context, this.transport);
  }

  private logEarly(): void {
    const { facts } = this.exchange;
    facts.totalMs = this.context.clock.monoMs() - this.session.acceptedMonoMs;
    facts.early = true;
    logStream(this.context, this.exchange, this.session, true, null, false);
  }

  private countEnd(fault: Fault | null): void {
    if (this.counted) return;
    this.counted = true;
    const { facts } = this.exchange;
    const { target } = this.dispatch;
    if (fault !== null && (this.tunnel !== null || fault.side === 'client') && fault.side !== 'proxy') {
      const field = fault.side === 'client' ? C.cli_abrt : C.srv_abrt;
      for (const tally of this.tallies()) tally.count(field);
    }
    // As in HAProxy a reset counts as a failed answer besides, silence does not.
    if (fault === faults.serverAbortData && this.tunnel !== null) {
      this.backend?.back.count(C.eresp);
      target?.tally.count(C.eresp);
    }
    if (facts.connectMs < 0 || this.backend === null) return;
    this.backend.back.times(facts.queueMs, facts.connectMs, 0, facts.totalMs);
    target?.tally.times(facts.queueMs, facts.connectMs, 0, facts.totalMs);
  }

  // ---- what rules may look at

  inspectedRequest(): Uint8Array { return this.request.bytes(); }
  inspectedResponse(): Uint8Array { return this.response?.bytes() ?? new Uint8Array(0); }
  inspectedRequestComplete(): boolean { return this.inspectionIsOver(); }
  inspectedResponseComplete(): boolean { return this.response?.complete() ?? false; }
}
