/**
 * A client that sends exact bytes and sees exact bytes. Text is latin1 throughout, so that a string is its bytes.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { MessageReader, type Message } from './http.ts';
import { sleep } from './place.ts';

export interface ClientOptions {
  readonly tls?: ConnectionOptions;
  /** Source address, for rules that look at it. */
  readonly from?: string;
}

/** How a connection ended: `fin`, `reset`, another errno word, or `open` when it did not. */
export type Ending = 'fin' | 'reset' | 'open' | string;

export class Client {
  readonly socket: Socket;
  /** Everything received and not taken yet. */
  received = '';
  ending: Ending = 'open';
  private waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => { this.received += chunk.toString('latin1'); this.wake(); });
    socket.on('end', () => { if (this.ending === 'open') this.ending = 'fin'; this.wake(); });
    socket.on('error', (error: NodeJS.ErrnoException) => { this.ending = error.code === 'ECONNRESET' ? 'reset' : (error.code ?? 'error'); this.wake(); });
    socket.on('close', () => { if (this.ending === 'open') this.ending = 'fin'; this.wake(); });
  }

  static connect(host: string, port: number, options: ClientOptions = {}): Promise<Client> {
    return new Promise((resolve, reject) => {
      const plain = { host, port, allowHalfOpen: true, ...(options.from === undefined ? {} : { localAddress: options.from }) };
      const socket = connectTcp(plain);
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.once('connect', () => {
        if (options.tls === undefined) {
          socket.off('error', reject);
          resolve(new Client(socket));
          return;
        }
        const secure = connectTls({ socket, rejectUnauthorized: false, ...options.tls });
        secure.once('error', reject);
        secure.once('secureConnect', () => { socket.off('error', reject); secure.off('error', reject); resolve(new Client(secure)); });
      });
    });
  }

  get tls(): TLSSocket { return this.socket as TLSSocket; }

  send(data: string | Uint8Array): this {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    return this;
  }

  /** Sends pieces with a pause between them, so that they arrive apart. */
  async sendPieces(pieces: readonly string[], pauseMs = 15): Promise<this> {
    for (const piece of pieces) {
      this.send(piece);
      await sleep(pauseMs);
    }
    return this;
  }

  /** Half-closes. */
  end(): this { this.socket.end(); return this; }

  /** Closes at once; with `reset` the other side sees RST. */
  close(reset = false): void {
    if (reset) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  /** One answer, read by its own framing. `method` tells whether a body may follow. */
  async answer(method = 'GET', timeoutMs = 5000): Promise<Message> {
    const reader = new MessageReader('response', method);
    const end = Date.now() + timeoutMs;
    for (;;) {
      const message = reader.read(this.received, this.ending !== 'open');
      if (message !== null) {
        this.received = this.received.slice(message.raw.length);
        return message;
      }
      if (this.ending !== 'open') throw new Error(`closed (${this.ending}) before a whole answer: ${JSON.stringify(this.received.slice(0, 300))}`);
      await this.more(end - Date.now(), 'an answer');
    }
  }

  /** Waits for the pattern and takes the bytes up to its end. */
  async until(pattern: RegExp, timeoutMs = 5000): Promise<string> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const found = pattern.exec(this.received);
      if (found !== null) return this.take(found.index + found[0].length);
      if (this.ending !== 'open') throw new Error(`closed (${this.ending}) before ${pattern}: ${JSON.stringify(this.received.slice(0, 300))}`);
      await this.more(end - Date.now(), String(pattern));
    }
  }

  /** Waits for so many bytes and takes them. */
  async bytes(count: number, timeoutMs = 5000): Promise<string> {
    const end = Date.now() + timeoutMs;
    while (this.received.length < count) {
      if (this.ending !== 'open') throw new Error(`closed (${this.ending}) before ${count} bytes: ${JSON.stringify(this.received.slice(0, 300))}`);
      await this.more(end - Date.now(), `${count} bytes`);
    }
    return this.take(count);
  }

  take(length: number): string {
    const taken = this.received.slice(0, length);
    this.received = this.received.slice(length);
    return taken;
  }

  /** Everything until the other side closes, and how it closed (`open` when it did not in time). */
  async rest(timeoutMs = 3000): Promise<{ bytes: string; ending: Ending }> {
    const end = Date.now() + timeoutMs;
    while (this.ending === 'open' && Date.now() < end) await this.more(end - Date.now(), null);
    return { bytes: this.take(this.received.length), ending: this.ending };
  }

  /** What arrives in the given time. */
  async within(ms: number): Promise<string> {
    await sleep(ms);
    return this.take(this.received.length);
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resume of waiting) resume();
  }

  /** Waits for more bytes or the end; `what` names what was waited for in the error, null = no error. */
  protected more(ms: number, what: string | null): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        if (what === null) resolve();
        else reject(new Error(`no ${what} in time; received ${JSON.stringify(this.received.slice(0, 300))}`));
      }, Math.max(1, ms));
      this.waiting.push(() => { clearTimeout(timer); resolve(); });
    });
  }
}
