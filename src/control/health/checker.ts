/**
 * Starts and runs the health checks of all servers. Called once by the control thread at start. Results go through the one door
 * in server-states.ts. Never changes shared memory itself.
 */
import type { Clock } from '../../base/clock.ts';
import type { Model, Proxy, Server, ServerCheck } from '../../model/model.ts';
import { Compiler } from '../../rules/compile.ts';
import type { ServerStates } from '../server-states.ts';
import { systemTimers } from '../timers.ts';
import type { Timers } from '../timers.ts';
import type { ProbeWatch } from '../watch/probe-watch.ts';
import { Sighting } from '../watch/sighting.ts';
import { CheckRun } from './check-run.ts';
import { CheckSubject, CheckWorld } from './check-subject.ts';
import { openCheckSocket } from './check-socket.ts';
import type { OpenCheckSocket } from './check-socket.ts';
import type { Program } from './check-step.ts';
import { checkTarget } from './check-target.ts';
import { CheckWords } from './check-words.ts';
import { checkProgram } from './program.ts';
import { resolveNames, systemLookup } from './resolve-names.ts';
import type { NameLookup } from './resolve-names.ts';

interface HealthOptions {
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Operator messages that are no events (unresolvable names …). */
  readonly log: (text: string) => void;
  readonly timers?: Timers;
  readonly open?: OpenCheckSocket;
  readonly lookup?: NameLookup;
  /** Looks at what the checks of Exchange servers see. */
  readonly watch?: ProbeWatch;
}

export interface CheckDue { readonly inMs: number; readonly ran: boolean }

export interface Health {
  /** Every server that is checked has been checked once. */
  everyServerChecked(): boolean;
  /** An observed-errors message came from a traffic thread. */
  observed(server: number, layer: 4 | 7, why: string): void;
  /** Undefined for a server that is not checked. */
  due(server: number): CheckDue | undefined;
  /** Ends all checks. */
  stop(): void;
}

/** Shorter intervals do not decide over how long the first checks of all servers are spread. */
const spreadIntervalMinMs = 1000;

/** `dueBefore`: after a reload, when the checks of a server that stays were due, and whether one has run; undefined for a new one. Not kept. */
export function startHealth(model: Model, states: ServerStates, options: HealthOptions, dueBefore: (server: number) => CheckDue | undefined = () => undefined): Health {
  const compiler = new Compiler(model);
  const world = new CheckWorld(model, states.segments, () => options.clock.dateMs(), options.random, options.log);
  const checkers: ServerChecker[] = [];
  const byServer = new Map<number, ServerChecker>();
  for (const server of model.servers) {
    const proxy = model.proxies[server.proxy];
    if (server.check === null || server.track >= 0 || proxy === undefined || proxy.disabled) continue;
    const subject = new CheckSubject(world, proxy, server);
    const checker = new ServerChecker({ model, states, proxy, server, check: server.check, subject, words: new CheckWords(compiler, subject), health: options });
    checkers.push(checker);
    byServer.set(server.index, checker);
  }
  const shortest = checkers.map((checker) => checker.intervalMs()).filter((interval) => interval >= spreadIntervalMinMs).reduce((a, b) => Math.min(a, b), Infinity);
  for (const [position, checker] of checkers.entries()) {
    const own = checker.intervalMs();
    const spread = shortest === Infinity ? own : Math.max(shortest, own);
    const most = model.global.maxSpreadChecksMs > 0 ? Math.min(spread, model.global.maxSpreadChecksMs) : spread;
    const due = dueBefore(checker.server);
    if (due !== undefined) checker.ran = due.ran;
    checker.schedule(due === undefined ? Math.floor((most * position) / checkers.length) : Math.min(due.inMs, own));
  }
  states.onWake((server) => byServer.get(server)?.schedule(0));
  resolveNames(model, states, options.lookup ?? systemLookup, options.log);
  return {
    everyServerChecked: () => checkers.every((checker) => checker.ran),
    observed: (server, _layer, why) => byServer.get(server)?.observed(why),
    due: (server) => byServer.get(server)?.due(),
    stop: () => { for (const checker of checkers) checker.stop(); },
  };
}

interface CheckerParts {
  readonly model: Model;
  readonly states: ServerStates;
  readonly proxy: Proxy;
  readonly server: Server;
  readonly check: ServerCheck;
  readonly subject: CheckSubject;
  readonly words: CheckWords;
  readonly health: HealthOptions;
}

/** The checks of one server, one at a time. */
class ServerChecker {
  private readonly parts: CheckerParts;
  private readonly timers: Timers;
  private readonly program: Program;
  private timer: unknown = null;
  private dueAtMs = 0;
  private run: CheckRun | null = null;
  private stopped = false;
  /** A check has ended, or there is nothing to check for now. */
  ran = false;

  constructor(parts: CheckerParts) {
    this.parts = parts;
    this.timers = parts.health.timers ?? systemTimers;
    const { states, server, proxy, words, health } = parts;
    this.program = checkProgram(proxy, {
      words,
      nowSeconds: () => Math.floor(health.clock.dateMs() / 1000),
      stateHeader: () => states.stateHeader(server.index),
      running: () => !states.isStopped(server.index),
    });
  }

  get server(): number {
    return this.parts.server.index;
  }

  /** One that is under way is begun anew. */
  due(): CheckDue {
    return { inMs: this.run === null ? Math.max(0, this.dueAtMs - this.parts.health.clock.monoMs()) : 0, ran: this.ran };
  }

  /** `inter`, or `fastinter` between the states, or `downinter` while fully down. */
  intervalMs(): number {
    const { states, server, check } = this.parts;
    const { health, rise, fall } = states.health(server.index);
    if (health === rise + fall - 1) return check.interMs;
    if (health === 0 && states.isStopped(server.index)) return check.downinterMs ?? check.interMs;
    return check.fastinterMs ?? check.interMs;
  }

  schedule(delayMs: number): void {
    if (this.stopped || this.run !== null) return;
    if (this.timer !== null) this.timers.cancel(this.timer);
    this.dueAtMs = this.parts.health.clock.monoMs() + delayMs;
    this.timer = this.timers.after(delayMs, () => this.begin());
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) this.timers.cancel(this.timer);
    this.run?.cancel();
    this.run = null;
  }

  /** `observe` found too many errors in live traffic. */
  observed(why: string): void {
    const { states, server, check, health } = this.parts;
    const info = states.checkInfo(server.index);
    if (!info.enabled || info.paused) return;
    const { health: now, rise } = states.health(server.index);
    const words = `Detected ${server.errorLimit} consecutive errors, last one was: ${why}`;
    if (server.onError === 'fastinter') states.observedFailure(server.index, null, false, words);
    else if (server.onError === 'fail-check') states.observedFailure(server.index, null, true, words);
    else if (server.onError === 'sudden-death') states.observedFailure(server.index, Math.min(now, rise + 1), true, words);
    else states.observedFailure(server.index, Math.min(now, rise), true, words);
    const sooner = check.fastinterMs ?? check.interMs;
    if (this.dueAtMs - health.clock.monoMs() > sooner) this.schedule(sooner);
  }

  private begin(): void {
    const { states, server, health } = this.parts;
    this.timer = null;
    const info = states.checkInfo(server.index);
    if (!info.enabled || info.paused || states.address(server.index).host === '') {
      this.ran = true;
      this.schedule(this.spread(this.parts.check.interMs));
      return;
    }
    this.parts.subject.begin();
    const sighting = health.watch?.watches(server.index) === true ? new Sighting() : null;
    const open = health.open ?? openCheckSocket;
    const { connectMs, checkMs } = this.timeouts();
    this.run = new CheckRun({
      program: this.program, clock: health.clock, timers: this.timers, connectMs, checkMs,
      open: sighting === null ? open : (target, events) => open(target, sighting.between(events)),
      target: (step) => checkTarget(step, { model: this.parts.model, proxy: this.parts.proxy, server, address: () => states.address(server.index), checkPlace: () => states.checkInfo(server.index) }),
    }, (result) => {
      this.run = null;
      this.ran = true;
      // Maintenance may have begun while the check was under way: its result means nothing then.
      if (states.checkInfo(server.index).paused) states.checkAbandoned(server.index);
      else {
        states.checkEnded(server.index, result);
        if (sighting !== null) health.watch?.checked(server.index, result.outcome !== 'failed', sighting, result.outcome === 'failed' && states.isStopped(server.index));
      }
      this.schedule(this.spread(this.intervalMs()));
    });
    states.checkStarted(server.index);
    this.run.start();
  }

  /** Without `timeout check` a check has `inter` for everything; with it, connecting gets the shorter of `inter` and `timeout connect`. */
  private timeouts(): { connectMs: number; checkMs: number | null } {
    const { check, proxy } = this.parts;
    const checkMs = proxy.timeouts.checkMs;
    const connectMs = proxy.timeouts.connectMs;
    if (checkMs === null || checkMs === 0) return { connectMs: check.interMs, checkMs: null };
    return { connectMs: connectMs !== null && connectMs > 0 ? Math.min(check.interMs, connectMs) : check.interMs, checkMs };
  }

  /** `spread-checks`: up to so many percent sooner or later. */
  private spread(intervalMs: number): number {
    const percent = this.parts.model.global.spreadChecksPercent;
    if (percent === 0) return intervalMs;
    const most = Math.floor((intervalMs * percent) / 100);
    return Math.max(1, intervalMs + most - Math.floor(2 * most * this.parts.health.random()));
  }
}
