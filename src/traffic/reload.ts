/**
 * A reload in one traffic thread, in two steps. prepare() makes the plan of the next configuration between requests, and opens what is new;
 * commit() puts it in force between two events: listeners, waiting requests, idle connections and idle clients go over to it, a request
 * under way ends as it began. abort() closes what was opened. Whether all threads are ready decides the control thread.
 */
import { inSlices } from '../base/slices.ts';
import { C } from '../model/counters.ts';
import type { SharedHandles, SharedModel } from '../model/messages.ts';
import { Segments } from '../shared/segments.ts';
import type { Dispatch } from './dispatch/dispatch.ts';
import type { RequestQueue } from './dispatch/request-queue.ts';
import { ServerTlsContext } from './dispatch/server-tls.ts';
import { serveQueues } from './dispatch/serve-queues.ts';
import { Leaving } from './leaving.ts';
import type { Admission } from './listen/admission.ts';
import { BindTlsEngine, type PreparedTls } from './listen/bind-tls.ts';
import type { Listener } from './listen/listener.ts';
import { bindFailure, openListeners } from './listen/open-listeners.ts';
import type { ListenerPlan, Plan } from './plan.ts';
import type { ThreadContext } from './thread-context.ts';

interface Next {
  readonly plan: Plan;
  readonly opened: readonly Listener[];
  /** Listeners that stay, with what they are to be. */
  readonly kept: ReadonlyMap<Listener, { readonly plan: ListenerPlan; readonly tls: PreparedTls | null }>;
}

export class Reload {
  /** Bytes that proxies which are no longer configured have sent. */
  bytesOfRemoved = 0;
  private readonly context: ThreadContext;
  private readonly admission: Admission;
  /** The thread's; changed by commit(). */
  private readonly listeners: Listener[];
  private readonly leaving: Leaving;
  private next: Next | null = null;

  constructor(context: ThreadContext, admission: Admission, listeners: Listener[]) {
    this.context = context;
    this.admission = admission;
    this.listeners = listeners;
    this.leaving = new Leaving(context, admission);
  }

  /** Posts reload-prepared, with what cannot be bound or used; nothing is left open then. */
  async prepare(sharedModel: SharedModel, shared: SharedHandles): Promise<void> {
    const { context } = this;
    const failures: { bind: number; code: string; message: string }[] = [];
    const plan = await inSlices(context.planFor(sharedModel, new Segments(shared, context.segments), context.plan));
    const { model } = plan;
    for (const { server, message } of ServerTlsContext.prepare(plan, context, context.plan)) {
      failures.push({ bind: -1, code: '', message: `server ${model.proxies[server.server.proxy]?.name ?? ''}/${server.server.name}: ${message}` });
    }
    const opened: Listener[] = [];
    const kept = new Map<Listener, { plan: ListenerPlan; tls: PreparedTls | null }>();
    for (const listenerPlan of plan.listeners) {
      const { bind, proxy } = listenerPlan;
      if (proxy.proxy.disabled) continue;
      const known = this.listeners.filter((listener) => listener.plan.slot === listenerPlan.slot && (listener.isOpen || !proxy.enabled));
      try {
        if (known.length > 0 && known.every((listener) => listener.fits(listenerPlan))) {
          for (const listener of known) {
            const tls = bind.tls === null ? null : BindTlsEngine.prepare(bind.tls, model, listener.tls?.prepared ?? null);
            kept.set(listener, { plan: listenerPlan, tls });
          }
        } else {
          opened.push(...await openListeners(listenerPlan, context, this.admission, []));
        }
      } catch (error) {
        failures.push({ bind: bind.index, ...bindFailure(error) });
      }
    }
    // Told to stop meanwhile: whoever met a new listener now would be cut.
    if (context.draining) failures.push({ bind: -1, code: '', message: 'the process is stopping' });
    if (failures.length > 0) for (const listener of opened) listener.close();
    else this.next = { plan, opened, kept };
    context.post({ type: 'reload-prepared', thread: context.threadIndex, failures });
  }

  abort(): void {
    for (const listener of this.next?.opened ?? []) listener.close();
    this.next = null;
  }

  commit(): void {
    const { context, next } = this;
    if (next === null) return;
    this.next = null;
    const before = context.plan;
    const { plan } = next;
    plan.keepWhatIsSetByHand(before);
    const gone = this.listeners.filter((listener) => !next.kept.has(listener));
    for (const [listener, { plan: listenerPlan, tls }] of next.kept) {
      listener.plan = listenerPlan;
      if (tls !== null) listener.tls?.become(tls);
    }
    this.listeners.splice(0, Infinity, ...next.kept.keys(), ...next.opened);
    context.use(plan);
    for (const listener of gone) listener.close();
    this.moveServers(before, plan);
    this.moveQueues(before, plan);
    this.admission.follow(before.model, plan.model, (listener) => plan.listenerAt(listener.slot) === undefined);
    this.bytesOfRemoved += bytesOut(before) - bytesOut(plan);
    this.moveSessions(plan);
    this.leaving.add(before, plan);
    context.post({ type: 'reload-done', thread: context.threadIndex });
  }

  /** Idle connections stay with a server that is reached as before. */
  private moveServers(before: Plan, plan: Plan): void {
    for (const server of before.servers) {
      const after = plan.serverAt(server.slot);
      if (after !== undefined && after.pool === server.pool) server.pool.follow(after.server);
      else server.pool.retire();
    }
  }

  private moveQueues(before: Plan, plan: Plan): void {
    for (const backend of before.proxies) {
      before.wheel.disarm(backend.queueTimer);
      if (backend.queue.length === 0 && backend.servers.every((server) => server.queue.length === 0)) continue;
      const staying = plan.proxyAt(backend.slot);
      moveWaiters(backend.queue, plan);
      for (const server of backend.servers) {
        const removed = plan.serverAt(server.slot) === undefined;
        moveWaiters(server.queue, plan);
        // Who waited for a server that is not there any more chooses another.
        if (removed) for (let waiter = server.queue.first() as Dispatch | null; waiter !== null; waiter = server.queue.first() as Dispatch | null) waiter.chooseAgain();
      }
      serveQueues(staying ?? backend);
    }
  }

  private moveSessions(plan: Plan): void {
    this.admission.forEachSession((session) => {
      const stays = plan.listenerAt(session.listener.slot)?.proxy.slot === session.proxy.slot;
      if (stays) session.user?.onReload();
      else session.user?.onStop();
    });
  }
}

/** Every waiter of a queue goes on under the plan. */
function moveWaiters(queue: RequestQueue, plan: Plan): void {
  for (let waiter = queue.first() as Dispatch | null; waiter !== null; waiter = waiter.queueNext as Dispatch | null) waiter.follow(plan);
}

/** To clients and to servers. Summed by proxy, so that no byte is counted twice on its way. */
export function bytesOut(plan: Plan): number {
  let bytes = 0;
  for (const { front, back } of plan.proxies) bytes += (front.counters[C.bout] as number) + (back.counters[C.bin] as number);
  return bytes;
}
