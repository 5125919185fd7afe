/**
 * Transport over the sockets of node:net and node:tls. Made by listen/ and dispatch/; one per connection. Listeners are set
 * once, then only `handler` changes hands. Never throws; what goes wrong arrives as onClose.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { limits } from '../model/limits.ts';
import type { TlsFacts } from '../rules/subject.ts';
import type { Transport, TransportHandler } from './contract.ts';

/** Told after the handler when a connection has closed, whoever owned it: keeps the books of listen/ and dispatch/. */
export interface CloseWatcher {
  transportClosed(transport: SocketTransport): void;
}

/** Bun sets TCP_NODELAY on every socket by itself; asking for it again would cost a system call per connection. */
export const setsNoDelay = process.versions['bun'] !== undefined;

const noHandler: TransportHandler = { onData: () => undefined, onDrain: () => undefined, onEnd: () => undefined, onClose: () => undefined };

export class SocketTransport implements Transport {
  handler: TransportHandler = noHandler;
  watcher: CloseWatcher | null = null;
  readonly tls: TlsFacts | null;
  closed = false;
  private readonly socket: Socket;
  private code = '';
  private ending = false;
  private needDrain = false;

  /** `allowHalfOpen` must be set on the socket. */
  constructor(socket: Socket | TLSSocket, tls: TlsFacts | null) {
    this.socket = socket;
    this.tls = tls;
    socket.on('data', (chunk: Buffer) => this.handler.onData(chunk));
    socket.on('drain', () => this.drained());
    socket.on('end', () => this.handler.onEnd());
    socket.on('error', (error: NodeJS.ErrnoException) => this.failed(error));
    socket.on('close', () => this.onClosed());
  }

  get localAddress(): string { return this.socket.localAddress ?? ''; }
  get localPort(): number { return this.socket.localPort ?? 0; }
  get remoteAddress(): string { return this.socket.remoteAddress ?? ''; }
  get remotePort(): number { return this.socket.remotePort ?? 0; }
  get pendingBytes(): number { return this.socket.writableLength; }

  write(data: Buffer | Uint8Array | string): boolean {
    if (this.closed || this.ending) return true;
    if (typeof data === 'string') this.socket.write(data, 'latin1');
    else this.socket.write(data);
    if (this.socket.writableLength <= limits.pendingWriteBytesMax) return true;
    this.needDrain = true;
    return false;
  }

  end(): void {
    if (this.closed || this.ending) return;
    this.ending = true;
    if (this.socket.writableLength > 0) {
      // A stream that is ending tells no more of 'drain'.
      this.needDrain = true;
      this.socket.once('finish', () => this.drained());
    }
    this.socket.end();
  }

  destroy(reset = false): void {
    if (this.closed) return;
    // Only TCP can be reset: unix sockets have no address, and a TLS socket has another socket below it.
    if (reset && this.tls === null && this.socket.remoteAddress !== undefined) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  pause(): void {
    if (!this.closed) this.socket.pause();
  }

  resume(): void {
    if (!this.closed) this.socket.resume();
  }

  private drained(): void {
    if (!this.needDrain) return;
    this.needDrain = false;
    this.handler.onDrain();
  }

  private failed(error: NodeJS.ErrnoException): void {
    if (this.code === '') this.code = error.code ?? 'EIO';
  }

  private onClosed(): void {
    if (this.closed) return;
    this.closed = true;
    this.handler.onClose(this.code);
    this.watcher?.transportClosed(this);
  }
}
