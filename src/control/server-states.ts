/**
 * The one door for every change of a server's operating state, administrative flags, weight, health and address. Owned by the
 * control thread; called by health/, the runtime commands and start-up. A change reaches shared memory before the call returns,
 * counts the backend's epoch up and emits one event. Never runs checks, never touches traffic counters.
 */
import type { Clock } from '../base/clock.ts';
import { G } from '../model/counters.ts';
import type { ToTraffic } from '../model/messages.ts';
import type { Model, Server } from '../model/model.ts';
import { S, admin, op } from '../model/server-state.ts';
import type { Segments } from '../shared/segments.ts';
import { BackendTotals } from './backend-totals.ts';
import { CheckLedger } from './check-ledger.ts';
import type { CheckInfo, CheckResult } from './check-result.ts';
import { healthCheckText, reasonText, serverSubject, statusText, tallyText } from './event-text.ts';
import { eventLevel } from './events.ts';
import type { ControlEvent, Events } from './events.ts';
import { ServerAddresses } from './server-addresses.ts';
import type { FormerServer, ServerParts } from './server-beginnings.ts';
import { ServerBeginnings, initialHealth, startsDown } from './server-beginnings.ts';
import { ServerTable } from './server-table.ts';
import { readWeight } from './server-weights.ts';
import { SlowStart } from './slow-start.ts';
import { systemTimers } from './timers.ts';
import type { Timers } from './timers.ts';

interface ServerStatesOptions {
  readonly clock: Clock;
  readonly post: (message: ToTraffic) => void;
  readonly events: Events;
  readonly timers?: Timers;
  /** Before a reload: servers that stay keep what was found, counted and set by hand. */
  readonly former?: ServerStates;
}

export class ServerStates {
  readonly model: Model;
  readonly segments: Segments;
  private readonly table: ServerTable;
  private readonly clock: Clock;
  private readonly post: (message: ToTraffic) => void;
  private readonly events: Events;
  private readonly totals: BackendTotals;
  private readonly addresses: ServerAddresses;
  private readonly ledger: CheckLedger;
  private readonly slowStart: SlowStart;
  private readonly beginnings: ServerBeginnings;
  /** Servers with `ssl` that are spoken to without, by command. */
  private readonly clearText = new Set<number>();
  /** Told when checks of a server should start again soon: leaving maintenance, enabling checks. */
  private readonly wakers: ((server: number) => void)[] = [];

  constructor(model: Model, segments: Segments, options: ServerStatesOptions) {
    this.model = model;
    this.segments = segments;
    this.clock = options.clock;
    this.post = options.post;
    this.events = options.events;
    this.table = new ServerTable(model, segments);
    this.addresses = new ServerAddresses(model, this.table.states, this.post);
    this.totals = new BackendTotals(model, segments, this.table.states, () => this.nowSeconds());
    this.ledger = new CheckLedger(this.table, this.clock);
    const dynamic = (proxy: number): boolean => this.totals.isDynamic(proxy);
    this.slowStart = new SlowStart(this.table, this.clock, options.timers ?? systemTimers, dynamic, (server, done) => this.climbed(server, done));
    const { former } = options;
    this.beginnings = new ServerBeginnings(this.parts());
    this.beginnings.beginAll(former?.parts(), this.nowSeconds());
    for (const proxy of model.proxies) if (proxy.isBackend) this.totals.start(proxy, former !== undefined && former.segments.proxyAt(segments.proxySlot(proxy.index)) >= 0);
  }

  private parts(): ServerParts {
    const { model, segments, table, ledger, addresses, slowStart } = this;
    return { model, segments, table, ledger, addresses, slowStart };
  }

  // ---- checks

  /** `wake(server)`: its checks should run soon. */
  onWake(wake: (server: number) => void): void {
    this.wakers.push(wake);
  }

  checkStarted(server: number): void {
    this.ledger.setRunning(server, true);
  }

  /** A check ended: counts health up or down, logs it when `option log-health-checks` says so, and moves the server. */
  checkEnded(server: number, result: CheckResult): void {
    this.ledger.setRunning(server, false);
    this.table.store(server, S.starting, 0);
    this.takeResult(server, result);
  }

  /** A check ended without a result that counts. */
  checkAbandoned(server: number): void {
    this.ledger.setRunning(server, false);
  }

  /** `observe` reached its limit. `health`: counter to set before the failure is counted (on-error), null = leave it. */
  observedFailure(server: number, health: number | null, failCheck: boolean, description: string): void {
    this.checkInfo(server).observedErrors += 1;
    if (!failCheck) return;
    if (health !== null) this.table.store(server, S.health, health);
    this.takeResult(server, { outcome: 'failed', status: 'HANA', code: 0, durationMs: -1, description });
  }

  private takeResult(index: number, result: CheckResult): void {
    const { table } = this;
    const server = table.server(index);
    const { rise, fall } = table.thresholds(index);
    const { health, news } = this.ledger.count(index, result);
    const tellsChecks = table.proxy(server).switches.logHealthChecks;
    if (tellsChecks && news) {
      this.emit('health-check', server, eventLevel.notice, healthCheckText(server, table.name(index), result, health, rise, fall, table.load(index, S.uweight)), eventLevel.info);
    }
    if (!this.checkInfo(index).enabled) return;
    const reason = tellsChecks ? '' : reasonText(result);
    if (result.outcome === 'failed') {
      if (health === 0) this.setStopped(index, reason);
    } else if (health >= rise) {
      if (result.outcome === 'conditional') this.setStopping(index, reason);
      else this.setRunning(index, reason);
    }
  }

  // ---- operating state; the `why` parts go into the log line after the state

  private setStopped(index: number, why: string): void {
    if (this.table.inMaintenance(index) || this.table.isStopped(index)) return;
    this.goDown(index, 'is DOWN', why, true);
    for (const tracker of this.table.trackersOf(index)) this.setStopped(tracker, ` via ${this.table.name(index)}`);
  }

  private setStopping(index: number, why: string): void {
    const state = this.table.load(index, S.op);
    if (this.table.inMaintenance(index) || state === op.stopping) return;
    const server = this.table.server(index);
    this.leaveState(index);
    this.table.store(index, S.op, op.stopping);
    this.refresh(server, () => this.emit('server-state', server, eventLevel.notice, `${this.subject(server)} is stopping${why}${this.tally(server, false)}`));
    for (const tracker of this.table.trackersOf(index)) this.setStopping(tracker, ` via ${this.table.name(index)}`);
  }

  private setRunning(index: number, why: string): void {
    const state = this.table.load(index, S.op);
    if (this.table.inMaintenance(index) || state === op.running || state === op.starting) return;
    const server = this.table.server(index);
    this.leaveState(index);
    this.slowStart.start(server);
    this.refresh(server, () => this.emit('server-state', server, eventLevel.notice, `${this.subject(server)} is UP${why}${this.tally(server, false)}`, eventLevel.notice));
    this.markedUp(server);
    for (const tracker of this.table.trackersOf(index)) this.setRunning(tracker, ` via ${this.table.name(index)}`);
  }

  /** The way down that checks, commands and maintenance share. */
  private goDown(index: number, words: string, why: string, mailed: boolean): void {
    const server = this.table.server(index);
    const wasLeaving = this.table.load(index, S.op) === op.stopping || (this.table.load(index, S.admin) & admin.anyDrain) !== 0;
    this.slowStart.stop(server);
    this.leaveState(index);
    this.table.store(index, S.op, op.stopped);
    this.table.store(index, S.chkdown, this.table.load(index, S.chkdown) + 1);
    if (server.onMarkedDown === 'shutdown-sessions') this.post({ type: 'shutdown-server-sessions', server: index, reason: 'D' });
    const level = wasLeaving ? eventLevel.notice : eventLevel.alert;
    this.refresh(server, () => this.emit('server-state', server, level, `${this.subject(server)} ${words}${why}${this.tally(server, true)}`, mailed ? level : undefined));
  }

  private markedUp(server: Server): void {
    if (server.onMarkedUp !== 'shutdown-backup-sessions' || server.backup || this.table.load(server.index, S.lbweight) === 0) return;
    this.post({ type: 'shutdown-backup-sessions', proxy: server.proxy });
  }

  /** Accounts the time spent in the state that ends now. */
  private leaveState(index: number): void {
    const now = this.nowSeconds();
    if (this.table.isStopped(index)) {
      this.table.store(index, S.downtime_s, this.table.load(index, S.downtime_s) + Math.max(0, now - this.table.load(index, S.lastchg_s)));
    }
    this.table.store(index, S.lastchg_s, now);
  }

  private climbed(server: Server, done: boolean): void {
    this.refresh(server, done ? () => this.emit('server-state', server, eventLevel.notice, `${this.subject(server)} is UP${this.tally(server, false)}`, eventLevel.notice) : undefined);
  }

  // ---- administrative state

  /** `set server b/s state ready|drain|maint`, `enable/disable server`. */
  setAdmin(server: number, state: 'ready' | 'drain' | 'maint'): void {
    if (state === 'maint') {
      this.setFlag(server, admin.forcedMaint, '');
      this.clearFlag(server, admin.forcedDrain);
    } else if (state === 'drain') {
      this.setFlag(server, admin.forcedDrain, '');
      this.clearFlag(server, admin.forcedMaint);
    } else {
      this.clearFlag(server, admin.forcedDrain);
      this.clearFlag(server, admin.forcedMaint);
    }
  }

  private setFlag(index: number, flag: number, via: string): void {
    const before = this.table.load(index, S.admin);
    if ((before & flag) !== 0) return;
    this.table.store(index, S.admin, before | flag);
    const family = (flag & admin.anyMaint) !== 0 ? admin.anyMaint : admin.anyDrain;
    if (family === admin.anyMaint) this.enterMaintenance(index, before, via);
    else this.enterDrain(index, before, via);
    // Who tracks this server knows already when an equal flag was set.
    if ((before & family) !== 0) return;
    const inherited = family === admin.anyMaint ? admin.inheritedMaint : admin.inheritedDrain;
    for (const tracker of this.table.trackersOf(index)) this.setFlag(tracker, inherited, ` via ${this.table.name(index)}`);
  }

  private clearFlag(index: number, flag: number): void {
    const before = this.table.load(index, S.admin);
    if ((before & flag) === 0) return;
    const after = before & ~flag;
    this.table.store(index, S.admin, after);
    const maintenance = (flag & admin.anyMaint) !== 0;
    const family = maintenance ? admin.anyMaint : admin.anyDrain;
    const remains = (after & family) !== 0;
    if (maintenance) this.leaveMaintenance(index, flag, remains);
    else this.leaveDrain(index, remains);
    if (remains) return;
    const inherited = maintenance ? admin.inheritedMaint : admin.inheritedDrain;
    for (const tracker of this.table.trackersOf(index)) this.clearFlag(tracker, inherited);
  }

  private enterMaintenance(index: number, before: number, via: string): void {
    if ((before & admin.anyMaint) !== 0) return;
    const server = this.table.server(index);
    const info = this.checkInfo(index);
    this.table.store(index, S.health, 0);
    if (info.configured) {
      info.paused = true;
      info.result = 0;
    }
    if (!this.table.isStopped(index)) {
      this.goDown(index, 'is going DOWN for maintenance', via, false);
      return;
    }
    this.refresh(server, () => this.emit('server-admin', server, eventLevel.notice, `${this.subject(server)} was DOWN and now enters maintenance${via}.`));
  }

  private leaveMaintenance(index: number, flag: number, remains: boolean): void {
    const server = this.table.server(index);
    if (remains) {
      const kind = (this.table.load(index, S.admin) & admin.forcedMaint) !== 0 ? 'forced' : 'inherited';
      this.emit('server-admin', server, eventLevel.notice, `${this.subject(server)} remains in ${kind} maintenance.`);
      return;
    }
    const info = this.checkInfo(index);
    info.paused = false;
    if (info.configured) this.table.store(index, S.health, initialHealth(server, this.table.thresholds(index)));
    this.leaveState(index);
    const followed = server.track >= 0 ? this.table.load(server.track, S.op) : op.running;
    if (followed === op.stopped || followed === op.stopping) this.table.store(index, S.op, followed);
    else if (startsDown(server)) this.table.store(index, S.op, op.stopped);
    else this.slowStart.start(server);
    const state = this.table.isStopped(index) ? 'DOWN' : 'UP';
    const mode = (this.table.load(index, S.admin) & admin.anyDrain) !== 0 ? 'DRAIN' : 'READY';
    const kind = flag === admin.forcedMaint ? 'forced maintenance' : 'maintenance';
    const announce = (): void => this.emit('server-admin', server, eventLevel.notice, `${this.subject(server)} is ${state}/${mode} (leaving ${kind}).`);
    // A name that was resolved at start is no news.
    this.refresh(server, flag === admin.resolutionMaint ? undefined : announce);
    this.markedUp(server);
    this.wake(index);
  }

  private enterDrain(index: number, before: number, via: string): void {
    // In maintenance nothing changes; a second drain flag only says why it stays.
    if ((before & admin.anyMaint) !== 0) return;
    const server = this.table.server(index);
    if ((before & admin.anyDrain) !== 0) {
      if ((before & admin.forcedDrain) !== 0) this.emit('server-admin', server, eventLevel.notice, `${this.subject(server)} remains in forced drain mode.`);
      return;
    }
    const stopped = this.table.isStopped(index);
    this.leaveState(index);
    this.refresh(server, () => this.emit('server-admin', server, eventLevel.notice, `${this.subject(server)} enters drain state${via}${this.tally(server, stopped)}`, eventLevel.notice));
  }

  private leaveDrain(index: number, remains: boolean): void {
    if (this.table.inMaintenance(index)) return;
    const server = this.table.server(index);
    if (remains) {
      const forced = (this.table.load(index, S.admin) & admin.forcedDrain) !== 0;
      const text = forced ? 'remains in forced drain mode.' : `is leaving forced drain but remains in drain mode via ${this.table.name(server.track)}.`;
      this.emit('server-admin', server, eventLevel.notice, `${this.subject(server)} ${text}`);
      return;
    }
    const state = this.table.isStopped(index) ? 'DOWN' : 'UP';
    this.leaveState(index);
    this.refresh(server, () => this.emit('server-admin', server, eventLevel.notice, `${this.subject(server)} is ${state} (leaving forced drain).`));
  }

  /** Nothing happens by itself any more: the process ends, or a reload has put others in place. */
  stop(): void {
    this.slowStart.cancelAll();
  }

  // ---- commands

  /** `set server b/s weight 50` or `50%`. Gives '' or the reason why not, as the runtime socket answers it. */
  setWeight(index: number, text: string): string {
    const server = this.table.server(index);
    const weight = readWeight(text, this.table.load(index, S.iweight), this.totals.isDynamic(server.proxy));
    if (typeof weight === 'string') return weight;
    if (weight === this.table.load(index, S.uweight)) return '';
    this.table.store(index, S.uweight, weight);
    this.slowStart.applyWeight(server);
    this.refresh(server, undefined);
    return '';
  }

  /** `set server b/s health up|stopping|down`. Gives '' or the reason why not. */
  setHealth(index: number, state: 'up' | 'stopping' | 'down', why = ', changed from CLI'): string {
    const server = this.table.server(index);
    if (server.track >= 0) return 'cannot change health on a tracking server.';
    const { rise, fall } = this.table.thresholds(index);
    this.table.store(index, S.health, state === 'down' ? 0 : rise + fall - 1);
    if (state === 'up') this.setRunning(index, why);
    else if (state === 'stopping') this.setStopping(index, why);
    else this.setStopped(index, why);
    return '';
  }

  /** `enable/disable health b/s`. Gives '' or the reason why not. */
  setHealthEnabled(index: number, enabled: boolean): string {
    const info = this.checkInfo(index);
    if (!info.configured) return enabled ? 'Health check was not configured on this server, cannot enable.' : '';
    const begins = enabled && !info.enabled;
    info.enabled = enabled;
    if (begins) this.wake(index);
    return '';
  }

  /** `set server b/s check-addr 1.2.3.4 port 80`; null keeps what is in force. */
  setCheckPlace(index: number, host: string | null, port: number | null): void {
    const info = this.checkInfo(index);
    if (host !== null) info.host = host;
    if (port !== null) info.port = port;
  }

  /** `set server b/s ssl on|off`, for connections that are made from now on. */
  setTls(index: number, on: boolean): void {
    if (on) this.clearText.delete(index);
    else this.clearText.add(index);
    this.post({ type: 'server-tls', server: index, on });
  }

  usesTls(index: number): boolean {
    return this.table.server(index).tls !== null && !this.clearText.has(index);
  }

  /** `set server b/s addr 1.2.3.4 [port 80]`; null keeps what is in force. Gives HAProxy's answer text. */
  setAddress(index: number, host: string | null, port: number | null, by: string): string {
    return this.addresses.change(index, host, port, by);
  }

  /** Address in force; host '' = not resolved yet. */
  address(index: number): { host: string; port: number } {
    return this.addresses.current(index);
  }

  /** A server name was resolved at start. */
  resolved(index: number, host: string): void {
    this.addresses.resolved(index, host);
    this.clearFlag(index, admin.resolutionMaint);
  }

  /** True: a command has changed the address or the port. */
  addressIsByHand(index: number): boolean {
    return this.addresses.isByHand(index);
  }

  /** At start: how a former process left the server, until the checks of this one say something else. */
  recover(index: number, former: FormerServer): void {
    this.beginnings.recover(index, former);
    this.refresh(this.table.server(index), undefined);
  }

  setMaxconn(index: number, maxconn: number): void {
    this.table.store(index, S.maxconn, maxconn);
    this.refresh(this.table.server(index), undefined);
  }

  // ---- reading

  /** Column `status` of a server: `UP`, `DOWN 1/2`, `MAINT (via b/s)`, `no check` … */
  statusText(index: number): string {
    const server = this.table.server(index);
    const flags = this.table.load(index, S.admin);
    if ((flags & admin.resolutionMaint) !== 0) return 'MAINT (resolution)';
    if ((flags & admin.inheritedMaint) !== 0 && server.track >= 0) return `MAINT (via ${this.table.name(server.track)})`;
    if ((flags & admin.anyMaint) !== 0) return 'MAINT';
    const root = this.table.root(index);
    const { rise, fall } = this.table.thresholds(root);
    const state = this.table.load(index, S.op);
    const running = state === op.stopped ? 'stopped' : state === op.stopping ? 'stopping' : 'up';
    return statusText(running, (flags & admin.anyDrain) !== 0, this.checkInfo(root).enabled, this.table.load(root, S.health), rise, fall);
  }

  checkInfo(server: number): CheckInfo {
    return this.ledger.info(server);
  }

  /** Health counter of the server's own check, and its thresholds. */
  health(index: number): { health: number; rise: number; fall: number } {
    return { health: this.table.load(index, S.health), ...this.table.thresholds(index) };
  }

  isStopped(index: number): boolean {
    return this.table.isStopped(index);
  }

  /** Total seconds down, the current outage included. */
  downtimeSeconds(index: number): number {
    const before = this.table.load(index, S.downtime_s);
    return this.isStopped(index) ? before + Math.max(0, this.nowSeconds() - this.table.load(index, S.lastchg_s)) : before;
  }

  backendDowntimeSeconds(proxy: number): number {
    return this.totals.downtimeSeconds(proxy);
  }

  /** Value of `http-check send-state`. */
  stateHeader(index: number): string {
    const server = this.table.server(index);
    const gauges = this.segments.gauges(this.segments.serverObject(index));
    const backend = this.segments.gauges(this.segments.backendObject(server.proxy));
    const { host, port } = this.address(index);
    const node = this.model.global.node;
    const state = this.statusText(index).replace('DRAIN', 'UP');
    const weight = `${this.table.load(index, S.eweight)}/${this.totals.weight(server.proxy)}`;
    return `${state}; address=${host}; port=${port}; name=${this.table.name(index)}; node=${node}; weight=${weight}; `
      + `scur=${gauges[G.scur]}/${backend[G.scur]}; qcur=${gauges[G.qcur]}`;
  }

  // ---- inside

  /** Writes what follows from a change into the backend's totals, tells everybody, and lets the log line see the new counts. */
  private refresh(server: Server, announce: (() => void) | undefined): void {
    const emptied = this.totals.update(server.proxy);
    announce?.();
    if (emptied) {
      const proxy = this.table.proxy(server);
      const text = `${proxy.kind === 'listen' ? 'proxy' : 'backend'} ${proxy.name} has no server available!`;
      this.events.emit({ kind: 'backend-down', atMs: this.clock.dateMs(), proxy: proxy.index, server: -1, level: eventLevel.emerg, text });
    }
    this.post({ type: 'wake-queue', proxy: server.proxy, server: server.index });
  }

  private tally(server: Server, stopped: boolean): string {
    const gauges = this.segments.gauges(this.segments.serverObject(server.index));
    const waiting = Atomics.load(gauges, G.qcur);
    const { active, backup } = this.totals.counts(server.proxy);
    return tallyText(stopped, { active, backup, sessions: Atomics.load(gauges, G.scur), requeued: stopped ? waiting : 0, remaining: stopped ? 0 : waiting });
  }

  private emit(kind: ControlEvent['kind'], server: Server, level: number, text: string, mailLevel?: number): void {
    this.events.emit({ kind, atMs: this.clock.dateMs(), proxy: server.proxy, server: server.index, level, text, ...(mailLevel === undefined ? {} : { mailLevel }) });
  }

  private wake(server: number): void {
    for (const wake of this.wakers) wake(server);
  }

  private subject(server: Server): string {
    return serverSubject(server, this.table.name(server.index));
  }

  private nowSeconds(): number {
    return Math.floor(this.clock.dateMs() / 1000);
  }
}
