/**
 * A client connection from accept until http/ or tcp/ takes it: connection rules, PROXY header, TLS handshake, session rules.
 * Made by Listener, let in by Admission. Reads no byte of the client's requests.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { TimerNode, type TimerOwner } from '../../base/timer-wheel.ts';
import { C } from '../../model/counters.ts';
import { P } from '../../shared/segments.ts';
import { serveHttp } from '../http/serve.ts';
import type { ListenerPlan } from '../plan.ts';
import { ClientSession } from '../session.ts';
import { serveTcp } from '../tcp/serve.ts';
import { SocketTlsFacts } from '../tls-facts.ts';
import { SocketTransport } from '../transport.ts';
import type { Candidate } from './admission.ts';
import { connectionVerdict, sessionVerdict } from './connection-rules.ts';
import { dropSilently } from './silent-drop.ts';
import { logEmbryonic } from './embryonic-log.ts';
import type { Listener } from './listener.ts';
import { ProxyHeaderReader } from './proxy-header-reader.ts';

const noop = (): void => undefined;

export class Arrival implements Candidate, TimerOwner {
  readonly listener: ListenerPlan;
  private readonly at: Listener;
  private readonly socket: Socket;
  private readonly timer = new TimerNode(this, 0);
  private session: ClientSession | null = null;
  private tlsSocket: TLSSocket | null = null;
  private header: ProxyHeaderReader | null = null;
  /** A transport or a refusal has taken the socket over. */
  private done = false;
  private watching = false;
  private closed = false;

  constructor(at: Listener, socket: Socket) {
    this.at = at;
    this.listener = at.plan;
    this.socket = socket;
  }

  /** The client has left while the connection waited for admission. */
  get gone(): boolean {
    return this.closed;
  }

  /** Over a limit: waits unread. A TLS handshake goes on meanwhile, what follows it waits. */
  held(): void {
    this.watch();
    if (this.at.tls === null || this.listener.defersTls) this.socket.pause();
  }

  admit(): void {
    const { context, admission, plan } = this.at;
    if (this.closed) {
      admission.left(plan, plan.bind.tls !== null);
      return;
    }
    const session = new ClientSession(context, admission, plan, this.socket);
    this.session = session;
    admission.opened(session);
    if (plan.proxy.rules.connection.length > 0) {
      const verdict = connectionVerdict(session);
      if (verdict !== 'accept') {
        this.refused(verdict, true);
        return;
      }
    }
    if (session.expectsProxy) this.readHeader(session);
    else if (plan.bind.tls !== null) this.awaitTls();
    else this.ready(session, new SocketTransport(this.socket, null));
  }

  refuse(): void {
    this.done = true;
    this.watch();
    this.drop();
  }

  secured(socket: TLSSocket): void {
    this.tlsSocket = socket;
    if (this.done) {
      if (!this.closed && !this.socket.destroyed) this.drop();
      return;
    }
    if (this.session === null || this.header !== null) {
      socket.pause();
      return;
    }
    this.startSecured(this.session, socket);
  }

  handshakeFailed(left: boolean, code: string): void {
    if (this.done || this.session === null) return;
    this.handshakeEnded(this.session, left, code);
  }

  /** A client that leaves after its hello was answered is worth a line even with dontlognull. */
  private handshakeEnded(session: ClientSession, left: boolean, code: string): void {
    const isEmpty = left && this.socket.bytesWritten === 0;
    this.fail(session, isEmpty ? 'Connection closed during SSL handshake' : 'SSL handshake failure', isEmpty, code);
  }

  onTimer(): void {
    const { session } = this;
    if (session === null || this.done) return;
    this.fail(session, this.header === null ? 'Timeout during SSL handshake' : 'Timeout while waiting for PROXY protocol header', false);
  }

  // ---- stages

  private readHeader(session: ClientSession): void {
    this.watch();
    this.armHandshake();
    this.header = new ProxyHeaderReader(this.socket, session, (fault, isEmpty) => {
      this.header = null;
      if (fault !== '') {
        this.fail(session, fault, isEmpty);
      } else if (this.listener.bind.tls !== null) {
        this.at.startTls(this.socket);
      } else {
        this.ready(session, new SocketTransport(this.socket, null));
      }
    });
  }

  private awaitTls(): void {
    this.watch();
    this.armHandshake();
    if (this.listener.defersTls) this.at.startTls(this.socket);
    else if (this.session !== null && this.tlsSocket !== null) this.startSecured(this.session, this.tlsSocket);
  }

  private startSecured(session: ClientSession, socket: TLSSocket): void {
    const refusal = this.at.tls?.rejects(socket) ?? '';
    if (refusal !== '') {
      this.fail(session, refusal, false);
      return;
    }
    const { front } = this.listener.proxy;
    const { process } = this.at.context;
    const resumed = socket.isSessionReused();
    for (const tally of [front, this.listener.tally]) tally.count(resumed ? C.ssl_reused_sess : C.ssl_sess);
    const field = resumed ? P.ssl_reused : P.ssl_handshakes;
    process[field] = (process[field] as number) + 1;
    session.handshakeMs = this.at.context.clock.monoMs() - session.acceptedMonoMs;
    const facts = new SocketTlsFacts(socket, this.at.tls?.shownCertificate(socket) ?? '');
    if (session.plan.usesTlsFacts) facts.keep();
    this.ready(session, new SocketTransport(socket, facts));
  }

  private ready(session: ClientSession, transport: SocketTransport): void {
    const { context, plan } = this.at;
    this.done = true;
    context.wheel.disarm(this.timer);
    session.attach(transport);
    if (plan.proxy.rules.session.length > 0) {
      const verdict = sessionVerdict(session);
      if (verdict !== 'accept') {
        this.refused(verdict, false);
        return;
      }
    }
    const { front } = plan.proxy;
    front.count(C.stot);
    front.counters[C.lastsess_ms] = session.acceptedAtMs;
    plan.tally.count(C.stot);
    if (session.frontend.mode === 'http') serveHttp(transport, session, context);
    else serveTcp(transport, session, context, serveHttp);
  }

  private refused(verdict: 'reject' | 'silent-drop', atConnection: boolean): void {
    this.done = true;
    const { front } = this.listener.proxy;
    const field = atConnection ? C.dcon : C.dses;
    front.count(field);
    this.listener.tally.count(field);
    const { session } = this;
    if (session === null) return;
    if (session.transport === null) session.attach(new SocketTransport(this.socket, null));
    if (verdict === 'silent-drop') dropSilently(session);
    else session.transport?.destroy(atConnection);
  }

  private fail(session: ClientSession, message: string, isEmpty: boolean, code = ''): void {
    if (this.done) return;
    this.done = true;
    this.at.context.wheel.disarm(this.timer);
    if (message.includes('SSL')) {
      this.listener.proxy.front.count(C.ssl_failed_handshake);
      this.listener.tally.count(C.ssl_failed_handshake);
    }
    if (!isEmpty || !session.frontend.switches.dontlognull) logEmbryonic(session, message, code);
    this.drop();
    if (this.closed) this.at.admission.sessionClosed(session);
  }

  /** Exactly one of the two: Node crashes when a TLS socket is destroyed after the socket below it. */
  private drop(): void {
    (this.tlsSocket ?? this.socket).destroy();
  }

  private armHandshake(): void {
    const clientMs = this.listener.proxy.proxy.timeouts.clientMs ?? 0;
    if (clientMs > 0) this.at.context.wheel.arm(this.timer, clientMs);
  }

  /** Keeps the books when the connection closes before a transport has it. */
  private watch(): void {
    if (this.watching) return;
    this.watching = true;
    this.socket.on('error', noop);
    this.socket.on('close', () => this.onClosed());
  }

  private onClosed(): void {
    this.closed = true;
    const { session } = this;
    if (session === null || session.transport !== null) return;
    if (!this.done && this.header === null) this.handshakeEnded(session, true, '');
    else if (!this.done) this.fail(session, 'Connection closed while waiting for PROXY protocol header', true);
    else this.at.admission.sessionClosed(session);
  }
}
