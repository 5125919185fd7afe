/**
 * One client connection of the demo, plain or in TLS, on which text goes out and awaited text comes in (latin1: a character is a byte).
 * Used by habits.ts, web-client.ts and rpc-pair.ts. Trusts only the demo's own certificate. Whatever does not come in time rejects.
 */
import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Target } from './client.ts';

const timeoutMs = 20_000;

function ready<S extends Socket>(socket: S, event: 'connect' | 'secureConnect'): Promise<S> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once(event, () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function secured(target: Target, below: Socket | null): Promise<TLSSocket> {
  const place = below === null ? { host: target.host, port: target.port } : { socket: below };
  return ready(connectTls({ ...place, ca: target.ca, servername: target.name }), 'secureConnect');
}

export class Conversation {
  /** What came and was not taken yet. */
  held = '';
  readonly target: Target;
  private socket: Socket;
  private end = '';
  private wake: () => void = () => {};

  private constructor(target: Target, socket: Socket) {
    this.target = target;
    this.socket = socket;
    this.listen(socket);
  }

  static async secure(target: Target): Promise<Conversation> {
    return new Conversation(target, await secured(target, null));
  }

  static async plain(target: Target): Promise<Conversation> {
    return new Conversation(target, await ready(connectPlain(target.port, target.host), 'connect'));
  }

  /** The change to TLS after STARTTLS. */
  async startTls(): Promise<void> {
    this.socket.removeAllListeners('data');
    this.socket = await secured(this.target, this.socket);
    this.listen(this.socket);
  }

  /** The server's certificate as this client sees it, DER. */
  get certificate(): Buffer {
    return (this.socket as TLSSocket).getPeerCertificate().raw;
  }

  send(text: string | Buffer): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** Takes everything up to the end of what the pattern finds. */
  async until(pattern: RegExp): Promise<string> {
    let found = pattern.exec(this.held);
    while (found === null) {
      await this.more();
      found = pattern.exec(this.held);
    }
    return this.take(found.index + found[0].length);
  }

  async bytes(count: number): Promise<string> {
    while (this.held.length < count) await this.more();
    return this.take(count);
  }

  close(): void {
    this.socket.destroy();
  }

  private take(length: number): string {
    const taken = this.held.slice(0, length);
    this.held = this.held.slice(length);
    return taken;
  }

  private more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`nothing came within ${timeoutMs / 1000} seconds`)), timeoutMs);
      this.wake = () => {
        clearTimeout(late);
        if (this.end === '') resolve();
        else reject(new Error(this.end));
      };
      if (this.end !== '') this.wake();
    });
  }

  private listen(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.held += chunk.toString('latin1');
      this.wake();
    });
    socket.on('error', (error) => this.over(error.message));
    socket.on('close', () => this.over('the connection was closed'));
  }

  private over(why: string): void {
    if (this.end === '') this.end = why;
    this.wake();
  }
}
