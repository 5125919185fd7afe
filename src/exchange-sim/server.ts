/**
 * One simulated Exchange server: TLS listener, every virtual directory of the front end, healthcheck.htm that follows the
 * component states. Made by site.ts and by tests. Answers name the server, so that a client sees where its request went.
 * An inactive component only takes its healthcheck.htm away, as Managed Availability does; other requests are still served.
 */
import { createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';
import { ComponentStates } from './components.ts';
import { RequestReader } from './request-reader.ts';
import type { SimRequest } from './request-reader.ts';
import { directoryOf } from './virtual-directories.ts';

export interface ExchangeServerOptions {
  /** `LAB-EX01` */
  readonly name: string;
  /** `LAB-EX01.lab.local`, told by healthcheck.htm in capitals. */
  readonly fqdn: string;
  readonly host: string;
  /** 0: the system chooses, see `port`. */
  readonly port: number;
  readonly certPem: string;
  readonly keyPem: string;
}

interface SimAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Largest body that `?bytes=` may ask for. */
const bodyBytesMax = 1_073_741_824;
const fill = Buffer.alloc(65_536, 'Exchange ');

function textAnswer(status: number, reason: string, type: string, text: string, ...headers: readonly string[]): SimAnswer {
  return { status, reason, headers: [`Content-Type: ${type}`, ...headers], body: Buffer.from(text, 'latin1') };
}

export class ExchangeServer {
  readonly name: string;
  readonly states = new ComponentStates();
  /** Requests answered, health checks not counted. */
  requests = 0;
  private readonly options: ExchangeServerOptions;
  private readonly listener: Server;
  private readonly sockets = new Set<TLSSocket>();

  constructor(options: ExchangeServerOptions) {
    this.options = options;
    this.name = options.name;
    this.listener = createServer({ cert: options.certPem, key: options.keyPem, ALPNProtocols: ['http/1.1'] }, (socket) => this.serve(socket));
    this.listener.on('tlsClientError', () => {});
  }

  /** Rejects with the system's error when the address cannot be bound. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen(this.options.port, this.options.host, () => {
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

  private serve(socket: TLSSocket): void {
    this.sockets.add(socket);
    socket.setNoDelay(true);
    const reader = new RequestReader({
      onHead: (request) => {
        if (request.headers.get('expect')?.toLowerCase() === '100-continue') socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      },
      onRequest: (request) => this.answer(socket, request),
      onBad: (why) => {
        socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: ${why.length}\r\nConnection: close\r\n\r\n${why}`, 'latin1');
      },
    });
    socket.on('data', (chunk: Buffer) => reader.feed(chunk));
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
  }

  private answer(socket: TLSSocket, request: SimRequest): void {
    const [path = '', query = ''] = request.target.split('?');
    const probe = path.toLowerCase().endsWith('/healthcheck.htm');
    if (!probe) this.requests += 1;
    const answer = probe ? this.health(path) : this.page(request, path, query);
    const close = request.version === 'HTTP/1.0' || request.headers.get('connection')?.toLowerCase() === 'close';
    const extraBytes = probe ? 0 : Math.min(bodyBytesMax, Number(new URLSearchParams(query).get('bytes') ?? 0) || 0);
    const head = [
      `HTTP/1.1 ${answer.status} ${answer.reason}`,
      'Cache-Control: private',
      ...answer.headers,
      'Server: Microsoft-IIS/8.5',
      `X-FEServer: ${this.options.name}`,
      'X-Powered-By: ASP.NET',
      `Content-Length: ${answer.body.length + extraBytes}`,
      ...(close ? ['Connection: close'] : []),
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`, 'latin1');
    if (request.method === 'HEAD') {
      if (close) socket.end();
      return;
    }
    socket.write(answer.body);
    this.pour(socket, extraBytes, close);
  }

  /** Writes a large body as fast as the reader takes it. */
  private pour(socket: TLSSocket, bytesLeft: number, close: boolean): void {
    let left = bytesLeft;
    while (left > 0 && !socket.destroyed) {
      const piece = left >= fill.length ? fill : fill.subarray(0, left);
      left -= piece.length;
      if (!socket.write(piece)) {
        socket.once('drain', () => this.pour(socket, left, close));
        return;
      }
    }
    if (close) socket.end();
  }

  private health(path: string): SimAnswer {
    const directory = directoryOf(path.slice(0, path.lastIndexOf('/')));
    if (directory === undefined || directory.component === null) return textAnswer(404, 'Not Found', 'text/html', 'Not Found');
    if (this.states.effective(directory.component) !== 'Active') return textAnswer(503, 'Service Unavailable', 'text/html', `${directory.component} is not active`);
    return textAnswer(200, 'OK', 'text/html', `200 OK<br/>${this.options.fqdn.toUpperCase()}`);
  }

  private page(request: SimRequest, path: string, query: string): SimAnswer {
    if (path === '/') return textAnswer(302, 'Found', 'text/html', 'Object moved', 'Location: /owa/');
    const directory = directoryOf(path);
    if (directory === undefined) return textAnswer(404, 'Not Found', 'text/html', `${this.options.name} has no ${path}`);
    const told = `${this.options.name} ${request.method} ${path}${query === '' ? '' : `?${query}`} ${directory.path} ${request.bodyBytes}\n`;
    return textAnswer(200, 'OK', directory.contentType, told);
  }
}
