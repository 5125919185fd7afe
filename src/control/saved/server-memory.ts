/**
 * What is kept of servers and backends beside their counters: what somebody set by hand, what checks had found, last changes and time spent
 * down. Something set by hand holds until the configuration says something new about it, as with HAProxy's server-state-file. Used by saved-state.ts.
 */
import type { Model, Server } from '../../model/model.ts';
import { B, S, admin, op } from '../../model/server-state.ts';
import type { Segments } from '../../shared/segments.ts';
import type { ServerStates } from '../server-states.ts';

/** Of an object, as the file has them; zeroes and what is as configured are left out. */
export type Remembered = Readonly<Record<string, number | string>>;
type Draft = Record<string, number | string>;

/** Who changed it, in events. */
const by = 'the state folder';
/** What checks had found is worth more than a beginning from nothing only for so long. */
const freshMs = 60_000;

/** When the file was written last, and now. */
export interface Moments { readonly writtenAtMs: number; readonly nowMs: number }

export class ServerMemory {
  private readonly model: Model;
  private readonly segments: Segments;
  private readonly states: ServerStates;

  constructor(model: Model, segments: Segments, states: ServerStates) {
    this.model = model;
    this.segments = segments;
    this.states = states;
  }

  addServer(index: number, figures: Draft): void {
    const server = this.model.servers[index];
    if (server === undefined) return;
    const state = this.segments.serverState(index);
    const load = (field: number): number => Atomics.load(state, field);
    const flags = load(S.admin) & (admin.forcedMaint | admin.forcedDrain);
    if (flags !== 0) figures['admin'] = flags;
    if (server.disabled) figures['disabled'] = 1;
    if (load(S.uweight) !== server.weight) Object.assign(figures, { uweight: load(S.uweight), iweight: server.weight });
    if (load(S.maxconn) !== server.maxconn) Object.assign(figures, { maxconn: load(S.maxconn), maxconn_configured: server.maxconn });
    if (this.states.addressIsByHand(index)) {
      const { host, port } = this.states.address(index);
      Object.assign(figures, { host, port, address_configured: JSON.stringify(server.address) });
    }
    const info = this.states.checkInfo(index);
    if (info.configured && !info.enabled) figures['checks_off'] = 1;
    if (info.host !== '') figures['check_host'] = info.host;
    if (info.port !== (server.check?.port ?? 0)) figures['check_port'] = info.port;
    if (server.tls !== null && !this.states.usesTls(index)) figures['tls_off'] = 1;
    Object.assign(figures, { op: load(S.op), lastchg_s: load(S.lastchg_s) });
    for (const [name, field] of [['health', S.health], ['downtime_s', S.downtime_s], ['chkfail', S.chkfail], ['chkdown', S.chkdown]] as const) if (load(field) !== 0) figures[name] = load(field);
  }

  addBackend(index: number, figures: Draft): void {
    const state = this.segments.backendState(index);
    Object.assign(figures, { up: this.isUp(index) ? 1 : 0, lastchg_s: Atomics.load(state, B.lastchg_s) });
    for (const [name, field] of [['downtime_s', B.downtime_s], ['chkdown', B.chkdown]] as const) if (Atomics.load(state, field) !== 0) figures[name] = Atomics.load(state, field);
  }

  /** Before checks run. */
  restoreServer(index: number, figures: Remembered, moments: Moments): void {
    const server = this.model.servers[index];
    if (server === undefined) return;
    const { states } = this;
    const number = (name: string): number => Number(figures[name] ?? 0);
    // Files of the first version tell nothing of the configuration.
    if (!('op' in figures) || (figures['disabled'] === 1) === server.disabled) this.restoreAdmin(server, number('admin'));
    if (figures['uweight'] !== undefined && (figures['iweight'] ?? server.weight) === server.weight) states.setWeight(index, String(figures['uweight']));
    if (figures['maxconn'] !== undefined && figures['maxconn_configured'] === server.maxconn) states.setMaxconn(index, number('maxconn'));
    if (figures['host'] !== undefined && figures['address_configured'] === JSON.stringify(server.address)) states.setAddress(index, String(figures['host']), number('port'), by);
    const info = states.checkInfo(index);
    if (info.configured) states.setCheckPlace(index, typeof figures['check_host'] === 'string' ? figures['check_host'] : null, figures['check_port'] === undefined ? null : number('check_port'));
    if (figures['tls_off'] === 1 && server.tls !== null) states.setTls(index, false);
    if (figures['checks_off'] === 1) states.setHealthEnabled(index, false);
    if ('op' in figures) this.restoreHistory(index, figures, moments);
  }

  private restoreAdmin({ disabled, index }: Server, flags: number): void {
    if ((flags & admin.forcedMaint) !== 0) this.states.setAdmin(index, 'maint');
    else if ((flags & admin.forcedDrain) !== 0) this.states.setAdmin(index, 'drain');
    else if (disabled) this.states.setAdmin(index, 'ready');
  }

  private restoreHistory(index: number, figures: Remembered, { writtenAtMs, nowMs }: Moments): void {
    const number = (name: string): number => Number(figures[name] ?? 0);
    const state = this.segments.serverState(index);
    // Without checks the state is what somebody said last.
    if (!this.states.checkInfo(index).enabled || nowMs - writtenAtMs <= freshMs) this.states.recover(index, { op: number('op'), health: number('health') });
    const [wasDown, isDown] = [number('op') === op.stopped, this.states.isStopped(index)];
    const ended = wasDown && !isDown ? Math.max(0, Math.floor(writtenAtMs / 1000) - number('lastchg_s')) : 0;
    if (wasDown === isDown) Atomics.store(state, S.lastchg_s, number('lastchg_s'));
    Atomics.store(state, S.downtime_s, number('downtime_s') + ended);
    Atomics.store(state, S.chkfail, number('chkfail'));
    Atomics.store(state, S.chkdown, number('chkdown'));
  }

  /** After its servers. */
  restoreBackend(index: number, figures: Remembered, { writtenAtMs }: Moments): void {
    if (!('up' in figures)) return;
    const state = this.segments.backendState(index);
    const number = (name: string): number => Number(figures[name] ?? 0);
    const [wasUp, isUp] = [figures['up'] === 1, this.isUp(index)];
    if (wasUp === isUp) Atomics.store(state, B.lastchg_s, number('lastchg_s'));
    Atomics.store(state, B.downtime_s, number('downtime_s') + (!wasUp && isUp ? Math.max(0, Math.floor(writtenAtMs / 1000) - number('lastchg_s')) : 0));
    Atomics.store(state, B.chkdown, number('chkdown'));
  }

  private isUp(proxy: number): boolean {
    const state = this.segments.backendState(proxy);
    return Atomics.load(state, B.active) + Atomics.load(state, B.backup) > 0 || this.model.proxies[proxy]?.servers.length === 0;
  }
}
