/**
 * Port 80 of a simulated server: plain HTTP that sends every request to HTTPS, as an administrator sets Exchange up. Autodiscover
 * clients ask there without credentials and follow the redirect. Made by server.ts.
 */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { HttpConnection } from './connection.ts';
import type { HttpExchange, ServerSide } from './connection.ts';
import type { ServerFacts } from './service.ts';

export class RedirectListener {
  private readonly host: string;
  private readonly wanted: number;
  private readonly listener: Server;
  private readonly sockets = new Set<Socket>();
  private connections = 0;

  /** `finished` is told of every exchange and of the port it came to. */
  constructor(host: string, port: number, facts: ServerFacts, finished: (exchange: HttpExchange, whole: boolean, port: number) => void) {
    this.host = host;
    this.wanted = port;
    const side: ServerSide = { facts, handle: redirect, finished: (exchange, whole) => finished(exchange, whole, this.port) };
    this.listener = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      this.connections += 1;
      new HttpConnection(socket, socket, this.connections, side).start();
    });
  }

  /** Rejects with the system's error when the address cannot be bound. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen(this.wanted, this.host, () => {
        this.listener.off('error', reject);
        resolve();
      });
    });
  }

  get port(): number {
    const address = this.listener.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => {
      this.listener.close(() => resolve());
    });
  }
}

function redirect(exchange: HttpExchange): void {
  const host = (exchange.request.headers.get('host') ?? exchange.server.fqdn).replace(/:\d+$/, '');
  exchange.answer(302, 'Found', ['Content-Type: text/html; charset=UTF-8', `Location: https://${host}${exchange.request.target}`], '');
}
