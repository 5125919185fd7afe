/**
 * A check as the expression language sees it: no client, no request, only the answer's bytes and the variables of the check.
 * One per server with checks. What fetches ask for and a check does not have is empty or zero.
 */
import { hostname } from 'node:os';
import type { Bind, Model, Proxy, Server } from '../../model/model.ts';
import { G } from '../../model/counters.ts';
import { B, S, admin, op } from '../../model/server-state.ts';
import type { Head } from '../../wire/head.ts';
import type { LogFacts, Sample, SampleValue, Session, Subject, TlsFacts, Vars, World } from '../../rules/subject.ts';
import type { Segments } from '../../shared/segments.ts';

const noBytes = Buffer.alloc(0);

/** Live figures, read from shared memory. One for all checks. */
export class CheckWorld implements World {
  readonly model: Model;
  readonly startedAtMs: number;
  readonly hostname = hostname();
  readonly pid = process.pid;
  readonly threadIndex: number;
  readonly processVars: Vars = new Map();
  readonly random: () => number;
  private readonly segments: Segments;
  private readonly now: () => number;
  private readonly log: (text: string) => void;

  constructor(model: Model, segments: Segments, now: () => number, random: () => number, log: (text: string) => void) {
    this.model = model;
    this.segments = segments;
    this.now = now;
    this.random = random;
    this.log = log;
    this.startedAtMs = now();
    this.threadIndex = segments.threads;
  }

  nowMs(): number { return this.now(); }
  usableServers(proxy: number): number {
    const state = this.segments.backendState(proxy);
    return (state[B.active] ?? 0) + (state[B.backup] ?? 0);
  }
  serverTrouble(): string { return ''; }
  serverIsUp(server: number): boolean {
    const state = this.segments.serverState(server);
    return state[S.op] !== op.stopped && ((state[S.admin] ?? 0) & admin.anyMaint) === 0;
  }
  serverWeight(server: number): number { return this.segments.serverState(server)[S.eweight] ?? 0; }
  serverConnections(server: number): number { return this.serverGauge(server, G.scur); }
  serverQueue(server: number): number { return this.serverGauge(server, G.qcur); }
  serverRate(server: number): number { return this.serverGauge(server, G.rate); }
  backendConnections(proxy: number): number { return this.backendGauge(proxy, G.scur); }
  backendQueue(proxy: number): number { return this.backendGauge(proxy, G.qcur); }
  backendRate(proxy: number): number { return this.backendGauge(proxy, G.rate); }
  frontendConnections(proxy: number): number { return this.frontendGauge(proxy, G.scur); }
  frontendRate(proxy: number): number { return this.frontendGauge(proxy, G.rate); }
  frontendRequestRate(proxy: number): number { return this.frontendGauge(proxy, G.req_rate); }
  processConnections(): number { return 0; }
  patternVersion(): number { return 0; }
  patternsChanged(): void { /* Checks have no rules that change patterns. */ }
  stickLookup(): number { return -1; }
  warn(message: string): void { this.log(message); }

  private serverGauge(server: number, field: number): number {
    return this.segments.gauges(this.segments.serverObject(server))[field] ?? 0;
  }
  private backendGauge(proxy: number, field: number): number {
    return this.segments.gauges(this.segments.backendObject(proxy))[field] ?? 0;
  }
  private frontendGauge(proxy: number, field: number): number {
    return this.segments.gauges(this.segments.frontendObject(proxy))[field] ?? 0;
  }
}

class CheckSession implements Session {
  readonly bind: Bind;
  readonly frontend: Proxy;
  sourceAddress = '';
  sourcePort = 0;
  destinationAddress = '';
  destinationPort = 0;
  readonly tls: TlsFacts | null = null;
  readonly proxyUniqueId = '';
  readonly proxyAuthority = '';
  expectsProxy = false;
  readonly acceptedAtMs = 0;
  requestCount = 0;
  vars: Vars | null = null;

  constructor(proxy: Proxy) {
    this.frontend = proxy;
    this.bind = noBind(proxy);
  }

  sourceIp(): undefined { return undefined; }
  destinationIp(): undefined { return undefined; }
}

function noBind(proxy: Proxy): Bind {
  return {
    index: -1, name: '', luid: 0, guidPrefix: '', proxy: proxy.index, address: { kind: 'unix', path: '', abstract: false }, text: '', place: proxy.place, maxconn: 0, backlog: 0,
    v4v6: false, v6only: false, acceptProxy: false, interface: '', mode: null, uid: -1, gid: -1, transparent: false, tls: null,
  };
}

function noFacts(proxy: Proxy, server: Server): LogFacts {
  return {
    acceptDateMs: 0, requestDateMs: 0, handshakeMs: 0, idleMs: 0, requestMs: -1, queueMs: -1, connectMs: -1, responseMs: -1, activeMs: -1, totalMs: -1,
    status: 0, bytesToClient: 0, bytesFromClient: 0, cause: '-', stage: '-', cookieFound: '-', cookieSet: '-', retries: 0, redispatched: false,
    serverQueue: 0, backendQueue: 0, early: false, backendName: proxy.name, serverName: server.name, serverAddress: '', serverPort: 0, ownAddress: '',
    ownPort: 0, requestCookie: '', responseCookie: '', badRequest: false, requestLine: '', method: '', uri: '', version: '', fault: null, rule: null, detail: '',
    firstServer: '', firstDetail: '',
  };
}

export class CheckSubject implements Subject {
  readonly world: World;
  readonly session: Session;
  request: Head | null = null;
  response: Head | null = null;
  readonly frontend: Proxy;
  backend: Proxy | null;
  server: Server | null;
  serverTls: TlsFacts | null = null;
  txnVars: Vars | null = null;
  reqVars: Vars | null = null;
  resVars: Vars | null = null;
  requestCaptures: (string | undefined)[] | null = null;
  responseCaptures: (string | undefined)[] | null = null;
  needMore = false;
  final = true;
  logLevel = '';
  sentOnce = false;
  uniqueId = '';
  serverTimeoutMs: number | null = null;
  tunnelTimeoutMs: number | null = null;
  clientTimeoutMs: number | null = null;
  priorityClass = 0;
  priorityOffset = 0;
  readonly facts: LogFacts;
  /** Bytes of the answer so far. */
  answer: Uint8Array = noBytes;

  constructor(world: World, proxy: Proxy, server: Server) {
    this.world = world;
    this.session = new CheckSession(proxy);
    this.frontend = proxy;
    this.backend = proxy;
    this.server = server;
    this.facts = noFacts(proxy, server);
  }

  requestBytes(): Uint8Array { return noBytes; }
  responseBytes(): Uint8Array { return this.answer; }
  requestComplete(): boolean { return true; }
  responseComplete(): boolean { return true; }

  /** A new check starts: its variables are gone. */
  begin(): void {
    this.answer = noBytes;
    this.txnVars = null;
    this.session.vars = null;
  }

  /** `check.` variables live as long as one check, as those of a transaction do. Undefined unsets. */
  setVariable(name: string, value: Sample): void {
    const dot = name.indexOf('.');
    const vars = this.variables(name.slice(0, dot));
    if (value === undefined) vars.delete(name.slice(dot + 1));
    else vars.set(name.slice(dot + 1), value);
  }

  private variables(scope: string): Vars {
    if (scope === 'proc') return this.world.processVars;
    if (scope === 'sess') return (this.session.vars ??= new Map<string, SampleValue>());
    return (this.txnVars ??= new Map<string, SampleValue>());
  }
}
