/**
 * One client connection of a mail protocol: bytes to lines, pieces of a told length, and the change to TLS in the middle of the
 * stream. Made by mail-server.ts, driven by smtp.ts, imap.ts and pop.ts. Knows no command of any protocol.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { SecureContext } from 'node:tls';

/** SMTP allows 1,000 (RFC 5321 section 4.5.3.1.6); IMAP clients send longer ones. */
const lineBytesMax = 65_536;

export interface LineReader {
  /** A line without its end. */
  line(text: string): void;
  /** The piece that was asked for with takeBytes(). */
  bytes(piece: Buffer): void;
}

export class LineSocket {
  isSecure: boolean;
  private readonly secureContext: SecureContext;
  private socket: Socket;
  private reader: LineReader | null = null;
  private held: Buffer = Buffer.alloc(0);
  private bytesWanted = 0;
  private closing = false;
  private running = false;

  constructor(socket: Socket, secureContext: SecureContext, isSecure: boolean) {
    this.socket = socket;
    this.secureContext = secureContext;
    this.isSecure = isSecure;
  }

  start(reader: LineReader): void {
    this.reader = reader;
    this.listenTo(this.socket);
  }

  send(text: string): void {
    if (!this.closing) this.socket.write(text, 'latin1');
  }

  /** Says a last line, reads nothing more. */
  close(text: string): void {
    if (this.closing) return;
    this.closing = true;
    this.socket.end(text, 'latin1');
  }

  /** The next so many bytes are one piece, not lines. */
  takeBytes(count: number): void {
    this.bytesWanted = count;
  }

  /** What came in clear after the command is thrown away: it could be somebody else's (RFC 3207 section 4.2). */
  startTls(): void {
    this.held = Buffer.alloc(0);
    this.socket.removeAllListeners('data');
    this.socket = new TLSSocket(this.socket, { isServer: true, secureContext: this.secureContext });
    this.isSecure = true;
    this.listenTo(this.socket);
  }

  private listenTo(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
      this.run();
    });
  }

  private run(): void {
    if (this.running) return;
    this.running = true;
    while (!this.closing && this.step());
    this.running = false;
    if (this.bytesWanted === 0 && this.held.length > lineBytesMax) this.socket.destroy();
  }

  private step(): boolean {
    if (this.bytesWanted > 0) {
      if (this.held.length < this.bytesWanted) return false;
      const piece = this.held.subarray(0, this.bytesWanted);
      this.held = this.held.subarray(this.bytesWanted);
      this.bytesWanted = 0;
      this.reader?.bytes(piece);
      return true;
    }
    const end = this.held.indexOf(10);
    if (end < 0) return false;
    const last = end > 0 && this.held[end - 1] === 13 ? end - 1 : end;
    const text = this.held.toString('latin1', 0, last);
    this.held = this.held.subarray(end + 1);
    this.reader?.line(text);
    return true;
  }
}
