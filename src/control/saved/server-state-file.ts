/**
 * Reads what `show servers state` has written, of this program or of HAProxy, at start: `load-server-state-from-file` (configuration manual; the
 * format is in the management manual, `show servers state`). Servers are known by the names of backend and server. What cannot be used is told and
 * left out, a file with one broken line is left out as a whole, as HAProxy does. Called by process/balancer.ts before checks run.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Model, Proxy, Server } from '../../model/model.ts';
import { S, admin, checkFlags, checkStatuses, checkStatusNumbers, op } from '../../model/server-state.ts';
import type { Segments } from '../../shared/segments.ts';
import type { ServerStates } from '../server-states.ts';

const formatVersion = '1';
/** Without those that later releases of the format have added: port and what follows. */
const fieldsMin = 18;
const fieldsMax = 25;
const by = 'server-state file';
const why = ', changed from server-state after a reload';

interface StateFileWork {
  readonly model: Model;
  readonly segments: Segments;
  readonly states: ServerStates;
  readonly nowMs: number;
  /** Servers that the state folder knows better. */
  readonly skip: (server: number) => boolean;
  readonly warn: (text: string) => void;
}

/** Words of a line: the order of the fields is that of the manual. */
type Line = readonly string[];

export function applyServerStateFiles(work: StateFileWork): void {
  const { serverStateBase, serverStateFile } = work.model.global;
  const wanted = (from: Proxy['serverStateFromFile']): Proxy[] => work.model.proxies.filter((proxy) => proxy.isBackend && !proxy.disabled && proxy.serverStateFromFile === from);
  const everybody = wanted('global');
  if (serverStateFile !== '' && everybody.length > 0) applyFile(work, inFolder(serverStateBase, serverStateFile), 'config: ', 'global server state file', everybody);
  for (const proxy of wanted('local')) {
    applyFile(work, inFolder(serverStateBase, proxy.serverStateFileName || proxy.name), `Proxy '${proxy.name}': `, 'server state file', [proxy]);
  }
}

function inFolder(base: string, name: string): string {
  return name.startsWith('/') || base === '' ? name : join(base, name);
}

function applyFile(work: StateFileWork, path: string, prefix: string, what: string, proxies: readonly Proxy[]): void {
  const lines = readStates(path, (text) => work.warn(`${prefix}${text.replace('%s', `${what} '${path}'`)}`));
  const byName = new Map(lines.map((line) => [`${line[1] ?? ''}/${line[3] ?? ''}`, line]));
  for (const proxy of proxies) {
    for (const index of proxy.servers) {
      const server = work.model.servers[index];
      const line = server === undefined ? undefined : byName.get(`${proxy.name}/${server.name}`);
      if (server === undefined || line === undefined || work.skip(index)) continue;
      const problem = problemOf(line);
      if (problem === '') applyLine(work, server, line);
      else work.warn(`server-state application failed for server '${proxy.name}/${server.name}', ${problem}`);
    }
  }
}

/** None when the file cannot be used; `warn` hears why, `%s` stands for the file. */
function readStates(path: string, warn: (text: string) => void): readonly Line[] {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    warn(`Can't open %s: ${(error as { readonly code?: string }).code === 'ENOENT' ? 'No such file or directory' : (error as Error).message}`);
    return [];
  }
  const [version, ...rest] = text.split('\n');
  if (version?.trim() !== formatVersion) {
    warn("Can't get version of the %s.");
    return [];
  }
  const found: Line[] = [];
  // HAProxy counts the lines after the version.
  for (const [number, line] of rest.entries()) {
    const words = line.trim().split(/[ \t]+/);
    if (words[0] === '' || words[0]?.startsWith('#')) continue;
    if (words.length < fieldsMin || words.length > fieldsMax) {
      warn(`corrupted %s at line ${number + 1}.`);
      return [];
    }
    found.push(words);
  }
  return found;
}

const ranges: readonly (readonly [field: number, name: string, max: number])[] = [
  [5, 'srv_op_state', 3], [6, 'srv_admin_state', 0x7f], [7, 'srv_uweight', 256], [8, 'srv_iweight', 256], [9, 'srv_time_since_last_change', 0xffffffff],
  [10, 'srv_check_status', 255], [11, 'srv_check_result', 4], [12, 'srv_check_health', 0xffff], [13, 'srv_check_state', 0x1f],
];

/** '' = the line can be used. */
function problemOf(line: Line): string {
  for (const [field, name, max] of ranges) {
    const text = line[field] ?? '';
    if (!/^\d{1,10}$/.test(text) || Number(text) > max) return `invalid ${name} value '${text}'`;
  }
  return '';
}

function applyLine({ nowMs, segments, states }: StateFileWork, server: Server, line: Line): void {
  const { index } = server;
  const number = (field: number): number => Number(line[field] ?? 0);
  applyAddress(states, server, line);
  const state = number(5);
  if (server.track < 0) states.setHealth(index, state === op.stopped ? 'down' : state === op.stopping ? 'stopping' : 'up', why);
  applyAdmin(states, server, number(6));
  const shared = segments.serverState(index);
  Atomics.store(shared, S.lastchg_s, Math.max(0, Math.floor(nowMs / 1000) - number(9)));
  // As in HAProxy: the weight by hand holds until the configuration names another one.
  if (number(8) === server.weight && number(7) !== server.weight) states.setWeight(index, String(number(7)));
  const info = states.checkInfo(index);
  const status = checkStatuses.find((name) => checkStatusNumbers[name] === number(10));
  if (info.configured && status !== undefined) {
    Object.assign(info, { status, result: number(11) === 1 ? 0 : number(11) });
    Atomics.store(shared, S.check_status, checkStatuses.indexOf(status));
  }
  const checks = number(13);
  if (info.configured && (checks & checkFlags.configured) !== 0 && (checks & checkFlags.enabled) === 0) states.setHealthEnabled(index, false);
}

/** An address is taken for a server with a name, unless `init-addr` looks elsewhere first; a port always. */
function applyAddress(states: ServerStates, server: Server, line: Line): void {
  const [host = '-', port, tls, checkPort, checkHost] = [line[4], Number(line[18] ?? 0), line[20], Number(line[21] ?? 0), line[22]];
  const { address, index, initAddr } = server;
  if (address.kind === 'name' && isIP(host) !== 0 && (initAddr[0] ?? 'last') === 'last') states.resolved(index, host);
  if (address.kind !== 'unix' && port >= 1 && port <= 65535 && port !== states.address(index).port) states.setAddress(index, null, port, by);
  if (server.tls !== null && tls === '0') states.setTls(index, false);
  if (!states.checkInfo(index).configured) return;
  const otherHost = checkHost !== undefined && isIP(checkHost) !== 0 ? checkHost : null;
  const otherPort = checkPort >= 1 && checkPort <= 65535 ? checkPort : null;
  if (otherHost !== null || otherPort !== null) states.setCheckPlace(index, otherHost, otherPort);
}

/** What the configuration has changed since wins; otherwise what was set by hand. */
function applyAdmin(states: ServerStates, { disabled, index }: Server, flags: number): void {
  const wasDisabled = (flags & admin.configMaint) !== 0;
  if (wasDisabled !== disabled) return;
  if ((flags & admin.forcedMaint) !== 0) states.setAdmin(index, 'maint');
  else if ((flags & admin.forcedDrain) !== 0) states.setAdmin(index, 'drain');
  else if (disabled) states.setAdmin(index, 'ready');
}
