/** A subject, a world, a Model and an ExpressionScope for tests of rules: plain objects with settable facts. */
import type { ExpressionScope, Layer } from '../../../src/config/expression/scope.ts';
import type { Acl, MatchMethod, PatternEntry, PatternSet } from '../../../src/model/expression.ts';
import type { Model, Proxy, Server, Userlist } from '../../../src/model/model.ts';
import type { Problem } from '../../../src/model/problem.ts';
import { parseIp } from '../../../src/base/ip.ts';
import type { LogFacts, Session, Subject, TlsFacts, World } from '../../../src/rules/subject.ts';
import type { Head } from '../../../src/wire/head.ts';

export class FakeHead implements Head {
  method = 'GET';
  uri = '/';
  minorVersion = 1;
  status = 0;
  reason = '';
  private readonly lines: { name: string; value: string; removed: boolean }[] = [];

  /** Reads `METHOD uri HTTP/1.x` or `HTTP/1.x status reason` and header lines. */
  static of(text: string): FakeHead {
    const head = new FakeHead();
    const [start = '', ...lines] = text.split('\n');
    const [a = '', b = '', ...rest] = start.split(' ');
    if (a.startsWith('HTTP/')) {
      head.status = Number(b);
      head.reason = rest.join(' ');
      head.minorVersion = Number(a.at(-1));
    } else {
      head.method = a;
      head.uri = b;
      head.minorVersion = Number((rest[0] ?? 'HTTP/1.1').at(-1));
    }
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon > 0) head.append(line.slice(0, colon), line.slice(colon + 1).trim());
    }
    return head;
  }

  get lineCount(): number { return this.lines.length; }
  isRemoved(index: number): boolean { return this.lines[index]?.removed ?? true; }
  find(lowerName: string, from: number): number {
    return this.lines.findIndex((line, index) => index >= from && !line.removed && line.name.toLowerCase() === lowerName);
  }
  name(index: number): string { return this.lines[index]?.name ?? ''; }
  value(index: number): string { return this.lines[index]?.value ?? ''; }
  remove(index: number): void { this.lines[index]!.removed = true; }
  setValue(index: number, value: string): void { this.lines[index]!.value = value; }
  append(name: string, value: string): void { this.lines.push({ name, value, removed: false }); }
  path(): string {
    const bare = this.uri.split('?')[0] ?? '';
    if (bare.startsWith('/')) return bare;
    const match = /^[a-z]+:\/\/[^/]*(\/.*)?$/i.exec(bare);
    return match?.[1] ?? '';
  }
  query(): string {
    const at = this.uri.indexOf('?');
    return at < 0 ? '' : this.uri.slice(at + 1);
  }
  /** Lines present, as `name: value`. */
  text(): string[] {
    return this.lines.filter((line) => !line.removed).map((line) => `${line.name}: ${line.value}`);
  }
}

export function fakeProxy(index: number, name: string, changes: Partial<Proxy> = {}): Proxy {
  return {
    index, name, iid: index + 2, kind: 'listen', isFrontend: true, isBackend: true, mode: 'http', errors: [], servers: [], requestCaptures: [], responseCaptures: [],
    timeouts: { clientMs: 5000, serverMs: 6000, tunnelMs: null }, defaultBackend: -1, ...changes,
  } as unknown as Proxy;
}

/** Collects what the readers store; its lists become the Model. */
export class FakeScope implements ExpressionScope {
  readonly place = { file: 'test.cfg', line: 1 };
  layer: Layer;
  proxy = 0;
  proxyMode: 'http' | 'tcp' = 'http';
  readonly problems: Problem[] = [];
  readonly acls: Acl[] = [];
  readonly sets: PatternSet[] = [];
  readonly named = new Map<string, number[]>();
  readonly files = new Map<string, string>();
  readonly proxies: Proxy[] = [fakeProxy(0, 'fe'), fakeProxy(1, 'be1'), fakeProxy(2, 'be2'), fakeProxy(3, 'be3')];
  readonly servers: Server[] = [];
  readonly userlists: Userlist[] = [];
  readonly captures: { request: number[]; response: number[] } = { request: [], response: [] };

  constructor(layer: Layer = 'http-request') {
    this.layer = layer;
  }

  report(problem: Problem): void { this.problems.push(problem); }
  readonly used = new Set<string>();
  use(name: string): void { this.used.add(name); }
  proxyByName(name: string): number { return this.proxies.findIndex((proxy) => proxy.name === name); }
  serverByName(_backend: string, server: string): number { return this.servers.findIndex((each) => each.name === server); }
  userlistByName(name: string): number { return this.userlists.findIndex((each) => each.name === name); }
  peersTable(name: string): boolean { return name === 'p/t'; }
  aclsByName(name: string): readonly number[] { return this.named.get(name) ?? []; }
  addAcl(acl: Acl): number {
    const index = this.acls.push(acl) - 1;
    if (acl.name !== '') this.named.set(acl.name, [...this.aclsByName(acl.name), index]);
    return index;
  }
  addPatterns(kind: 'acl' | 'map', file: string, method: MatchMethod, ignoreCase: boolean, entries: readonly PatternEntry[]): number {
    if (file !== '') {
      const found = this.sets.find((set) => set.file === file && set.kind === kind && set.method === method && set.ignoreCase === ignoreCase);
      if (found !== undefined) return found.id;
    }
    return this.sets.push({ id: this.sets.length, kind, file, method, ignoreCase, entries, place: this.place }) - 1;
  }
  readFile(path: string): Uint8Array | undefined {
    const text = this.files.get(path);
    if (text !== undefined) return Buffer.from(text, 'latin1');
    this.report({ severity: 'error', place: this.place, word: path, message: `cannot read '${path}'`, remedy: '' });
    return undefined;
  }
  errorsSection(): boolean { return false; }
  errorsBody(): undefined { return undefined; }
  addCapture(side: 'request' | 'response', lengthMax: number): number { return this.captures[side].push(lengthMax) - 1; }
  captureSlots(side: 'request' | 'response'): number { return this.captures[side].length; }

  /** Messages of errors, for assertions. */
  errors(): string[] {
    return this.problems.filter((problem) => problem.severity === 'error' || problem.severity === 'unsupported').map((problem) => problem.message);
  }

  model(): Model {
    return {
      acls: this.acls, patterns: this.sets, used: [...this.used], proxies: this.proxies, servers: this.servers, userlists: this.userlists, binds: [], certificates: [],
      inactive: [], mailers: [], poise: { given: false, vital: [], webhooks: [], relays: [], mailQueue: '', lastResort: [], logWhy: [], stateFolder: '', watchCertificates: false }, files: [], global: { nbthread: 1 },
    } as unknown as Model;
  }
}

export function fakeFacts(changes: Partial<LogFacts> = {}): LogFacts {
  return {
    acceptDateMs: Date.UTC(2026, 10, 20, 22, 59, 24, 735), requestDateMs: Date.UTC(2026, 10, 20, 22, 59, 24, 736), handshakeMs: 0, idleMs: 0, requestMs: 1, queueMs: 2,
    connectMs: 3, responseMs: 4, activeMs: 10, totalMs: 12, status: 200, bytesToClient: 100, bytesFromClient: 50, cause: '-', stage: '-', cookieFound: '-', cookieSet: '-',
    retries: 0, redispatched: false, serverQueue: 0, backendQueue: 0, early: false, backendName: 'be1', serverName: 's1', serverAddress: '10.0.0.1', serverPort: 443,
    ownAddress: '10.0.0.9', ownPort: 40000, requestCookie: '', responseCookie: '', badRequest: false, requestLine: 'GET / HTTP/1.1', method: 'GET', uri: '/',
    version: 'HTTP/1.1', fault: null, rule: null, detail: '', firstServer: '', firstDetail: '', ...changes,
  };
}

export function fakeWorld(model: Model, changes: Partial<World> = {}): World {
  return {
    model, startedAtMs: 0, hostname: 'lab', pid: 4242, threadIndex: 0, nowMs: () => Date.UTC(2026, 10, 20, 23, 0, 0, 123), usableServers: () => 2, serverIsUp: () => true, serverTrouble: () => 'down',
    serverWeight: () => 1, serverConnections: () => 1, serverQueue: () => 0, serverRate: () => 0, backendConnections: () => 3, backendQueue: () => 0, backendRate: () => 0,
    frontendConnections: () => 4, frontendRate: () => 0, frontendRequestRate: () => 0, processConnections: () => 5, processVars: new Map(), patternVersion: () => 0,
    random: () => 0.5, patternsChanged: () => undefined, stickLookup: () => -1, warn: () => undefined, ...changes,
  };
}

export interface FakeSubject extends Subject {
  bytes: Uint8Array;
  complete: boolean;
}

export function fakeSubject(model: Model, request: string | null = 'GET / HTTP/1.1', changes: Partial<Subject> = {}, tls: TlsFacts | null = null): FakeSubject {
  const frontend = model.proxies[0]!;
  const head = request === null ? null : FakeHead.of(request);
  const session: Session = {
    bind: { luid: 1, name: 'main' } as Session['bind'], frontend, sourceAddress: '192.0.2.7', sourcePort: 50000, destinationAddress: '198.51.100.1', destinationPort: 443,
    sourceIp() { return parseIp(this.sourceAddress); }, destinationIp() { return parseIp(this.destinationAddress); }, tls, proxyUniqueId: '', proxyAuthority: '', expectsProxy: false,
    acceptedAtMs: 0, requestCount: 1, vars: null,
  };
  const subject: FakeSubject = {
    world: fakeWorld(model), session, request: head, response: null, frontend, backend: null, server: null, serverTls: null, txnVars: null, reqVars: null, resVars: null,
    requestCaptures: null, responseCaptures: null, bytes: new Uint8Array(0), complete: true,
    requestBytes() { return this.bytes; }, responseBytes() { return new Uint8Array(0); }, requestComplete() { return this.complete; }, responseComplete() { return true; },
    needMore: false, final: false, logLevel: '', sentOnce: false, uniqueId: '', serverTimeoutMs: null, tunnelTimeoutMs: null, clientTimeoutMs: null, priorityClass: 0, priorityOffset: 0,
    facts: fakeFacts(head === null ? {} : { method: head.method, uri: head.uri, version: `HTTP/1.${head.minorVersion}`, requestLine: `${head.method} ${head.uri} HTTP/1.${head.minorVersion}` }),
    ...changes,
  };
  return subject;
}
