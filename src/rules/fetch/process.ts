/** Fetches of constants, the process, variables, and live figures of proxies and servers. */
import { randomUUID } from 'node:crypto';
import { parseIp } from '../../base/ip.ts';
import type { Model } from '../../model/model.ts';
import type { Sample, Subject } from '../subject.ts';
import { fetch, intArg, plain, textArg, type Args, type FetchMaker, type FetchTable } from '../types.ts';
import { readVar } from '../vars.ts';
import { why } from '../why.ts';

function constant(make: (args: Args) => Sample): FetchMaker {
  return fetch((args) => {
    const value = make(args);
    return () => value;
  });
}

/** Figure of the backend named, or of the current one. */
function ofBackend(read: (s: Subject, proxy: number) => number): FetchMaker {
  return fetch((args) => {
    const [arg] = args;
    if (arg?.kind === 'proxy') return (s) => read(s, arg.proxy);
    return (s) => read(s, (s.backend ?? s.frontend).index);
  });
}

function ofFrontend(read: (s: Subject, proxy: number) => number): FetchMaker {
  return fetch((args) => {
    const [arg] = args;
    if (arg?.kind === 'proxy') return (s) => read(s, arg.proxy);
    return (s) => read(s, s.frontend.index);
  });
}

function ofServer(read: (s: Subject, server: number) => Sample): FetchMaker {
  return fetch((args) => {
    const [arg] = args;
    return (s) => (arg?.kind === 'server' ? read(s, arg.server) : undefined);
  });
}

function serversOf(model: Model, proxy: number): readonly number[] {
  return model.proxies[proxy]?.servers ?? [];
}

/** Requests in the backend's queue and in those of its servers. */
function queued(s: Subject, proxy: number): number {
  let total = s.world.backendQueue(proxy);
  for (const server of serversOf(s.world.model, proxy)) total += s.world.serverQueue(server);
  return total;
}

/** Free connection slots (and queue places) of usable servers; -1 = no limit somewhere. */
function freeSlots(s: Subject, proxy: number, withQueue: boolean): number {
  let free = 0;
  for (const index of serversOf(s.world.model, proxy)) {
    const server = s.world.model.servers[index];
    if (server === undefined || !s.world.serverIsUp(index)) continue;
    if (server.maxconn === 0 || (withQueue && server.maxqueue === 0)) return -1;
    free += Math.max(server.maxconn - s.world.serverConnections(index), 0);
    if (withQueue) free += Math.max(server.maxqueue - s.world.serverQueue(index), 0);
  }
  return free;
}

function date(s: Subject, unit: string): number {
  const now = s.world.nowMs();
  if (unit === 'ms') return now;
  return unit === 'us' ? now * 1000 : Math.floor(now / 1000);
}

export const processFetches: FetchTable = {
  always_false: plain(() => false), always_true: plain(() => true),
  bin: constant((args) => Buffer.from(textArg(args, 0), 'hex')),
  bool: constant((args) => textArg(args, 0) === 'true' || textArg(args, 0) === '1'),
  int: constant((args) => intArg(args, 0, 0)),
  str: constant((args) => textArg(args, 0)),
  meth: constant((args) => textArg(args, 0)),
  ipv4: constant((args) => (args[0]?.kind === 'ip' ? parseIp(args[0].value) : undefined)),
  ipv6: constant((args) => (args[0]?.kind === 'ip' ? parseIp(args[0].value) : undefined)),
  env: constant((args) => process.env[textArg(args, 0)]),
  date: fetch((args) => {
    const offset = intArg(args, 0, 0);
    const unit = textArg(args, 1, 's');
    return (s) => date(s, unit) + offset;
  }),
  date_us: plain((s) => (s.world.nowMs() % 1000) * 1000),
  hostname: plain((s) => s.world.hostname),
  nbproc: plain(() => 1), proc: plain(() => 1),
  pid: plain((s) => s.world.pid),
  thread: plain((s) => s.world.threadIndex),
  uptime: plain((s) => Math.floor((s.world.nowMs() - s.world.startedAtMs) / 1000)),
  rand: fetch((args) => {
    const below = intArg(args, 0, 4294967296);
    return (s) => Math.floor(s.world.random() * below);
  }),
  uuid: plain(() => randomUUID()),
  why: plain((s) => why(s)),
  'unique-id': plain((s) => (s.uniqueId === '' ? undefined : s.uniqueId)),
  var: fetch((args) => {
    const [arg] = args;
    const fallback = args[1]?.kind === 'str' ? args[1].value : undefined;
    return (s) => (arg?.kind === 'var' ? readVar(s, arg.scope, arg.name) ?? fallback : fallback);
  }),

  nbsrv: ofBackend((s, proxy) => s.world.usableServers(proxy)),
  be_conn: ofBackend((s, proxy) => s.world.backendConnections(proxy)),
  be_conn_free: ofBackend((s, proxy) => freeSlots(s, proxy, false)),
  connslots: ofBackend((s, proxy) => freeSlots(s, proxy, true)),
  be_sess_rate: ofBackend((s, proxy) => s.world.backendRate(proxy)),
  queue: ofBackend(queued),
  avg_queue: ofBackend((s, proxy) => {
    const usable = s.world.usableServers(proxy);
    const waiting = queued(s, proxy);
    // Nobody left to serve the queue: HAProxy answers a very large number.
    return usable > 0 ? Math.ceil(waiting / usable) : waiting * 9999;
  }),
  fe_conn: ofFrontend((s, proxy) => s.world.frontendConnections(proxy)),
  fe_req_rate: ofFrontend((s, proxy) => s.world.frontendRequestRate(proxy)),
  fe_sess_rate: ofFrontend((s, proxy) => s.world.frontendRate(proxy)),
  srv_conn: ofServer((s, server) => s.world.serverConnections(server)),
  srv_conn_free: ofServer((s, server) => {
    const maxconn = s.world.model.servers[server]?.maxconn ?? 0;
    return maxconn === 0 ? -1 : Math.max(maxconn - s.world.serverConnections(server), 0);
  }),
  srv_is_up: ofServer((s, server) => s.world.serverIsUp(server)),
  srv_iweight: ofServer((s, server) => s.world.model.servers[server]?.weight),
  srv_uweight: ofServer((s, server) => s.world.serverWeight(server)),
  srv_weight: ofServer((s, server) => s.world.serverWeight(server)),
  srv_queue: ofServer((s, server) => s.world.serverQueue(server)),
  srv_sess_rate: ofServer((s, server) => s.world.serverRate(server)),
};
