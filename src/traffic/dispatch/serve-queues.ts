/**
 * Gives free server slots to waiting requests: after a request has finished, when another thread freed a slot, when a server
 * came up, and from time to time while somebody waits. Called by Dispatch, thread.ts and the backend's timer.
 */
import { G } from '../../model/counters.ts';
import type { ProxyPlan, ServerPlan } from '../plan.ts';
import type { ThreadContext } from '../thread-context.ts';
import type { Dispatch } from './dispatch.ts';
import { comesAfter, type RequestQueue } from './request-queue.ts';

/** Between two looks at the queues of a backend that has waiters. */
const queueScanMs = 50;

/** Takes one slot of a server's maxconn in force. False: it is full (or others wait for it, unless `fromQueue`). */
export function takeSlot(backend: ProxyPlan, server: ServerPlan, fromQueue: boolean): boolean {
  const limit = backend.load.maxconn(server.server.index);
  if (limit === 0) {
    server.tally.raise(G.scur, G.smax);
    return true;
  }
  if (!fromQueue && server.tally.gauge(G.qcur) > 0) return false;
  return server.tally.raiseBelow(G.scur, G.smax, limit);
}

/** A slot of `server` may be free: hands it to the first who waits for it here, or tells the other threads. */
export function serveServer(backend: ProxyPlan, server: ServerPlan): void {
  for (;;) {
    const waiter = nextWaiter(backend, server);
    if (waiter === null) return;
    if (!takeSlot(backend, server, true)) return;
    waiter.dequeued(server);
  }
}

export function serveQueues(backend: ProxyPlan): void {
  for (const server of backend.servers) {
    if (server.queue.length > 0 && !backend.balancer.usable(server.server.index)) giveBack(server);
    serveServer(backend, server);
  }
  watchQueues(backend);
}

/** Keeps the backend's timer armed while requests of this thread wait. */
export function watchQueues(backend: ProxyPlan): void {
  let waiting = backend.queue.length;
  for (const server of backend.servers) waiting += server.queue.length;
  const { wheel } = backend.plan;
  if (waiting === 0) wheel.disarm(backend.queueTimer);
  else if (!backend.queueTimer.armed) wheel.arm(backend.queueTimer, queueScanMs);
}

/** The server may take no more requests: those that wait for it and may go elsewhere choose again. */
function giveBack(server: ServerPlan): void {
  let left = server.queue.length;
  for (let waiter = server.queue.first() as Dispatch | null; waiter !== null && left > 0; left -= 1) {
    const next = waiter.queueNext as Dispatch | null;
    if (!waiter.forced) waiter.chooseAgain();
    waiter = next;
  }
}

function nextWaiter(backend: ProxyPlan, server: ServerPlan): Dispatch | null {
  const own = first(server.queue);
  const shared = backend.queue.length > 0 && backend.balancer.usable(server.server.index) ? first(backend.queue) : null;
  if (own === null || shared === null) return own ?? shared;
  return comesAfter(own, shared) ? shared : own;
}

function first(queue: RequestQueue): Dispatch | null {
  return queue.first() as Dispatch | null;
}

/** The slot of a finished request goes to this thread's waiters or to another thread's, in proportion to how many wait. */
export function offerSlot(context: ThreadContext, backend: ProxyPlan, target: ServerPlan): void {
  const all = target.tally.gauge(G.qcur) + backend.back.gauge(G.qcur);
  const local = target.queue.length + backend.queue.length;
  if (all > local && context.world.random() * all >= local) {
    context.post({ type: 'slot-free', thread: context.threadIndex, proxy: backend.slot, server: target.slot });
  } else {
    serveServer(backend, target);
  }
}
