/**
 * Runtime commands that change servers: weight, state, health, address, connections. Every change of state goes through
 * control/server-states.ts. The answers are HAProxy's.
 */
import { isIP } from 'node:net';
import type { Server } from '../model/model.ts';
import { S } from '../model/server-state.ts';
import type { Command, CommandCall } from './command.ts';
import { command, number } from './command.ts';
import type { AdminContext } from './context.ts';

const setServerUsage =
  'usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr | check-port | fqdn | health | ssl | state | weight\n';
const noAgent = 'agent checks are not enabled on this server.\n';
/** Who changed an address, in logs and answers. */
const addressChangedBy = 'stats socket command';

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
  if (slash < 0) return "Require 'backend/server'.\n";
  const backend = findBackend(call.context, target.slice(0, slash));
  if (backend < 0) return 'No such backend.\n';
  const server = findServer(call.context, backend, target.slice(slash + 1));
  return server === undefined ? 'No such server.\n' : change(server);
}

function line(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function setWeight(call: CommandCall, server: Server, weight: string | undefined): string {
  return weight === undefined ? 'Require <weight> or <weight%>.\n' : line(call.context.servers.setWeight(server.index, weight));
}

function getWeight(call: CommandCall): string {
  return onServer(call, (server) => {
    const state = call.context.segments.serverState(server.index);
    return `${Atomics.load(state, S.uweight)} (initial ${Atomics.load(state, S.iweight)})\n`;
  });
}

function setState(call: CommandCall, server: Server, state: string | undefined): string {
  if (state !== 'ready' && state !== 'drain' && state !== 'maint') return "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n";
  call.context.servers.setAdmin(server.index, state);
  return '';
}

function setHealth(call: CommandCall, server: Server, health: string | undefined): string {
  if (health !== 'up' && health !== 'stopping' && health !== 'down') return "'set server <srv> health' expects 'up', 'stopping', or 'down'.\n";
  return line(call.context.servers.setHealth(server.index, health));
}

function setAddress(call: CommandCall, server: Server, words: readonly string[]): string {
  const [host, keyword, portText] = words;
  if (host === undefined) return 'set server <b>/<s> addr requires an address and optionally a port.\n';
  if (isIP(host) === 0) return `Invalid addr '${host}' by '${addressChangedBy}'\n`;
  if (keyword !== 'port') return line(call.context.servers.setAddress(server.index, host, null, addressChangedBy));
  const port = /^\d{1,5}$/.test(portText ?? '') ? Number(portText) : -1;
  if (port < 1 || port > 65535) return `no need to change the addr, problem converting port '${portText ?? ''}' to an int by '${addressChangedBy}'\n`;
  return line(call.context.servers.setAddress(server.index, host, port, addressChangedBy));
}

function setServer(call: CommandCall): string {
  return onServer(call, (server) => {
    const [, what, ...words] = call.args;
    switch (what) {
      case 'weight': return setWeight(call, server, words[0]);
      case 'state': return setState(call, server, words[0]);
      case 'health': return setHealth(call, server, words[0]);
      case 'addr': return setAddress(call, server, words);
      case 'check-port': return setCheckPort(server, words[0]);
      case 'agent': case 'agent-addr': case 'agent-port': case 'agent-send': return noAgent;
      case 'check-addr': return 'The address of health checks cannot be changed at run time, change the configuration.\n';
      case 'fqdn': return words[0] === undefined ? 'set server <b>/<s> fqdn requires a FQDN.\n' : 'set server <b>/<s> fqdn failed because no resolution is configured.\n';
      case 'ssl': return "'set server <srv> ssl' cannot be set.  default-server should define ssl settings\n";
      default: return setServerUsage;
    }
  });
}

function setCheckPort(server: Server, text: string | undefined): string {
  if (server.check === null) return 'health checks are not enabled on this server\n';
  if (text === undefined) return 'set server <b>/<s> check-port requires a port.\n';
  if (!/^\d+$/.test(text)) return 'provided port is not an integer\n';
  const port = Number(text);
  if (port > 65535) return 'provided port is invalid\n';
  return 'The port of health checks cannot be changed at run time, change the configuration.\n';
}

function switchChecks(call: CommandCall, enabled: boolean): string {
  return onServer(call, server => line(call.context.servers.setHealthEnabled(server.index, enabled)));
}

function setMaxconnServer(call: CommandCall): string {
  return onServer(call, (server) => {
    const text = call.args[1];
    if (text === undefined) return 'Require <maxconn>.\n';
    const maxconn = number(text);
    if (maxconn === undefined) return 'maxconn string empty or preceded by garbage\n';
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
    onServer(call, server => setWeight(call, server, call.args[1]))),
  command('set server', 'admin', 'set server <bk>/<srv> [opts]', "change a server's state, health, weight or address", setServer),
  command('set maxconn server', 'admin', 'set maxconn server <bk>/<srv>', "change a server's maxconn", setMaxconnServer),
  command('enable server', 'admin', 'enable server  (DEPRECATED)', "take a server back into service (use 'set server' instead)", call =>
    onServer(call, server => setState(call, server, 'ready'))),
  command('disable server', 'admin', 'disable server (DEPRECATED)', "take a server out of service (use 'set server' instead)", call =>
    onServer(call, server => setState(call, server, 'maint'))),
  command('enable health', 'admin', 'enable health', 'start the health checks of a server again', call => switchChecks(call, true)),
  command('disable health', 'admin', 'disable health', 'hold the health checks of a server back', call => switchChecks(call, false)),
  command('enable agent', 'admin', 'enable agent', 'start the agent checks of a server again', call =>
    onServer(call, () => 'Agent was not configured on this server, cannot enable.\n')),
  command('disable agent', 'admin', 'disable agent', 'hold the agent checks of a server back', call => onServer(call, () => '')),
  command('shutdown sessions server', 'admin', 'shutdown sessions server <bk>/<srv>', 'end the sessions on a server', shutdownSessions),
];
