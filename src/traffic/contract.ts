/**
 * The seams inside the data plane, so that its rooms can be read apart:
 *
 * - listen/    accepts, speaks TLS and PROXY protocol, applies limits and `tcp-request connection`; makes a ClientSession and
 *              hands the transport to http/ or tcp/ by the frontend's mode.
 * - http/      reads requests, runs rules, forwards both ways, answers errors, logs.
 * - tcp/       content inspection and byte tunnels; also used by http/ after an upgrade or CONNECT.
 * - dispatch/  finds a server (persistence, balance, queue, maxconn), connects with retries and redispatch, keeps idle
 *              connections; counts what servers do.
 */
import type { Fault } from '../model/fault.ts';
import type { Server } from '../model/model.ts';
import type { TlsFacts } from '../rules/subject.ts';

/**
 * A connected byte stream: clear or TLS, either side. The owner sets `handler`; swapping it hands the connection over
 * without touching listeners. Nothing throws; failures arrive at the handler.
 */
export interface Transport {
  handler: TransportHandler;
  readonly tls: TlsFacts | null;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Strings are latin1. False: more than limits.pendingWriteBytesMax waits; onDrain follows. */
  write(data: Uint8Array | string): boolean;
  /** Bytes accepted by write() that the kernel has not taken yet. */
  readonly pendingBytes: number;
  /** Half-close after what is pending; onDrain follows when something was. */
  end(): void;
  /** Close at once; `reset` sends RST where the platform can. onClose follows. */
  destroy(reset?: boolean): void;
  pause(): void;
  resume(): void;
  readonly closed: boolean;
}

export interface TransportHandler {
  /** The chunk belongs to the receiver and may be kept. */
  onData(chunk: Buffer): void;
  onDrain(): void;
  /** Peer half-closed. */
  onEnd(): void;
  /** Called once, last. code: '' or an errno word such as ECONNRESET. */
  onClose(code: string): void;
}

/** A connection to a server, owned by one exchange at a time or idle in a pool. */
export interface ServerConnection {
  readonly transport: Transport;
  readonly server: Server;
  /** Requests sent on it so far. */
  requests: number;
  /** NTLM/Negotiate: belongs to one client connection for ever. */
  private: boolean;
}

/** The exchange side of a dispatch. dispatch/ fills queueMs, connectMs, retries, serverName … in facts as it goes. */
export interface DispatchClient {
  /** A server with `redir` was chosen. True: the client was sent there and the dispatch is finished; nothing is to be connected. */
  onRedirectingServer(server: Server): boolean;
  /** `reused` is true for an idle connection: a close before the first answer byte may then be retried on a fresh one. */
  onServer(connection: ServerConnection, reused: boolean): void;
  onDispatchFailed(fault: Fault): void;
  /** After onServer: the server was marked down or an administrator ends its sessions. End the exchange with these letters. */
  onServerKilled(fault: Fault): void;
}

/** Who uses a client connection now; told when the thread drains or the frontend is shut down. */
export interface SessionUser {
  /** The thread stops: close when idle, else after the answer that is under way. */
  onStop(): void;
  /** Another plan is in force: take it up when idle, else with what starts next. */
  onReload(): void;
  /** Close at once, logging these letters. */
  onKill(fault: Fault): void;
  /** A server connection that belongs to this client alone closed while nobody used it: what the client proved on it is gone. */
  onOwnConnectionLost(): void;
  /** Names of the backend and the server that its request is at; '' = none yet. For `show sess`. */
  whereNow(): readonly [backend: string, server: string];
}
