/** Runtime commands that only show: statistics, process, servers, errors, events. Change nothing. The formats are HAProxy's. */
import { memoryUsage } from '../base/memory.ts';
import type { Model, Server } from '../model/model.ts';
import { productVersion } from '../model/process-statistics.ts';
import type { CheckInfo } from '../control/check-result.ts';
import { S, admin, checkFlags, checkStatusNumbers } from '../model/server-state.ts';
import { G } from '../model/counters.ts';
import { csv } from '../report/csv.ts';
import type { RowFilter } from '../report/filter.ts';
import { everything, filterRows } from '../report/filter.ts';
import { jsonInfo, jsonRows } from '../report/json.ts';
import { plainInfo, typedInfo, typedRows } from '../report/typed.ts';
import { P } from '../shared/segments.ts';
import type { ProcessField } from '../shared/segments.ts';
import { dateText } from './captured-errors.ts';
import type { Answer, Command, CommandCall } from './command.ts';
import { command, levels, number } from './command.ts';
import type { AdminContext } from './context.ts';
import { findBackend } from './server-commands.ts';

/** Of `show stat domain resolvers`: resolvers are not active, so no row follows. */
const resolversHeader = '# id,pid,sent,send_error,valid,update,cname,cname_error,any_err,nx,timeout,refused,other,invalid,too_big,truncated,outdated,\n';

function showStat(call: CommandCall): string {
  let words = [...call.args];
  let filter: RowFilter = { ...everything, legends: levels[call.session.level] >= levels.operator };
  if (words[0] === 'domain') {
    if (words[1] !== 'proxy') return words[1] === 'resolvers' || words[1] === 'dns' ? resolversHeader : `Invalid statistics domain.\n`;
    words = words.slice(2);
  }
  const [name = '', types, sid] = words;
  // Three words are always a proxy, kinds and a server, as in HAProxy; what is no number counts as 0.
  if (types !== undefined && sid !== undefined) {
    const proxy = call.context.model.proxies.find(candidate => candidate.name === name);
    const iid = /^[+-]?\d+$/.test(name) ? Number(name) : proxy?.iid;
    if (iid === undefined) return 'No such proxy.\n';
    filter = { ...filter, iid, types: number(types) ?? 0, sid: number(sid) ?? 0 };
    words = words.slice(3);
  }
  filter = { ...filter, up: words.includes('up'), noMaint: words.includes('no-maint') };
  const rows = filterRows(call.context.snapshot(), filter);
  if (words.includes('json')) return jsonRows(rows);
  return words.includes('typed') ? typedRows(rows, words.includes('desc')) : csv(rows);
}

function showInfo(call: CommandCall): string {
  const values = call.context.snapshot().process;
  const desc = call.args.includes('desc');
  if (call.args.includes('json')) return jsonInfo(values);
  return call.args.includes('typed') ? typedInfo(values, desc) : plainInfo(values, desc);
}

/** Servers of one backend (argument) or of all, or the answer that says there is no such backend. */
function chosenServers(call: CommandCall, missing: string): readonly Server[] | string {
  const { model } = call.context;
  const [name] = call.args;
  const backend = name === undefined ? -1 : findBackend(call.context, name);
  if (name !== undefined && backend < 0) return missing;
  return model.proxies.flatMap(proxy => (backend < 0 || proxy.index === backend ? proxy.servers : []))
    .flatMap(index => model.servers[index] ?? []);
}

const stateHeader = '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change ' +
  'srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord ' +
  'srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';

function checkState({ configured, enabled }: CheckInfo, paused: boolean): number {
  return (configured ? checkFlags.configured : 0) | (enabled ? checkFlags.enabled : 0) | (paused ? checkFlags.paused : 0);
}

function serverStateLine(context: AdminContext, server: Server): string {
  const proxy = context.model.proxies[server.proxy];
  const state = context.segments.serverState(server.index);
  const load = (field: number): number => Atomics.load(state, field);
  const { host, port } = context.servers.address(server.index);
  const check = context.servers.checkInfo(server.index);
  const sinceChange = Math.max(0, Math.floor(context.clock.dateMs() / 1000) - load(S.lastchg_s));
  const checkAddress = server.check?.address;
  const isOut = (load(S.admin) & admin.anyMaint) !== 0;
  const fields: readonly (string | number)[] = [
    proxy?.iid ?? 0, proxy?.name ?? '', server.sid, server.name, host === '' ? '-' : host, load(S.op), load(S.admin), load(S.uweight), load(S.iweight),
    sinceChange, checkStatusNumbers[check.status], check.result, load(S.health), checkState(check, isOut), 0, 0, 0,
    server.address.kind === 'name' ? server.address.name : '-', port, '-', context.servers.usesTls(server.index) ? 1 : 0, check.port || (server.check?.port ?? 0),
    check.host !== '' ? check.host : checkAddress?.kind === 'inet' ? checkAddress.host : '-', '-', server.check?.port ?? 0,
  ];
  return `${fields.join(' ')}\n`;
}

function showServersState(call: CommandCall): string {
  const servers = chosenServers(call, "Can't find backend.\n");
  if (typeof servers === 'string') return servers;
  return `1\n${stateHeader}\n${servers.map(server => serverStateLine(call.context, server)).join('')}`;
}

function showServersConn(call: CommandCall): string {
  const servers = chosenServers(call, "Can't find backend.\n");
  if (typeof servers === 'string') return servers;
  const lines = servers.map((server) => {
    const proxy = call.context.model.proxies[server.proxy];
    const gauges = call.context.segments.gauges(call.context.segments.serverObject(server.index));
    const used = Math.max(0, Atomics.load(gauges, G.used_conn_cur));
    const idle = Math.max(0, Atomics.load(gauges, G.idle_conn_cur));
    const { host, port } = call.context.servers.address(server.index);
    const most = Math.max(0, Atomics.load(gauges, G.smax));
    return `${proxy?.name ?? ''}/${server.name} ${proxy?.iid ?? 0}/${server.sid} ${host} ${port} - ${server.poolPurgeDelayMs} ${used} ${most} ${used} ${idle} 0 ` +
      `${server.poolMaxConn} ${idle} ${idle}\n`;
  });
  return `# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[1]\n${lines.join('')}`;
}

function showErrors(call: CommandCall): string {
  const [name] = call.args;
  const side = call.args.find(word => word === 'request' || word === 'response') ?? 'both';
  let proxy = -1;
  if (name !== undefined && name !== side && name !== '-1') {
    proxy = call.context.model.proxies.find(candidate => candidate.name === name || String(candidate.iid) === name)?.index ?? -1;
    if (proxy < 0) return 'No such proxy.\n';
  }
  return call.context.errors.text(proxy, side, call.context.clock.dateMs());
}

const activityFields: readonly ProcessField[] = ['connections', 'requests', 'ssl_connections', 'bytes_out', 'current_connections', 'dropped_logs', 'loop_busy_ms', 'heartbeat_ms'];

function perThread(context: AdminContext, field: ProcessField): readonly number[] {
  return Array.from({ length: context.segments.threads }, (_, thread) => Math.floor(context.segments.process(thread)[P[field]] ?? 0));
}

/** Name, sum over threads, and the figure of each. */
function showActivity(call: CommandCall): string {
  const { context } = call;
  const lines = activityFields.map((field) => {
    const figures = perThread(context, field);
    const sum = field === 'heartbeat_ms' ? Math.max(...figures) : figures.reduce((total, figure) => total + figure, 0);
    return `${field}: ${sum} [ ${figures.join(' ')} ]\n`;
  });
  return `thread_id: 1 (1..${context.segments.threads})\ndate_now: ${(context.clock.dateMs() / 1000).toFixed(6)}\n${lines.join('')}`;
}

function showThreads(call: CommandCall): string {
  const { context } = call;
  const now = context.clock.dateMs();
  return perThread(context, 'heartbeat_ms').map((heartbeat, thread) => {
    const connections = perThread(context, 'current_connections')[thread] ?? 0;
    return `  Thread ${thread + 1} : connections=${connections} requests=${perThread(context, 'requests')[thread] ?? 0} last_seen=${heartbeat === 0 ? '-' : `${Math.max(0, now - heartbeat)}ms`}\n`;
  }).join('');
}

function pool(name: string, allocated: number, used: number): string {
  return `  - Pool ${name} (1 bytes) : ${allocated} allocated (${allocated} bytes), ${used} used, 0 failures, 1 users\n`;
}

/** Memory by kind, in the layout of HAProxy's pools. */
function showPools(): string {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = memoryUsage();
  return `Dumping pools usage.\n${pool('heap', heapTotal, heapUsed)}${pool('external', external, external)}${pool('buffers', arrayBuffers, arrayBuffers)}` +
    `Total: 3 pools, ${rss} bytes allocated, ${heapUsed + external} used.\n`;
}

function showEnv(call: CommandCall): string {
  const { environment } = call.context;
  const [name] = call.args;
  if (name !== undefined) return environment[name] === undefined ? 'Variable not found\n' : `${name}=${environment[name]}\n`;
  return Object.entries(environment).map(([key, value]) => `${key}=${value ?? ''}\n`).join('');
}

function socketText(model: Model, index: number): string {
  const address = model.global.statsSockets[index]?.address;
  switch (address?.kind) {
    case 'unix': return address.abstract ? `abns@${address.path}` : `unix@${address.path}`;
    case 'fd': return `fd@${address.fd}`;
    case 'inet': return `ipv${address.family}@${address.family === 6 ? `[${address.host}]` : address.host}:${address.port}`;
    default: return '';
  }
}

function showCliSockets(call: CommandCall): string {
  const { model } = call.context;
  return `# socket lvl processes\n${model.global.statsSockets.map((socket, index) => `${socketText(model, index)} ${socket.level} all\n`).join('')}`;
}

/** Sections that are read, but not active: their names. */
function showSections({ context, args }: CommandCall, kind: 'resolvers' | 'peers', missing: string): string {
  const wanted = args.find(word => word !== 'dict' && word !== '-');
  const found = context.model.inactive.filter(section => section.kind === kind && (wanted === undefined || section.name === wanted));
  if (wanted !== undefined && found.length === 0) return missing;
  return found.map(({ name }) => (kind === 'peers' ? `peers=${name}\n` : `Resolvers section ${name}\n`)).join('');
}

const eventsHeader = 'Supported events sinks are listed below. Add -w(wait), -n(new). Any key to stop\n';
/** Between two looks for new events. */
const eventsLookMs = 100;

function showEvents(call: CommandCall): Answer {
  const log = call.context.eventLog;
  const [sink, ...options] = call.args;
  if (sink === undefined) return `${eventsHeader}    buf0       : type=buffer, ${log.droppedLines} dropped, changes of servers and backends, commands that change something\n`;
  if (sink !== 'buf0') return 'No such event sink';
  if (!options.every(option => /^-[nw]+$/.test(option))) return 'unknown option';
  const letters = options.join('');
  return eventsOf(call, letters.includes('n') ? log.end : 0, letters.includes('w'));
}

async function* eventsOf(call: CommandCall, start: number, waits: boolean): AsyncGenerator<string> {
  const { eventLog } = call.context;
  for (let from = start; ;) {
    const lines = eventLog.linesFrom(from);
    from = eventLog.end;
    if (lines.length > 0) yield lines.map(line => `${line}\n`).join('');
    if (!waits || call.session.interrupted()) return;
    await new Promise((resolve) => { setTimeout(resolve, eventsLookMs); });
  }
}

function showAdvice(call: CommandCall): string {
  const entries = call.context.advice.entries();
  if (call.args[0] === 'json') return `${JSON.stringify(entries)}\n`;
  return entries.map(({ severity, code, active, sinceMs, lastMs, count, text }) =>
    `[${severity}] ${code}${active ? '' : ' (over)'}, since ${dateText(sinceMs)}, last ${dateText(lastMs)}, ${count} times: ${text}\n`).join('');
}

export const showCommands: readonly Command[] = [
  command('show stat', 'user', 'show stat [desc|json|no-maint|typed|up]*', 'report the counters of proxies and servers', showStat),
  command('show info', 'user', 'show info [desc|json|typed]*', 'report on the running process', showInfo),
  command('show backend', 'user', 'show backend', 'list the backends', call =>
    `# name\n${call.context.model.proxies.filter(proxy => proxy.isBackend).map(proxy => `${proxy.name}\n`).join('')}`),
  command('show servers state', 'user', 'show servers state [<backend>]', 'report the state of servers, of all or of one backend', showServersState),
  command('show servers conn', 'user', 'show servers conn [<backend>]', 'report the connections of servers, of all or of one backend', showServersConn),
  command('show errors', 'operator', 'show errors [<px>] [request|response]', 'show the last malformed request and answer of each proxy', showErrors),
  command('show activity', 'user', 'show activity', 'report what each thread did', showActivity),
  command('show threads', 'user', 'show threads', 'report the state of each thread', showThreads),
  command('show pools', 'user', 'show pools', 'report the memory in use', showPools),
  command('show version', 'user', 'show version', 'tell the version', () => `${productVersion}\n`),
  command('show env', 'operator', 'show env [var]', 'list the environment of the process', showEnv),
  command('show startup-logs', 'operator', 'show startup-logs', 'repeat what was reported at start', call => call.context.startupMessages.map(text => `${text}\n`).join('') || '\n'),
  command('show tasks', 'user', 'show tasks', 'list what waits for its turn; nothing does for long', call =>
    `Running tasks: 0 (${call.context.segments.threads} threads)\n  function                     places     %    lat_tot   lat_avg\n`),
  command('show resolvers', 'user', 'show resolvers [id]', 'list the resolvers sections, which are not active', call => showSections(call, 'resolvers', "Can't find that resolvers section\n")),
  command('show peers', 'user', 'show peers [dict|-] [section]', 'list the peers sections, which are not active', call => showSections(call, 'peers', 'No such peers\n')),
  command('show cli sockets', 'user', 'show cli sockets', 'list the runtime sockets', showCliSockets),
  command('show events', 'user', 'show events [<sink>] [-w] [-n]', 'list the event sinks, or the events of one; -w waits for more, -n leaves out old ones', showEvents),
  command('show advice', 'user', 'show advice [json]', 'list what was noticed while running, and what to do', showAdvice),
];
