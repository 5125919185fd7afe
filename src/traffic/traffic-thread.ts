/**
 * A traffic thread's life: listeners, control messages, draining, heartbeat. thread.ts wraps it in a Worker; tests may run it in
 * their own thread. Serves no connection itself.
 */
import { threadCpuUsage } from 'node:process';
import { keepCapabilities, keepOnly } from '../base/capabilities.ts';
import type { Clock } from '../base/clock.ts';
import { TimerNode, type TimerOwner } from '../base/timer-wheel.ts';
import type { SessionSighting, ThreadQuestion, ToControl, ToTraffic, TrafficStart } from '../model/messages.ts';
import { threadRights } from '../model/rights.ts';
import { P } from '../shared/segments.ts';
import { ServerTlsContext } from './dispatch/server-tls.ts';
import { serveQueues } from './dispatch/serve-queues.ts';
import { Admission } from './listen/admission.ts';
import type { Listener } from './listen/listener.ts';
import { useCertificates } from './listen/live-certificates.ts';
import { bindFailure, openListeners } from './listen/open-listeners.ts';
import { endSession, shutdownServer } from './endings.ts';
import type { ListenerPlan } from './plan.ts';
import { bytesOut, Reload } from './reload.ts';
import type { ClientSession } from './session.ts';
import { ThreadContext } from './thread-context.ts';

const heartbeatMs = 250;
/** Between two looks at what still runs while draining. */
const drainScanMs = 50;
/** More than any configuration has. */
const threadsMax = 256;
const timerKind = { drain: 0, hardStop: 1 } as const;

export class TrafficThread implements TimerOwner {
  readonly context: ThreadContext;
  private readonly admission: Admission;
  private readonly listeners: Listener[] = [];
  private readonly reload: Reload;
  private readonly exit: () => void;
  private readonly drainTimer = new TimerNode(this, timerKind.drain);
  private readonly hardStopTimer = new TimerNode(this, timerKind.hardStop);
  private heartbeat: ReturnType<typeof setInterval> | null = null;

  constructor(start: TrafficStart, clock: Clock, post: (message: ToControl) => void, exit: () => void) {
    this.context = new ThreadContext(start, clock, post);
    this.context.segments.reclaimGauges(start.threadIndex);
    this.admission = new Admission(this.context);
    this.reload = new Reload(this.context, this.admission, this.listeners);
    this.exit = exit;
  }

  /** Binds everything; posts ready, or bind-failed for each address that cannot be bound. */
  async start(): Promise<void> {
    const { context } = this;
    if (threadRights(context.plan.model).length > 0) keepCapabilities();
    this.beat();
    this.heartbeat = setInterval(() => this.beat(), heartbeatMs);
    let failed = false;
    for (const { server, message } of ServerTlsContext.prepare(context.plan, context, null)) {
      failed = true;
      const { name, proxy } = server.server;
      const text = `server ${context.plan.model.proxies[proxy]?.name ?? ''}/${name}: ${message}`;
      context.post({ type: 'bind-failed', thread: context.threadIndex, bind: -1, code: '', message: text });
    }
    for (const plan of context.plan.listeners) {
      if (plan.proxy.proxy.disabled) continue;
      failed = !(await this.bind(plan)) || failed;
    }
    if (!failed) context.post({ type: 'ready', thread: context.threadIndex });
  }

  private async bind(plan: ListenerPlan): Promise<boolean> {
    const { context } = this;
    try {
      this.listeners.push(...await openListeners(plan, context, this.admission, context.start.inherited));
      return true;
    } catch (error) {
      context.post({ type: 'bind-failed', thread: context.threadIndex, bind: plan.bind.index, ...bindFailure(error) });
      return false;
    }
  }

  receive(message: ToTraffic): void {
    const { context } = this;
    switch (message.type) {
      case 'reload':
        void this.reload.prepare(message.model, message.shared);
        return;
      case 'reload-commit':
        this.reload.commit();
        return;
      case 'reload-abort':
        this.reload.abort();
        return;
      case 'ask':
        this.answer(message.id, message.question);
        return;
      case 'shutdown-server-sessions':
        shutdownServer(context.plan.serverAt(message.server), message.reason);
        return;
      case 'shutdown-backup-sessions':
        for (const server of context.plan.proxyAt(message.proxy)?.servers ?? []) if (server.server.backup) shutdownServer(server, 'U');
        return;
      case 'shutdown-frontend':
        this.shutdownFrontend(message.proxy);
        return;
      case 'wake-queue':
        this.wakeQueue(message.proxy);
        return;
      case 'server-address':
        this.moveServer(message.server, message.host, message.port);
        return;
      case 'certificates':
        useCertificates(message, this.listeners, context);
        return;
      case 'server-tls':
        context.plan.serverAt(message.server)?.useTls(message.on);
        return;
      case 'patterns':
        context.plan.compiler.updatePatterns(message.id, message.entries);
        context.world.patternsUpdated(message.id);
        return;
      case 'set-maxconn':
        this.setMaxconn(message.proxy, message.maxconn);
        return;
      case 'set-rate-limit':
        this.admission.setRate(message.which, message.perSecond);
        return;
      case 'clear-counters':
        context.segments.clearCounters(context.threadIndex, message.all);
        return;
      case 'set-frontend':
        void this.setFrontend(message.proxy, message.enabled);
        return;
      case 'rights':
        keepOnly(message.kept);
        return;
      case 'drain':
        this.drain(message.hardStopMs);
        return;
      default:
    }
  }

  onTimer(node: TimerNode): void {
    if (node.kind === timerKind.hardStop) {
      this.admission.refuseHeld();
      this.admission.forEachSession((session) => endSession(session));
      this.drained();
    } else if (this.admission.hasSessions || this.admission.hasHeld) {
      this.context.wheel.arm(this.drainTimer, drainScanMs);
    } else {
      this.drained();
    }
  }

  private answer(id: number, question: ThreadQuestion): void {
    const { threadIndex, post } = this.context;
    const sessions: SessionSighting[] = [];
    let found = false;
    if (question.kind === 'sessions') this.admission.forEachSession((session) => sessions.push(sightingOf(session, threadIndex)));
    else if (question.kind === 'shutdown-session') this.admission.forEachSession((session) => {
      if (sessionNumber(session, threadIndex) !== question.session) return;
      found = true;
      endSession(session);
    });
    post({ type: 'answered', thread: threadIndex, id, found, sessions });
  }

  private drain(hardStopMs: number | null): void {
    const { context } = this;
    if (context.draining) return;
    context.draining = true;
    this.reload.abort();
    for (const listener of this.listeners) listener.close();
    // Each client has one more request at most. One of the servers may be a listener of this very process, which waits for the end of its clients.
    for (const server of context.plan.servers) server.pool.retire();
    this.admission.forEachSession((session) => session.user?.onStop());
    if (hardStopMs !== null) context.wheel.arm(this.hardStopTimer, hardStopMs);
    context.wheel.arm(this.drainTimer, 1);
  }

  private drained(): void {
    const { context } = this;
    context.wheel.disarm(this.drainTimer);
    context.wheel.disarm(this.hardStopTimer);
    context.logs.flush();
    if (this.heartbeat !== null) clearInterval(this.heartbeat);
    context.post({ type: 'drained', thread: context.threadIndex });
    // The message leaves with the next turn of the loop.
    setImmediate(this.exit);
  }

  private shutdownFrontend(proxy: number): void {
    this.closeListeners(proxy);
  }

  private closeListeners(proxy: number): void {
    for (const listener of this.listeners) if (listener.plan.proxy.slot === proxy) listener.close();
  }

  private async setFrontend(proxy: number, enabled: boolean): Promise<void> {
    const plan = this.context.plan.proxyAt(proxy);
    if (plan === undefined || plan.enabled === enabled) return;
    plan.enabled = enabled;
    if (!enabled) {
      this.closeListeners(proxy);
      return;
    }
    for (const listener of this.listeners) {
      if (listener.plan.proxy !== plan) continue;
      try {
        await listener.open();
      } catch (error) {
        this.context.world.warn(`frontend ${plan.proxy.name}: ${(error as Error).message}`);
      }
    }
  }

  private setMaxconn(proxy: number, maxconn: number): void {
    if (proxy < 0) {
      this.admission.setMaxconn(maxconn);
      return;
    }
    const plan = this.context.plan.proxyAt(proxy);
    if (plan !== undefined) plan.maxconn = maxconn;
  }

  private wakeQueue(proxy: number): void {
    const plan = this.context.plan.proxyAt(proxy);
    if (plan !== undefined) serveQueues(plan);
  }

  private moveServer(slot: number, host: string, port: number): void {
    const server = this.context.plan.serverAt(slot);
    if (server === undefined) return;
    server.host = host;
    server.port = port;
    server.pool.closeAll();
  }

  private beat(): void {
    const { process } = this.context;
    process[P.heartbeat_ms] = this.context.clock.dateMs();
    const { user, system } = threadCpuUsage();
    process[P.loop_busy_ms] = Math.round((user + system) / 1000);
    // Bytes that left: to clients and to servers. Summed here, so that no byte is counted twice on its way.
    process[P.bytes_out] = this.reload.bytesOfRemoved + bytesOut(this.context.plan);
  }
}

/** Unique over all threads. */
function sessionNumber(session: ClientSession, thread: number): number {
  return session.id * threadsMax + thread;
}

function sightingOf(session: ClientSession, thread: number): SessionSighting {
  const { sourceAddress, sourcePort, frontend, bind, acceptedAtMs, requestCount } = session;
  const [backend, server] = session.user?.whereNow() ?? ['', ''];
  return {
    id: sessionNumber(session, thread), client: `${sourceAddress}:${sourcePort}`, frontend: frontend.name, frontendId: frontend.iid, mode: frontend.mode,
    listener: bind.name, listenerId: bind.luid, listenerAddress: bind.text, isUnix: bind.address.kind === 'unix', backend, server, startedAtMs: acceptedAtMs, requests: requestCount,
  };
}
