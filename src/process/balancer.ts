/**
 * The balancer process: shared memory, the control thread's parts, the traffic threads, and the order in which they start and
 * stop. Made by cli/run.ts from a checked Model. Signals come in through process/signals.ts; client bytes never come here.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Admin } from '../admin/admin.ts';
import type { AdminContext, AdminParts, ReloadAnswer } from '../admin/context.ts';
import { certificateLookMs, WatchedCertificates } from '../admin/watched-certificates.ts';
import type { Frontends } from '../admin/frontends.ts';
import { withFullconn } from '../balance/fullconn.ts';
import { systemClock } from '../base/clock.ts';
import { inSlices, pause } from '../base/slices.ts';
import { keepNames } from '../base/kept-names.ts';
import { isExecutable } from '../base/program.ts';
import { prepareMailQueue } from '../control/alert-mail.ts';
import { Counting } from '../control/counting.ts';
import { SavedDatabase } from '../control/saved/database.ts';
import { keptObjects } from '../control/saved/objects.ts';
import { SavedState } from '../control/saved/saved-state.ts';
import { applyServerStateFiles } from '../control/saved/server-state-file.ts';
import { readStatsFile } from '../control/saved/stats-file.ts';
import type { ControlEvent } from '../control/events.ts';
import { Events } from '../control/events.ts';
import { LogWriter } from '../control/log-writer.ts';
import { listenersOfOthers } from '../control/take-over/received.ts';
import type { ReceivedListeners } from '../control/take-over/received.ts';
import { G } from '../model/counters.ts';
import { findExchange } from '../model/exchange-sites.ts';
import type { ToControl } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import { controlRights, threadRights } from '../model/rights.ts';
import type { InstanceStatus } from '../model/vrrp-messages.ts';
import { AdviceList } from '../control/watch/advice-list.ts';
import type { LogRing } from '../shared/log-ring.ts';
import { shareModel, wholeText } from '../shared/model-text.ts';
import { withSameObjects } from '../shared/same-objects.ts';
import { fromSlots, toSlots } from '../shared/message-slots.ts';
import { P, Segments } from '../shared/segments.ts';
import { SlotBook } from '../shared/slots.ts';
import { StickTables } from '../shared/stick-table.ts';
import { syslogLevel } from '../wire/syslog.ts';
import { HandOver } from './hand-over.ts';
import { changeLines, restartReasons } from './changes.ts';
import { ControlPlan } from './control-plan.ts';
import { makeInternalSocket } from './internal-socket.ts';
import { descriptorsMax, maxconnInForce } from './machine.ts';
import type { Notices } from './notices.ts';
import { keepOutOfReach } from './out-of-reach.ts';
import { askForUpgrade, tellTaken } from './parent.ts';
import type { Reading } from './parent.ts';
import { dropPrivileges, lockIn, refuseNewPrivileges } from './privileges.ts';
import { bindText, probeBinds } from './probe-binds.ts';
import { ReloadTurns } from './reload-turns.ts';
import { newSlots, RemovedObjects } from './removed-objects.ts';
import { SpareMemory } from './spare-memory.ts';
import { stateLines, stoppedLine } from './state-dump.ts';
import { TrafficThreads } from './traffic-threads.ts';

interface BalancerOptions {
  readonly model: Model;
  readonly notices: Notices;
  /** '' = none. Written before privileges are dropped. */
  readonly pidfile: string;
  /** False while an older process still listens on the same addresses on purpose. */
  readonly probe: boolean;
  /** Sockets that it listened on. */
  readonly received: ReceivedListeners;
  /** Virtual addresses or systemd's watchdog depend on this process: it asks its own listeners and tells its master. */
  readonly selfCheck: boolean;
  /** Reads the configuration again. */
  readonly read: () => Promise<Reading>;
}

/** What a process that is killed loses at most. */
const saveMs = 1000;
/** How long a quick stop waits for the threads to hand over their last log lines. */
const quickStopMs = 300;

function refused(lines: readonly string[]): ReloadAnswer {
  return { ok: false, lines: [...lines, 'The configuration was not reloaded: nothing was changed.'] };
}

export class Balancer {
  private readonly options: BalancerOptions;
  private model: Model;
  private readonly notices: Notices;
  private segments: Segments;
  private readonly logs: LogWriter;
  private readonly logRings: readonly LogRing[];
  private readonly internal = makeInternalSocket();
  private readonly threads: TrafficThreads;
  private readonly events = new Events();
  private readonly advice = new AdviceList(systemClock, this.events);
  private control: ControlPlan;
  private readonly slots: SlotBook;
  private readonly removed: RemovedObjects;
  private readonly admin: Admin;
  private readonly handOver = new HandOver(() => this.taken());
  /** Another process has the listening sockets as well. */
  private handedOut = false;
  /** The master was asked for another process in the place of this one. */
  private replaced = false;
  private saved: SavedState | null = null;
  private saveTimer: NodeJS.Timeout | null = null;
  private certificateTimer: NodeJS.Timeout | null = null;
  /** What the master has told of the VRRP instances. */
  virtualAddresses: readonly InstanceStatus[] = [];
  private stopping = false;
  private readonly turns = new ReloadTurns(() => this.control.tellOfHealth());
  private reloads = 0;
  private readonly spareMemory = new SpareMemory();
  private readonly startedAtMs = Date.now();
  private readonly counting = new Counting(this.startedAtMs);
  private readonly bootMs = Math.round(performance.now());
  private readonly descriptors = descriptorsMax();
  private readonly selfCheckUri: string;

  constructor(options: BalancerOptions) {
    const { notices } = options;
    this.options = options;
    this.selfCheckUri = options.selfCheck ? `/poise-self-check-${randomBytes(16).toString('hex')}` : '';
    const model = this.inForce(options.model);
    this.model = model;
    this.notices = notices;
    this.segments = Segments.allocate(model, model.global.nbthread);
    this.logRings = Array.from({ length: model.global.nbthread }, (_, thread) => this.segments.logRing(thread));
    this.logs = this.makeLogs();
    this.threads = this.makeThreads(this.startedAtMs);
    this.events.listen((event) => this.heard(event));
    this.slots = new SlotBook(model);
    this.removed = new RemovedObjects(model.global.nbthread, (kind, slot) => {
      this.slots.release(kind, slot);
      this.threads.forget(kind, slot);
    });
    this.control = this.controlPlan(model, this.segments, null);
    this.admin = new Admin(this.adminParts(), this.internal.key);
  }

  /** What is worked with, of a configuration: limits that the machine sets, and what the process asks itself. */
  private inForce(model: Model): Model {
    const { selfCheckUri } = this;
    return withFullconn({ ...model, global: { ...model.global, maxconn: maxconnInForce(model, this.descriptors), selfCheckUri } });
  }

  private controlPlan(model: Model, segments: Segments, former: ControlPlan | null): ControlPlan {
    return new ControlPlan(model, segments, {
      events: this.events, advice: this.advice, selfCheck: this.options.selfCheck, takesUp: () => this.turns.underWay,
      broadcast: (message) => this.threads.post(toSlots(message, segments)),
      warn: (text) => this.tell('warning', text),
      tellOfMail: (level, text) => this.tellOfMail(level, text),
    }, former);
  }

  private adminParts(): AdminParts {
    const { model, segments, notices, startedAtMs } = this;
    const { states: servers, sampler } = this.control;
    return {
      model, segments, servers, sampler, counting: this.counting, events: this.events, advice: this.advice, clock: systemClock,
      broadcast: (message) => this.threads.post(toSlots(this.control.heard(message), segments)),
      tables: new StickTables(model, segments.handles, systemClock),
      pid: process.pid, startedAtMs, nodeName: model.global.node === '' ? hostname() : model.global.node,
      maxconn: model.global.maxconn, descriptorsMax: this.descriptors, bootMs: this.bootMs, startupMessages: notices.startup, environment: process.env,
      warnings: () => notices.warnings, stopping: () => this.stopping, virtualAddresses: () => this.virtualAddresses,
      reload: () => this.reload(), edit: (change) => this.edit(change), upgrade: askForUpgrade, removed: () => this.removed.list(), reloads: () => this.reloads,
    };
  }

  private makeLogs(): LogWriter {
    const own = this.segments.process(this.segments.threads);
    return new LogWriter({
      pid: process.pid,
      hostname: hostname(),
      nowMs: Date.now,
      dropped: (lines) => { own[P.dropped_logs] = (own[P.dropped_logs] ?? 0) + lines; },
      warn: (message) => this.notices.warning(message),
    });
  }

  private makeThreads(startedAtMs: number): TrafficThreads {
    const { model, internal, segments } = this;
    return new TrafficThreads({
      count: model.global.nbthread,
      start: { model: wholeText(model), shared: segments.handles, internalSocket: internal.path, internalKey: internal.key, startedAtMs, ticketKeys: randomBytes(48) },
      segments,
      receive: (message) => this.receive(message),
      died: (thread, why) => this.threadDied(thread, why),
      inherits: () => (model.global.uid > 0 ? listenersOfOthers(this.model) : []),
      restarted: (thread) => this.tell('notice', `Traffic thread ${thread + 1} is back.`),
    });
  }

  private threadDied(thread: number, why: string): void {
    this.tell('alert', `Traffic thread ${thread + 1} died and is started again: ${why}`);
    const { chroot } = this.model.global;
    if (!isExecutable && chroot !== '') this.askForAnother(`Its files are outside of ${chroot}`);
  }

  /** This process has given up what a thread needs to be whole again. */
  private askForAnother(why: string): void {
    if (this.replaced) return;
    this.replaced = askForUpgrade();
    this.tell('alert', `${why}: ${this.replaced ? 'a new worker takes over.' : 'that takes a restart of the process.'}`);
  }

  /** '' when everything runs, otherwise one line that says why not; nothing is left behind then. */
  async start(): Promise<string> {
    const failure = await this.startParts();
    if (failure === '') this.turns.open();
    else await this.close();
    return failure;
  }

  private async startParts(): Promise<string> {
    const { model, notices } = this;
    if (this.options.probe) {
      const problems = probeBinds(model.binds);
      for (const { bind, port, code } of problems) notices.alert(bindText({ bind: bind.index, code, message: '' }, model, port));
      if (problems.length > 0) return 'Some listeners could not be started: nothing was started.';
    }
    await this.logs.open(model, this.segments.handles.slots.proxies);
    const { received } = this.options;
    const adminFailure = await this.admin.start(this.internal.path, received, () => this.taken());
    if (adminFailure !== '') return adminFailure;
    this.openSavedState();
    this.readFormerStates();
    refuseNewPrivileges();
    const failure = await this.threads.start(received.distribute(model));
    received.closeRest();
    if (failure?.kind === 'thread') return `A traffic thread could not start: ${failure.why}`;
    if (failure?.kind === 'bind') return failure.failures.map((one) => bindText(one, model)).join('\n');
    const pidFailure = this.writePidfile();
    if (pidFailure !== '') return pidFailure;
    const identity = model.global;
    prepareMailQueue(model);
    if (identity.chroot !== '') await keepOutOfReach(model);
    const kept = process.getuid?.() === 0 && identity.uid > 0 ? threadRights(model) : [];
    const dropFailure = lockIn(identity.chroot) || dropPrivileges(identity, controlRights(model));
    if (dropFailure !== '') return dropFailure;
    if (kept.length > 0) this.threads.post({ type: 'rights', kept });
    this.control.start(null);
    const watched = new WatchedCertificates((level, text) => this.tell(level, text));
    this.certificateTimer = setInterval(() => { if (this.model.poise.watchCertificates && model.global.chroot === '') watched.look(this.admin.context.certificates); }, certificateLookMs);
    this.admin.adoptSockets();
    const deaf = await this.handOver.listen();
    if (deaf !== '') notices.warning(`Listening sockets cannot be handed over to a later process: ${deaf}`);
    return '';
  }

  /** Counters of former processes come back before anybody counts. */
  private openSavedState(): void {
    const { stateFolder } = this.model.poise;
    if (stateFolder === '') return;
    const warn = (text: string): void => this.tell('warning', text);
    const database = SavedDatabase.open(stateFolder, Date.now(), this.model.global, warn);
    if (database === undefined) return;
    const { counting, model, segments } = this;
    const byHand = (): Frontends => this.admin.context.frontends;
    const saved = new SavedState(database, { model, segments, states: this.control.states }, {
      clock: systemClock, counting, warn, settings: {
        frontend: (proxy) => byHand().byHand(proxy),
        restoreFrontend: (proxy, figures) => {
          byHand().restore(proxy, figures);
          if (byHand().state(proxy) === 'PAUSED') warn(`Frontend ${this.model.proxies[proxy]?.name ?? ''} stays disabled, as before the restart: 'enable frontend' takes it back.`);
        },
        process: () => byHand().limitsByHand(), restoreProcess: (figures) => byHand().restoreLimits(figures),
      },
    });
    try {
      saved.restore();
    } catch (error) {
      warn(`counters are not kept over restarts: ${database.path}: ${(error as Error).message}`);
      database.close();
      return;
    }
    this.saved = saved;
    this.saveTimer = setInterval(() => {
      saved.save();
      void saved.saveSticks();
    }, saveMs);
  }

  /** HAProxy's own files. What the state folder remembers is later than they are. */
  private readFormerStates(): void {
    const { counting, model, segments } = this;
    const { states } = this.control;
    const warn = (text: string): void => this.tell('warning', text);
    readStatsFile({ model, segments, counting, warn, skip: (name) => this.saved?.remembers(name) ?? false });
    const names = new Map(keptObjects(model, segments).flatMap(({ index, kind, name }) => (kind === 'server' ? [[index, name] as const] : [])));
    applyServerStateFiles({ model, segments, states, nowMs: Date.now(), warn, skip: (server) => this.saved?.remembers(names.get(server) ?? '') ?? false });
  }

  /**
   * Takes another configuration up in place: everything is checked and prepared first, and only when all threads are ready they go over to
   * it. Gives the answer for whoever asked: `ok` false means that nothing has changed.
   */
  async reload(): Promise<ReloadAnswer> {
    if (this.stopping) return { ok: false, lines: ['The process is stopping: nothing was changed.'] };
    const answer = await this.turns.run(async () => this.takeUp(await this.options.read()));
    if (answer === null) return { ok: false, lines: ['A reload is under way: nothing was changed by this one.'] };
    for (const line of answer.lines) this.tell(answer.ok ? 'notice' : 'alert', line);
    return answer;
  }

  /** By a signal: one that comes while something is taken up is remembered. `ended` hears what came of it, and whether another one follows already. */
  reloadBySignal(ended: (ok: boolean, another: boolean) => void): void {
    const waits = this.turns.whenFree(() => void this.reload().then(({ ok }) => ended(ok, this.turns.waits)));
    if (waits) this.tell('notice', 'A signal to reload has come while a configuration is taken up: a reload follows at once.');
  }

  /** A command changes the configuration in force; what other commands have changed stays. */
  private async edit(change: () => Model): Promise<ReloadAnswer> {
    const answer = this.stopping ? null : await this.turns.run(() => this.takeUp({ model: change(), lines: [] }, true));
    return answer ?? { ok: false, lines: ['A reload is under way, or the process is stopping: nothing was changed.'] };
  }

  private async takeUp(reading: Reading, isEdit = false): Promise<ReloadAnswer> {
    const sinceMs = performance.now();
    if (reading.model === null) return refused(reading.lines);
    keepNames(reading.names ?? {});
    const { model: before, control: former } = this;
    const { model, origins } = await inSlices(withSameObjects(this.inForce(reading.model), before));
    const reasons = restartReasons(before, model);
    if (reasons.length > 0) return refused(reasons.map((word) => `A change of ${word} needs a restart.`));
    await inSlices(findExchange(model));
    const changes = this.slots.plan(model);
    await pause();
    const segments = this.segments.reloaded(model, before, changes);
    for (const [kind, slot] of newSlots(segments, this.segments)) segments.clearSlot(kind, slot);
    const known = new Set(this.segments.objects());
    for (const object of segments.objects()) if (!known.has(object)) this.counting.begin(object, Date.now(), {});
    const sharedModel = await inSlices(shareModel(model, before, origins));
    const [failures, lines] = await Promise.all([
      this.threads.prepare({ type: 'reload', model: sharedModel, shared: segments.handles }),
      inSlices(changeLines(before, model, changes)),
    ]);
    if (this.stopping) return refused(['The process is stopping.']);
    if (failures.length > 0) {
      const faults = failures.map((one) => bindText(one, model));
      const wantsRoot = failures.some(({ code }) => code === 'EACCES') && this.model.global.uid > 0;
      return refused(wantsRoot ? [...faults, "Only root binds ports below 1024: 'poise upgrade' lets a new worker of the master take over, which does."] : faults);
    }
    await this.logs.open(model, segments.handles.slots.proxies);
    const control = this.controlPlan(model, segments, former);
    this.removed.add(changes.removed);
    this.slots.commit(changes);
    const over = this.threads.commit(wholeText(model), segments);
    this.model = model;
    this.segments = segments;
    this.control = control;
    const mailed = former.stop();
    control.start(former);
    this.saved?.save();
    this.admin.follow(this.adminParts(), isEdit);
    this.saved?.follow({ model, segments, states: control.states });
    await Promise.all([over, mailed]);
    if (!isEdit) this.reloads += 1;
    this.spareMemory.reloaded();
    return { ok: true, lines: [`Reloaded in ${Math.round(performance.now() - sinceMs)} ms: ${lines.length === 0 ? 'nothing has changed' : `${lines.length} ${lines.length === 1 ? 'change' : 'changes'}`}.`, ...reading.lines, ...lines] };
  }

  private taken(): void {
    this.handedOut = true;
    tellTaken();
  }

  /** What runtime commands work on. */
  get commands(): AdminContext {
    return this.admin.context;
  }

  /** SIGUSR1: no new connections; resolves when the last one has ended or hard-stop-after has passed. */
  async softStop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    this.handOver.close();
    if (this.handedOut) this.admin.leaveSockets();
    for (const proxy of this.model.proxies) this.tellProxy(proxy.index, 'warning', stoppedLine(proxy, this.segments));
    await this.threads.drain(this.model.global.hardStopAfterMs);
    await this.close();
  }

  /** SIGTERM, SIGINT: connections are cut. */
  async quickStop(): Promise<void> {
    this.stopping = true;
    await Promise.race([this.threads.drain(0), new Promise((resolve) => { setTimeout(resolve, quickStopMs); })]);
    await this.close();
  }

  /** No request and no tunnel is with a server or waits for one. */
  answersNobody(): boolean {
    return this.model.proxies.every((proxy) => Atomics.load(this.segments.gauges(this.segments.backendObject(proxy.index)), G.scur) <= 0);
  }

  /** SIGHUP. */
  dumpStates(): void {
    this.notices.warning('SIGHUP received, dumping servers states.');
    for (const proxy of this.model.proxies) {
      this.logs.write(this.segments.proxySlot(proxy.index), syslogLevel.notice, `SIGHUP received, dumping servers states for proxy ${proxy.name}.`);
      for (const line of stateLines(proxy, this.model, this.segments)) this.tellProxy(proxy.index, 'notice', line);
    }
  }

  private async close(): Promise<void> {
    if (this.saveTimer !== null) clearInterval(this.saveTimer);
    if (this.certificateTimer !== null) clearInterval(this.certificateTimer);
    this.spareMemory.close();
    const mailed = this.control.stop();
    this.handOver.close();
    if (this.handedOut) this.admin.leaveSockets();
    this.admin.close();
    await Promise.all([this.threads.terminate(), mailed]);
    this.saved?.close();
    this.saved = null;
    // Also what a thread had no time to tell of.
    for (const ring of this.logRings) this.logs.take(ring);
    await this.logs.close();
  }

  private receive(told: ToControl): void {
    const message = fromSlots(told, this.segments);
    switch (message.type) {
      case 'log':
        this.takeLines(message.thread);
        break;
      case 'observed-errors':
        this.control.observed(message.server, message.layer, message.why);
        break;
      case 'sightings':
        this.control.trafficWatch.take(message.logins, message.missedRoutes);
        break;
      case 'server-certificate':
        this.control.probeWatch.certificateSeen(message.server, message.fingerprint);
        break;
      case 'slot-free':
        this.threads.postOthers(message.thread, toSlots({ type: 'wake-queue', proxy: message.proxy, server: message.server }, this.segments));
        break;
      case 'leaving':
        this.removed.left(message.thread, message.left);
        break;
      case 'bind-failed':
        this.tell('alert', bindText(message, this.model));
        this.askForAnother(`Traffic thread ${message.thread + 1} does not listen everywhere`);
        break;
      case 'warning':
        this.tell('warning', message.message);
        break;
      default:
        this.admin.receive(message);
    }
  }

  private takeLines(thread: number): void {
    const ring = this.logRings[thread];
    if (ring !== undefined) this.logs.take(ring);
  }

  /** Events go to the log of their proxy and, as HAProxy does, to the operator. */
  private heard(event: ControlEvent): void {
    this.logs.write(this.segments.proxySlot(event.proxy), event.level, event.text);
    // A process that takes over tells of what happens from here on.
    if (!this.stopping) this.control.mailOf(event);
    const name = this.model.proxies[event.proxy]?.name ?? '';
    if (event.kind === 'backend-down') this.notices.alert(event.text.replace(` ${name} `, ` '${name}' `));
    else this.notices.warning(event.text);
  }

  private writePidfile(): string {
    const { pidfile } = this.options;
    if (pidfile === '') return '';
    try {
      writeFileSync(pidfile, `${process.pid}\n`);
      chmodSync(pidfile, 0o644);
      return '';
    } catch (error) {
      return `Cannot create pidfile ${pidfile}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** To the operator and to the log targets of the global section. */
  private tell(level: 'alert' | 'warning' | 'notice', text: string): void {
    this.notices[level](text);
    this.logs.write(-1, syslogLevel[level], text);
  }

  private tellOfMail(level: 'info' | 'warning', text: string): void {
    if (level === 'warning') this.tell('warning', text);
    else this.logs.write(-1, syslogLevel.info, text);
  }

  private tellProxy(proxy: number, level: 'warning' | 'notice', text: string): void {
    this.notices.warning(text);
    this.logs.write(this.segments.proxySlot(proxy), syslogLevel[level], text);
  }
}
