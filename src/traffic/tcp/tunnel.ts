/**
 * Bytes both ways between two transports until both directions have ended: mode tcp, and http/ after an upgrade or CONNECT.
 * Half-closes pass through, a slow reader pauses the other side, timeouts are the proxies'. Looks at no byte, copies none.
 *
 * As in HAProxy a side that sends nothing in time counts as one that has half-closed: the other direction goes on under its own
 * timeouts. A side that does not take what it is sent in time ends the tunnel. The first of these gives the letters.
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
  /** Called once, after both transports were closed or destroyed. Null: both sides ended well; closesWithServer then leaves the client's to the owner. */
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
  /** After an upgrade: once the server has ended and its last bytes are out, nothing more of the client is waited for. */
  readonly closesWithServer: boolean;
}

/** Between two looks at bytes on their way out where no timeout is set. */
const flushMs = 1000;

const timerKind = { read: 0, write: 1 } as const;

/** One side of a tunnel: reads from its transport and writes to the other's. */
class Side implements TransportHandler, TimerOwner {
  readonly tunnel: Tunnel;
  readonly transport: Transport;
  readonly isClient: boolean;
  readonly readTimer: TimerNode = new TimerNode(this, timerKind.read);
  readonly writeTimer: TimerNode = new TimerNode(this, timerKind.write);
  /** Longest silence of the peer now allowed, 0 = any. */
  readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  /** No more bytes come from this side: FIN, or read timeout. */
  ended = false;
  paused = false;
  /** Bytes that waited when the write timer was armed: fewer now means that the peer reads. */
  waitedBytes = 0;

  constructor(tunnel: Tunnel, transport: Transport, isClient: boolean, timeoutMs: number) {
    this.tunnel = tunnel;
    this.transport = transport;
    this.isClient = isClient;
    this.readTimeoutMs = timeoutMs;
    this.writeTimeoutMs = timeoutMs;
  }

  onData(chunk: Uint8Array): void {
    if (!this.ended) this.tunnel.passed(this, chunk);
  }

  /** What was written to this side has left: the other side may read on. */
  onDrain(): void {
    this.tunnel.drained(this);
  }

  onEnd(): void {
    if (!this.ended) this.tunnel.sideEnded(this);
  }

  onClose(code: string): void {
    this.tunnel.sideClosed(this, code);
  }

  onTimer(node: TimerNode): void {
    if (node.kind === timerKind.read) this.tunnel.silent(this);
    else this.tunnel.stuck(this);
  }
}

export class Tunnel {
  private readonly setup: TunnelSetup;
  private readonly client: Side;
  private readonly server: Side;
  /** What went wrong first. */
  private fault: Fault | null = null;
  private finished = false;

  constructor(setup: TunnelSetup) {
    this.setup = setup;
    this.client = new Side(this, setup.client, true, setup.tunnelTimeoutMs || setup.clientTimeoutMs);
    this.server = new Side(this, setup.server, false, setup.tunnelTimeoutMs || setup.serverTimeoutMs);
  }

  /** Sends what was read before and takes both transports over. A side may have ended already. */
  start(fromClient: readonly Uint8Array[], fromServer: readonly Uint8Array[], clientEnded: boolean, serverEnded: boolean): void {
    const { client, server } = this;
    client.transport.handler = client;
    server.transport.handler = server;
    this.watchReads();
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

  /** Ends both sides (server marked down, administrator, drain). The owner is told. Nothing was expected, so no state is named. */
  kill(fault: Fault): void {
    this.finish({ ...fault, stage: '-' });
  }

  // ---- called by the sides

  passed(from: Side, chunk: Uint8Array): void {
    const { facts, tallies } = this.setup;
    const to = this.otherOf(from);
    const field = from.isClient ? C.bin : C.bout;
    if (from.isClient) facts.bytesFromClient += chunk.length;
    else facts.bytesToClient += chunk.length;
    for (let index = 0; index < tallies.length; index += 1) tallies[index]?.add(field, chunk.length);
    if (!to.transport.write(chunk) && !from.paused) {
      from.paused = true;
      from.transport.pause();
    }
    this.watchReads();
    if (to.writeTimeoutMs > 0 && !to.writeTimer.armed && to.transport.pendingBytes > 0) this.watchWrites(to);
  }

  drained(side: Side): void {
    const other = this.otherOf(side);
    this.setup.context.wheel.disarm(side.writeTimer);
    if (other.paused && !other.ended) {
      other.paused = false;
      other.transport.resume();
    }
    this.watchReads();
    this.settle();
  }

  sideEnded(side: Side): void {
    if (this.finished) return;
    const { context, clientFinTimeoutMs, serverFinTimeoutMs } = this.setup;
    const other = this.otherOf(side);
    side.ended = true;
    context.wheel.disarm(side.readTimer);
    if (this.setup.closesWithServer && other.isClient) {
      other.ended = true;
      context.wheel.disarm(other.readTimer);
    }
    if (this.mayClose(side, other)) {
      this.finish(null);
      return;
    }
    other.transport.end();
    const finMs = other.isClient ? clientFinTimeoutMs : serverFinTimeoutMs;
    if (finMs > 0) {
      other.readTimeoutMs = finMs;
      this.watchRead(other);
    }
    this.settle();
  }

  /** Both directions have ended well and all is out: closing says the same as a half-close and saves one. TLS wants its goodbye. */
  private mayClose(side: Side, other: Side): boolean {
    return other.ended && this.fault === null && this.isClearAndOut(side.transport) && this.isClearAndOut(other.transport);
  }

  private isClearAndOut(transport: Transport): boolean {
    return transport.tls === null && transport.pendingBytes === 0;
  }

  sideClosed(side: Side, code: string): void {
    if (this.finished) return;
    const { wheel } = this.setup.context;
    wheel.disarm(side.readTimer);
    wheel.disarm(side.writeTimer);
    if (!side.isClient && code !== '') this.setup.facts.detail = code;
    if (code !== '' || !side.ended) this.finish(this.fault ?? (side.isClient ? this.ofClient(faults.clientAbortData, faults.clientAbortLast) : faults.serverAbortData));
    else if (this.isOver(this.otherOf(side))) this.finish(this.fault);
  }

  /** Both directions of this side have ended and all is out: its close would tell nothing new. */
  private isOver(side: Side): boolean {
    return side.transport.closed || (side.ended && side.transport.pendingBytes === 0);
  }

  /** Nothing came from this side in time. */
  silent(side: Side): void {
    this.fault ??= side.isClient ? this.ofClient(faults.clientTimeoutData, faults.clientTimeoutLast) : faults.serverTimeoutData;
    side.transport.pause();
    this.sideEnded(side);
  }

  /** This side was to take bytes and its time is over. */
  stuck(side: Side): void {
    const { pendingBytes } = side.transport;
    if (pendingBytes === 0) {
      this.settle();
      return;
    }
    if (pendingBytes < side.waitedBytes) {
      this.watchWrites(side);
      return;
    }
    this.finish(this.fault ?? (side.isClient ? this.ofClient(faults.clientTimeoutData, faults.clientTimeoutLast) : faults.serverTimeoutData));
  }

  /** A side that fell silent, or whose end nobody waits for, does not close by itself: once both directions have ended and all is out, the tunnel does it. */
  private settle(): void {
    if (this.finished || !this.client.ended || !this.server.ended) return;
    if (this.fault === null && !this.setup.closesWithServer) return;
    let waiting = false;
    for (const side of [this.client, this.server]) {
      if (side.transport.pendingBytes === 0) continue;
      waiting = true;
      if (!side.writeTimer.armed) this.watchWrites(side);
    }
    if (!waiting) this.finish(this.fault);
  }

  /** Bytes moved: activity of both sides, since one gave and the other takes. A side that is held back cannot be late. */
  private watchReads(): void {
    this.watchRead(this.client);
    this.watchRead(this.server);
  }

  private watchRead(side: Side): void {
    const { wheel } = this.setup.context;
    if (side.readTimeoutMs === 0 || side.ended) return;
    if (side.paused) wheel.disarm(side.readTimer);
    else wheel.arm(side.readTimer, side.readTimeoutMs);
  }

  private watchWrites(side: Side): void {
    side.waitedBytes = side.transport.pendingBytes;
    this.setup.context.wheel.arm(side.writeTimer, side.writeTimeoutMs || flushMs);
  }

  private otherOf(side: Side): Side {
    return side === this.client ? this.server : this.client;
  }

  /** After the server has gone the client is only sent the last data. */
  private ofClient(inData: Fault, atLast: Fault): Fault {
    return this.setup.server.closed ? atLast : inData;
  }

  private finish(fault: Fault | null): void {
    if (this.finished) return;
    this.finished = true;
    const { context, client, server, owner, closesWithServer } = this.setup;
    for (const side of [this.client, this.server]) {
      context.wheel.disarm(side.readTimer);
      context.wheel.disarm(side.writeTimer);
    }
    if (fault !== null || !closesWithServer) client.destroy();
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
