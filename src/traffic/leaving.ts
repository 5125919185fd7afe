/**
 * What a reload removed and somebody still uses: proxies, listeners and servers, until their last connection ends or `hard-stop-after` has
 * passed. Counts them once a second and tells the control thread, also that nothing is left: then the slot is free. One per traffic thread.
 */
import { TimerNode, type TimerOwner } from '../base/timer-wheel.ts';
import type { LeavingObject } from '../model/messages.ts';
import { endSession, shutdownServer } from './endings.ts';
import type { Admission } from './listen/admission.ts';
import type { Plan, ServerPlan } from './plan.ts';
import type { ThreadContext } from './thread-context.ts';

const lookMs = 1000;

interface Leaver {
  readonly kind: LeavingObject['kind'];
  readonly slot: number;
  /** Monotonic; 0 = no limit. */
  readonly endMs: number;
  /** Servers whose requests count: the removed one, or those of a removed proxy. */
  readonly servers: readonly ServerPlan[];
}

export class Leaving implements TimerOwner {
  private readonly context: ThreadContext;
  private readonly admission: Admission;
  private readonly timer = new TimerNode(this, 0);
  private leavers: Leaver[] = [];

  constructor(context: ThreadContext, admission: Admission) {
    this.context = context;
    this.admission = admission;
  }

  add(before: Plan, after: Plan): void {
    const { hardStopAfterMs } = after.model.global;
    const endMs = hardStopAfterMs === null || hardStopAfterMs === 0 ? 0 : this.context.clock.monoMs() + hardStopAfterMs;
    for (const { slot } of before.listeners) if (after.listenerAt(slot) === undefined) this.leavers.push({ kind: 'binds', slot, endMs, servers: [] });
    for (const { slot, servers } of before.proxies) if (after.proxyAt(slot) === undefined) this.leavers.push({ kind: 'proxies', slot, endMs, servers });
    for (const server of before.servers) if (after.serverAt(server.slot) === undefined) this.leavers.push({ kind: 'servers', slot: server.slot, endMs, servers: [server] });
    if (this.leavers.length > 0) this.onTimer();
  }

  onTimer(): void {
    const nowMs = this.context.clock.monoMs();
    const left = this.leavers.map((leaver) => this.look(leaver, nowMs));
    this.context.post({ type: 'leaving', thread: this.context.threadIndex, left });
    this.leavers = this.leavers.filter((_, index) => (left[index]?.sessions ?? 0) > 0);
    if (this.leavers.length > 0) this.context.wheel.arm(this.timer, lookMs);
  }

  private look({ kind, slot, endMs, servers }: Leaver, nowMs: number): LeavingObject {
    const late = endMs > 0 && nowMs >= endMs;
    let sessions = 0;
    let sinceMs = nowMs;
    if (kind !== 'servers') {
      this.admission.forEachSession((session) => {
        if ((kind === 'binds' ? session.listener.slot : session.proxy.slot) !== slot) return;
        sessions += 1;
        sinceMs = Math.min(sinceMs, session.acceptedMonoMs);
        if (late) endSession(session);
      });
    }
    for (const server of servers) {
      for (let dispatch = server.work.first; dispatch !== null; dispatch = dispatch.activeNext) {
        sessions += 1;
        sinceMs = Math.min(sinceMs, dispatch.sinceMs);
      }
      if (late) shutdownServer(server, 'K');
    }
    return { kind, slot, sessions, oldestMs: Math.round(nowMs - sinceMs) };
  }
}
