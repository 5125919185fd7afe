/**
 * The connection of a health check: an interface that tests replace, and the real one over node:net and node:tls. Tells apart
 * "connected" and "secured", because check results do. Never retries, holds no timers, never throws.
 */
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

export interface CheckTarget {
  /** Numeric address or name; '' with `path`. */
  readonly host: string;
  readonly port: number;
  /** Unix socket; '\0name' for the abstract namespace; '' = none. */
  readonly path: string;
  /** Local address to bind; '' = the system's choice. */
  readonly localAddress: string;
  readonly tls: ConnectionOptions | null;
  /** Name to check in the certificate, '' = any name. */
  readonly verifyHost: string;
  /** Bytes to send before TLS and everything else (PROXY protocol). */
  readonly header: ((from: SocketEnds) => Uint8Array) | null;
}

interface SocketEnds {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

export interface CheckSocketEvents {
  /** The transport is connected; with TLS the handshake follows. */
  onConnected(): void;
  /** The TLS handshake is done (only with TLS). `leaf`: the server's certificate as DER. */
  onSecured(leaf?: Uint8Array): void;
  onData(chunk: Buffer): void;
  /** The peer sends no more. */
  onEnd(): void;
  /** The connection failed, before or after onConnected(). `code`: errno word or the TLS library's. Nothing follows. */
  onError(code: string): void;
}

export interface CheckSocket {
  write(bytes: Uint8Array): void;
  /** Ends it; with `reset` no TIME_WAIT is left behind. Nothing follows. */
  destroy(reset: boolean): void;
}

export type OpenCheckSocket = (target: CheckTarget, events: CheckSocketEvents) => CheckSocket;

export const openCheckSocket: OpenCheckSocket = (target, events) => new NetCheckSocket(target, events);

class NetCheckSocket implements CheckSocket {
  private readonly socket: Socket;
  private readonly target: CheckTarget;
  private readonly events: CheckSocketEvents;
  /** What data goes through: the socket itself or TLS over it. */
  private stream: Socket;
  private over = false;

  constructor(target: CheckTarget, events: CheckSocketEvents) {
    this.target = target;
    this.events = events;
    const options = target.path === '' ? { host: target.host, port: target.port } : { path: target.path };
    this.socket = createConnection({ ...options, ...(target.localAddress === '' ? {} : { localAddress: target.localAddress }), allowHalfOpen: true });
    this.stream = this.socket;
    this.socket.on('connect', () => this.connected());
    this.socket.on('error', (error) => this.failed(error));
    if (target.tls === null) this.listen(this.socket);
  }

  write(bytes: Uint8Array): void {
    if (!this.over) this.stream.write(bytes);
  }

  destroy(reset: boolean): void {
    this.over = true;
    if (this.stream !== this.socket) this.stream.destroy();
    if (reset && this.stream === this.socket) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  private connected(): void {
    if (this.over) return;
    this.socket.setNoDelay(true);
    if (this.target.header !== null) this.socket.write(this.target.header(endsOf(this.socket)));
    this.events.onConnected();
    if (this.target.tls !== null && !this.over) this.secure(this.target.tls);
  }

  private secure(options: ConnectionOptions): void {
    const { verifyHost } = this.target;
    try {
      const secured = connectTls({
        ...options,
        socket: this.socket,
        checkServerIdentity: (_host, certificate) => (verifyHost === '' ? undefined : checkServerIdentity(verifyHost, certificate)),
      });
      this.stream = secured;
      secured.on('secureConnect', () => { if (!this.over) this.events.onSecured(leafOf(secured)); });
      secured.on('error', (error) => this.failed(error));
      this.listen(secured);
    } catch (error) {
      // Options that the TLS library refuses, for example a cipher list without a known cipher.
      this.failed(error);
    }
  }

  private listen(stream: Socket): void {
    stream.on('data', (chunk: Buffer) => { if (!this.over) this.events.onData(chunk); });
    stream.on('end', () => { if (!this.over) this.events.onEnd(); });
  }

  private failed(error: unknown): void {
    if (this.over) return;
    this.over = true;
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
    this.socket.destroy();
    this.events.onError(code);
  }
}

/** Undefined when the server showed none. */
function leafOf(socket: TLSSocket): Uint8Array | undefined {
  // Without a certificate the runtime gives an empty object, or null.
  const leaf: { readonly raw?: Uint8Array } | null = socket.getPeerCertificate();
  return leaf?.raw;
}

function endsOf(socket: Socket): SocketEnds {
  return {
    localAddress: socket.localAddress ?? '', localPort: socket.localPort ?? 0,
    remoteAddress: socket.remoteAddress ?? '', remotePort: socket.remotePort ?? 0,
  };
}

const errorTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused', ECONNRESET: 'Connection reset by peer', ETIMEDOUT: 'Connection timed out', EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable', EADDRNOTAVAIL: 'Cannot assign requested address', EACCES: 'Permission denied', EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe', EMFILE: 'Too many open files', ENFILE: 'Too many open files in system', ENOENT: 'No such file or directory',
  ENOTFOUND: 'Name or service not known', EAI_AGAIN: 'Temporary failure in name resolution', EAFNOSUPPORT: 'Address family not supported by protocol',
  EADDRINUSE: 'Address already in use', ENETDOWN: 'Network is down',
};

/** strerror's words, which HAProxy prints. */
export function errorText(code: string): string {
  return errorTexts[code] ?? code;
}
