/**
 * One request's (or stream's) way to a server: persistence, balance, queue, connection, retries. Embedded in its owner and used
 * again for the next request. http/ and tcp/ call start(), then exactly one of onServer and onDispatchFailed comes back (at
 * once or later), then finish(). Fills the facts about queue, connection, retries and names. Reads no bytes of either side.
 */
import { PersistenceMemo } from '../../balance/persistence.ts';
import { TimerNode, type TimerOwner } from '../../base/timer-wheel.ts';
import { C, G } from '../../model/counters.ts';
import { faults, type Fault } from '../../model/fault.ts';
import type { Subject } from '../../rules/subject.ts';
import type { DispatchClient } from '../contract.ts';
import type { Plan, ProxyPlan, ServerPlan } from '../plan.ts';
import type { ClientSession } from '../session.ts';
import type { ThreadContext } from '../thread-context.ts';
import { linkKey, openLink, tellMissingRight, tunesOut } from './connect.ts';
import { observe } from './observe.ts';
import type { RequestQueue, Waiter } from './request-queue.ts';
import type { LinkOpener, ServerLink } from './server-link.ts';
import { mayRedispatch } from './redispatch.ts';
import { offerSlot, serveServer, takeSlot, watchQueues } from './serve-queues.ts';

/** Wait before the same server is tried again (HAProxy: one second, or less with a shorter timeout connect). */
const turnaroundMs = 1000;

const stage = { idle: 0, queued: 1, turnaround: 2, connecting: 3, connected: 4 } as const;

export class Dispatch implements Waiter, TimerOwner, LinkOpener {
  readonly context: ThreadContext;
  readonly subject: Subject;
  readonly client: DispatchClient;
  readonly memo = new PersistenceMemo();
  /** The connection in use, from onServer until finish(). */
  connection: ServerLink | null = null;
  /** Server whose slot is held. */
  target: ServerPlan | null = null;
  /** force-persist: the server is not changed whatever happens to it. */
  forced = false;

  queue: RequestQueue | null = null;
  queuePrevious: Waiter | null = null;
  queueNext: Waiter | null = null;
  queueClass = 0;
  queueTimeMs = 0;
  /** Place among the requests the target works on. */
  activePrevious: Dispatch | null = null;
  activeNext: Dispatch | null = null;

  private readonly timer = new TimerNode(this, 0);
  private stage: number = stage.idle;
  private session: ClientSession | null = null;
  private backend: ProxyPlan | null = null;
  /** Server that persistence chose; -1 = balance. */
  private fixed = -1;
  private avoid = -1;
  private retries = 0;
  private startedMs = 0;
  /** Server of the attempt before, until the next one is assigned: tells a retry from a redispatch. */
  private previousTarget: ServerPlan | null = null;
  private opening: ServerLink | null = null;
  private reused = false;
  private freshOnly = false;

  constructor(context: ThreadContext, exchange: Subject & DispatchClient) {
    this.context = context;
    this.subject = exchange;
    this.client = exchange;
  }

  /**
   * Finds a server of `backend` and connects. subject.backend must be set and its request rules have run. `sinceMs` is the
   * monoMs that facts.queueMs counts from: now for HTTP, the accept for TCP streams.
   */
  start(session: ClientSession, backend: ProxyPlan, sinceMs: number = this.context.clock.monoMs()): void {
    this.session = session;
    this.backend = backend;
    this.avoid = -1;
    this.retries = 0;
    this.previousTarget = null;
    this.reused = false;
    this.freshOnly = false;
    this.startedMs = sinceMs;
    this.memo.reset();
    this.fixed = backend.persistence.active ? backend.persistence.choose(this.subject, this.memo) : -1;
    this.forced = this.memo.forced;
    this.assign();
  }

  /** A request to the control thread's internal HTTP server (statistics). Counts and queues nothing. */
  startInternal(session: ClientSession, internal: ServerPlan): void {
    this.session = session;
    this.backend = null;
    this.retries = 0;
    this.startedMs = this.context.clock.monoMs();
    this.hold(internal);
    this.subject.facts.queueMs = 0;
    this.open(internal);
  }

  /** Monotonic time of its start. */
  get sinceMs(): number {
    return this.startedMs;
  }

  /** True while the request stands in a queue. */
  get waiting(): boolean {
    return this.queue !== null;
  }

  /** The client went away or ran out of time before onServer: leaves the queue, cuts the attempt. Nobody is called back. */
  cancel(): void {
    this.finish(false);
  }

  /**
   * The connection of onServer failed before the first byte of an answer, and the request can be sent again from its start.
   * `why`: see rules/why.ts.
   * True: another onServer or onDispatchFailed follows. False: no retry is left; answer the client, then finish().
   */
  retry(why: string): boolean {
    const { backend, target } = this;
    if (backend === null || target === null) return false;
    const wasReused = this.reused && !this.freshOnly;
    if (!wasReused && this.retries >= backend.proxy.retries) return false;
    this.dropConnection();
    if (wasReused) {
      // An idle connection that the server was just closing: no fault of the server's, so no retry is counted.
      this.freshOnly = true;
      this.open(target);
      return true;
    }
    // HAProxy counts a repeated request here and the new attempt, on this server or another, once more.
    target.tally.count(C.wretr);
    backend.back.count(C.wretr);
    this.tryAgain(backend, target, false, why);
    return true;
  }

  /** http/ tells every answer's status as it comes, for `observe layer7`. */
  observeAnswer(status: number): void {
    this.observe(status >= 100 && status < 500, 'Wrong http response');
  }

  /** http/ tells of an answer that was broken or did not come, for `observe layer7`; `why` in HAProxy's words. */
  observeNoAnswer(why: 'Invalid http response (headers)' | 'Read timeout (http)' | 'Close from server (http)' | 'Read error (http)'): void {
    this.observe(false, why);
  }

  private observe(good: boolean, why: string): void {
    const { target } = this;
    if (target !== null && target.server.observe !== 'none') observe(this.context, target, 7, good, why);
  }

  /**
   * The exchange is over. `keep`: the connection is between two messages and may carry another request; else it is destroyed.
   * Set connection.private before this when the client authenticated on it. Gives the server slot to the next in the queue.
   */
  finish(keep: boolean): void {
    this.context.wheel.disarm(this.timer);
    this.leaveQueue();
    if (keep) this.keepConnection();
    this.dropConnection();
    this.stage = stage.idle;
    this.releaseSlot();
    this.session = null;
    this.backend = null;
  }

  // ---- choosing

  private assign(): void {
    const { backend } = this;
    if (backend === null) return;
    const server = this.choose(backend);
    if (server === null) {
      if (!backend.balancer.hasUsable()) this.fail(faults.noServer);
      else this.enqueue(backend, backend.queue);
      return;
    }
    if (takeSlot(backend, server, false)) {
      this.assigned(server);
      return;
    }
    this.name(server);
    const { maxqueue } = server.server;
    if (maxqueue > 0 && server.tally.gauge(G.qcur) >= maxqueue) this.queueIsFull(backend, server);
    else this.enqueue(backend, server.queue);
  }

  private choose(backend: ProxyPlan): ServerPlan | null {
    const { servers } = backend.plan;
    if (this.fixed >= 0) return servers[this.fixed] ?? null;
    let index = this.lastServer(backend);
    if (index < 0) {
      index = backend.balancer.pick(this.subject, this.avoid);
      if (index < 0) return null;
      backend.back.count(C.lbtot);
      servers[index]?.tally.count(C.lbtot);
    }
    return servers[index] ?? null;
  }

  /** Server that the client authenticated on in this backend, else that of its last request, where NTLM or `option prefer-last-server` ask for it. */
  private lastServer(backend: ProxyPlan): number {
    const { session } = this;
    if (session === null || session.lastServer < 0) return -1;
    if (!session.preferLast && !backend.proxy.switches.preferLastServer) return -1;
    for (const own of session.ownConnections) {
      const { index, proxy } = own.server;
      const isHere = proxy === backend.proxy.index && backend.plan.servers[index] === own.plan;
      if (own.private && isHere && index !== this.avoid && backend.balancer.usable(index)) return index;
    }
    const server = backend.plan.servers[session.lastServer];
    if (server === undefined || server.server.proxy !== backend.proxy.index || session.lastServer === this.avoid) return -1;
    return backend.balancer.usable(session.lastServer) ? session.lastServer : -1;
  }

  private queueIsFull(backend: ProxyPlan, server: ServerPlan): void {
    if (this.fixed >= 0 && !this.forced && backend.proxy.redispatch !== 0) {
      this.fixed = -1;
      this.avoid = server.server.index;
      this.assign();
      return;
    }
    server.tally.count(C.econ);
    this.fail(faults.queueFull);
  }

  // ---- waiting

  private enqueue(backend: ProxyPlan, queue: RequestQueue): void {
    const { facts } = this.subject;
    this.stage = stage.queued;
    this.queueClass = this.subject.priorityClass;
    this.queueTimeMs = this.context.clock.monoMs() + this.subject.priorityOffset;
    queue.add(this);
    if (queue === backend.queue) facts.backendQueue += queue.tally.gauge(G.qcur);
    else facts.serverQueue += queue.tally.gauge(G.qcur);
    const timeoutMs = backend.proxy.timeouts.queueMs ?? backend.proxy.timeouts.connectMs ?? 0;
    if (timeoutMs > 0) this.context.wheel.arm(this.timer, timeoutMs);
    watchQueues(backend);
    // A slot that became free between the look and the queue would have woken nobody.
    for (const server of queue === backend.queue ? backend.servers : []) serveServer(backend, server);
  }

  /** From serve-queues.ts: a slot of `server` is held for this request. */
  dequeued(server: ServerPlan): void {
    this.leaveQueue();
    this.context.wheel.disarm(this.timer);
    this.assigned(server);
  }

  /** Waiting while a reload took place: goes on under the plan in force, if its backend is still configured. */
  follow(plan: Plan): void {
    const backend = this.backend === null ? undefined : plan.proxyAt(this.backend.slot);
    if (this.backend === null || backend === undefined) return;
    const { servers } = this.backend.plan;
    const moved = (index: number): number => plan.serverAt(servers[index]?.slot ?? -1)?.server.index ?? -1;
    this.fixed = moved(this.fixed);
    this.avoid = moved(this.avoid);
    this.backend = backend;
  }

  /** From serve-queues.ts: the server this request waits for takes no more requests. */
  chooseAgain(): void {
    this.leaveQueue();
    this.context.wheel.disarm(this.timer);
    this.fixed = -1;
    this.assign();
  }

  private leaveQueue(): void {
    if (this.queue === null) return;
    this.queue.remove(this);
    this.subject.facts.queueMs = this.context.clock.monoMs() - this.startedMs;
  }

  // ---- connecting

  private assigned(server: ServerPlan): void {
    const { backend, previousTarget, subject } = this;
    if (previousTarget !== null && backend !== null) {
      const field = previousTarget === server ? C.wretr : C.wredis;
      previousTarget.tally.count(field);
      backend.back.count(field);
      if (field === C.wredis) subject.facts.redispatched = true;
      this.previousTarget = null;
    }
    this.hold(server);
    subject.facts.queueMs = this.context.clock.monoMs() - this.startedMs;
    this.open(server);
  }

  /** The slot is ours: the server works on this request from now on. */
  private hold(server: ServerPlan): void {
    this.target = server;
    this.activePrevious = null;
    const { work } = server;
    this.activeNext = work.first;
    if (work.first !== null) work.first.activePrevious = this;
    work.first = this;
    server.pool.used(1);
    this.name(server);
  }

  /** Log lines and rules tell of this server from now on, also while the request still waits for it. */
  private name(server: ServerPlan): void {
    const { facts } = this.subject;
    this.subject.server = server.server;
    facts.serverName = server.server.name;
    facts.serverAddress = server.unix ? '' : server.host;
  }

  private open(server: ServerPlan): void {
    const { session, backend } = this;
    if (session === null) return;
    server.tally.count(C.stot);
    server.tally.counters[C.lastsess_ms] = this.context.clock.dateMs();
    if (server.server.redirectPrefix !== '' && this.client.onRedirectingServer(server.server)) return;
    const key = tunesOut(server) ? linkKey(server, this.subject, session) : '';
    const link = this.freshOnly ? null : this.findIdle(server, key);
    if (link !== null) {
      if (link.plan !== server) link.moveTo(server);
      server.tally.count(C.reuse);
      backend?.back.count(C.reuse);
      this.reused = true;
      this.established(link);
      return;
    }
    this.reused = false;
    this.stage = stage.connecting;
    server.tally.count(C.connect);
    backend?.back.count(C.connect);
    const timeoutMs = backend?.proxy.timeouts.connectMs ?? 0;
    if (timeoutMs > 0) this.context.wheel.arm(this.timer, timeoutMs);
    this.opening = openLink(server, backend, this.subject, session, key, this);
  }

  /** Idle connection this request may use (configuration manual, http-reuse). */
  private findIdle(server: ServerPlan, key: string): ServerLink | null {
    const { session, backend } = this;
    if (session === null || backend === null || backend.proxy.mode !== 'http') return null;
    for (const own of session.ownConnections) {
      if (own.plan !== server || own.key !== key) continue;
      own.unkeep();
      return own;
    }
    const reuse = backend.proxy.httpReuse;
    if (reuse === 'never' || server.pool.size === 0) return null;
    if (session.requestCount > 1) return server.pool.take(key, false);
    // The first request of a client cannot be repeated by it: only connections that have proven to be kept are good for it.
    if (reuse === 'safe') return null;
    return server.pool.take(key, true) ?? (reuse === 'always' ? server.pool.take(key, false) : null);
  }

  linkOpened(link: ServerLink): void {
    this.opening = null;
    this.context.wheel.disarm(this.timer);
    if (link.server.observe === 'layer4') observe(this.context, link.plan, 4, true, '');
    this.established(link);
  }

  linkFailed(link: ServerLink, code: string): void {
    this.opening = null;
    if (code === 'EPERM') tellMissingRight(link.plan, this.context);
    this.attemptFailed(code === 'EMFILE' || code === 'ENFILE' || code === 'EADDRNOTAVAIL' || code === 'EPERM' ? faults.resources : faults.connectRefused, true, code);
  }

  private established(link: ServerLink): void {
    const { facts } = this.subject;
    this.stage = stage.connected;
    this.connection = link;
    link.requests += 1;
    facts.connectMs = this.context.clock.monoMs() - this.startedMs - Math.max(facts.queueMs, 0);
    facts.serverPort = link.plan.server.portMode === 'fixed' ? link.plan.port : link.transport.remotePort;
    if (this.context.plan.usesOwnAddress) {
      facts.ownAddress = link.transport.localAddress;
      facts.ownPort = link.transport.localPort;
    }
    this.subject.serverTls = link.transport.tls;
    this.client.onServer(link, this.reused);
  }

  onTimer(): void {
    switch (this.stage) {
      case stage.queued:
        this.leaveQueue();
        this.fail(faults.queueTimeout);
        return;
      case stage.turnaround:
        if (this.target !== null) this.open(this.target);
        return;
      case stage.connecting:
        this.opening?.abandon();
        this.opening = null;
        this.attemptFailed(faults.connectTimeout, false, 'timeout');
        return;
      default:
    }
  }

  // ---- failing and trying again

  private attemptFailed(fault: Fault, wait: boolean, code: string): void {
    const { backend, target } = this;
    this.subject.facts.detail = code;
    this.context.wheel.disarm(this.timer);
    if (target === null || backend === null) {
      this.fail(fault);
      return;
    }
    if (target.server.observe !== 'none') observe(this.context, target, 4, false, 'L4 unsuccessful connection');
    if (this.retries >= backend.proxy.retries) {
      target.tally.count(C.econ);
      this.fail(fault);
      return;
    }
    this.tryAgain(backend, target, wait, code);
  }

  private tryAgain(backend: ProxyPlan, target: ServerPlan, wait: boolean, why: string): void {
    const { facts } = this.subject;
    this.retries += 1;
    facts.retries = this.retries;
    if (facts.firstServer === '') [facts.firstServer, facts.firstDetail] = [target.server.name, why];
    if (!this.forced && mayRedispatch(backend, target, this.retries, this.fixed >= 0, this.context.world)) {
      this.previousTarget = target;
      this.avoid = target.server.index;
      this.fixed = -1;
      this.forced = false;
      this.releaseSlot();
      this.assign();
      return;
    }
    target.tally.count(C.wretr);
    backend.back.count(C.wretr);
    if (!wait) {
      this.open(target);
      return;
    }
    this.stage = stage.turnaround;
    const connectMs = backend.proxy.timeouts.connectMs ?? 0;
    this.context.wheel.arm(this.timer, connectMs > 0 ? Math.min(connectMs, turnaroundMs) : turnaroundMs);
  }

  private fail(fault: Fault): void {
    this.backend?.back.count(C.econ);
    this.stage = stage.idle;
    this.releaseSlot();
    this.client.onDispatchFailed(fault);
  }

  // ---- letting go

  private keepConnection(): void {
    const { connection, session, backend } = this;
    if (connection === null || session === null || backend === null) return;
    const { maxReuse } = connection.plan.server;
    if (connection.transport.closed || (connection.private && maxReuse >= 0 && connection.requests > maxReuse)) {
      if (connection.private) session.user?.onOwnConnectionLost();
      return;
    }
    session.lastServer = connection.server.index;
    if (connection.private || backend.proxy.httpReuse === 'never') {
      if (connection.private) session.preferLast = true;
      if (session.closed || (maxReuse >= 0 && connection.requests > maxReuse)) return;
      connection.keep(session);
      this.connection = null;
    } else if (connection.plan.pool.put(connection)) {
      this.connection = null;
    }
  }

  private dropConnection(): void {
    const { connection, opening } = this;
    this.connection = null;
    this.opening = null;
    opening?.abandon();
    connection?.transport.destroy();
  }

  private releaseSlot(): void {
    const { target, backend } = this;
    if (target === null) return;
    this.target = null;
    if (this.activePrevious === null) target.work.first = this.activeNext;
    else this.activePrevious.activeNext = this.activeNext;
    if (this.activeNext !== null) this.activeNext.activePrevious = this.activePrevious;
    this.activePrevious = null;
    this.activeNext = null;
    target.pool.used(-1);
    if (backend === null) return;
    target.tally.leave();
    // After the caller has written its log line, which does not count the next request yet, and before any other event.
    if (target.tally.gauge(G.qcur) + backend.back.gauge(G.qcur) > 0) process.nextTick(offerSlot, this.context, backend, target);
  }
}
