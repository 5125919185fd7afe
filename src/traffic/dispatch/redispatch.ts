/** `option redispatch`: whether the next attempt of a request may go to another server. Asked by Dispatch after a failed attempt. */
import { S, op } from '../../model/server-state.ts';
import type { World } from '../../rules/subject.ts';
import type { ProxyPlan, ServerPlan } from '../plan.ts';

/** Algorithms that do not choose by what the request says. */
const takingTurns: ReadonlySet<string> = new Set(['roundrobin', 'static-rr', 'leastconn', 'first', 'random']);

/** At the option's interval; at once when the server went down, or where servers take turns, nothing fixed this one and there is another. */
export function mayRedispatch(backend: ProxyPlan, target: ServerPlan, attempts: number, isFixed: boolean, world: World): boolean {
  const { redispatch, retries, balance } = backend.proxy;
  if (redispatch === 0) return false;
  if (Atomics.load(target.state, S.op) < op.running) return true;
  if (redispatch > 0 && attempts % redispatch === 0) return true;
  if (redispatch < 0 && attempts % (retries + 1 + redispatch) === 0) return true;
  return !isFixed && takingTurns.has(balance.algorithm) && world.usableServers(backend.proxy.index) > 1;
}
