/**
 * One client connection from accept to close: addresses in force, listener, TLS facts, variables, and what is counted for it.
 * Made by listen/, used by http/ and tcp/ and read by rules. Forwards no bytes.
 */
import { parseIp, type IpValue } from '../base/ip.ts';
import type { Bind, Proxy } from '../model/model.ts';
import type { Session, TlsFacts, Vars } from '../rules/subject.ts';
import type { ServerConnection, SessionUser } from './contract.ts';
import type { CloseWatcher, SocketTransport } from './transport.ts';
import type { ListenerPlan, Plan, ProxyPlan } from './plan.ts';
import type { ThreadContext } from './thread-context.ts';

/** Keeps the books of connections: implemented by listen/. */
export interface SessionGate {
  sessionClosed(session: ClientSession): void;
}

export class ClientSession implements Session, CloseWatcher {
  readonly context: ThreadContext;
  readonly transport: SocketTransport;
  /** Plan in force at accept; its objects count this connection until it closes. */
  readonly plan: Plan;
  readonly listener: ListenerPlan;
  readonly proxy: ProxyPlan;
  readonly bind: Bind;
  readonly frontend: Proxy;
  readonly acceptedAtMs: number;
  readonly acceptedMonoMs: number;
  /** Time of PROXY header and TLS handshake (%Th). */
  handshakeMs = 0;
  requestCount = 0;
  vars: Vars | null = null;
  proxyUniqueId = '';
  proxyAuthority = '';
  /** Set by http/ or tcp/ when it takes the connection. */
  user: SessionUser | null = null;
  /** Server connections that belong to this client alone (NTLM, http-reuse never). Kept by dispatch/. */
  readonly ownConnections: ServerConnection[] = [];
  /** The thread's list of live sessions. */
  previous: ClientSession | null = null;
  next: ClientSession | null = null;
  private source: string | null = null;
  private sourcePortValue = -1;
  private destination: string | null = null;
  private destinationPortValue = -1;
  private sourceValue: IpValue | undefined = undefined;
  private destinationValue: IpValue | undefined = undefined;

  private readonly gate: SessionGate;

  constructor(context: ThreadContext, gate: SessionGate, transport: SocketTransport, listener: ListenerPlan, acceptedAtMs: number, acceptedMonoMs: number) {
    this.gate = gate;
    this.context = context;
    this.transport = transport;
    this.plan = context.plan;
    this.listener = listener;
    this.proxy = listener.proxy;
    this.bind = listener.bind;
    this.frontend = listener.proxy.proxy;
    this.acceptedAtMs = acceptedAtMs;
    this.acceptedMonoMs = acceptedMonoMs;
  }

  get tls(): TlsFacts | null { return this.transport.tls; }

  get sourceAddress(): string {
    this.source ??= this.transport.remoteAddress;
    return this.source;
  }
  set sourceAddress(value: string) {
    this.source = value;
    this.sourceValue = undefined;
  }

  get sourcePort(): number {
    if (this.sourcePortValue < 0) this.sourcePortValue = this.transport.remotePort;
    return this.sourcePortValue;
  }
  set sourcePort(value: number) { this.sourcePortValue = value; }

  get destinationAddress(): string {
    this.destination ??= this.transport.localAddress;
    return this.destination;
  }
  set destinationAddress(value: string) {
    this.destination = value;
    this.destinationValue = undefined;
  }

  get destinationPort(): number {
    if (this.destinationPortValue < 0) this.destinationPortValue = this.transport.localPort;
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
    this.gate.sessionClosed(this);
  }
}
