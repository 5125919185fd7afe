/**
 * The admin form of the statistics page: which servers, which action, and what came of it. Called by internal-server.ts after the
 * traffic thread has said that `stats admin` allows it. Changes go through control/server-states.ts.
 */
import type { Server } from '../model/model.ts';
import type { ActionResult } from '../report/html.ts';
import type { AdminContext } from './context.ts';
import { findBackend, findServer } from './server-commands.ts';

/** What cannot be done to a server (checks that it does not have, health of one that tracks) is left alone, as HAProxy does. */
type ServerAction = (context: AdminContext, server: Server) => void;

const actions: Readonly<Record<string, ServerAction>> = {
  ready: (context, server) => context.servers.setAdmin(server.index, 'ready'),
  drain: (context, server) => context.servers.setAdmin(server.index, 'drain'),
  maint: (context, server) => context.servers.setAdmin(server.index, 'maint'),
  enable: (context, server) => context.servers.setAdmin(server.index, 'ready'),
  disable: (context, server) => context.servers.setAdmin(server.index, 'maint'),
  start: (context, server) => context.servers.setAdmin(server.index, 'ready'),
  stop: (context, server) => context.servers.setAdmin(server.index, 'drain'),
  dhlth: (context, server) => context.servers.setHealthEnabled(server.index, false),
  ehlth: (context, server) => context.servers.setHealthEnabled(server.index, true),
  hrunn: (context, server) => context.servers.setHealth(server.index, 'up'),
  hnolb: (context, server) => context.servers.setHealth(server.index, 'stopping'),
  hdown: (context, server) => context.servers.setHealth(server.index, 'down'),
  shutdown: (context, server) => context.broadcast({ type: 'shutdown-server-sessions', server: server.index, reason: 'K' }),
};

/** `form`: the body of the request, `s=<server>&…&action=<action>&b=<backend>`. */
export function runPageActions(context: AdminContext, form: URLSearchParams): ActionResult {
  const names = form.getAll('s');
  const backendName = form.get('b');
  const actionName = form.get('action');
  if (names.length === 0 || backendName === null || actionName === null) return 'NONE';
  const action = Object.hasOwn(actions, actionName) ? actions[actionName] : undefined;
  const backend = findBackend(context, backendName);
  if (action === undefined || backend < 0) return 'ERRP';
  let done = 0;
  for (const name of names) {
    const server = findServer(context, backend, name);
    if (server === undefined) continue;
    action(context, server);
    done += 1;
  }
  if (done === 0) return 'ERRP';
  return done === names.length ? 'DONE' : 'PART';
}
