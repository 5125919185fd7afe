/** The HTTP room between fake connections: no sockets, time that only moves when told, every event in the test's hands. */
import assert from 'node:assert/strict';
import type { Clock } from '../../../src/base/clock.ts';
import { C, G } from '../../../src/model/counters.ts';
import type { ToControl } from '../../../src/model/messages.ts';
import type { Proxy, Server } from '../../../src/model/model.ts';
import type { RuleSet } from '../../../src/rules/compile.ts';
import type { Subject, TlsFacts, Verdict } from '../../../src/rules/subject.ts';
import { Segments } from '../../../src/shared/segments.ts';
import type { Transport, TransportHandler } from '../../../src/traffic/contract.ts';
import { ServerLink } from '../../../src/traffic/dispatch/server-link.ts';
import { serveHttp } from '../../../src/traffic/http/serve.ts';
import { ClientSession } from '../../../src/traffic/session.ts';
import { ThreadContext } from '../../../src/traffic/thread-context.ts';
import { takeLines } from '../traffic/log-lines.ts';
import { bringUp, makeBind, makeModel, makeProxy, makeServer, makeStart } from '../traffic/make-model.ts';

const nobody: TransportHandler = { onData: () => undefined, onDrain: () => undefined, onEnd: () => undefined, onClose: () => undefined };

export class FakeTransport implements Transport {
  handler: TransportHandler = nobody;
  watcher: { transportClosed(transport: unknown): void } | null = null;
  readonly tls: TlsFacts | null = null;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 80;
  readonly remoteAddress = '192.0.2.7';
  readonly remotePort = 4711;
  readonly writes: Uint8Array[] = [];
  pendingBytes = 0;
  /** The peer reads nothing. */
  blocked = false;
  paused = false;
  ended = false;
  closed = false;
  private code = '';
  private readonly later: (() => void)[];
  private readonly waiting: Buffer[] = [];

  constructor(later: (() => void)[]) {
    this.later = later;
  }

  get text(): string { return Buffer.concat(this.writes).toString('latin1'); }

  write(data: Uint8Array | string): boolean {
    if (this.closed || this.ended) return true;
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    this.writes.push(bytes);
    if (this.blocked) this.pendingBytes += bytes.length;
    return this.pendingBytes <= 65536;
  }

  end(): void { this.ended = true; }

  destroy(): void {
    if (this.closed) return;
    this.later.push(() => this.close());
  }

  pause(): void { this.paused = true; }

  resume(): void {
    this.paused = false;
    while (this.waiting.length > 0 && !this.paused && !this.closed) this.handler.onData(this.waiting.shift()!);
  }

  /** Bytes from the peer; held back while paused, as a socket would. */
  feed(data: string | Buffer): void {
    if (this.closed) return;
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    if (this.paused) this.waiting.push(bytes);
    else this.handler.onData(bytes);
  }

  peerEnd(): void { if (!this.closed) this.handler.onEnd(); }

  peerReset(): void {
    this.code = 'ECONNRESET';
    this.close();
  }

  drain(): void {
    this.pendingBytes = 0;
    this.blocked = false;
    this.handler.onDrain();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.handler.onClose(this.code);
    this.watcher?.transportClosed(this);
  }
}

class FakeClock implements Clock {
  nowMs = 1_000_000;
  monoMs(): number { return this.nowMs; }
  dateMs(): number { return 1_700_000_000_000 + this.nowMs; }
}

const rooms: Room[] = [];

/** After the tests of a file: a room that a failed test left open must not keep the process running. */
export function endRooms(): void {
  for (const room of rooms.splice(0)) room.end();
}

export class Room {
  readonly clock = new FakeClock();
  readonly messages: ToControl[] = [];
  readonly later: (() => void)[] = [];
  readonly context: ThreadContext;
  readonly segments: Segments;
  readonly lines: string[] = [];
  openSessions = 0;

  constructor(front: Partial<Proxy> = {}, back: Partial<Proxy> = {}, server: Partial<Server> = {}) {
    rooms.push(this);
    const http = { mode: 'http', logTargets: [{}], logFormat: [{ kind: 'text', text: 'x' }], httpReuse: 'always' } as unknown as Partial<Proxy>;
    const model = makeModel({
      proxies: [makeProxy(0, 'fe', { ...http, isBackend: false, defaultBackend: 1, ...front }), makeProxy(1, 'be', { ...http, isFrontend: false, retries: 0, ...back })],
      // Tests put connections into the pool themselves: all of them are wanted.
      servers: [makeServer(0, 1, 's1', '192.0.2.1', 80, { poolLowConn: 16, ...server })],
      binds: [makeBind(0, 0, '192.0.2.2', 80)],
    });
    this.segments = Segments.allocate(model, 1);
    bringUp(model, this.segments);
    this.context = new ThreadContext(makeStart(model, this.segments), this.clock, (message) => this.messages.push(message));
    const { rules } = this.context.plan.proxies[0]!;
    (rules as { log: unknown }).log = (subject: Subject): string => {
      const { facts } = subject;
      return `${facts.backendName}/${facts.serverName} ${facts.status} ${facts.cause}${facts.stage} ${facts.badRequest ? '<BADREQ>' : facts.requestLine}`;
    };
    this.context.plan.compiler.errorAnswer = (_front, _back, status): Uint8Array => Buffer.from(`HTTP/1.1 ${status} E\r\ncontent-length: 2\r\n\r\n${String(status).slice(0, 2)}`);
  }

  client(): FakeTransport {
    const transport = new FakeTransport(this.later);
    const session = new ClientSession(this.context, { sessionClosed: () => { this.openSessions -= 1; } }, this.context.plan.listeners[0]!, transport as never);
    session.attach(transport as never);
    this.openSessions += 1;
    serveHttp(transport, session, this.context);
    return transport;
  }

  /** A connection to the server that waits in the pool. Newest is used first. */
  server(): FakeTransport {
    const transport = new FakeTransport(this.later);
    const plan = this.context.plan.servers[0]!;
    const link = new ServerLink(plan, transport as never, '', { linkOpened: () => undefined, linkFailed: () => undefined });
    link.connected();
    plan.pool.put(link);
    return transport;
  }

  /** Rules of one place, for tests of what becomes of verdicts. */
  rule(place: 'request' | 'response' | 'afterResponse', run: (subject: Subject) => Verdict | null, proxy = 0): void {
    const set: RuleSet = { length: 1, resumeAt: 1, run: (subject, from) => (from > 0 ? null : run(subject)) } as RuleSet;
    (this.context.plan.proxies[proxy]!.rules.http as unknown as Record<string, RuleSet>)[place] = set;
  }

  /** Runs what was put off (closes). */
  settle(): void {
    for (let step = this.later.shift(); step !== undefined; step = this.later.shift()) step();
  }

  pass(ms: number): void {
    this.clock.nowMs += ms;
    this.context.wheel.advance();
    this.settle();
  }

  log(): string[] {
    this.context.logs.flush();
    this.messages.length = 0;
    this.lines.push(...takeLines(this.segments));
    return this.lines;
  }

  counter(side: 'front' | 'back' | 'server', field: keyof typeof C): number {
    const { plan } = this.context;
    const tally = side === 'front' ? plan.proxies[0]!.front : side === 'back' ? plan.proxies[1]!.back : plan.servers[0]!.tally;
    return tally.counters[C[field]]!;
  }

  /** Gauges that must be zero when nothing runs. */
  gauges(): number[] {
    const { plan } = this.context;
    return [plan.proxies[1]!.back.gauge(G.scur), plan.servers[0]!.tally.gauge(G.scur), plan.servers[0]!.tally.gauge(G.qcur), plan.proxies[1]!.back.gauge(G.qcur)];
  }

  /** Lets every timer run out, so that the process can end. */
  end(): void {
    for (let round = 0; round < 40; round += 1) this.pass(60_000);
    this.context.plan.servers[0]!.pool.closeAll();
    this.settle();
    this.context.logs.flush();
    this.pass(1000);
  }
}

/** All is over: these log lines, every gauge at zero, no session left. */
export function finished(room: Room, lines: string[]): void {
  room.settle();
  assert.deepEqual(room.log(), lines);
  assert.deepEqual(room.gauges(), [0, 0, 0, 0]);
  room.end();
  assert.equal(room.openSessions, 0);
}
