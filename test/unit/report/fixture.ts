/** A small configuration built by hand, shared memory for it, and a fake door to server states, for the report and admin tests. */
import { Counting } from '../../../src/control/counting.ts';
import { Events } from '../../../src/control/events.ts';
import { Sampler } from '../../../src/control/sampler.ts';
import type { CheckInfo } from '../../../src/control/check-result.ts';
import type { ServerStates } from '../../../src/control/server-states.ts';
import { AdviceList } from '../../../src/control/watch/advice-list.ts';
import { createAdminContext } from '../../../src/admin/context.ts';
import type { AdminContext } from '../../../src/admin/context.ts';
import { C, G } from '../../../src/model/counters.ts';
import type { CounterField, GaugeField } from '../../../src/model/counters.ts';
import type { ToTraffic } from '../../../src/model/messages.ts';
import type { Bind, Model, Proxy, Server, StatsPage } from '../../../src/model/model.ts';
import type { PatternSet } from '../../../src/model/expression.ts';
import { B, S, op } from '../../../src/model/server-state.ts';
import { Segments } from '../../../src/shared/segments.ts';
import type { StickTables } from '../../../src/shared/stick-table.ts';

const place = { file: 'lb.cfg', line: 7 };
export const startedAtMs = Date.UTC(2026, 10, 20, 12, 0, 0);

export function proxyOf(index: number, name: string, kind: Proxy['kind'], changes: Partial<Proxy> = {}): Proxy {
  return {
    index, name, iid: index + 2, kind, isFrontend: kind !== 'backend', isBackend: kind !== 'frontend', mode: 'http', disabled: false, description: '', place,
    switches: { socketStats: false, allbackups: false }, binds: [], maxconn: 0, rateLimitSessions: 0, servers: [], fullconn: 200, cookie: null,
    balance: { algorithm: 'roundrobin' }, stickTable: null, stickRules: [], stats: null, useBackend: [], defaultBackend: -1, check: { kind: 'tcp' }, ...changes,
  } as unknown as Proxy;
}

export function serverOf(index: number, sid: number, name: string, proxy: number, changes: Partial<Server> = {}): Server {
  return {
    index, sid, name, proxy, place, address: { kind: 'inet', family: 4, host: `10.0.0.${index + 1}`, port: 80, portLast: 80 }, weight: 1, backup: false, cookie: '', maxconn: 0,
    maxqueue: 0, track: -1, poolMaxConn: -1, poolPurgeDelayMs: 5000, tls: null, check: { rise: 2, fall: 3, port: 0, address: null }, ...changes,
  } as unknown as Server;
}

export const statsPage: StatsPage = {
  enabled: true, uri: '/stats', realm: 'HAProxy Statistics', auth: [], hideVersion: false, refreshSeconds: 0, showNode: false, node: '', showDesc: false, description: '',
  showLegends: true, showModules: false, scopes: [], admin: [], httpRequest: [],
};

/** listen stats; frontend fe with two listeners; backend app with five servers; frontend and backend in mode tcp; empty backend. */
export function makeModel(changes: { readonly patterns?: readonly PatternSet[]; readonly proxies?: readonly Proxy[] } = {}): Model {
  const proxies = changes.proxies ?? [
    proxyOf(0, 'stats', 'listen', { stats: statsPage }),
    proxyOf(1, 'fe', 'frontend', { binds: [0, 1], switches: { socketStats: true, allbackups: false } as Proxy['switches'], rateLimitSessions: 50 }),
    proxyOf(2, 'app', 'backend', { servers: [0, 1, 2, 3, 4] }),
    proxyOf(3, 'ft', 'frontend', { mode: 'tcp', maxconn: 100 }),
    proxyOf(4, 'bt', 'backend', { mode: 'tcp', servers: [5], stickTable: { type: 'ip', keyBytes: 4, sizeEntries: 1024, store: [] } as unknown as Proxy['stickTable'] }),
    proxyOf(5, 'empty', 'backend'),
  ];
  return {
    global: { nbthread: 2, maxconn: 2000, maxconnrate: 0, maxsessrate: 0, maxsslconn: 0, maxsslrate: 0, description: '', node: 'n1', statsSockets: [], statsTimeoutMs: 0, statsMaxconn: 0 },
    proxies,
    servers: [
      serverOf(0, 1, 's1', 2, { cookie: 's1', weight: 10 }),
      serverOf(1, 2, 's2', 2, { check: null, maxconn: 10, maxqueue: 5 }),
      serverOf(2, 3, 's3', 2, { backup: true }),
      serverOf(3, 4, 's4', 2, { check: null, disabled: true }),
      serverOf(4, 5, 's5', 2, { check: null, track: 0 }),
      serverOf(5, 1, 't1', 4),
    ],
    binds: [
      { index: 0, name: 'main', luid: 1, proxy: 1, address: { kind: 'inet', family: 4, host: '127.0.0.1', port: 8080, portLast: 8080 }, text: '127.0.0.1:8080', maxconn: 0, place },
      { index: 1, name: '', luid: 2, proxy: 1, address: { kind: 'unix', path: '/run/x', abstract: false }, text: '/run/x', maxconn: 0, place },
    ] as unknown as Bind[],
    acls: [], patterns: changes.patterns ?? [], used: [], certificates: [], authorities: [], userlists: [], inactive: [], mailers: [], poise: { given: false, vital: [], webhooks: [], relays: [], mailQueue: '', lastResort: [], stateFolder: '', watchCertificates: false }, files: [],
  } as unknown as Model;
}

/** What tests want to see of calls to the door, and what it answers. */
export class FakeStates {
  readonly calls: string[] = [];
  readonly statuses = new Map<number, string>();
  readonly checks = new Map<number, Partial<CheckInfo>>();
  answer = '';
  private readonly model: Model;

  constructor(model: Model) {
    this.model = model;
  }

  private called(text: string): string {
    this.calls.push(text);
    return this.answer;
  }

  setAdmin(server: number, state: string): void { this.called(`admin ${server} ${state}`); }
  setWeight(server: number, text: string): string { return this.called(`weight ${server} ${text}`); }
  setHealth(server: number, state: string): string { return this.called(`health ${server} ${state}`); }
  setHealthEnabled(server: number, enabled: boolean): string { return this.called(`checks ${server} ${enabled}`); }
  setAddress(server: number, host: string | null, port: number | null): string { return this.called(`address ${server} ${host} ${port}`); }
  setMaxconn(server: number, maxconn: number): void { this.called(`maxconn ${server} ${maxconn}`); }
  statusText(server: number): string { return this.statuses.get(server) ?? 'UP'; }
  address(server: number): { host: string; port: number } {
    const address = this.model.servers[server]?.address;
    return address?.kind === 'inet' ? { host: address.host, port: address.port } : { host: '', port: 0 };
  }
  checkInfo(server: number): CheckInfo {
    const enabled = this.model.servers[server]?.check !== null;
    return {
      status: enabled ? 'L7OK' : 'INI', code: 200, durationMs: 3, description: '', endedAtMs: startedAtMs, result: enabled ? 3 : 0, configured: enabled, enabled, paused: false,
      running: false, host: '', port: 0, observedErrors: 0, ...this.checks.get(server),
    };
  }
  usesTls(server: number): boolean { return this.model.servers[server]?.tls !== null; }
  setTls(server: number, on: boolean): void { this.called(`tls ${server} ${on}`); }
  setCheckPlace(server: number, host: string | null, port: number | null): void { this.called(`check ${server} ${host} ${port}`); }
  downtimeSeconds(): number { return 4; }
  backendDowntimeSeconds(): number { return 0; }
}

export interface Fixture {
  readonly model: Model;
  readonly segments: Segments;
  readonly states: FakeStates;
  readonly sent: ToTraffic[];
  readonly context: AdminContext;
  readonly sampler: Sampler;
  readonly events: Events;
  /** Moves the clock. */
  nowMs: number;
  count(object: number, thread: number, values: Partial<Record<CounterField, number>>): void;
  gauge(object: number, values: Partial<Record<GaugeField, number>>): void;
}

export function makeFixture(model: Model = makeModel(), tables?: StickTables): Fixture {
  const segments = Segments.allocate(model, 2);
  const states = new FakeStates(model);
  const sent: ToTraffic[] = [];
  const sampler = new Sampler(model, segments);
  const events = new Events();
  for (const server of model.servers) {
    const state = segments.serverState(server.index);
    state[S.op] = op.running;
    state[S.uweight] = state[S.iweight] = state[S.eweight] = server.weight;
    state[S.throttle] = 100;
    state[S.maxconn] = server.maxconn;
    state[S.health] = 4;
    state[S.lastchg_s] = startedAtMs / 1000;
  }
  for (const proxy of model.proxies) {
    const state = segments.backendState(proxy.index);
    state[B.up] = 1;
    state[B.lastchg_s] = startedAtMs / 1000;
  }
  const fixture: { nowMs: number } = { nowMs: startedAtMs + 6000 };
  const advice = new AdviceList({ monoMs: () => fixture.nowMs, dateMs: () => fixture.nowMs }, events);
  /** Both threads answer at once. */
  const broadcast = (message: ToTraffic): void => {
    if (message.type !== 'ask') sent.push(message);
    else for (const thread of [0, 1]) queueMicrotask(() => context.receive({ type: 'answered', thread, id: message.id, found: false, sessions: [] }));
  };
  const context: AdminContext = createAdminContext({
    model, segments, servers: states as unknown as ServerStates, sampler, counting: new Counting(startedAtMs), events, advice, tables: tables ?? ({ table: () => undefined } as unknown as StickTables),
    clock: { monoMs: () => fixture.nowMs, dateMs: () => fixture.nowMs }, broadcast, pid: 4711, startedAtMs, nodeName: 'n1', maxconn: 2000,
    descriptorsMax: 4037, bootMs: 12, startupMessages: ['[NOTICE] started'], environment: { HOME: '/root' }, warnings: () => 0, stopping: () => false, virtualAddresses: () => [], edit: () => Promise.resolve({ ok: true, lines: [] }), reload: () => Promise.resolve({ ok: true, lines: [] }), upgrade: () => false, removed: () => [], reloads: () => 0,
  });
  return Object.assign(fixture, {
    model, segments, states, sent, context, sampler, events,
    count(object: number, thread: number, values: Partial<Record<CounterField, number>>): void {
      const counters = segments.counters(object, thread);
      for (const [name, value] of Object.entries(values)) counters[C[name as CounterField]] = value;
    },
    gauge(object: number, values: Partial<Record<GaugeField, number>>): void {
      const gauges = segments.gauges(object);
      for (const [name, value] of Object.entries(values)) gauges[G[name as GaugeField]] = value;
    },
  });
}
