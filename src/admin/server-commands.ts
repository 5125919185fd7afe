/**
 * Runtime commands that change servers: weight, state, health, address, connections. Every change of state goes through
 * control/server-states.ts. The answers are HAProxy's.
 */
import type { Server } from '../model/model.ts';
import { S } from '../model/server-state.ts';
import type { Command, CommandCall } from './command.ts';
import { command, number } from './command.ts';
import type { AdminContext } from './context.ts';
import { lineOf, setServer, setState, setWeight } from './set-server.ts';

/** A backend by name or `#<id>`. */
export function findBackend(context: AdminContext, name: string): number {
  const id = /^#(\d+)$/.exec(name)?.[1];
  return context.model.proxies.find(proxy => proxy.isBackend && (id === undefined ? proxy.name === name : proxy.iid === Number(id)))?.index ?? -1;
}

/** A server by its name in a backend, undefined when there is none. */
export function findServer(context: AdminContext, backend: number, name: string): Server | undefined {
  const servers = context.model.proxies[backend]?.servers ?? [];
  return servers.map(index => context.model.servers[index]).find(server => server?.name === name);
}

/** Runs `change` on the server that `backend/server` names, or answers why there is none. */
function onServer(call: CommandCall, change: (server: Server) => string): string {
  const target = call.args[0] ?? '';
  const slash = target.indexOf('/');
  if (slash < 0 || slash === target.length - 1) return "Require 'backend/server'.\n";
  const backend = findBackend(call.context, target.slice(0, slash));
  if (backend < 0) return 'No such backend.\n';
  const server = findServer(call.context, backend, target.slice(slash + 1));
  return server === undefined ? 'No such server.\n' : change(server);
}

function getWeight(call: CommandCall): string {
  return onServer(call, (server) => {
    const state = call.context.segments.serverState(server.index);
    return `${Atomics.load(state, S.uweight)} (initial ${Atomics.load(state, S.iweight)})\n`;
  });
}

function switchChecks(call: CommandCall, enabled: boolean): string {
  return onServer(call, server => lineOf(call.context.servers.setHealthEnabled(server.index, enabled)));
}

function setMaxconnServer(call: CommandCall): string {
  return onServer(call, (server) => {
    const text = call.args[1];
    if (text === undefined) return 'Require <maxconn>.\n';
    const maxconn = number(text);
    if (maxconn === undefined) return 'maxconn string empty or preceded by garbage';
    if (!/^[+-]?\d+$/.test(text)) return 'Trailing garbage in maxconn string';
    if (maxconn < 0) return 'maxconn must not be negative\n';
    call.context.servers.setMaxconn(server.index, maxconn);
    call.context.broadcast({ type: 'wake-queue', proxy: server.proxy, server: server.index });
    return '';
  });
}

function shutdownSessions(call: CommandCall): string {
  return onServer(call, (server) => {
    call.context.broadcast({ type: 'shutdown-server-sessions', server: server.index, reason: 'K' });
    return '';
  });
}

export const serverCommands: readonly Command[] = [
  command('get weight', 'user', 'get weight <bk>/<srv>', "tell a server's weight and its weight in the configuration", getWeight),
  command('set weight', 'admin', 'set weight <bk>/<srv>  (DEPRECATED)', "change a server's weight (use 'set server' instead)", call =>
    onServer(call, server => setWeight(call.context, server, call.args[1]))),
  command('set server', 'admin', 'set server <bk>/<srv> [opts]', "change a server's state, health, weight, addresses or TLS", call =>
    onServer(call, server => setServer(call.context, server, call.args.slice(1)))),
  command('set maxconn server', 'admin', 'set maxconn server <bk>/<srv>', "change a server's maxconn", setMaxconnServer),
  command('enable server', 'admin', 'enable server  (DEPRECATED)', "take a server back into service (use 'set server' instead)", call =>
    onServer(call, server => setState(call.context, server, 'ready'))),
  command('disable server', 'admin', 'disable server (DEPRECATED)', "take a server out of service (use 'set server' instead)", call =>
    onServer(call, server => setState(call.context, server, 'maint'))),
  command('enable health', 'admin', 'enable health', 'start the health checks of a server again', call => switchChecks(call, true)),
  command('disable health', 'admin', 'disable health', 'hold the health checks of a server back', call => switchChecks(call, false)),
  command('enable agent', 'admin', 'enable agent', 'start the agent checks of a server again', call =>
    onServer(call, () => 'Agent was not configured on this server, cannot enable.\n')),
  command('disable agent', 'admin', 'disable agent', 'hold the agent checks of a server back', call => onServer(call, () => '')),
  command('shutdown sessions server', 'admin', 'shutdown sessions server <bk>/<srv>', 'end the sessions on a server', shutdownSessions),
];
