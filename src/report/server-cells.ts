/**
 * Cells of servers and backends that are worked out from shared state: status words, weights, health, check results.
 * Called by report/snapshot.ts only. The words are HAProxy's, tools compare them letter by letter.
 */
import { hasCode } from '../control/check-result.ts';
import type { Model, Proxy, Server } from '../model/model.ts';
import { admin, B, checkStatusTexts, op, S } from '../model/server-state.ts';
import type { Segments } from '../shared/segments.ts';
import type { Aggregate, Cells } from './row.ts';
import type { ReportSources, ServerReports } from './sources.ts';

type ServerStateName = 'DOWN' | 'UP' | 'MAINT' | 'DRAIN' | 'NOLB';

function load(state: Int32Array, field: number): number {
  return Atomics.load(state, field);
}

function serverName(model: Model, server: Server): string {
  return `${model.proxies[server.proxy]?.name ?? ''}/${server.name}`;
}

/** The state in one word, as metrics and the page's colours take it. */
function stateName(state: Int32Array): ServerStateName {
  const flags = load(state, S.admin);
  if ((flags & admin.anyMaint) !== 0) return 'MAINT';
  const now = load(state, S.op);
  if (now === op.stopped) return 'DOWN';
  if (now === op.stopping) return 'NOLB';
  return (flags & admin.anyDrain) !== 0 ? 'DRAIN' : 'UP';
}

/** True when new requests may go to the server. */
function isUsable(state: Int32Array): boolean {
  return stateName(state) === 'UP' && load(state, S.uweight) > 0;
}

/** Weight in force: what the user set, scaled down during a slow start. */
function weightNow(state: Int32Array): number {
  const throttle = load(state, S.throttle);
  const weight = load(state, S.uweight);
  return throttle > 0 && throttle < 100 ? Math.ceil((weight * throttle) / 100) : weight;
}

function sinceSeconds(unixSeconds: number, nowMs: number): number {
  return unixSeconds === 0 ? 0 : Math.max(0, Math.floor(nowMs / 1000) - unixSeconds);
}

export function serverCells(server: Server, model: Model, segments: Segments, sources: ReportSources): Cells {
  const state = segments.serverState(server.index);
  const maxconn = load(state, S.maxconn);
  const tracked = model.servers[server.track];
  const throttle = load(state, S.throttle);
  return {
    status: sources.servers.statusText(server.index),
    weight: weightNow(state),
    uweight: load(state, S.uweight),
    act: server.backup ? 0 : 1,
    bck: server.backup ? 1 : 0,
    slim: maxconn > 0 ? maxconn : null,
    qlimit: server.maxqueue > 0 ? server.maxqueue : null,
    src_ilim: server.poolMaxConn >= 0 ? server.poolMaxConn : null,
    lastchg: sinceSeconds(load(state, S.lastchg_s), sources.nowMs()),
    throttle: load(state, S.op) === op.starting && throttle < 100 ? throttle : null,
    tracked: tracked === undefined ? null : serverName(model, tracked),
    addr: addressText(sources.servers.address(server.index)),
    cookie: server.cookie === '' ? null : server.cookie,
    srid: 0,
    ...checkCells(server, state, sources),
  };
}

function addressText({ host, port }: { readonly host: string; readonly port: number }): string {
  if (host.startsWith('/')) return 'unix';
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Columns of health checks: none without a check or with it held back (`disable health`), only the counts in maintenance, where it pauses. */
function checkCells(server: Server, state: Int32Array, sources: ReportSources): Cells {
  const info = sources.servers.checkInfo(server.index);
  const { check } = server;
  if (check === null || server.track >= 0 || !info.enabled) return {};
  const counts = { chkfail: load(state, S.chkfail), chkdown: load(state, S.chkdown), downtime: sources.servers.downtimeSeconds(server.index) };
  if ((load(state, S.admin) & admin.anyMaint) !== 0) return counts;
  const { status } = info;
  const done = status !== 'UNK' && status !== 'INI';
  return {
    ...counts,
    check_status: info.running && done ? `* ${status}` : status,
    check_code: hasCode(status) ? info.code : null,
    check_duration: done ? Math.max(0, info.durationMs) : null,
    check_desc: checkStatusTexts[status],
    last_chk: info.description,
    check_rise: check.rise,
    check_fall: check.fall,
    check_health: load(state, S.health),
  };
}

/** Servers of a backend by state and by result of the last check, as the aggregate metrics count them. */
export function aggregate(proxy: Proxy, model: Model, segments: Segments, servers: ServerReports): Aggregate | null {
  if (proxy.servers.length === 0) return null;
  const states = new Map<string, number>();
  const checks = new Map<string, number>();
  for (const index of proxy.servers) {
    const state = segments.serverState(index);
    const name = stateName(state);
    states.set(name, (states.get(name) ?? 0) + 1);
    if ((model.servers[index]?.check ?? null) === null) continue;
    const { status } = servers.checkInfo(index);
    checks.set(status, (checks.get(status) ?? 0) + 1);
  }
  return { states, checks };
}

export function backendCells(proxy: Proxy, model: Model, segments: Segments, sources: ReportSources): Cells {
  const state = segments.backendState(proxy.index);
  const up = proxy.servers.length === 0 || load(state, B.up) !== 0;
  return {
    status: up ? 'UP' : 'DOWN',
    slim: proxy.fullconn,
    weight: load(state, B.weight),
    uweight: userWeight(proxy, model, segments),
    act: load(state, B.active),
    bck: load(state, B.backup),
    chkdown: load(state, B.chkdown),
    lastchg: sinceSeconds(load(state, B.lastchg_s), sources.nowMs()),
    downtime: proxy.servers.length === 0 ? null : sources.servers.backendDowntimeSeconds(proxy.index),
    cookie: proxy.cookie === null ? null : proxy.cookie.name,
    algo: proxy.balance.algorithm,
    agg_server_status: 0,
    agg_server_check_status: 0,
    agg_check_status: 0,
  };
}

/** Weights as set, over the servers that take traffic: the active ones, or the backups when none is left. */
function userWeight(proxy: Proxy, model: Model, segments: Segments): number {
  let active = 0;
  let backup = 0;
  for (const index of proxy.servers) {
    const server = model.servers[index];
    const state = segments.serverState(index);
    if (server === undefined || !isUsable(state)) continue;
    const weight = load(state, S.uweight);
    if (!server.backup) active += weight;
    else if (proxy.switches.allbackups) backup += weight;
    else if (backup === 0) backup = weight;
  }
  return active > 0 ? active : backup;
}
