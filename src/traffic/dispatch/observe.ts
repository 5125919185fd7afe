/**
 * `observe layer4|layer7`: counts consecutive errors that live traffic met on a server and tells the control thread when
 * error-limit is reached. The count is shared by all threads. Changes no server state itself.
 */
import { C, G } from '../../model/counters.ts';
import type { ServerPlan } from '../plan.ts';
import type { ThreadContext } from '../thread-context.ts';

/**
 * One observation; `why` in HAProxy's words, as the log line of a server that is marked down repeats them. `observe layer4` looks at
 * connections only; `observe layer7` at failed connections and at answers.
 */
export function observe(context: ThreadContext, target: ServerPlan, layer: 4 | 7, good: boolean, why: string): void {
  const { server, tally } = target;
  if (server.observe === 'none' || (layer === 7 && server.observe === 'layer4') || (layer === 4 && good && server.observe === 'layer7')) return;
  const { gauges } = tally;
  if (good) {
    if (Atomics.load(gauges, G.observed_errors) !== 0) Atomics.store(gauges, G.observed_errors, 0);
    return;
  }
  const errors = Atomics.add(gauges, G.observed_errors, 1) + 1;
  if (errors < server.errorLimit) return;
  Atomics.store(gauges, G.observed_errors, 0);
  tally.count(C.hanafail);
  context.post({ type: 'observed-errors', server: target.slot, layer, why });
}
