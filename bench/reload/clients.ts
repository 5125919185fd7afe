/** The clients of the reload soak: kept connections that take turns at a fixed rate, and long ones that get a few bytes a second. In the process of run.ts. */
import { createServer as createHttpServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { AnswerReader } from '../load/answers.ts';

export interface Address { readonly host: string; readonly port: number }

/** Answers at once, or, on /long, with a byte ten times a second for as long as the client stays. */
export function origin(at: Address): Promise<Server> {
  const server = createHttpServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    if (request.url !== '/long') {
      response.end('0123456789');
      return;
    }
    response.writeHead(200);
    const timer = setInterval(() => response.write('.'), 100);
    response.on('close', () => clearInterval(timer));
  });
  return new Promise((resolve) => { server.listen(at.port, at.host, () => resolve(server)); });
}

/** Requests on kept connections, so many a second whatever the answers do. */
export class KeptClients {
  sent = 0;
  answered = 0;
  /** What went wrong, each with how often. */
  readonly faults = new Map<string, number>();
  /** Milliseconds from the planned time to the answer, since the last take(). */
  private latencies: number[] = [];
  private readonly at: Address;
  private readonly idle: Client[] = [];
  private readonly waiting: number[] = [];
  private timer: NodeJS.Timeout | null = null;
  private stopping = false;

  constructor(at: Address) {
    this.at = at;
  }

  async open(count: number): Promise<void> {
    for (let number = 0; number < count; number++) this.idle.push(await this.connected());
  }

  start(perSecond: number): void {
    const beganMs = performance.now();
    let planned = 0;
    this.timer = setInterval(() => {
      const due = (performance.now() - beganMs) / 1000 * perSecond;
      for (; planned < due; planned++) this.ask(beganMs + planned * 1000 / perSecond);
    }, 2);
  }

  /** Resolves when what was sent has been answered. */
  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    for (let looks = 0; this.answered < this.sent && looks < 100; looks++) await new Promise((resolve) => { setTimeout(resolve, 50); });
    this.stopping = true;
    for (const client of this.idle) client.socket.destroy();
  }

  /** The latencies since the last call, sorted. */
  take(): number[] {
    const taken = this.latencies.toSorted((one, other) => one - other);
    this.latencies = [];
    return taken;
  }

  fault(what: string): void {
    if (!this.stopping) this.faults.set(what, (this.faults.get(what) ?? 0) + 1);
  }

  done(client: Client, plannedMs: number): void {
    this.answered += 1;
    this.latencies.push(performance.now() - plannedMs);
    this.idle.push(client);
    const next = this.waiting.shift();
    if (next !== undefined) this.ask(next);
  }

  private ask(plannedMs: number): void {
    const client = this.idle.shift();
    if (client === undefined) {
      this.waiting.push(plannedMs);
      return;
    }
    this.sent += 1;
    client.ask(plannedMs);
  }

  private connected(): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...this.at, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Client(socket, this)));
    });
  }
}

class Client {
  readonly socket: Socket;
  private readonly owner: KeptClients;
  private readonly reader = new AnswerReader();
  private plannedMs = -1;

  constructor(socket: Socket, owner: KeptClients) {
    this.socket = socket;
    this.owner = owner;
    socket.on('data', (chunk: Buffer) => this.took(chunk));
    socket.on('error', (error) => owner.fault(`error ${error.message}`));
    socket.on('close', () => owner.fault(this.plannedMs < 0 ? 'an idle connection was closed' : 'a connection was closed during a request'));
  }

  ask(plannedMs: number): void {
    this.plannedMs = plannedMs;
    this.socket.write('GET / HTTP/1.1\r\nHost: soak.local\r\n\r\n');
  }

  private took(chunk: Buffer): void {
    const state = this.reader.take(chunk);
    if (state === 'more') return;
    if (state !== 'done') this.owner.fault(state);
    const { plannedMs } = this;
    this.plannedMs = -1;
    this.owner.done(this, plannedMs);
  }
}

/** Connections with one answer that does not end. */
export class LongClients {
  bytes = 0;
  closed = 0;
  private readonly sockets: Socket[] = [];

  open(at: Address, count: number): void {
    for (let number = 0; number < count; number++) {
      const socket = connect(at);
      socket.on('data', (chunk) => { this.bytes += chunk.length; });
      socket.on('error', () => undefined);
      socket.on('close', () => { this.closed += 1; });
      socket.write('GET /long HTTP/1.1\r\nHost: soak.local\r\n\r\n');
      this.sockets.push(socket);
    }
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}
