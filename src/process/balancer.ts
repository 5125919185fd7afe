/**
 * The balancer process: shared memory, the control thread's parts, the traffic threads, and the order in which they start and
 * stop. Made by cli/run.ts from a checked Model. Signals come in through process/signals.ts; client bytes never come here.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Admin } from '../admin/admin.ts';
import { withFullconn } from '../balance/fullconn.ts';
import { systemClock } from '../base/clock.ts';
import { AlertMail, prepareMailQueue } from '../control/alert-mail.ts';
import { SavedDatabase } from '../control/saved/database.ts';
import { SavedState } from '../control/saved/saved-state.ts';
import { SelfCheck, selfCheckPeriodMs } from '../control/self-check.ts';
import type { ControlEvent } from '../control/events.ts';
import { Events } from '../control/events.ts';
import { startHealth } from '../control/health/checker.ts';
import type { Health } from '../control/health/checker.ts';
import { LogWriter } from '../control/log-writer.ts';
import type { ReceivedListeners } from '../control/take-over/received.ts';
import { Sampler, samplePeriodMs } from '../control/sampler.ts';
import { ServerStates } from '../control/server-states.ts';
import { G } from '../model/counters.ts';
import type { ToControl, ToTraffic } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import type { InstanceStatus } from '../model/vrrp-messages.ts';
import { AdviceList } from '../control/watch/advice-list.ts';
import { watchLastResorts } from '../control/watch/last-resort.ts';
import { ProbeWatch } from '../control/watch/probe-watch.ts';
import { TrafficWatch, trafficWatchPeriodMs } from '../control/watch/traffic-watch.ts';
import type { LogRing } from '../shared/log-ring.ts';
import { P, Segments } from '../shared/segments.ts';
import { StickTables } from '../shared/stick-table.ts';
import { syslogLevel } from '../wire/syslog.ts';
import { HandOver } from './hand-over.ts';
import { makeInternalSocket } from './internal-socket.ts';
import { descriptorsMax, maxconnInForce } from './machine.ts';
import type { Notices } from './notices.ts';
import { tellHealth } from './parent.ts';
import { dropPrivileges, refuseNewPrivileges } from './privileges.ts';
import { bindReason, probeBinds } from './probe-binds.ts';
import { stateLines, stoppedLine } from './state-dump.ts';
import type { BindFailure } from './traffic-threads.ts';
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
}

const tellHealthMs = 500;
/** What a process that is killed loses at most. */
const saveMs = 1000;
/** How long a quick stop waits for the threads to hand over their last log lines. */
const quickStopMs = 300;

export class Balancer {
  private readonly options: BalancerOptions;
  private readonly model: Model;
  private readonly notices: Notices;
  private readonly segments: Segments;
  private readonly logs: LogWriter;
  private readonly logRings: readonly LogRing[];
  private readonly internal = makeInternalSocket();
  private readonly threads: TrafficThreads;
  private readonly events = new Events();
  private readonly advice = new AdviceList(systemClock, this.events);
  private readonly states: ServerStates;
  private readonly probeWatch: ProbeWatch;
  private readonly trafficWatch: TrafficWatch;
  private watchTimer: NodeJS.Timeout | null = null;
  private readonly sampler: Sampler;
  private readonly admin: Admin;
  private readonly handOver = new HandOver(() => { this.handedOut = true; });
  /** Another process has the listening sockets as well. */
  private handedOut = false;
  private health: Health | null = null;
  /** Null before the process runs as who it will be. */
  private mail: AlertMail | null = null;
  private samplerTimer: NodeJS.Timeout | null = null;
  private saved: SavedState | null = null;
  private saveTimer: NodeJS.Timeout | null = null;
  private readonly selfCheckTimers: NodeJS.Timeout[] = [];
  /** What the master has told of the VRRP instances. */
  virtualAddresses: readonly InstanceStatus[] = [];
  private stopping = false;

  constructor(options: BalancerOptions) {
    const { notices } = options;
    const descriptors = descriptorsMax();
    const maxconn = maxconnInForce(options.model, descriptors);
    const model: Model = withFullconn({ ...options.model, global: { ...options.model.global, maxconn, selfCheckUri: options.selfCheck ? `/poise-self-check-${randomBytes(16).toString('hex')}` : '' } });
    const startedAtMs = Date.now();
    this.options = options;
    this.model = model;
    this.notices = notices;
    this.segments = Segments.allocate(model, model.global.nbthread);
    this.logRings = Array.from({ length: model.global.nbthread }, (_, thread) => this.segments.logRing(thread));
    this.logs = this.makeLogs();
    this.threads = this.makeThreads(startedAtMs);
    this.events.listen((event) => this.heard(event));
    const broadcast = (message: ToTraffic): void => this.threads.post(message);
    this.states = new ServerStates(model, this.segments, { clock: systemClock, post: broadcast, events: this.events });
    watchLastResorts(model, this.events, this.advice, (server) => this.states.isStopped(server));
    this.probeWatch = new ProbeWatch(model, this.advice, (server) => this.states.address(server));
    this.trafficWatch = new TrafficWatch(model, this.advice, systemClock);
    this.sampler = new Sampler(model, this.segments);
    this.admin = new Admin({
      model, segments: this.segments, servers: this.states, sampler: this.sampler, events: this.events, advice: this.advice, clock: systemClock, broadcast,
      tables: new StickTables(model, this.segments.handles, systemClock),
      pid: process.pid, startedAtMs, nodeName: model.global.node === '' ? hostname() : model.global.node,
      maxconn, descriptorsMax: descriptors, bootMs: Math.round(performance.now()), startupMessages: notices.startup, environment: process.env,
      warnings: () => notices.warnings, stopping: () => this.stopping, virtualAddresses: () => this.virtualAddresses,
    }, this.internal.key);
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
      start: { model, shared: segments.handles, internalSocket: internal.path, internalKey: internal.key, startedAtMs, ticketKeys: randomBytes(48) },
      segments,
      receive: (message) => this.receive(message),
      died: (thread, why) => this.tell('alert', `Traffic thread ${thread + 1} died and is started again: ${why}`),
      restarted: (thread) => this.tell('notice', `Traffic thread ${thread + 1} is back.`),
    });
  }

  /** '' when everything runs, otherwise one line that says why not; nothing is left behind then. */
  async start(): Promise<string> {
    const failure = await this.startParts();
    if (failure !== '') await this.close();
    return failure;
  }

  private async startParts(): Promise<string> {
    const { model, notices } = this;
    if (this.options.probe) {
      const problems = probeBinds(model.binds);
      for (const { bind, port, code } of problems) notices.alert(this.bindText({ bind: bind.index, code, message: '' }, port));
      if (problems.length > 0) return 'Some listeners could not be started: nothing was started.';
    }
    await this.logs.open(model);
    const { received } = this.options;
    const adminFailure = await this.admin.start(this.internal.path, received);
    if (adminFailure !== '') return adminFailure;
    this.openSavedState();
    refuseNewPrivileges();
    const failure = await this.threads.start(received.distribute(model));
    received.closeRest();
    if (failure?.kind === 'thread') return `A traffic thread could not start: ${failure.why}`;
    if (failure?.kind === 'bind') return failure.failures.map((one) => this.bindText(one)).join('\n');
    const pidFailure = this.writePidfile();
    if (pidFailure !== '') return pidFailure;
    const identity = model.global;
    prepareMailQueue(model);
    const lowPorts = model.binds.some(({ address }) => address.kind === 'inet' && address.port > 0 && address.port < 1024);
    const dropFailure = dropPrivileges(identity, lowPorts);
    if (dropFailure !== '') return dropFailure;
    this.mail = new AlertMail(model, model.global.node === '' ? hostname() : model.global.node, (level, text) => this.tellOfMail(level, text));
    this.health = startHealth(model, this.states, { clock: systemClock, random: Math.random, log: (text) => this.tell('warning', text), watch: this.probeWatch });
    this.samplerTimer = setInterval(() => this.sampler.tick(systemClock.monoMs()), samplePeriodMs);
    this.watchTimer = setInterval(() => this.trafficWatch.look(), trafficWatchPeriodMs);
    if (this.options.selfCheck) this.startSelfCheck();
    const deaf = await this.handOver.listen();
    if (deaf !== '') notices.warning(`Listening sockets cannot be handed over to a later process: ${deaf}`);
    return '';
  }

  /** Counters of former processes come back before anybody counts. */
  private openSavedState(): void {
    const { stateFolder } = this.model.poise;
    if (stateFolder === '') return;
    const warn = (text: string): void => this.tell('warning', text);
    const database = SavedDatabase.open(stateFolder, Date.now(), warn);
    if (database === undefined) return;
    const saved = new SavedState(database, this.model, this.segments, this.states, warn);
    saved.restore();
    this.saved = saved;
    this.saveTimer = setInterval(() => saved.save(), saveMs);
  }

  private startSelfCheck(): void {
    const check = new SelfCheck(this.model, this.segments, (server) => !this.states.isStopped(server));
    this.selfCheckTimers.push(
      setInterval(() => check.look(), selfCheckPeriodMs),
      setInterval(() => {
        const broken = check.broken(systemClock.monoMs());
        tellHealth({ broken, why: broken === '' ? check.unserved() : broken, checked: this.health?.everyServerChecked() ?? false });
      }, tellHealthMs),
    );
  }

  /** SIGUSR1: no new connections; resolves when the last one has ended or hard-stop-after has passed. */
  async softStop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    this.handOver.close();
    if (this.handedOut || this.admin.shared) this.admin.leaveSockets();
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
      this.logs.write(proxy.index, syslogLevel.notice, `SIGHUP received, dumping servers states for proxy ${proxy.name}.`);
      for (const line of stateLines(proxy, this.model, this.segments)) this.tellProxy(proxy.index, 'notice', line);
    }
  }

  private async close(): Promise<void> {
    if (this.samplerTimer !== null) clearInterval(this.samplerTimer);
    if (this.watchTimer !== null) clearInterval(this.watchTimer);
    for (const timer of this.selfCheckTimers) clearInterval(timer);
    if (this.saveTimer !== null) clearInterval(this.saveTimer);
    this.health?.stop();
    this.handOver.close();
    this.admin.close();
    await Promise.all([this.threads.terminate(), this.mail?.close()]);
    this.saved?.close();
    this.saved = null;
    // Also what a thread had no time to tell of.
    for (const ring of this.logRings) this.logs.take(ring);
    await this.logs.close();
  }

  private receive(message: ToControl): void {
    switch (message.type) {
      case 'log':
        this.takeLines(message.thread);
        break;
      case 'observed-errors':
        this.health?.observed(message.server, message.layer, message.why);
        break;
      case 'sightings':
        this.trafficWatch.take(message.logins, message.missedRoutes);
        break;
      case 'server-certificate':
        this.probeWatch.certificateSeen(message.server, message.fingerprint);
        break;
      case 'slot-free':
        this.threads.postOthers(message.thread, { type: 'wake-queue', proxy: message.proxy, server: message.server });
        break;
      case 'bind-failed':
        this.tell('alert', this.bindText(message));
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
    this.logs.write(event.proxy, event.level, event.text);
    // A process that takes over tells of what happens from here on.
    if (!this.stopping) this.mail?.hear(event);
    const name = this.model.proxies[event.proxy]?.name ?? '';
    if (event.kind === 'backend-down') this.notices.alert(event.text.replace(` ${name} `, ` '${name}' `));
    else this.notices.warning(event.text);
  }

  /** `Binding [lb.cfg:12] for frontend fe: cannot bind socket (Address already in use) for [127.0.0.1:80]` */
  private bindText({ bind: index, code, message }: BindFailure, port = 0): string {
    const bind = this.model.binds[index];
    if (bind === undefined) return message;
    const proxy = this.model.proxies[bind.proxy];
    const { address } = bind;
    const text = address.kind === 'inet' ? `${address.host}:${port === 0 ? address.port : port}` : bind.text;
    const what = code === '' ? message : `cannot bind socket (${bindReason(code)}) for [${text}]`;
    return `Binding [${bind.place.file}:${bind.place.line}] for ${proxy?.kind === 'listen' ? 'proxy' : 'frontend'} ${proxy?.name ?? ''}: ${what}`;
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
    this.logs.write(proxy, syslogLevel[level], text);
  }
}
