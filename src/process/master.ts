/**
 * The master: starts the balancer process, passes signals on, starts it again when it dies, and reloads by starting a second one
 * that takes over before the first is stopped softly. Used by cli/run.ts with -W, -Ws or `master-worker`. No client bytes
 * ever reach it, so that it cannot fail with the traffic.
 */
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { CommandSession } from '../admin/command.ts';
import { masterRunner, type ListedProcess, type MasterView } from '../admin/master-commands.ts';
import { RuntimeSockets } from '../admin/socket.ts';
import { ReceivedListeners } from '../control/take-over/received.ts';
import { limits } from '../model/limits.ts';
import type { StatsSocket } from '../model/model.ts';
import type { HighAvailability } from './high-availability.ts';
import { WorkerLines } from './master-lines.ts';
import type { Notices } from './notices.ts';
import { lookUpNames } from '../base/kept-names.ts';
import { namesOf } from './out-of-reach.ts';
import { isBalancerWord, isReadWord, isReloadedWord, isTakenWord, isUpgradeWord, tellReload, isQuietWord, spawnPart, tellHold, tellReading, tellReady, tellVirtualAddresses } from './parent.ts';
import type { Part, Reading } from './parent.ts';
import { signalPredecessors } from './predecessors.ts';
import type { Predecessors } from './predecessors.ts';
import { notifySystemd, reloadingState, Watchdog, watchdogMs } from './systemd.ts';

interface MasterOptions {
  readonly words: readonly string[];
  /** The same for every balancer but the first: nobody is replaced any more. */
  readonly wordsAgain: readonly string[];
  /** Open files for every balancer: the listening sockets that this process was started with. */
  readonly descriptors: readonly number[];
  readonly notices: Notices;
  /** '' = none. */
  readonly pidfile: string;
  /** `-Ws` */
  readonly notify: boolean;
  /** Started in the background by a launcher. */
  readonly daemon: boolean;
  readonly predecessors: Predecessors;
  /** The virtual addresses; null without a keepalived.conf. */
  readonly highAvailability: HighAvailability | null;
  /** `-S`, null without. */
  readonly socket: StatsSocket | null;
  /** Reads the configuration again and says whether it is usable; problems are printed. */
  readonly configurationIsValid: () => boolean;
  /** Reads it for a balancer that may not. */
  readonly read: () => Promise<Reading>;
}

const delayFirstMs = 500;
const delayMaxMs = 30_000;

interface Child {
  readonly process: ChildProcess;
  readonly startedAtMs: number;
  ready: boolean;
  /** Workers that came after it. */
  outlived: number;
}

function listed({ process: { pid = 0 }, startedAtMs, outlived }: Child): ListedProcess {
  return { pid, reloads: outlived, uptimeSeconds: secondsSince(startedAtMs) };
}

function secondsSince(startedAtMs: number): number {
  return Math.floor((Date.now() - startedAtMs) / 1000);
}

export class Master {
  private readonly options: MasterOptions;
  private readonly notices: Notices;
  private current: Child | null = null;
  /** Balancers that were told to stop softly and have not ended yet. */
  private readonly former = new Set<Child>();
  private starting: Child | null = null;
  private stopping = false;
  /** Somebody has taken the listening sockets of the balancer: the service goes on when this master stops. */
  private taken = false;
  private delayMs = delayFirstMs;
  /** True once a balancer has served: from then on the master does not give up. */
  private everRan = false;
  private watchdog: Watchdog | null = null;
  private readonly startedAtMs = Date.now();
  private reloads = 0;
  private failedReloads = 0;
  private reloadFailed = false;
  /** A signal has come while a worker was being started, which may have read the files before. */
  private reloadWanted = false;
  private readonly lines = new WorkerLines();
  /** Nothing is being answered any more, after new connections were held back. */
  private readonly quiet = Promise.withResolvers<void>();
  private readonly end = Promise.withResolvers<number>();

  constructor(options: MasterOptions) {
    this.options = options;
    this.notices = options.notices;
  }

  /** Gives the exit code of the master. */
  async run(): Promise<number> {
    const sockets = await this.openSocket();
    if (typeof sockets === 'string') {
      this.notices.alert(sockets);
      return 1;
    }
    process.on('SIGTERM', () => this.stop('SIGTERM'));
    process.on('SIGINT', () => this.stop('SIGTERM'));
    process.on('SIGUSR1', () => this.stop('SIGUSR1'));
    process.on('SIGUSR2', () => this.reload());
    process.on('SIGHUP', () => this.reload());
    this.launch('balancer');
    this.options.highAvailability?.start((status) => { if (this.current !== null) tellVirtualAddresses(this.current.process, status); });
    const code = await this.end.promise;
    sockets?.close();
    await this.options.highAvailability?.close();
    this.watchdog?.close();
    return code;
  }

  /** Null without `-S`; otherwise the socket, or why it cannot be opened. */
  private async openSocket(): Promise<RuntimeSockets | string | null> {
    const { socket } = this.options;
    if (socket === null) return null;
    const settings = { statsSockets: [socket], statsMaxconn: limits.adminWaitingConnectionsMax, statsTimeoutMs: limits.masterSocketIdleMs };
    const sockets = new RuntimeSockets(() => settings, () => masterRunner(this.view()));
    const problem = await sockets.listen(new ReceivedListeners(), () => {});
    return problem === '' ? sockets : problem;
  }

  private view(): MasterView {
    const child = (pid: number): Child | undefined => [this.current, ...this.former].find((one) => one?.process.pid === pid) ?? undefined;
    return {
      list: () => ({
        master: { pid: process.pid, reloads: this.reloads, uptimeSeconds: secondsSince(this.startedAtMs) },
        failedReloads: this.failedReloads,
        workers: this.current === null ? [] : [listed(this.current)],
        oldWorkers: [...this.former].map(listed),
      }),
      failed: () => this.reloadFailed,
      ask: (pid, session, line, payload) => {
        const found = child(pid);
        return found === undefined ? undefined : this.lines.ask(found.process, session, line, payload);
      },
      reload: (session) => this.reloadByCommand(session),
    };
  }

  /** Tells what came of it, as the signal tells the log. */
  private async* reloadByCommand(session: CommandSession): AsyncGenerator<string> {
    if (this.current === null || this.starting !== null || this.stopping) {
      yield 'Success=0\n--\nNo worker is there to reload: one is being started, or the process is stopping.\n\n';
      return;
    }
    if (this.options.notify) this.tellSystemd(reloadingState());
    let answer = '';
    for await (const piece of this.lines.ask(this.current.process, session, 'reload', null)) {
      if (answer === '') answer = piece;
      yield piece;
    }
    this.reloaded(answer.startsWith('Success=1'));
  }

  private startWatchdog(): void {
    this.watchdog = new Watchdog({
      periodMs: watchdogMs(),
      nowMs: () => performance.now(),
      beat: () => this.tellSystemd('WATCHDOG=1'),
      tell: (why) => {
        if (why === '') this.notices.notice('The balancer does its work again.');
        else this.notices.alert(`The balancer does not do its work (${why}): systemd's watchdog gets no sign of life until it does.`);
      },
    });
  }

  /** Names too, when the balancer is locked in. */
  private async readFor(child: Child): Promise<void> {
    const { highAvailability } = this.options;
    const work = async (): Promise<void> => {
      const reading = await this.options.read();
      const isLockedIn = reading.model !== null && reading.model.global.chroot !== '';
      tellReading(child.process, isLockedIn ? { ...reading, names: await lookUpNames(namesOf(reading.model)) } : reading);
    };
    await (highAvailability === null ? work() : highAvailability.whileBusy(work));
  }

  private launch(part: Part): void {
    const child: Child = { process: spawnPart(part, this.everRan ? this.options.wordsAgain : this.options.words, { detached: false, output: 'inherit', descriptors: this.options.descriptors }), startedAtMs: Date.now(), ready: false, outlived: 0 };
    this.starting = child;
    this.notices.notice(`New worker (${child.process.pid ?? 0}) forked`);
    child.process.on('message', (message) => {
      this.lines.hear(message);
      if (message === 'ready') this.becameReady(child);
      else if (isQuietWord(message)) this.quiet.resolve();
      else if (isReadWord(message)) void this.readFor(child);
      else if (isReloadedWord(message)) this.reloaded(message.reloaded, message.another);
      else if (isUpgradeWord(message) && child === this.current) this.upgrade();
      else if (isTakenWord(message)) this.taken = child === this.current;
      else if (isBalancerWord(message) && child === this.current) {
        this.watchdog?.hear(message.broken, message.takesUp);
        this.options.highAvailability?.hear(message);
      }
    });
    child.process.on('error', (error) => this.notices.alert(`cannot start the balancer process: ${error.message}`));
    child.process.on('exit', (code, signal) => this.exited(child, code, signal));
  }

  private becameReady(child: Child): void {
    const first = !this.everRan;
    child.ready = true;
    this.everRan = true;
    this.starting = null;
    const before = this.current;
    this.current = child;
    this.taken = false;
    if (before !== null) {
      this.reloads += 1;
      this.former.add(before);
      for (const old of this.former) old.outlived += 1;
      before.process.kill('SIGUSR1');
    }
    this.notices.notice('Loading success.');
    const { pidfile, notify, daemon } = this.options;
    if (pidfile !== '' && first) {
      try {
        writeFileSync(pidfile, `${process.pid}\n`);
      } catch (error) {
        this.notices.alert(`Cannot create pidfile ${pidfile}: ${error instanceof Error ? error.message : String(error)}`);
        this.stop('SIGTERM');
        return;
      }
    }
    if (notify && first && watchdogMs() > 0) this.startWatchdog();
    if (notify) this.tellSystemd(`READY=1\nMAINPID=${process.pid}\nSTATUS=Ready.`);
    tellReady();
    if (first) signalPredecessors(this.options.predecessors, this.notices);
    this.reloadIfWanted();
    if (daemon) this.notices.silent = true;
  }

  private reloadIfWanted(): void {
    if (!this.reloadWanted) return;
    this.reloadWanted = false;
    this.reload();
  }

  private exited(child: Child, code: number | null, signal: NodeJS.Signals | null): void {
    const pid = child.process.pid ?? 0;
    this.lines.gone(child.process);
    const how = signal === null ? `code ${code ?? 0} (Exit)` : `code ${128 + constants.signals[signal]} (${signal})`;
    if (this.former.delete(child)) this.notices.warning(`Former worker (${pid}) exited with ${how}`);
    else if (child === this.starting) this.startFailed(child, how);
    else this.currentDied(child, how);
    if (this.stopping && this.current === null && this.starting === null && this.former.size === 0) {
      this.notices.warning(`All workers exited. Exiting... (${code ?? 143})`);
      this.end.resolve(signal === null ? code ?? 0 : 143);
    }
  }

  /** A first start that fails ends the master; a reload that fails changes nothing; a restart that fails is tried again. */
  private startFailed(child: Child, how: string): void {
    this.starting = null;
    if (this.stopping) return;
    if (this.current !== null) {
      this.notices.alert(`New worker (${child.process.pid ?? 0}) exited with ${how}: the one before goes on.`);
      if (this.options.notify) this.tellSystemd('READY=1\nSTATUS=Reload failed!');
      this.reloadIfWanted();
    } else if (this.everRan) this.again();
    else this.end.resolve(1);
  }

  private currentDied(child: Child, how: string): void {
    this.current = null;
    this.options.highAvailability?.died();
    if (this.stopping) {
      this.notices.warning(`Current worker (${child.process.pid ?? 0}) exited with ${how}`);
      return;
    }
    if (Date.now() - child.startedAtMs > delayMaxMs) this.delayMs = delayFirstMs;
    this.notices.alert(`Current worker (${child.process.pid ?? 0}) exited with ${how}: it is started again.`);
    this.again();
  }

  private again(): void {
    setTimeout(() => {
      if (!this.stopping) this.launch('balancer');
    }, this.delayMs);
    this.delayMs = Math.min(delayMaxMs, this.delayMs * 2);
  }

  /** The balancer takes the configuration up in place; one with problems changes nothing. */
  private reload(): void {
    if (this.stopping) return;
    if (this.starting !== null || this.current === null) {
      if (!this.reloadWanted) this.notices.notice('A signal to reload has come while a worker starts: a reload follows at once.');
      this.reloadWanted = true;
      return;
    }
    if (this.options.notify) this.tellSystemd(reloadingState());
    tellReload(this.current.process);
  }

  /** `another`: a signal has come meanwhile, and the balancer is at it again. */
  private reloaded(ok: boolean, another = false): void {
    if (ok) this.reloads += 1;
    else this.failedReloads += 1;
    this.reloadFailed = !ok;
    if (this.options.notify && !another) this.tellSystemd(ok ? 'READY=1\nSTATUS=Ready.' : 'READY=1\nSTATUS=Reload failed!');
  }

  /** For another program or what a reload cannot change. A configuration with problems changes nothing. */
  private upgrade(): void {
    if (this.stopping || this.starting !== null) return;
    this.notices.notice('Upgrading: a new worker takes over, the one before finishes its connections.');
    if (this.options.notify) this.tellSystemd(reloadingState());
    if (this.options.configurationIsValid()) this.launch('takeover');
    else {
      this.notices.alert('The configuration has problems: nothing was changed.');
      if (this.options.notify) this.tellSystemd('READY=1\nSTATUS=Reload failed!');
    }
  }

  private stop(signal: 'SIGTERM' | 'SIGUSR1'): void {
    // A second signal of the hard kind ends what a soft stop still waits for.
    this.stopping = true;
    this.watchdog?.stopping();
    if (this.options.notify && !this.taken) this.tellSystemd('STOPPING=1');
    this.notices.warning('Exiting Master process...');
    void this.handOver(signal);
  }

  /** The other node gets the addresses first: new connections wait for it, and requests that are being answered end while it waits for its skew. */
  private async handOver(signal: 'SIGTERM' | 'SIGUSR1'): Promise<void> {
    const { highAvailability } = this.options;
    // Sockets that somebody has taken are not only this balancer's to hold.
    if (this.current !== null && !this.taken && await highAvailability?.isMaster() === true) tellHold(this.current.process);
    else this.quiet.resolve();
    await highAvailability?.stop(this.quiet.promise);
    const children = [this.starting, this.current, ...this.former].filter((child) => child !== null);
    for (const child of children) child.process.kill(child.ready ? signal : 'SIGTERM');
    if (children.length === 0) this.end.resolve(0);
  }

  private tellSystemd(state: string): void {
    const failure = notifySystemd(state);
    if (failure !== '') this.notices.warning(failure);
  }
}
