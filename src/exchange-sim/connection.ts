/**
 * One client connection of a simulated server and the exchanges on it, one after the other. Made by server.ts, which decides who
 * is let in and what answers. HTTP/1 only; a request that follows waits until the answer before it is whole.
 */
import type { Socket } from 'node:net';
import { RequestReader } from './request-reader.ts';
import type { BadRequest, SimRequest } from './request-reader.ts';
import type { AnswerBody, BodyReader, ConnectionFacts, ServerFacts, SimExchange } from './service.ts';

/** What is sent into one connection while it waits for an answer and is not read. */
const waitingBytesMax = 65_536;
/** A body longer than this that nobody wants is not read to its end: the connection closes after the answer. */
const unwantedBytesMax = 65_536;

export interface ServerSide {
  readonly facts: ServerFacts;
  /** Decides about the request: answers it or gives it to a service. */
  handle(exchange: HttpExchange): void;
  /** An exchange is over, whole or cut. */
  finished(exchange: HttpExchange, whole: boolean): void;
}

/** What a connection has proved about its client. */
interface LoginState {
  user: string;
  /** The challenge sent and not answered yet. */
  challenge: Buffer | null;
}

export class HttpConnection implements ConnectionFacts {
  readonly number: number;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly login: LoginState = { user: '', challenge: null };
  requests = 0;
  readonly socket: Socket;
  readonly reader: RequestReader;
  private readonly plain: Socket | null;
  private readonly server: ServerSide;
  private exchange: HttpExchange | null = null;
  private closing = false;

  /** `plain`: the TCP socket below TLS, if known. */
  constructor(socket: Socket, plain: Socket | null, number: number, server: ServerSide) {
    this.socket = socket;
    this.plain = plain;
    this.number = number;
    this.server = server;
    this.clientAddress = socket.remoteAddress ?? '';
    this.clientPort = socket.remotePort ?? 0;
    this.reader = new RequestReader({
      onHead: (request) => this.begin(request),
      onBody: (bytes) => this.exchange?.reader?.piece(bytes),
      onRequest: () => this.exchange?.bodyIsDone(),
      onBad: (why) => this.refuse(why),
    });
  }

  /** Reads from now on. */
  start(): void {
    const { socket } = this;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      if (this.closing) return;
      this.reader.feed(chunk);
      // A head is read to its end or to the reader's limit; all else waits.
      if (this.reader.isStopped && this.reader.heldBytes > waitingBytesMax) socket.pause();
    });
    socket.on('error', () => {});
    socket.on('close', () => this.lost());
  }

  /** The exchange is whole; the next may begin. */
  next(exchange: HttpExchange, close: boolean): void {
    this.exchange = null;
    this.server.finished(exchange, true);
    if (close) this.endSocket('');
    else this.flow(false);
  }

  /** Cuts with a TCP reset where the runtime shows the plain socket, else without a word. */
  reset(): void {
    if (this.plain !== null) this.plain.resetAndDestroy();
    this.socket.destroy();
  }

  /** What still comes is read and thrown away, so that the client's own end is seen. */
  private endSocket(text: string): void {
    this.closing = true;
    this.reader.stop(true);
    this.socket.end(text, 'latin1');
    this.socket.resume();
  }

  flow(stopped: boolean): void {
    this.reader.stop(stopped);
    if (!stopped && this.reader.heldBytes <= waitingBytesMax) this.socket.resume();
  }

  private begin(request: SimRequest): void {
    this.requests += 1;
    this.exchange = new HttpExchange(request, this, this.server.facts);
    this.server.handle(this.exchange);
  }

  /** As IIS: not its site speaks but what stands before it, and nothing is in the log. */
  private refuse(why: BadRequest): void {
    const page = `<html><head><title>Bad Request</title></head><body><h2>Bad Request - ${why}</h2><p>HTTP Error 400.</p></body></html>`;
    this.endSocket(`HTTP/1.1 400 Bad Request\r\nContent-Type: text/html; charset=us-ascii\r\nServer: Microsoft-HTTPAPI/2.0\r\nConnection: close\r\nContent-Length: ${page.length}\r\n\r\n${page}`);
  }

  private lost(): void {
    const { exchange } = this;
    this.exchange = null;
    this.reader.stop(true);
    if (exchange === null) return;
    exchange.isOver = true;
    exchange.reader?.gone();
    this.server.finished(exchange, false);
  }
}

export class HttpExchange implements SimExchange {
  readonly request: SimRequest;
  readonly connection: HttpConnection;
  readonly server: ServerFacts;
  readonly startedAt = Date.now();
  user = '';
  mailbox = '';
  /** Why a login was refused, or what went wrong with it; for the log. */
  remark = '';
  /** Header lines that whoever let the client in adds to the answer. */
  readonly loginLines: string[] = [];
  status = 0;
  bytesSent = 0;
  isOver = false;
  reader: BodyReader | null = null;
  private bodyDone = false;
  private paused = false;
  private framing: AnswerBody | null = null;
  private close: boolean;
  private answered = false;

  constructor(request: SimRequest, connection: HttpConnection, server: ServerFacts) {
    this.request = request;
    this.connection = connection;
    this.server = server;
    this.close = request.version === 'HTTP/1.0' || request.headers.get('connection')?.toLowerCase() === 'close';
  }

  read(reader: BodyReader): void {
    this.reader = reader;
  }

  pause(): void {
    this.paused = true;
    this.connection.flow(true);
  }

  resume(): void {
    this.paused = false;
    if (!this.bodyDone || this.framing?.kind === 'tunnel') this.connection.flow(false);
  }

  /** Called by the connection: the request is complete. */
  bodyIsDone(): void {
    this.bodyDone = true;
    if (this.framing?.kind !== 'tunnel') this.connection.reader.stop(true);
    this.reader?.end();
    if (this.answered && !this.isOver) this.finish();
  }

  interim(status: number, reason: string): void {
    if (!this.isOver) this.connection.socket.write(`HTTP/1.1 ${status} ${reason}\r\n\r\n`, 'latin1');
  }

  answer(status: number, reason: string, lines: readonly string[], body: Buffer | string): void {
    const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
    this.head(status, reason, lines, { kind: 'length', bytes: bytes.length });
    if (bytes.length > 0) this.write(bytes);
    this.end();
  }

  head(status: number, reason: string, lines: readonly string[], body: AnswerBody): void {
    if (this.isOver || this.framing !== null) return;
    this.framing = body;
    this.status = status;
    const closes = lines.some((line) => /^connection: *close$/i.test(line));
    this.close ||= closes;
    if (!this.bodyDone && body.kind === 'length' && body.bytes < unwantedBytesMax && this.reader === null && this.connection.reader.bodyBytesLeft > unwantedBytesMax) this.close = true;
    const own = lines.some((line) => /^cache-control:/i.test(line)) || body.kind === 'tunnel' ? [] : ['Cache-Control: private'];
    const end = body.kind === 'length' ? [`Content-Length: ${body.bytes}`] : body.kind === 'chunked' ? ['Transfer-Encoding: chunked'] : [];
    const head = [
      `HTTP/1.1 ${status} ${reason}`, ...own, ...lines, 'Server: Microsoft-IIS/8.5', `X-FEServer: ${this.server.name}`, 'X-Powered-By: ASP.NET', ...this.loginLines,
      ...end, ...(this.close && !closes ? ['Connection: close'] : []),
    ];
    this.connection.socket.write(`${head.join('\r\n')}\r\n\r\n`, 'latin1');
    if (body.kind !== 'tunnel') return;
    this.connection.reader.tunnel();
    this.connection.flow(false);
  }

  write(bytes: Buffer | string): boolean {
    const piece = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
    if (this.isOver || this.framing === null || piece.length === 0 || this.request.method === 'HEAD') return true;
    this.bytesSent += piece.length;
    const { socket } = this.connection;
    if (this.framing.kind !== 'chunked') return socket.write(piece);
    return socket.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`, 'latin1'), piece, Buffer.from('\r\n', 'latin1')]));
  }

  drained(call: () => void): void {
    this.connection.socket.once('drain', call);
  }

  end(): void {
    if (this.isOver || this.answered || this.framing === null) return;
    this.answered = true;
    const head = this.request.method === 'HEAD';
    if (this.framing.kind === 'chunked' && !head) this.connection.socket.write('0\r\n\r\n', 'latin1');
    const short = this.framing.kind === 'length' && !head && this.bytesSent < this.framing.bytes;
    if (short || this.framing.kind === 'tunnel') this.close = true;
    if (this.bodyDone || this.close) this.finish();
    else if (this.paused) this.resume();
  }

  reset(): void {
    this.connection.reset();
  }

  private finish(): void {
    this.isOver = true;
    this.connection.next(this, this.close);
  }
}
