/**
 * All VRRP instances of a node: gives each one its standing (tracking, sync groups, the balancer's health), its timers and its packets.
 * No waiting and no files: vrrp/loop.ts calls it with the time. Reports go out through a function.
 */
import type { KeepalivedModel, VrrpSyncGroup } from '../model/keepalived.ts';
import { limits } from '../model/limits.ts';
import type { VrrpCommand, VrrpReport, VrrpState } from '../model/vrrp-messages.ts';
import { InstanceRunner, noCounters } from './instance-runner.ts';
import type { Links } from './links.ts';
import { type Known, standing } from './tracking.ts';

interface Debounce { up: boolean; seen: boolean; sinceMs: number }

export class VrrpEngine {
  readonly runners: readonly InstanceRunner[];
  readonly #model: KeepalivedModel;
  readonly #links: Links;
  readonly #report: (report: VrrpReport) => void;
  readonly #scripts = new Map<string, boolean>();
  readonly #processes = new Map<string, boolean>();
  readonly #files = new Map<string, number>();
  readonly #debounced = new Map<string, Debounce>();
  readonly #groupStates = new Map<string, VrrpState>();
  readonly #startMs: number;
  /** Why the balancer must not have traffic; empty: it may. */
  #health = '';
  #lastBeatMs: number;
  /** Until then the master may be silent. */
  #silentUntilMs = 0;
  /** When the next turn was to be at the latest. */
  #plannedMs = Number.POSITIVE_INFINITY;
  #started = false;
  #retryAtMs = 0;
  /** When addresses that were given up go; Infinity: nothing was given up. */
  #releaseAtMs = Number.POSITIVE_INFINITY;
  stopped = false;

  constructor(model: KeepalivedModel, links: Links, nowMs: number, report: (report: VrrpReport) => void) {
    this.#model = model;
    this.#links = links;
    this.#report = report;
    this.#startMs = nowMs;
    this.#lastBeatMs = nowMs;
    this.runners = model.instances.map((instance) => new InstanceRunner(instance, links, report));
    for (const runner of this.runners) runner.removeLeftOvers();
  }

  /** When `turn` has to be called at the latest. */
  nextMs(nowMs: number): number {
    if (this.#releaseAtMs !== Number.POSITIVE_INFINITY) return this.#releaseAtMs;
    const silenceMs = Math.max(this.#lastBeatMs + limits.vrrpSilenceMsMax, this.#silentUntilMs) + 1;
    this.#plannedMs = this.#next(silenceMs > nowMs ? silenceMs : Number.POSITIVE_INFINITY);
    return this.#plannedMs;
  }

  #next(latestMs: number): number {
    let next = latestMs;
    for (const runner of this.runners) next = Math.min(next, runner.machine.nextMs());
    if (this.runners.some((runner) => runner.machine.state === 'FAULT') || !this.#started) next = Math.min(next, this.#retryAtMs);
    for (const delay of this.#model.interfaceDelays) {
      const state = this.#debounced.get(delay.interface);
      if (state !== undefined && state.up !== state.seen) next = Math.min(next, state.sinceMs + (state.seen ? delay.upMs : delay.downMs));
    }
    return next;
  }

  /** Packets first, timers after: what came while the machine was stopped is older than what is due. */
  turn(nowMs: number): void {
    if (this.stopped) return;
    if (nowMs >= this.#releaseAtMs) this.#release();
    if (this.#releaseAtMs !== Number.POSITIVE_INFINITY) return;
    // This process was stopped itself: so was its master, most likely.
    if (nowMs > this.#plannedMs + limits.ownPauseMs) this.#lastBeatMs += nowMs - this.#plannedMs;
    if (nowMs >= this.#retryAtMs) {
      this.#retryAtMs = nowMs + limits.vrrpRetrySystemMs;
      for (const runner of this.runners) if (runner.machine.state === 'FAULT') runner.tryAgain();
    }
    this.#settle(nowMs);
    if (!this.#started && nowMs - this.#startMs >= this.#model.globals.startupDelayMs) {
      this.#started = true;
      for (const runner of this.runners) runner.machine.handle({ kind: 'start' }, nowMs);
      this.#followGroups(nowMs);
    }
    for (const runner of this.runners) runner.readPackets(nowMs);
    this.#followGroups(nowMs);
    for (const runner of this.runners) if (runner.machine.nextMs() <= nowMs) runner.machine.handle({ kind: 'timer' }, nowMs);
    this.#followGroups(nowMs);
    for (const runner of this.runners) if (runner.machine.state === 'MASTER') runner.restoreAddresses();
    this.#settle(nowMs);
  }

  command(command: VrrpCommand, nowMs: number): void {
    this.#lastBeatMs = nowMs;
    if (command.kind === 'busy') this.#silentUntilMs = nowMs + command.forMs;
    else if (command.kind === 'beat') this.#report({ kind: 'alive' });
    else if (command.kind === 'ready') for (const runner of this.runners) runner.machine.handle({ kind: 'ready' }, nowMs);
    else if (command.kind === 'health') this.#health = command.why;
    else if (command.kind === 'script') this.#scripts.set(command.name, command.ok);
    else if (command.kind === 'process') this.#processes.set(command.name, command.ok);
    else if (command.kind === 'file') this.#files.set(command.name, command.value);
    else if (command.kind === 'status') this.#report({ kind: 'status', instances: this.runners.map((runner) => runner.status()) });
    else if (command.kind === 'clear statistics') for (const runner of this.runners) runner.counters = noCounters();
    else if (command.kind === 'stop') this.stop(nowMs, command.lingerMs);
    else if (command.kind === 'release' && this.#releaseAtMs !== Number.POSITIVE_INFINITY) this.#release();
  }

  /**
   * Gives the addresses up with priority 0 and ends. For `lingerMs` more they stay set here, so that requests that are being answered can
   * end while the other node waits for its skew, which is not shorter than ours when its priority is not higher.
   */
  stop(nowMs: number, lingerMs = 0): void {
    // Asked a second time, or its master has died meanwhile.
    if (this.stopped || this.#releaseAtMs !== Number.POSITIVE_INFINITY) {
      if (!this.stopped && lingerMs <= 0) this.#release();
      return;
    }
    const masters = this.runners.filter((runner) => runner.machine.state === 'MASTER');
    for (const runner of masters) runner.lingers = true;
    for (const runner of this.runners) runner.machine.handle({ kind: 'stop' }, nowMs);
    const leftMs = masters.length === 0 ? 0 : Math.min(lingerMs, ...masters.map((runner) => runner.machine.skewMs()));
    this.#releaseAtMs = nowMs + leftMs;
    if (leftMs <= 0) this.#release();
  }

  #release(): void {
    if (this.stopped) return;
    for (const runner of this.runners) {
      runner.release();
      runner.close();
    }
    this.stopped = true;
    this.#report({ kind: 'stopped' });
  }

  // ---- standing

  /** Brings every instance to the priority and the fault that all that is known gives it. */
  #settle(nowMs: number): void {
    const known: Known = { scripts: this.#scripts, processes: this.#processes, files: this.#files, interfaceUp: (name) => this.#interfaceUp(name, nowMs) };
    for (const runner of this.runners) {
      const { instance, machine } = runner;
      const now = standing(instance, this.#groupOf(instance.name), this.#model, known);
      const attached = runner.attach();
      runner.ownFault = this.#healthFault(nowMs) || attached || now.fault;
      if (now.priority === machine.priority) continue;
      machine.handle({ kind: 'priority', priority: now.priority }, nowMs);
      this.#report({ kind: 'priority', instance: instance.name, state: machine.state, priority: now.priority, why: `base priority ${instance.priority}` });
    }
    for (const runner of this.runners) this.#settleFault(runner, nowMs);
  }

  #settleFault(runner: InstanceRunner, nowMs: number): void {
    const group = this.#groupOf(runner.instance.name);
    const mate = group === undefined ? undefined : this.runners.find((other) => other.ownFault !== '' && group.instances.includes(other.instance.name));
    const fault = runner.ownFault !== '' || mate === undefined ? runner.ownFault : `${mate.instance.name} of its sync group: ${mate.ownFault}`;
    if (fault !== '' && runner.machine.state !== 'FAULT') runner.machine.handle({ kind: 'fault', why: fault }, nowMs);
    else if (fault === '' && runner.machine.state === 'FAULT' && this.#started) runner.machine.handle({ kind: 'recovered' }, nowMs);
  }

  #healthFault(nowMs: number): string {
    if (nowMs - this.#lastBeatMs > limits.vrrpSilenceMsMax && nowMs > this.#silentUntilMs) return 'the master process has said nothing for too long';
    return this.#health;
  }

  /** interface_up_down_delays: a change counts once it has lasted. */
  #interfaceUp(name: string, nowMs: number): boolean {
    const up = this.#links.byName(name)?.up ?? false;
    const delay = this.#model.interfaceDelays.find((one) => one.interface === name);
    if (delay === undefined) return up;
    let state = this.#debounced.get(name);
    if (state === undefined) this.#debounced.set(name, state = { up, seen: up, sinceMs: nowMs });
    if (state.seen !== up) [state.seen, state.sinceMs] = [up, nowMs];
    if (state.up !== state.seen && nowMs - state.sinceMs >= (state.seen ? delay.upMs : delay.downMs)) state.up = state.seen;
    return state.up;
  }

  // ---- sync groups

  #groupOf(name: string): VrrpSyncGroup | undefined {
    return this.#model.groups.find((group) => group.instances.includes(name));
  }

  /** One member that has moved takes the others along. */
  #followGroups(nowMs: number): void {
    for (const group of this.#model.groups) {
      const members = this.runners.filter((runner) => group.instances.includes(runner.instance.name));
      const before = this.#groupStates.get(group.name) ?? 'INIT';
      const moved = members.find((runner) => runner.machine.state !== before && (runner.machine.state === 'MASTER' || runner.machine.state === 'BACKUP'));
      if (moved !== undefined) {
        const to = moved.machine.state === 'MASTER' ? 'MASTER' : 'BACKUP';
        for (const runner of members) if (runner !== moved) runner.machine.handle({ kind: 'group', to }, nowMs);
      }
      const states = new Set(members.map((runner) => runner.machine.state));
      const now: VrrpState = states.has('FAULT') ? 'FAULT' : states.size === 1 ? [...states][0] ?? 'INIT' : before;
      if (now === before) continue;
      this.#groupStates.set(group.name, now);
      this.#report({ kind: 'group', group: group.name, to: now });
    }
  }
}
