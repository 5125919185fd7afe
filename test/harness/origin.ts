/**
 * Fake origin servers. An origin runs a script for each connection: exact bytes out, exact bytes seen. `answering` is the
 * script for most situations: it reads whole requests and answers each one.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { Client } from './client.ts';
import { MessageReader, type Message } from './http.ts';

/** One connection as the origin sees it; `number` counts from 1 in the order of arrival. */
export class OriginConnection extends Client {
  readonly number: number;

  constructor(socket: Socket, number: number) {
    super(socket);
    this.number = number;
  }

  /** One whole request, or null when the connection ended before one came. */
  async request(timeoutMs = 20_000): Promise<Message | null> {
    const reader = new MessageReader('request');
    const end = Date.now() + timeoutMs;
    for (;;) {
      const message = reader.read(this.received, this.ending !== 'open');
      if (message !== null) {
        this.take(message.raw.length);
        return message;
      }
      if (this.ending !== 'open' || Date.now() > end) return null;
      await this.more(end - Date.now(), null);
    }
  }
}

export type OriginScript = (connection: OriginConnection) => Promise<void> | void;

export interface OriginOptions {
  readonly tls?: TlsOptions;
}

export class Origin {
  readonly connections: OriginConnection[] = [];
  /** Whole requests that `answering` read, in order over all connections. */
  readonly requests: (Message & { readonly connection: number })[] = [];
  /** What went wrong in scripts; shown when a situation fails. */
  readonly troubles: string[] = [];
  script: OriginScript;
  private server: Server | null = null;
  /** Raw sockets, those in a TLS handshake included. */
  private readonly sockets = new Set<Socket>();
  private readonly options: OriginOptions;

  constructor(script: OriginScript, options: OriginOptions = {}) {
    this.script = script;
    this.options = options;
  }

  listen(address: string, port: number): Promise<void> {
    const accept = (socket: Socket): void => {
      const connection = new OriginConnection(socket, this.connections.length + 1);
      this.connections.push(connection);
      Promise.resolve(this.script(connection)).catch((error: unknown) => { this.troubles.push(String(error)); socket.destroy(); });
    };
    const server = this.options.tls === undefined
      ? createServer({ allowHalfOpen: true, noDelay: true }, accept)
      : createTlsServer({ ...this.options.tls, allowHalfOpen: true } as TlsOptions, accept);
    server.on('tlsClientError', () => {});
    server.on('connection', (socket: Socket) => { this.sockets.add(socket); socket.on('close', () => this.sockets.delete(socket)); });
    this.server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address, port }, () => resolve());
    });
  }

  /** Stops listening and cuts what is open; `listen` may be called again. */
  close(): Promise<void> {
    const server = this.server;
    this.server = null;
    if (server === null) return Promise.resolve();
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => { server.close(() => resolve()); });
  }

  /** Forgets requests and connections of an earlier situation. */
  forget(): void {
    this.requests.length = 0;
    this.troubles.length = 0;
  }
}

/** The answer's bytes; an empty string closes the connection instead. */
export type Answerer = (request: Message, connection: OriginConnection) => string | Promise<string>;

export function ok(body: string, ...headers: string[]): string {
  return ['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, ...headers, '', body].join('\r\n');
}

/** An origin that answers every request; records what it saw. */
export function answering(answerer: Answerer, options: OriginOptions = {}): Origin {
  const origin: Origin = new Origin(async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === null) break;
      origin.requests.push(Object.assign(request, { connection: connection.number }));
      const answer = await answerer(request, connection);
      if (answer === '') break;
      connection.send(answer);
    }
    connection.end();
  }, options);
  return origin;
}

/** An origin that says its name in the body. */
export function named(name: string, options: OriginOptions = {}): Origin {
  return answering((request) => ok(request.startLine.startsWith('HEAD ') ? '' : name, `X-Origin: ${name}`), options);
}
