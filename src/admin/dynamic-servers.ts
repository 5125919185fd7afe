/**
 * `add server` and `del server`: the configuration in force with one server more or less, taken up in place like a reload, but with all that
 * commands have changed. A new server is in maintenance and its checks rest until they are enabled, as in HAProxy. A deleted one leaves an
 * empty place behind, which the next new one takes: indexes of servers stay what they are.
 */
import { readOneServer } from '../config/one-server.ts';
import type { Model, Proxy, Server } from '../model/model.ts';
import { S, admin } from '../model/server-state.ts';
import type { Command, CommandCall } from './command.ts';
import { command } from './command.ts';
import { findBackend, findServer } from './server-commands.ts';
import { takeUp } from './take-up.ts';
import { isRemovable } from './wait-commands.ts';

/** Words of a server line that a server added at run time cannot have. */
const refusedWords: ReadonlySet<string> = new Set(['cookie', 'init-addr', 'init-state', 'redir', 'resolve-net', 'resolve-opts', 'resolve-prefer', 'resolvers']);
/** Name of a place that a deleted server left; no configured name has a blank in it. */
const emptyPlace = 'deleted server ';

/** Backend and name of the server, or the answer that says what is wrong. */
function target(call: CommandCall): { readonly backend: Proxy; readonly name: string } | string {
  const text = call.args[0] ?? '';
  const slash = text.indexOf('/');
  if (slash < 0 || slash === text.length - 1) return "Require 'backend/server'.";
  const backend = call.context.model.proxies[findBackend(call.context, text.slice(0, slash))];
  return backend === undefined ? 'No such backend.' : { backend, name: text.slice(slash + 1) };
}

/** Algorithms whose servers may come and go (management manual, `add server`). */
function isDynamic({ balance, hashType }: Proxy): boolean {
  return ['roundrobin', 'leastconn', 'first', 'random'].includes(balance.algorithm) || (balance.algorithm !== 'static-rr' && hashType.method === 'consistent');
}

function freeId(model: Model, backend: Proxy): number {
  const taken = new Set(backend.servers.map(index => model.servers[index]?.sid));
  let id = 1;
  while (taken.has(id)) id += 1;
  return id;
}

function withServer(model: Model, backend: number, made: (index: number) => Server): Model {
  const empty = model.servers.find(({ name, proxy }) => proxy === backend && name.startsWith(emptyPlace));
  const index = empty?.index ?? model.servers.length;
  return {
    ...model,
    servers: empty === undefined ? [...model.servers, made(index)] : model.servers.with(index, made(index)),
    proxies: model.proxies.map(proxy => (proxy.index === backend ? { ...proxy, servers: [...proxy.servers, index] } : proxy)),
  };
}

async function addServer(call: CommandCall): Promise<string> {
  const { context, args } = call;
  const found = target(call);
  if (typeof found === 'string') return found;
  const { backend, name } = found;
  if (!isDynamic(backend)) return 'Backend must use a dynamic load balancing to support dynamic servers.';
  const words = args.slice(1);
  if (words.length === 0) return "'server' expects <name> and <addr>[:<port>] as arguments.\n";
  if (findServer(context, backend.index, name) !== undefined) return 'Already exists a server with the same name in backend.\n';
  const refused = words.find(word => refusedWords.has(word));
  if (refused !== undefined) return `'${refused}' option is not accepted for dynamic server\n`;
  const others = backend.servers.flatMap(index => context.model.servers[index]?.name ?? []);
  const read = readOneServer(backend, others, name, words);
  if (typeof read === 'string') return `${read}\n`;
  const { server, certificate, tracked } = read;
  const track = tracked === '' ? -1 : findServer(context, backend.index, tracked)?.index ?? -1;
  const hasOwnId = words.includes('id');
  const failure = await takeUp(context, (model) => {
    const certificates = certificate === null ? model.certificates : [...model.certificates, { ...certificate, index: model.certificates.length }];
    const tls = server.tls === null ? null : { ...server.tls, certificate: certificate === null ? -1 : certificates.length - 1 };
    return withServer({ ...model, certificates }, backend.index, index => ({ ...server, index, proxy: backend.index, sid: hasOwnId ? server.sid : freeId(model, backend), track, tls, disabled: true }));
  });
  if (failure !== '') return failure;
  const made = findServer(context, backend.index, name);
  if (made !== undefined) {
    Atomics.and(context.segments.serverState(made.index), S.admin, ~admin.configMaint);
    context.servers.setHealthEnabled(made.index, false);
  }
  return 'New server registered.\n';
}

function isPointedAt(model: Model, { index, proxy }: Server): boolean {
  const rules = model.proxies[proxy]?.useServer ?? [];
  return model.servers.some(({ track }) => track === index) || rules.some(rule => rule.target === index);
}

async function deleteServer(call: CommandCall): Promise<string> {
  const { context } = call;
  const found = target(call);
  if (typeof found === 'string') return found;
  const server = findServer(context, found.backend.index, found.name);
  if (server === undefined) return 'No such server.';
  if ((Atomics.load(context.segments.serverState(server.index), S.admin) & admin.anyMaint) === 0) return 'Only servers in maintenance mode can be deleted.';
  if (isPointedAt(context.model, server)) return 'This server cannot be removed at runtime due to other configuration elements pointing to it.';
  if (!isRemovable(context, server)) return 'Server still has connections attached to it, cannot remove it.';
  const { index } = server;
  const failure = await takeUp(context, model => ({
    ...model,
    servers: model.servers.with(index, {
      ...server, name: `${emptyPlace}${index}`, address: { kind: 'inet', family: 4, host: '0.0.0.0', port: 0, portLast: 0 }, check: null, tls: null, track: -1, disabled: true, cookie: '',
    }),
    proxies: model.proxies.map(proxy => (proxy.index === server.proxy ? { ...proxy, servers: proxy.servers.filter(one => one !== index) } : proxy)),
  }));
  return failure === '' ? 'Server deleted.' : failure;
}

export const dynamicServerCommands: readonly Command[] = [
  command('add server', 'admin', 'add server <bk>/<srv>', 'add a server to a backend: in maintenance, without checks until they are enabled', addServer),
  command('del server', 'admin', 'del server <bk>/<srv>', 'take a server in maintenance out of its backend', deleteServer),
];
