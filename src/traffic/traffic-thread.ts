/**
 * A traffic thread's life: listeners, control messages, draining, heartbeat. thread.ts wraps it in a Worker; tests may run it in
 * their own thread. Serves no connection itself.
 */
import { threadCpuUsage } from 'node:process';
import type { Clock } from '../base/clock.ts';
import { TimerNode, type TimerOwner } from '../base/timer-wheel.ts';
import { C } from '../model/counters.ts';
import { faults } from '../model/fault.ts';
import type { SessionSighting, ThreadQuestion, ToControl, ToTraffic, TrafficStart } from '../model/messages.ts';
import { P } from '../shared/segments.ts';
import type { Dispatch } from './dispatch/dispatch.ts';
import { ServerTlsContext } from './dispatch/server-tls.ts';
import { serveQueues } from './dispatch/serve-queues.ts';
import { Admission } from './listen/admission.ts';
import { BindTlsEngine } from './listen/bind-tls.ts';
import { listenAddresses, Listener } from './listen/listener.ts';
import type { ListenerPlan, ServerPlan } from './plan.ts';
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
  private readonly exit: () => void;
  private readonly drainTimer = new TimerNode(this, timerKind.drain);
  private readonly hardStopTimer = new TimerNode(this, timerKind.hardStop);
  private heartbeat: ReturnType<typeof setInterval> | null = null;

  constructor(start: TrafficStart, clock: Clock, post: (message: ToControl) => void, exit: () => void) {
    this.context = new ThreadContext(start, clock, post);
    this.context.segments.reclaimGauges(start.threadIndex);
    this.admission = new Admission(this.context);
    this.exit = exit;
  }

  /** Binds everything; posts ready, or bind-failed for each address that cannot be bound. */
  async start(): Promise<void> {
    const { context } = this;
    this.beat();
    this.heartbeat = setInterval(() => this.beat(), heartbeatMs);
    let failed = false;
    for (const { server, message } of ServerTlsContext.prepare(context)) {
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
    const { bind } = plan;
    try {
      const tls = bind.tls === null ? null : new BindTlsEngine(bind.tls, context.plan.model, context.start.ticketKeys);
      for (const at of listenAddresses(bind, context.threadIndex)) {
        const listener = new Listener(context, this.admission, plan, tls, at);
        await listener.open();
        this.listeners.push(listener);
      }
      return true;
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      // The runtimes' own codes (ERR_…) say less than their messages.
      context.post({ type: 'bind-failed', thread: context.threadIndex, bind: bind.index, code: code.startsWith('ERR_') ? '' : code, message });
      return false;
    }
  }

  receive(message: ToTraffic): void {
    const { context } = this;
    const { plan } = context;
    switch (message.type) {
      case 'ask':
        this.answer(message.id, message.question);
        return;
      case 'shutdown-server-sessions':
        shutdownServer(plan.servers[message.server], message.reason);
        return;
      case 'shutdown-backup-sessions':
        for (const server of plan.proxies[message.proxy]?.servers ?? []) if (server.server.backup) shutdownServer(server, 'U');
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
      case 'patterns':
        plan.compiler.updatePatterns(message.id, message.entries);
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
      case 'drain':
        this.drain(message.hardStopMs);
        return;
      default:
    }
  }

  onTimer(node: TimerNode): void {
    if (node.kind === timerKind.hardStop) {
      this.admission.forEachSession((session) => endSession(session));
      this.drained();
    } else if (this.admission.hasSessions) {
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
    for (const listener of this.listeners) listener.close();
    this.admission.refuseHeld();
    this.admission.forEachSession((session) => session.user?.onStop());
    if (hardStopMs !== null) context.wheel.arm(this.hardStopTimer, hardStopMs);
    context.wheel.arm(this.drainTimer, 1);
  }

  private drained(): void {
    const { context } = this;
    context.wheel.disarm(this.drainTimer);
    context.wheel.disarm(this.hardStopTimer);
    for (const server of context.plan.servers) server.pool.closeAll();
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
    for (const listener of this.listeners) if (listener.plan.proxy.proxy.index === proxy) listener.close();
  }

  private async setFrontend(proxy: number, enabled: boolean): Promise<void> {
    const plan = this.context.plan.proxies[proxy];
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
    const plan = this.context.plan.proxies[proxy];
    if (plan !== undefined) plan.maxconn = maxconn;
  }

  private wakeQueue(proxy: number): void {
    const plan = this.context.plan.proxies[proxy];
    if (plan !== undefined) serveQueues(plan);
  }

  private moveServer(index: number, host: string, port: number): void {
    const server = this.context.plan.servers[index];
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
    let bytes = 0;
    for (const { front, back } of this.context.plan.proxies) bytes += (front.counters[C.bout] as number) + (back.counters[C.bin] as number);
    process[P.bytes_out] = bytes;
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
    id: sessionNumber(session, thread), client: `${sourceAddress}:${sourcePort}`, frontend: frontend.index, bind: bind.index, backend, server, startedAtMs: acceptedAtMs, requests: requestCount,
  };
}

/** Ends what the server works on; its waiting requests stay and choose again when the queue is served. */
function shutdownServer(server: ServerPlan | undefined, reason: 'D' | 'K' | 'U'): void {
  if (server === undefined) return;
  const fault = reason === 'K' ? faults.adminKilled : reason === 'U' ? faults.backupKilled : faults.serverKilled;
  for (let dispatch: Dispatch | null = server.active; dispatch !== null;) {
    const next: Dispatch | null = dispatch.activeNext;
    dispatch.client.onServerKilled(fault);
    dispatch = next;
  }
  server.pool.closeAll();
}

function endSession(session: { user: { onKill(fault: typeof faults.adminKilled): void } | null; transport: { destroy(): void } | null }): void {
  session.user?.onKill(faults.adminKilled);
  session.transport?.destroy();
}
