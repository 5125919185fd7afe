/** Small hand-made backends for tests of balance and health: what a test does not name is HAProxy's default. */
import type { Condition } from '../../../src/model/expression.ts';
import type { Global, Model, Proxy, Server, ServerCheck, Switches } from '../../../src/model/model.ts';
import { B, S, op } from '../../../src/model/server-state.ts';
import type { Compiler } from '../../../src/rules/compile.ts';
import type { Subject } from '../../../src/rules/subject.ts';
import { Segments } from '../../../src/shared/segments.ts';
import { Http1Head } from '../../../src/wire/http1/head.ts';
import { HeadParser, parsed } from '../../../src/wire/http1/head-parser.ts';
import { parseIp } from '../../../src/base/ip.ts';

const place = { file: 'test.cfg', line: 1 };
const balance: Proxy['balance'] = {
  algorithm: 'roundrobin', name: '', uriLen: 0, uriDepth: 0, uriWhole: false, uriPathOnly: false, hdrUseDomainOnly: false, randomDraws: 2, expr: null,
};

export type ServerChanges = Partial<Omit<Server, 'check'>> & { check?: Partial<ServerCheck> };

export interface BackendParts {
  readonly name?: string;
  readonly servers?: readonly ServerChanges[];
  readonly balance?: Partial<Proxy['balance']>;
  readonly hashType?: Partial<Proxy['hashType']>;
  readonly switches?: Partial<Switches>;
  readonly proxy?: Partial<Proxy>;
}

function makeServer(index: number, sid: number, proxy: number, changes: ServerChanges): Server {
  const check: ServerCheck | null = changes.check === undefined ? null : {
    interMs: 2000, fastinterMs: null, downinterMs: null, rise: 2, fall: 3, port: 0, address: null, tls: false, tlsOptions: null, sni: '', alpn: [], ...changes.check,
  };
  const server: Partial<Server> = {
    index, sid, name: `s${sid}`, proxy, place, address: { kind: 'inet', family: 4, host: '127.0.0.1', port: 80, portLast: 80 }, portMode: 'fixed', portOffset: 0, weight: 1,
    backup: false, disabled: false, cookie: '', maxconn: 0, minconn: 0, maxqueue: 0, slowstartMs: 0, sendProxy: 'none', proxyV2Options: [],
    checkSendProxy: false, source: null, tls: null, track: -1, observe: 'none', errorLimit: 10, onError: 'fail-check', onMarkedDown: 'none',
    onMarkedUp: 'none', redirectPrefix: '', initAddr: [], initState: 'none', resolvers: '', resolvePrefer: 'ipv4', nonStick: false, tcpUserTimeoutMs: 0,
    ...changes as Partial<Server>, check,
  };
  return server as Server;
}

/** `track` in the parts counts servers over all backends. */
export function makeModel(backends: readonly BackendParts[], global: Partial<Global> = {}): Model {
  const servers: Server[] = [];
  const proxies = backends.map((parts, index) => {
    const own = (parts.servers ?? []).map((changes, at) => makeServer(servers.length + at, at + 1, index, changes));
    servers.push(...own);
    const proxy: Partial<Proxy> = {
      index, name: parts.name ?? `be${index}`, kind: 'backend', isFrontend: false, isBackend: true, mode: 'http', disabled: false, place,
      timeouts: { connectMs: 1000, checkMs: null } as Proxy['timeouts'],
      switches: { allbackups: false, persist: false, logHealthChecks: false, ...parts.switches } as Switches,
      servers: own.map((server) => server.index), balance: { ...balance, ...parts.balance },
      hashType: { method: 'map-based', function: 'sdbm', avalanche: false, ...parts.hashType }, hashBalanceFactor: 0, cookie: null, dynamicCookieKey: '',
      useServer: [], fullconn: 0, check: { kind: 'tcp' }, checkDisableOn404: false, checkSendState: false, stickTable: null, stickRules: [], persistRules: [], rdpPersist: null, sendNameHeader: '', forwarded: null,
      source: null, binds: [],
      ...parts.proxy,
    };
    return proxy as Proxy;
  });
  return {
    global: { nbthread: 1, spreadChecksPercent: 0, maxSpreadChecksMs: 0, node: '', ...global } as Global,
    proxies, servers, binds: [], acls: [], patterns: [], used: [], certificates: [], authorities: [], userlists: [], inactive: [], mailers: [], poise: { given: false, vital: [], webhooks: [], relays: [], mailQueue: '', lastResort: [], logWhy: [], stateFolder: '', watchCertificates: false }, files: [],
  };
}

/** Shared memory with every server up at its weight. */
export function bringUp(model: Model): Segments {
  const segments = Segments.allocate(model, 1);
  for (const server of model.servers) {
    const state = segments.serverState(server.index);
    state[S.op] = op.running;
    state[S.uweight] = server.weight;
    state[S.eweight] = server.weight;
    state[S.lbweight] = server.weight * 16;
    state[S.throttle] = 100;
    state[S.maxconn] = server.maxconn;
  }
  return segments;
}

export function changed(segments: Segments, proxy: number): void {
  Atomics.add(segments.backendState(proxy), B.epoch, 1);
}

export function head(text: string, isResponse = false): Http1Head {
  const made = new Http1Head(isResponse);
  const bytes = Buffer.from(text, 'latin1');
  const parser = new HeadParser(made, 65536, 256);
  parser.begin(bytes, 0);
  if (parser.parse(bytes.length) !== parsed.done) throw new Error(`not a head: ${text}`);
  return made;
}

export interface SubjectParts {
  readonly request?: string;
  readonly response?: string;
  readonly source?: string;
  readonly nowMs?: number;
  readonly random?: () => number;
}

export function makeSubject(parts: SubjectParts = {}): Subject {
  const subject = {
    session: { sourceIp: () => parseIp(parts.source ?? '') },
    request: parts.request === undefined ? null : head(parts.request),
    response: parts.response === undefined ? null : head(parts.response, true),
    facts: { cookieFound: '-', cookieSet: '-' },
    world: { random: parts.random ?? Math.random, nowMs: () => parts.nowMs ?? 0 },
  };
  return subject as unknown as Subject;
}

/** Header lines as they would be sent. */
export function lines(of: Http1Head | Subject['request']): string[] {
  const found: string[] = [];
  if (of === null) return found;
  for (let line = 0; line < of.lineCount; line += 1) if (!of.isRemoved(line)) found.push(`${of.name(line)}: ${of.value(line)}`);
  return found;
}

/** A compiler that reads header `text` for samples and `header=value` for conditions. */
export const headerCompiler = {
  sample: (expr: { text: string }) => (subject: Subject) => headerValue(subject, expr.text),
  condition: (condition: { text: string } | null) => (subject: Subject) => {
    if (condition === null) return true;
    const [name = '', value = ''] = condition.text.split('=');
    return headerValue(subject, name) === value;
  },
  serverRules: (rules: readonly { target: number; condition: { text: string } | null }[]) => (subject: Subject) => {
    for (const rule of rules) if (headerCompiler.condition(rule.condition as Condition | null)(subject)) return rule.target;
    return -1;
  },
} as unknown as Compiler;

function headerValue(subject: Subject, name: string): string | undefined {
  for (const one of [subject.response, subject.request]) {
    const line = one?.find(name, 0) ?? -1;
    if (one !== null && line >= 0) return one.value(line);
  }
  return undefined;
}
