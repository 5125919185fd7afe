/** Small hand-made Models for tests of the data plane, and the shared memory and server states to run them. */
import { atOnce } from '../../../src/base/slices.ts';
import { initialSwitches } from '../../../src/config/initial.ts';
import type { ToControl, TrafficStart } from '../../../src/model/messages.ts';
import type { Bind, BindTls, Certificate, Model, Proxy, Server } from '../../../src/model/model.ts';
import { B, op, S } from '../../../src/model/server-state.ts';
import { shareModel } from '../../../src/shared/model-text.ts';
import { Segments } from '../../../src/shared/segments.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { TrafficThread } from '../../../src/traffic/traffic-thread.ts';
import { takeLines } from './log-lines.ts';

const place = { file: 'test.cfg', line: 1 };

export function makeProxy(index: number, name: string, changes: Partial<Proxy> = {}): Proxy {
  return {
    index, name, iid: index + 2, kind: 'listen', isFrontend: true, isBackend: true, mode: 'tcp', disabled: false, description: '', place,
    timeouts: {
      clientMs: 5000, serverMs: 5000, connectMs: 1000, httpRequestMs: null, httpKeepAliveMs: null, queueMs: null, tunnelMs: null, checkMs: null,
      clientFinMs: null, serverFinMs: null, tarpitMs: null,
    },
    switches: initialSwitches(), connectionMode: 'keep-alive', forwardfor: null, originalto: null, errors: [], logTargets: [], logTag: 'haproxy',
    logFormat: null, errorLogFormat: null, logFormatSd: null, logStyle: 'tcplog', uniqueIdFormat: null, uniqueIdHeader: '',
    binds: [], maxconn: 0, backlog: 0, rateLimitSessions: 0, monitorUri: '', monitorFail: [], requestCaptures: [], responseCaptures: [],
    cookieCapture: null, useBackend: [], defaultBackend: index, tcpRequestConnection: [], tcpRequestSession: [], tcpRequestContent: [],
    tcpResponseContent: [], inspectDelayMs: null, responseInspectDelayMs: null, httpRequest: [], redirects: [], httpResponse: [], httpAfterResponse: [], stats: null,
    servers: [],
    balance: { algorithm: 'roundrobin', name: '', uriLen: 0, uriDepth: 0, uriWhole: false, uriPathOnly: false, hdrUseDomainOnly: false, randomDraws: 2, expr: null },
    hashType: { method: 'map-based', function: 'sdbm', avalanche: false }, hashBalanceFactor: 0, cookie: null, dynamicCookieKey: '', useServer: [],
    retries: 3, redispatch: 0, retryOn: [], httpReuse: 'safe', fullconn: 0, check: { kind: 'tcp' }, checkDisableOn404: false, checkSendState: false,
    stickTable: null, stickRules: [], persistRules: [], rdpPersist: null, sendNameHeader: '', forwarded: null, source: null, serverStateFromFile: 'none', maxKeepAliveQueue: -1, emailAlert: null,
    ...changes,
  } as Proxy;
}

export function makeServer(index: number, proxy: number, name: string, host: string, port: number, changes: Partial<Server> = {}): Server {
  return {
    index, sid: index + 1, name, proxy, place, address: { kind: 'inet', family: 4, host, port, portLast: port }, portMode: 'fixed', portOffset: 0, weight: 1,
    backup: false, disabled: false, cookie: '', maxconn: 0, minconn: 0, maxqueue: 0, slowstartMs: 0, sendProxy: 'none', proxyV2Options: [],
    checkSendProxy: false, source: null, tls: null, check: null, track: -1, observe: 'none', errorLimit: 10, onError: 'fail-check', onMarkedDown: 'none',
    onMarkedUp: 'none', redirectPrefix: '', poolMaxConn: -1, poolPurgeDelayMs: 5000, poolLowConn: 0, maxReuse: -1, initAddr: [], initState: 'none',
    resolvers: '', resolvePrefer: 'ipv4', nonStick: false, tcpUserTimeoutMs: 0, ...changes,
  } as Server;
}

export function makeBind(index: number, proxy: number, host: string, port: number, changes: Partial<Bind> = {}): Bind {
  return {
    index, name: '', luid: index + 1, proxy, address: { kind: 'inet', family: host.includes(':') ? 6 : 4, host, port, portLast: port }, text: `${host}:${port}`, place,
    maxconn: 0, backlog: 0, v4v6: false, v6only: false, acceptProxy: false, interface: '', mode: null, uid: -1, gid: -1, transparent: false, tls: null,
    ...changes,
  } as Bind;
}

export function makeBindTls(certificates: BindTls['certificates'], changes: Partial<BindTls> = {}): BindTls {
  return {
    minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', ciphers: '', ciphersuites: '', curves: '', noTickets: false, preferServerCiphers: true, alpn: [], caPem: '',
    caFile: '', caVerifyFile: '', crlFile: '', crlPem: '', certificates, strictSni: false, verify: 'none', crtIgnoreErrors: [], caIgnoreErrors: [], ...changes,
  };
}

export function makeModel(parts: { proxies: Proxy[]; servers?: Server[]; binds?: Bind[]; certificates?: Certificate[]; global?: Partial<Model['global']>; patterns?: Model['patterns']; acls?: Model['acls']; used?: Model['used'] }): Model {
  const servers = parts.servers ?? [];
  const binds = parts.binds ?? [];
  const proxies = parts.proxies.map((proxy) => ({
    ...proxy,
    servers: servers.filter((one) => one.proxy === proxy.index).map((one) => one.index),
    binds: binds.filter((one) => one.proxy === proxy.index).map((one) => one.index),
  }));
  return {
    global: { nbthread: 1, capabilities: [], maxconn: 1000, bufsizeBytes: 16384, headBytesMax: 65536, headerCountMax: 256, maxconnrate: 0, maxsessrate: 0, maxsslconn: 0, maxsslrate: 0, processVars: [], logTargets: [], ...parts.global } as unknown as Model['global'],
    proxies, servers, binds, acls: parts.acls ?? [], patterns: parts.patterns ?? [], used: parts.used ?? [], certificates: parts.certificates ?? [], authorities: [], userlists: [], inactive: [], mailers: [], poise: { given: false, vital: [], webhooks: [], relays: [], mailQueue: '', lastResort: [], logWhy: [], stateFolder: '', watchCertificates: false }, files: [],
  };
}

/** Every server up and running at its weight. */
export function bringUp(model: Model, segments: Segments): void {
  for (const server of model.servers) {
    const state = segments.serverState(server.index);
    state[S.op] = op.running;
    state[S.uweight] = server.weight;
    state[S.iweight] = server.weight;
    state[S.eweight] = server.weight;
    state[S.lbweight] = server.weight * 16;
    state[S.throttle] = 100;
    state[S.maxconn] = server.maxconn;
  }
  for (const proxy of model.proxies) {
    const state = segments.backendState(proxy.index);
    state[B.epoch] = 1;
    state[B.active] = proxy.servers.length;
    state[B.up] = 1;
  }
}

export function makeStart(model: Model, segments: Segments, threadIndex = 0): TrafficStart {
  return { threadIndex, model: atOnce(shareModel(model, null)), shared: segments.handles, internalSocket: '', internalKey: '', startedAtMs: Date.now(), ticketKeys: new Uint8Array(48).fill(7), inherited: [] };
}

/** A traffic thread that runs in the test's own thread. */
export class TestThread {
  readonly model: Model;
  readonly segments: Segments;
  readonly thread: TrafficThread;
  readonly messages: ToControl[] = [];
  private readonly logged: string[] = [];

  constructor(model: Model) {
    this.model = model;
    this.segments = Segments.allocate(model, 1);
    bringUp(model, this.segments);
    this.thread = new TrafficThread(makeStart(model, this.segments), systemClock, (message) => this.messages.push(message), () => undefined);
  }

  async start(): Promise<void> {
    await this.thread.start();
    const failed = this.messages.find((message) => message.type === 'bind-failed');
    if (failed !== undefined) throw new Error(JSON.stringify(failed));
  }

  async stop(): Promise<void> {
    this.thread.receive({ type: 'drain', hardStopMs: 1 });
    await until(() => this.messages.some((message) => message.type === 'drained'));
  }

  logLines(): string[] {
    this.thread.context.logs.flush();
    this.logged.push(...takeLines(this.segments));
    return this.logged;
  }
}

/** Waits until a condition holds; fails after `timeoutMs`. */
export async function until(condition: () => boolean, timeoutMs = 3000): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error('condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
