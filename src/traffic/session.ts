/**
 * One client connection from accept to close: addresses in force, listener, TLS facts, variables, and what is counted for it.
 * Made by listen/, used by http/ and tcp/ and read by rules. Forwards no bytes.
 */
import type { Socket } from 'node:net';
import { djb2 } from '../base/hash.ts';
import { parseIp, type IpValue } from '../base/ip.ts';
import type { Bind, Proxy } from '../model/model.ts';
import type { Session, TlsFacts, Vars, World } from '../rules/subject.ts';
import type { SessionUser } from './contract.ts';
import type { ServerLink } from './dispatch/server-link.ts';
import type { CloseWatcher, SocketTransport } from './transport.ts';
import type { ListenerPlan, Plan, ProxyPlan } from './plan.ts';
import type { ThreadContext } from './thread-context.ts';

/** Keeps the books of connections: implemented by listen/. */
export interface SessionGate {
  sessionClosed(session: ClientSession): void;
}

export class ClientSession implements Session, CloseWatcher {
  readonly context: ThreadContext;
  /** Null until the connection is ready to be served. */
  transport: SocketTransport | null = null;
  /** Plan that requests of this connection begin under, and what it says of where the connection came in. See follow(). */
  plan: Plan;
  listener: ListenerPlan;
  proxy: ProxyPlan;
  bind: Bind;
  frontend: Proxy;
  world: World;
  readonly acceptedAtMs: number;
  readonly acceptedMonoMs: number;
  /** Time of PROXY header and TLS handshake (%Th). */
  handshakeMs = 0;
  requestCount = 0;
  vars: Vars | null = null;
  proxyUniqueId = '';
  proxyAuthority = '';
  expectsProxy: boolean;
  /**
   * Backend in mode http that a frontend in mode tcp chose: from then on the connection is HTTP, all of its requests go to that
   * backend, and no rule of the frontend looks at them.
   */
  upgradedTo: ProxyPlan | null = null;
  /** Set by http/ or tcp/ when it takes the connection. */
  user: SessionUser | null = null;
  /** Server connections that belong to this client alone (NTLM, http-reuse never). Kept by dispatch/. */
  readonly ownConnections: ServerLink[] = [];
  /** The client authenticated on a server connection: its requests go on to that server. */
  preferLast = false;
  /** Server of the last request that kept its connection, index into Model.servers; -1 = none. */
  lastServer = -1;
  /** Number of this session in its thread, for `show sess`. */
  id = 0;
  /** The thread's list of live sessions. */
  previous: ClientSession | null = null;
  next: ClientSession | null = null;
  sourcePort: number;
  private readonly socket: Socket;
  private source: string;
  private destination: string | null = null;
  private destinationPortValue = -1;
  private sourceValue: IpValue | undefined = undefined;
  private sourceHashValue = -1;
  private destinationValue: IpValue | undefined = undefined;

  private released = false;
  private readonly gate: SessionGate;

  /** `socket` is the accepted one; the transport may be another (TLS) and comes with attach(). */
  constructor(context: ThreadContext, gate: SessionGate, listener: ListenerPlan, socket: Socket) {
    this.context = context;
    this.gate = gate;
    this.socket = socket;
    this.plan = listener.proxy.plan;
    this.world = this.plan.world;
    this.listener = listener;
    this.proxy = listener.proxy;
    this.bind = listener.bind;
    this.frontend = listener.proxy.proxy;
    this.expectsProxy = listener.bind.acceptProxy;
    this.acceptedAtMs = context.clock.dateMs();
    this.acceptedMonoMs = context.clock.monoMs();
    this.source = socket.remoteAddress ?? '';
    this.sourcePort = socket.remotePort ?? 0;
  }

  /** Between two requests: a reload has put another plan in place. Nothing changes for a listener that it removed. */
  follow(plan: Plan): void {
    const listener = plan.listenerAt(this.listener.slot);
    if (listener === undefined || listener.proxy.slot !== this.proxy.slot) return;
    if (this.lastServer >= 0) this.lastServer = plan.serverAt(this.plan.servers[this.lastServer]?.slot ?? -1)?.server.index ?? -1;
    if (this.upgradedTo !== null) this.upgradedTo = plan.proxyAt(this.upgradedTo.slot) ?? this.upgradedTo;
    this.plan = plan;
    this.world = plan.world;
    this.listener = listener;
    this.proxy = listener.proxy;
    this.bind = listener.bind;
    this.frontend = listener.proxy.proxy;
    for (const link of this.ownConnections.slice()) {
      const server = plan.serverAt(link.plan.slot);
      if (server !== undefined && server.pool === link.plan.pool) link.moveTo(server);
      else link.drop();
    }
  }

  attach(transport: SocketTransport): void {
    this.transport = transport;
    transport.watcher = this;
  }

  get closed(): boolean { return this.transport?.closed ?? true; }

  get tls(): TlsFacts | null { return this.transport?.tls ?? null; }

  get sourceAddress(): string { return this.source; }
  set sourceAddress(value: string) {
    this.source = value;
    this.sourceValue = undefined;
    this.sourceHashValue = -1;
  }

  /** Of the client's address: 32 bits. */
  get sourceHash(): number {
    if (this.sourceHashValue < 0) this.sourceHashValue = djb2(this.source);
    return this.sourceHashValue;
  }

  get destinationAddress(): string {
    this.destination ??= this.socket.localAddress ?? '';
    return this.destination;
  }
  set destinationAddress(value: string) {
    this.destination = value;
    this.destinationValue = undefined;
  }

  get destinationPort(): number {
    if (this.destinationPortValue < 0) this.destinationPortValue = this.socket.localPort ?? 0;
    return this.destinationPortValue;
  }
  set destinationPort(value: number) { this.destinationPortValue = value; }

  sourceIp(): IpValue | undefined {
    this.sourceValue ??= parseIp(this.sourceAddress);
    return this.sourceValue;
  }

  destinationIp(): IpValue | undefined {
    this.destinationValue ??= parseIp(this.destinationAddress);
    return this.destinationValue;
  }

  transportClosed(): void {
    this.release();
  }

  /** The connection counts no longer, although its socket may take a moment to close. */
  release(): void {
    if (this.released) return;
    this.released = true;
    // Closing a connection takes it out of the list.
    for (let link = this.ownConnections[0]; link !== undefined; link = this.ownConnections[0]) {
      link.unkeep();
      link.transport.destroy();
    }
    this.gate.sessionClosed(this);
  }
}
