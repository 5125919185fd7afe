/**
 * Runtime commands of later versions of HAProxy: `wait` (3.0) and `dump stats-file` (3.0), and `set severity-output`, which is accepted. Called by
 * commands.ts.
 */
import { statsFileText } from '../control/saved/stats-file.ts';
import { G } from '../model/counters.ts';
import { admin, S } from '../model/server-state.ts';
import type { Server } from '../model/model.ts';
import type { Answer, Command, CommandCall } from './command.ts';
import { command } from './command.ts';
import type { AdminContext } from './context.ts';
import { findBackend, findServer } from './server-commands.ts';
import { milliseconds } from './session-commands.ts';

const waitUsage = 'Usage: wait {-h|<delay>} [<condition> [<arguments>]]\n  <delay>: milliseconds, or a number with a unit (10s)\n' +
  '  conditions:\n    srv-removable <backend>/<server>: it is in maintenance and nothing uses it any more\n';
/** Between two looks whether the condition holds. */
const lookMs = 50;

/** Nothing is with the server, waits for it or comes. */
export function isRemovable({ segments }: AdminContext, { index }: Server): boolean {
  const state = segments.serverState(index);
  const gauges = segments.gauges(segments.serverObject(index));
  return (Atomics.load(state, S.admin) & admin.anyMaint) !== 0 && [G.scur, G.qcur, G.used_conn_cur].every(gauge => Atomics.load(gauges, gauge) <= 0);
}

function namedServer(context: AdminContext, text: string): Server | undefined {
  const slash = text.indexOf('/');
  return slash < 0 ? undefined : findServer(context, findBackend(context, text.slice(0, slash)), text.slice(slash + 1));
}

async function wait({ context, session, args }: CommandCall): Promise<string> {
  const [delay, condition, name = ''] = args;
  const delayMs = delay === undefined ? undefined : milliseconds(delay, 'ms');
  if (delayMs === undefined || (condition !== undefined && condition !== 'srv-removable')) return waitUsage;
  if (condition !== undefined && namedServer(context, name) === undefined) return 'No such server.\n';
  for (const endMs = context.clock.monoMs() + delayMs; context.clock.monoMs() < endMs && !session.interrupted();) {
    if (condition !== undefined) {
      const server = namedServer(context, name);
      if (server === undefined || isRemovable(context, server)) return 'Done.\n';
    }
    await new Promise((resolve) => { setTimeout(resolve, Math.min(lookMs, Math.max(1, endMs - context.clock.monoMs()))); });
  }
  return condition === undefined ? '' : 'Wait delay expired.\n';
}

function setSeverity({ args }: CommandCall): Answer {
  return ['none', 'number', 'string'].includes(args[0] ?? '') ? '' : "one of 'none', 'number', 'string' is a required argument\n";
}

export const waitCommands: readonly Command[] = [
  command('wait', 'user', 'wait {-h|<delay>} [cond [args...]]', 'wait for a time, or until a condition holds (-h lists them)', wait),
  command('dump stats-file', 'operator', 'dump stats-file', 'write the sums of all counters, to begin with after a restart (stats-file)',
    ({ context }) => statsFileText(context.model, context.segments)),
  command('set severity-output', 'user', 'set severity-output [none|number|string]', 'accepted; messages are shown without their severity', setSeverity),
];
