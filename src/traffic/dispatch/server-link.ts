/**
 * A connection to a server through its life: being opened by a Dispatch, in use, idle in a pool or kept by one client session.
 * Made by connect.ts. While nobody uses it, it watches for the server closing it. Reads and writes no messages.
 */
import { G } from '../../model/counters.ts';
import { limits } from '../../model/limits.ts';
import type { Server } from '../../model/model.ts';
import type { ServerConnection, TransportHandler } from '../contract.ts';
import type { ServerPlan } from '../plan.ts';
import type { ClientSession } from '../session.ts';
import type { CloseWatcher, SocketTransport } from '../transport.ts';
import type { IdlePool } from './idle-pool.ts';

/** Who waits for a connection to be made; told once. */
export interface LinkOpener {
  linkOpened(link: ServerLink): void;
  linkFailed(link: ServerLink, code: string): void;
}

export class ServerLink implements ServerConnection, TransportHandler, CloseWatcher {
  plan: ServerPlan;
  server: Server;
  readonly transport: SocketTransport;
  /** Connections with equal keys are interchangeable: same SNI, source and PROXY header. */
  readonly key: string;
  requests = 0;
  private: boolean;
  opener: LinkOpener | null;
  /** Client session this connection belongs to alone, while it is private. */
  keeper: ClientSession | null = null;
  /** Pool it is idle in, with its place there. */
  pool: IdlePool | null = null;
  poolPrevious: ServerLink | null = null;
  poolNext: ServerLink | null = null;
  private opened = false;

  constructor(plan: ServerPlan, transport: SocketTransport, key: string, opener: LinkOpener) {
    this.plan = plan;
    this.server = plan.server;
    this.transport = transport;
    this.key = key;
    this.private = false;
    this.opener = opener;
    transport.handler = this;
    transport.watcher = this;
  }

  /** Proven reusable: it has carried more than one request. */
  get safe(): boolean {
    return this.requests > 1;
  }

  /** The socket is connected (and TLS agreed). */
  connected(): void {
    const { opener } = this;
    if (opener === null || this.transport.closed) return;
    this.opener = null;
    this.opened = true;
    this.plan.tally.move(G.used_conn_cur, 1);
    opener.linkOpened(this);
  }

  /** Nobody waits for the connection any more. */
  abandon(): void {
    this.opener = null;
    this.transport.destroy();
  }

  onData(): void {
    // While idle a server has nothing to say; an answer nobody asked for must not meet the next request.
    this.transport.destroy();
  }

  onDrain(): void {}

  onEnd(): void {
    this.transport.destroy();
  }

  onClose(code: string): void {
    const { opener } = this;
    this.opener = null;
    opener?.linkFailed(this, code === '' ? 'ECONNRESET' : code);
  }

  transportClosed(): void {
    if (this.pool !== null) this.pool.remove(this);
    else if (this.keeper !== null) this.lost(this.keeper);
    if (this.opened) this.plan.tally.move(G.used_conn_cur, -1);
  }

  private lost(keeper: ClientSession): void {
    forget(keeper, this);
    if (this.private) keeper.user?.onOwnConnectionLost();
  }

  /** Its server is configured anew, and still reached in the same way. */
  moveTo(plan: ServerPlan): void {
    this.plan = plan;
    this.server = plan.server;
  }

  /** Stays with one client session between its requests; an older login on the same backend gives way, and the oldest when it has too many. */
  keep(session: ClientSession): void {
    if (this.private) this.replaceLogin(session);
    this.keeper = session;
    this.transport.handler = this;
    // A slow client may have stopped it; its end has to be noticed.
    this.transport.resume();
    session.ownConnections.push(this);
    if (session.ownConnections.length > limits.sessionServerConnectionsMax) session.ownConnections[0]?.drop();
  }

  private replaceLogin(session: ClientSession): void {
    for (const own of session.ownConnections) {
      if (!own.private || own.server.proxy !== this.server.proxy) continue;
      own.drop();
      return;
    }
  }

  drop(): void {
    this.unkeep();
    this.transport.destroy();
  }

  unkeep(): void {
    if (this.keeper !== null) forget(this.keeper, this);
    this.keeper = null;
  }
}

function forget(session: ClientSession, link: ServerLink): void {
  const at = session.ownConnections.indexOf(link);
  if (at >= 0) session.ownConnections.splice(at, 1);
}
