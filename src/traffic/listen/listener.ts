/**
 * One bound address of one `bind` line in this thread: opens the server socket and turns what is accepted into Arrivals.
 * Made by thread.ts, one per port of a range. Serves nothing itself.
 */
import { chmodSync, chownSync, renameSync } from 'node:fs';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { InheritedListener } from '../../model/messages.ts';
import type { Bind } from '../../model/model.ts';
import type { ListenerPlan } from '../plan.ts';
import { setsNoDelay } from '../transport.ts';
import type { ThreadContext } from '../thread-context.ts';
import type { Admission } from './admission.ts';
import { Arrival } from './arrival.ts';
import type { BindTlsEngine } from './bind-tls.ts';

/** Field of both runtimes' TLSSocket. */
const socketBelow = '_parent';

/** One address to listen on, from a bind's address or range. */
type ListenAt =
  | { readonly kind: 'inet'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string; readonly abstract: boolean }
  | { readonly kind: 'fd'; readonly fd: number };

interface Place {
  readonly at: ListenAt;
  /** A socket of the process before that listens there already, -1 = none. */
  readonly inherited: number;
}

/**
 * Every address of a bind that this thread listens on, more than once where it has inherited several sockets. What cannot be shared by
 * threads is the first thread's alone.
 */
export function listenPlaces(bind: Bind, thread: number, inherited: readonly InheritedListener[]): Place[] {
  const { address } = bind;
  const sockets = (port: number): number[] => inherited.filter((one) => one.bind === bind.index && one.port === port).map((one) => one.fd);
  if (address.kind !== 'inet') return thread === 0 ? [{ at: address, inherited: sockets(0)[0] ?? -1 }] : [];
  const all: Place[] = [];
  for (let port = address.port; port <= Math.max(address.portLast, address.port); port += 1) {
    const at = { kind: 'inet', host: address.host, port } as const;
    const found = sockets(port);
    if (found.length === 0) all.push({ at, inherited: -1 });
    else for (const fd of found) all.push({ at, inherited: fd });
  }
  return all;
}

export class Listener {
  readonly context: ThreadContext;
  readonly admission: Admission;
  /** For what is accepted from now on. */
  plan: ListenerPlan;
  readonly tls: BindTlsEngine | null;
  private readonly at: ListenAt;
  /** Good for the first time only: closing it gives it up. */
  private inherited: number;
  private server: Server | null = null;
  /** Connections between accept and TLS finished, found again by socket. */
  private readonly arrivals = new WeakMap<Socket, Arrival>();

  constructor(context: ThreadContext, admission: Admission, plan: ListenerPlan, tls: BindTlsEngine | null, { at, inherited }: Place) {
    this.context = context;
    this.admission = admission;
    this.plan = plan;
    this.tls = tls;
    this.at = at;
    this.inherited = inherited;
  }

  /** Resolves when it listens, else rejects with the system's error. */
  async open(): Promise<void> {
    const { bind } = this.plan;
    const options = { allowHalfOpen: true, noDelay: this.at.kind === 'inet' && !setsNoDelay, keepAlive: this.plan.proxy.proxy.switches.clitcpka };
    // TLS starts by itself on accepted sockets, except after a PROXY header, which comes first.
    const server: Server = this.tls !== null && !this.plan.defersTls ? this.tls.createServer(options, this) : createServer(options);
    server.on('connection', (socket: Socket) => this.accepted(socket));
    this.server = server;
    const [listening, finalPath] = this.listenOptions();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(listening, () => {
        server.removeListener('error', reject);
        server.on('error', (error) => this.context.world.warn(`listener ${bind.text}: ${error.message}`));
        resolve();
      });
    });
    if (finalPath === '') return;
    giveRights(bind, listening.path ?? finalPath);
    if (listening.path !== undefined) renameSync(listening.path, finalPath);
  }

  get isOpen(): boolean {
    return this.server !== null;
  }

  /** False: under `plan` the socket would be another one. */
  fits(plan: ListenerPlan): boolean {
    const { tls } = plan.bind;
    return socketOptions(this.plan) === socketOptions(plan) && (tls === null ? this.tls === null : this.tls?.canBecome(tls) === true);
  }

  /** Stops accepting; connections go on. */
  close(): void {
    this.server?.close();
    this.server = null;
  }

  /** TLS is agreed on a socket that was accepted here. */
  secured(socket: TLSSocket): void {
    const arrival = this.arrivalOf(socket);
    if (arrival === undefined) socket.destroy();
    else arrival.secured(socket);
  }

  handshakeFailed(socket: TLSSocket, left: boolean, code: string): void {
    this.arrivalOf(socket)?.handshakeFailed(left, code);
  }

  /** Bun accepts TLS sockets as they are; on Node, and after a PROXY header, the accepted socket lies below. */
  private arrivalOf(socket: TLSSocket): Arrival | undefined {
    const below = (socket as TLSSocket & Record<typeof socketBelow, Socket | undefined>)[socketBelow];
    return this.arrivals.get(socket) ?? (below === undefined ? undefined : this.arrivals.get(below));
  }

  /** TLS on a connection whose PROXY header has been read. */
  startTls(socket: Socket): void {
    // As in BindTlsEngine.createServer: half-open only once TLS is agreed.
    socket.allowHalfOpen = false;
    this.tls?.wrapper(this).emit('connection', socket);
  }

  private accepted(socket: Socket): void {
    const arrival = new Arrival(this, socket);
    if (this.tls !== null) this.arrivals.set(socket, arrival);
    this.admission.arrived(arrival);
  }

  /** Options for listen(), and the path a unix socket gets once it is ready. */
  private listenOptions(): [ListenOptions & { fd?: number }, string] {
    const { bind, proxy } = this.plan;
    const backlog = bind.backlog || proxy.proxy.backlog || proxy.proxy.maxconn || 511;
    const fd = this.inherited;
    this.inherited = -1;
    if (fd >= 0) return [{ fd, backlog }, this.at.kind === 'unix' && !this.at.abstract ? this.at.path : ''];
    switch (this.at.kind) {
      case 'inet':
        return [{ host: this.at.host, port: this.at.port, reusePort: true, ipv6Only: bind.v6only, backlog }, ''];
      case 'fd':
        return [{ fd: this.at.fd, backlog }, ''];
      case 'unix':
        if (this.at.abstract) return [{ path: `\0${this.at.path}`, backlog }, ''];
        // A socket file left by an earlier run is replaced in one step, never missing in between.
        return [{ path: `${this.at.path}.${process.pid}.tmp`, backlog }, this.at.path];
    }
  }
}

/** What is fixed when a socket is made. */
function socketOptions({ bind, proxy, defersTls }: ListenerPlan): string {
  const { v6only, backlog, mode, uid, gid } = bind;
  return JSON.stringify([v6only, backlog || proxy.proxy.backlog || proxy.proxy.maxconn, mode, uid, gid, proxy.proxy.switches.clitcpka, defersTls]);
}

function giveRights(bind: Bind, path: string): void {
  if (bind.mode !== null) chmodSync(path, bind.mode);
  if (bind.uid >= 0 || bind.gid >= 0) chownSync(path, Math.max(bind.uid, -1), Math.max(bind.gid, -1));
}
