/**
 * Bytes both ways between two transports until both sides have ended: mode tcp, and http/ after an upgrade or CONNECT.
 * Half-closes pass through, a slow reader pauses the other side, timeouts are the proxies'. Looks at no byte, copies none.
 */
import { TimerNode, type TimerOwner } from '../../base/timer-wheel.ts';
import { C } from '../../model/counters.ts';
import { faults, type Fault } from '../../model/fault.ts';
import type { LogFacts } from '../../rules/subject.ts';
import type { Transport, TransportHandler } from '../contract.ts';
import type { Tally } from '../tally.ts';
import type { ThreadContext } from '../thread-context.ts';

/** Who started a tunnel. */
export interface TunnelOwner {
  /** Called once, after both transports were closed or destroyed. Null: both sides ended well. */
  onTunnelEnd(fault: Fault | null): void;
}

export interface TunnelSetup {
  readonly context: ThreadContext;
  readonly owner: TunnelOwner;
  readonly client: Transport;
  readonly server: Transport;
  /** bytesToClient and bytesFromClient grow as bytes pass. */
  readonly facts: LogFacts;
  /** Counted per chunk: frontend, listener, backend, server; bin from the client, bout to the client. */
  readonly tallies: readonly Tally[];
  /** Milliseconds, 0 = none. A tunnel timeout replaces the first two. */
  readonly clientTimeoutMs: number;
  readonly serverTimeoutMs: number;
  readonly tunnelTimeoutMs: number;
  /** After this side was sent a FIN, 0 = the timeout above stays. */
  readonly clientFinTimeoutMs: number;
  readonly serverFinTimeoutMs: number;
}

/** One side of a tunnel: reads from its transport and writes to the other's. */
class Side implements TransportHandler, TimerOwner {
  readonly tunnel: Tunnel;
  readonly transport: Transport;
  readonly isClient: boolean;
  readonly timer: TimerNode = new TimerNode(this, 0);
  /** Deadline without activity now in force. */
  timeoutMs: number;
  /** The peer sent its FIN. */
  ended = false;
  paused = false;
  other: Side | null = null;

  constructor(tunnel: Tunnel, transport: Transport, isClient: boolean, timeoutMs: number) {
    this.tunnel = tunnel;
    this.transport = transport;
    this.isClient = isClient;
    this.timeoutMs = timeoutMs;
  }

  onData(chunk: Uint8Array): void {
    const { other } = this;
    if (other === null) return;
    this.tunnel.passed(this.isClient, chunk.length);
    if (!other.transport.write(chunk) && !this.paused) {
      this.paused = true;
      this.transport.pause();
    }
  }

  /** What was written to this side has left: the other side may read on. */
  onDrain(): void {
    const { other } = this;
    this.tunnel.active();
    if (other === null || !other.paused) return;
    other.paused = false;
    other.transport.resume();
  }

  onEnd(): void {
    if (this.ended) return;
    this.ended = true;
    this.tunnel.sideEnded(this);
  }

  onClose(code: string): void {
    this.tunnel.sideClosed(this, code);
  }

  onTimer(): void {
    this.tunnel.timedOut(this);
  }
}

export class Tunnel {
  private readonly setup: TunnelSetup;
  private readonly client: Side;
  private readonly server: Side;
  private finished = false;

  constructor(setup: TunnelSetup) {
    this.setup = setup;
    this.client = new Side(this, setup.client, true, setup.tunnelTimeoutMs || setup.clientTimeoutMs);
    this.server = new Side(this, setup.server, false, setup.tunnelTimeoutMs || setup.serverTimeoutMs);
    this.client.other = this.server;
    this.server.other = this.client;
  }

  /** Sends what was read before and takes both transports over. A side may have ended already. */
  start(fromClient: readonly Uint8Array[], fromServer: readonly Uint8Array[], clientEnded: boolean, serverEnded: boolean): void {
    const { client, server } = this;
    client.transport.handler = client;
    server.transport.handler = server;
    this.active();
    for (const chunk of fromClient) client.onData(chunk);
    for (const chunk of fromServer) server.onData(chunk);
    if (clientEnded) client.onEnd();
    if (serverEnded) server.onEnd();
    if (this.finished) return;
    if (client.transport.closed) this.sideClosed(client, 'ECONNRESET');
    else if (server.transport.closed) this.sideClosed(server, 'ECONNRESET');
    if (this.finished) return;
    if (!client.paused) client.transport.resume();
    if (!server.paused) server.transport.resume();
  }

  /** Ends both sides with these letters (server marked down, administrator, drain). The owner is told. */
  kill(fault: Fault): void {
    this.finish(fault);
  }

  // ---- called by the sides

  passed(fromClient: boolean, bytes: number): void {
    const { facts, tallies } = this.setup;
    const field = fromClient ? C.bin : C.bout;
    if (fromClient) facts.bytesFromClient += bytes;
    else facts.bytesToClient += bytes;
    for (let index = 0; index < tallies.length; index += 1) tallies[index]?.add(field, bytes);
    this.active();
  }

  /** Bytes moved: every byte is activity of both sides, since one gave and the other takes it. */
  active(): void {
    const { wheel } = this.setup.context;
    if (this.client.timeoutMs > 0) wheel.arm(this.client.timer, this.client.timeoutMs);
    if (this.server.timeoutMs > 0) wheel.arm(this.server.timer, this.server.timeoutMs);
  }

  sideEnded(side: Side): void {
    const { other } = side;
    if (other === null || this.finished) return;
    other.transport.end();
    const finMs = other.isClient ? this.setup.clientFinTimeoutMs : this.setup.serverFinTimeoutMs;
    if (finMs > 0) other.timeoutMs = finMs;
    // A shorter deadline than the one in force has to be armed anew.
    this.setup.context.wheel.disarm(other.timer);
    this.active();
  }

  sideClosed(side: Side, code: string): void {
    const { other } = side;
    if (other === null || this.finished) return;
    this.setup.context.wheel.disarm(side.timer);
    side.timeoutMs = 0;
    if (code !== '' || !side.ended) this.finish(side.isClient ? this.clientGone() : faults.serverAbortData);
    else if (other.transport.closed) this.finish(null);
  }

  timedOut(side: Side): void {
    if (!side.isClient) this.finish(faults.serverTimeoutData);
    else this.finish(this.setup.server.closed ? faults.clientTimeoutLast : faults.clientTimeoutData);
  }

  private clientGone(): Fault {
    return this.setup.server.closed ? faults.clientAbortLast : faults.clientAbortData;
  }

  private finish(fault: Fault | null): void {
    if (this.finished) return;
    this.finished = true;
    const { context, client, server, owner } = this.setup;
    context.wheel.disarm(this.client.timer);
    context.wheel.disarm(this.server.timer);
    client.destroy();
    server.destroy();
    owner.onTunnelEnd(fault);
  }
}

/** Takes both transports over. Bytes that were read before are given as arguments and are sent first. */
export function startTunnel(
  setup: TunnelSetup, fromClient: readonly Uint8Array[], fromServer: readonly Uint8Array[], clientEnded = false, serverEnded = false,
): Tunnel {
  const tunnel = new Tunnel(setup);
  tunnel.start(fromClient, fromServer, clientEnded, serverEnded);
  return tunnel;
}
