/**
 * What a traffic thread made of a Model: counters, queues, pools and prepared rules by proxy and server. A reload makes a new
 * Plan and swaps it in the ThreadContext; a request goes on with the plan it started with. Built by thread.ts; holds no sockets
 * of clients.
 */
import { BackendBalancer } from '../balance/balancer.ts';
import { Persistence } from '../balance/persistence.ts';
import type { ServerLoad } from '../balance/server-load.ts';
import type { Clock } from '../base/clock.ts';
import { TimerNode, type TimerOwner, type TimerWheel } from '../base/timer-wheel.ts';
import { exchangeBackends, findExchange, type ExchangeBackend } from '../model/exchange-sites.ts';
import type { Bind, ForeignSource, Model, Proxy, Server } from '../model/model.ts';
import { foreignSource } from '../model/rights.ts';
import { Compiler, type FormatFn, type RuleSet, type SampleFn } from '../rules/compile.ts';
import type { Subject } from '../rules/subject.ts';
import type { Segments } from '../shared/segments.ts';
import { StickTables } from '../shared/stick-table.ts';
import type { Dispatch } from './dispatch/dispatch.ts';
import { IdlePool } from './dispatch/idle-pool.ts';
import { RequestQueue } from './dispatch/request-queue.ts';
import type { ServerTlsContext } from './dispatch/server-tls.ts';
import { serveQueues } from './dispatch/serve-queues.ts';
import { HttpRules } from './http/http-rules.ts';
import { MissedRoutes } from './missed-routes.ts';
import { Tally } from './tally.ts';
import { SharedWorld, type WorldGround } from './world.ts';

/** What a Plan is made with. */
interface PlanGround {
  readonly segments: Segments;
  readonly thread: number;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** Null at the start. What goes on living is taken over from it: queues, idle connections, addresses set by hand. */
  readonly former: Plan | null;
  readonly world: WorldGround;
}

/** One proxy: its frontend side, its backend side, or both (listen). */
export class ProxyPlan implements TimerOwner {
  readonly proxy: Proxy;
  readonly plan: Plan;
  /** Its place in shared memory: what other threads and later plans know it by. */
  readonly slot: number;
  readonly front: Tally;
  readonly back: Tally;
  readonly backendState: Int32Array;
  readonly servers: readonly ServerPlan[];
  readonly balancer: BackendBalancer;
  readonly load: ServerLoad;
  readonly persistence: Persistence;
  /** Requests that any server of this backend may take. */
  readonly queue: RequestQueue;
  readonly rules: ProxyRules;
  /** Looks at the queues now and then while somebody waits, should a wake-up from another thread be missed. */
  readonly queueTimer: TimerNode = new TimerNode(this, 0);
  /** Connection limit of the frontend in force (runtime `set maxconn frontend`). */
  maxconn: number;
  /** False after `disable frontend`. */
  enabled = true;
  /** Some path is answered here: monitor-uri, or the process's own question whether it still answers. */
  readonly monitored: boolean;
  /** A backend of an Exchange site: the control thread wants to know who is refused. */
  readonly watched: boolean;
  /** Frontend of an Exchange site with path rules that do not ignore case. */
  readonly missedRoutes: MissedRoutes | null;

  constructor(proxy: Proxy, plan: Plan, ground: Pick<PlanGround, 'segments' | 'thread' | 'former'>) {
    const { segments, thread } = ground;
    const former = ground.former?.proxyAt(segments.proxySlot(proxy.index));
    this.proxy = proxy;
    this.plan = plan;
    this.slot = segments.proxySlot(proxy.index);
    this.front = Tally.of(segments, segments.frontendObject(proxy.index), thread);
    this.back = Tally.of(segments, segments.backendObject(proxy.index), thread);
    this.backendState = segments.backendState(proxy.index);
    this.servers = proxy.servers.map((index) => plan.servers[index] as ServerPlan);
    this.balancer = new BackendBalancer(proxy, plan.model, segments, plan.compiler);
    this.load = this.balancer.load;
    this.persistence = new Persistence(proxy, plan.model, segments, plan.compiler, plan.stickTables);
    this.queue = former?.queue ?? new RequestQueue(this.back);
    this.rules = new ProxyRules(proxy, plan.compiler, plan.model.poise.logWhy.includes(proxy.index));
    this.maxconn = proxy.maxconn;
    this.keepWhatIsSetByHand(former);
    this.watched = plan.exchange.has(proxy.index);
    this.missedRoutes = proxy.isFrontend && plan.exchange.size > 0 && [...plan.exchange.values()].some(({ frontends }) => frontends.includes(proxy.index)) ? MissedRoutes.of(proxy, plan.model, segments) : null;
    this.monitored = proxy.monitorUri !== '' || plan.model.global.selfCheckUri !== '';
  }

  /** `former`: the same proxy before a reload. */
  keepWhatIsSetByHand(former: ProxyPlan | undefined): void {
    if (former === undefined) return;
    if (former.proxy.maxconn === this.proxy.maxconn) this.maxconn = former.maxconn;
    this.enabled = former.enabled;
  }

  onTimer(): void {
    serveQueues(this);
  }
}

/** Rules and formats of one proxy that more than one room uses, compiled once per thread. */
class ProxyRules {
  readonly connection: RuleSet;
  readonly session: RuleSet;
  readonly requestContent: RuleSet;
  readonly responseContent: RuleSet;
  /** Backend for a request: index into Plan.proxies, -1 = none. */
  readonly backend: (subject: Subject) => number;
  readonly log: FormatFn | null;
  readonly errorLog: FormatFn | null;
  readonly logSd: FormatFn | null;
  readonly uniqueId: FormatFn | null;
  /** `log-why`: failures get a second line. */
  readonly logWhy: boolean;
  readonly http: HttpRules;

  constructor(proxy: Proxy, compiler: Compiler, logWhy: boolean) {
    this.connection = compiler.ruleSet(proxy.tcpRequestConnection);
    this.session = compiler.ruleSet(proxy.tcpRequestSession);
    this.requestContent = compiler.ruleSet(proxy.tcpRequestContent);
    this.responseContent = compiler.ruleSet(proxy.tcpResponseContent);
    this.backend = compiler.switching(proxy.useBackend, proxy.defaultBackend);
    this.log = proxy.logFormat === null ? null : compiler.format(proxy.logFormat);
    this.errorLog = proxy.errorLogFormat === null ? null : compiler.format(proxy.errorLogFormat);
    this.logSd = proxy.logFormatSd === null ? null : compiler.format(proxy.logFormatSd);
    this.uniqueId = proxy.uniqueIdFormat === null ? null : compiler.format(proxy.uniqueIdFormat);
    this.logWhy = logWhy;
    this.http = new HttpRules(proxy, compiler);
  }
}

export class ServerPlan {
  readonly server: Server;
  /** As ProxyPlan.slot; −1: the internal server. */
  readonly slot: number;
  readonly tally: Tally;
  readonly state: Int32Array;
  readonly queue: RequestQueue;
  /** The same over reloads while connections to the server are made in the same way. */
  readonly pool: IdlePool;
  /** Address in force; '' while the name is not resolved. A unix socket's path when `unix`. */
  host: string;
  port: number;
  readonly unix: boolean;
  /** Requests that this server works on. */
  readonly work: Work;
  readonly sni: SampleFn | null;
  /** `usesrc` of the server or its backend, and what gives the address when a header line does. */
  readonly foreignSource: ForeignSource | null;
  readonly foreignAddress: SampleFn | null;
  /** It has been said that connections to it fail for want of a right. */
  hasToldOfRight = false;
  /** Null: clear text. Made when the thread starts. */
  tls: ServerTlsContext | null = null;
  /** The configuration gives the same address as before the reload. */
  private readonly keepsAddress: boolean;
  /** Kept while a command has it that no TLS is spoken. */
  private unusedTls: ServerTlsContext | null = null;

  /** `former`: the same server before a reload. */
  constructor(server: Server, slot: number, compiler: Compiler, tally: Tally, state: Int32Array, wheel: TimerWheel, former?: ServerPlan) {
    this.server = server;
    this.slot = slot;
    this.tally = tally;
    this.state = state;
    this.queue = former?.queue ?? new RequestQueue(tally);
    this.work = former?.work ?? { first: null };
    this.pool = former !== undefined && connectsAlike(former.server, server) ? former.pool : new IdlePool(server, tally, wheel);
    const { address } = server;
    this.unix = address.kind === 'unix';
    this.host = address.kind === 'inet' ? address.host : address.kind === 'unix' ? (address.abstract ? `\0${address.path}` : address.path) : '';
    this.port = address.kind === 'unix' ? 0 : address.port;
    this.foreignSource = foreignSource(server, compiler.model);
    this.foreignAddress = this.foreignSource?.kind === 'header' ? compiler.sample(this.foreignSource.expr) : null;
    this.sni = server.tls?.sni ? compiler.sample(server.tls.sni) : null;
    this.keepsAddress = former !== undefined && same(former.server.address, address);
    this.keepWhatIsSetByHand(former);
  }

  /** `former`: the same server before a reload. */
  keepWhatIsSetByHand(former: ServerPlan | undefined): void {
    if (former === undefined || !this.keepsAddress) return;
    this.host = former.host;
    this.port = former.port;
  }

  /** Another client certificate, for connections that are made from now on. */
  replaceTls(tls: ServerTlsContext): void {
    if (this.tls === null && this.unusedTls !== null) this.unusedTls = tls;
    else this.tls = tls;
  }

  /** `set server … ssl on|off`. Idle connections of the other kind are not used any more. */
  useTls(on: boolean): void {
    const wanted = this.tls ?? this.unusedTls;
    this.tls = on ? wanted : null;
    this.unusedTls = on ? null : wanted;
    this.pool.closeAll();
  }
}

/** Requests that a server works on, newest first (linked through Dispatch): one list over all plans. */
interface Work { first: Dispatch | null }

/** True when a connection made for one configuration of a server is good for the other. */
function connectsAlike(one: Server, other: Server): boolean {
  return one === other || same(connecting(one), connecting(other));
}

function connecting({ address, portMode, portOffset, sendProxy, proxyV2Options, source, tls, tcpUserTimeoutMs }: Server): unknown[] {
  return [address, portMode, portOffset, sendProxy, proxyV2Options, source, tcpUserTimeoutMs, tls === null ? null : { ...tls, certificate: tls.certificate >= 0 }];
}

/** Plain data with equal contents. */
function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

export class ListenerPlan {
  readonly bind: Bind;
  readonly slot: number;
  readonly proxy: ProxyPlan;
  readonly tally: Tally;
  /** A PROXY header may come before the handshake. */
  readonly defersTls: boolean;

  constructor(bind: Bind, slot: number, proxy: ProxyPlan, tally: Tally) {
    this.bind = bind;
    this.slot = slot;
    this.proxy = proxy;
    this.tally = tally;
    this.defersTls = bind.acceptProxy || proxy.proxy.tcpRequestConnection.some((rule) => rule.action.kind === 'expect-proxy');
  }
}

export class Plan {
  readonly model: Model;
  readonly segments: Segments;
  /** What its rules may ask about. */
  readonly world: SharedWorld;
  readonly compiler: Compiler;
  readonly stickTables: StickTables;
  readonly wheel: TimerWheel;
  private readonly allServers: ServerPlan[] = [];
  private readonly allProxies: ProxyPlan[] = [];
  private readonly allListeners: ListenerPlan[] = [];
  private readonly proxiesBySlot: (ProxyPlan | undefined)[] = [];
  private readonly serversBySlot: (ServerPlan | undefined)[] = [];
  private readonly listenersBySlot: (ListenerPlan | undefined)[] = [];
  /** Backends of Exchange sites. */
  readonly exchange: ReadonlyMap<number, ExchangeBackend>;
  /** False: no line or rule asks for the address that Poise uses towards a server, so the kernel need not be asked either. */
  readonly usesOwnAddress: boolean;
  /** True when a line, rule or ACL asks for more of a TLS connection than that it is one. */
  readonly usesTlsFacts: boolean;

  private constructor(model: Model, ground: PlanGround) {
    const { segments, wheel } = ground;
    this.model = model;
    this.segments = segments;
    this.wheel = wheel;
    this.compiler = new Compiler(model);
    this.stickTables = new StickTables(model, segments.handles, ground.clock);
    this.exchange = exchangeBackends(model);
    this.usesOwnAddress = model.used.some((name) => /^(?:bi|bp|bc_src|bc_src_port)$/.test(name));
    this.usesTlsFacts = model.used.some((name) => /^(?:sslv|sslc|ssl_[a-z]+_)/.test(name));
    this.world = new SharedWorld(this, ground.world);
  }

  /** In steps of one object, or of some rules. */
  static *make(model: Model, ground: PlanGround): Generator<undefined, Plan> {
    yield* findExchange(model);
    const plan = new Plan(model, ground);
    yield* plan.fill(ground);
    yield* plan.compiler.index();
    return plan;
  }

  private *fill({ segments, thread, wheel, former }: PlanGround): Generator<undefined> {
    const { model, compiler } = this;
    for (const server of model.servers) {
      const [slot, tally] = [segments.serverSlot(server.index), Tally.of(segments, segments.serverObject(server.index), thread)];
      const made = new ServerPlan(server, slot, compiler, tally, segments.serverState(server.index), wheel, former?.serverAt(slot));
      this.allServers.push(made);
      this.serversBySlot[slot] = made;
      yield;
    }
    for (const proxy of model.proxies) {
      const made = new ProxyPlan(proxy, this, { segments, thread, former });
      this.allProxies.push(made);
      this.proxiesBySlot[made.slot] = made;
      yield;
    }
    for (const bind of model.binds) {
      const slot = segments.handles.slots.binds[bind.index] ?? -1;
      const made = new ListenerPlan(bind, slot, this.proxies[bind.proxy] as ProxyPlan, Tally.of(segments, segments.listenerObject(bind.index), thread));
      this.allListeners.push(made);
      this.listenersBySlot[slot] = made;
      yield;
    }
  }

  /** Once more when the plan is put in force: commands may have come while it was made. */
  keepWhatIsSetByHand(former: Plan): void {
    for (const server of this.servers) server.keepWhatIsSetByHand(former.serverAt(server.slot));
    for (const proxy of this.proxies) proxy.keepWhatIsSetByHand(former.proxyAt(proxy.slot));
  }

  get servers(): readonly ServerPlan[] { return this.allServers; }
  get proxies(): readonly ProxyPlan[] { return this.allProxies; }
  get listeners(): readonly ListenerPlan[] { return this.allListeners; }

  proxyAt(slot: number): ProxyPlan | undefined { return this.proxiesBySlot[slot]; }
  serverAt(slot: number): ServerPlan | undefined { return this.serversBySlot[slot]; }
  listenerAt(slot: number): ListenerPlan | undefined { return this.listenersBySlot[slot]; }
}
