/**
 * The high-availability half of a node, in the process that started it: starts the VRRP process and starts it again when it dies, tells it every
 * half second that somebody is there, runs the tracked scripts, and passes what it reports to the log and to whoever listens.
 * Used by cli/vrrp.ts alone and by process/master.ts beside the balancer. Opens no sockets itself.
 */
import type { ChildProcess } from 'node:child_process';
import { serialize } from 'node:v8';
import type { KeepalivedModel, VrrpScript } from '../model/keepalived.ts';
import type { InstanceStatus, VrrpCommand, VrrpReport } from '../model/vrrp-messages.ts';
import { Notifier } from './notify.ts';
import { ScriptRunner } from './scripts.ts';
import { Watches } from './watches.ts';

export type LogLevel = 'info' | 'notice' | 'warning' | 'err';

interface VrrpNodeOptions {
  readonly model: KeepalivedModel;
  /** Starts the VRRP process with pipes as stdin and stdout. */
  readonly spawn: () => ChildProcess;
  readonly log: (level: LogLevel, text: string) => void;
  readonly onReport: (report: VrrpReport) => void;
  /** Scripts that this program answers itself (`killall -0 haproxy` beside its own balancer) instead of running them. */
  readonly answeredHere: (script: VrrpScript) => boolean;
}

const beatMs = 500;
/** Beats without an answer after which the VRRP process is taken for hung, before the other node takes the addresses at one advert a second. Counted, as a machine that was stopped has missed none. */
const unansweredMax = 4;
/** The same for one that has just been started: a busy machine takes its time for that, and ending it each time would leave what it is to clear. */
const unansweredStartMax = 60;
/** Before another try with one that has ended soon after its start; one that had run is replaced at once, as its addresses are still set. */
const restartMs = 500;
const ranMs = 5000;
/** On a machine that is busy with everything else that stops. */
const stopMsMax = 5000;
const lineBytesMax = 1_048_576;

export class VrrpNode {
  readonly #options: VrrpNodeOptions;
  #child: ChildProcess | undefined;
  #beat: NodeJS.Timeout | undefined;
  #unanswered = 0;
  /** The VRRP process that runs now has said something. */
  #answered = false;
  #launchedMs = 0;
  #scripts: ScriptRunner | undefined;
  #watches: Watches | undefined;
  #notifier: Notifier | undefined;
  #stopping = false;
  /** The VRRP process has said that its addresses are gone. */
  #gaveUp = false;
  #cleared = false;
  /** What the VRRP process has to be told again when it is started again. */
  readonly #standing = new Map<string, VrrpCommand>();
  readonly #waiting: ((status: readonly InstanceStatus[]) => void)[] = [];
  readonly #ended = Promise.withResolvers<void>();

  constructor(options: VrrpNodeOptions) {
    this.#options = options;
  }

  start(): void {
    this.#launch();
    this.#beat = setInterval(() => { this.#beatOnce(); }, beatMs);
    const { model, answeredHere, log } = this.#options;
    this.#notifier = new Notifier(model, log);
    this.#watches = new Watches(model, {
      process: (name, ok) => { this.#tell(`process ${name}`, { kind: 'process', name, ok }); },
      file: (name, value) => { this.#tell(`file ${name}`, { kind: 'file', name, value }); },
    });
    const used = new Set([...model.instances, ...model.groups].flatMap((one) => one.trackScripts.map((use) => use.name)));
    this.#scripts = new ScriptRunner(model.scripts.filter((script) => used.has(script.name) && !answeredHere(script)), {
      result: (script, ok, why) => {
        log(ok ? 'info' : 'warning', `Script \`${script.name}\` now returning ${ok ? 'success' : 'failure'} (${why})`);
        this.scriptResult(script.name, ok);
      },
    });
  }

  // ---- what the VRRP process is told

  ready(): void { this.#tell('ready', { kind: 'ready' }); }
  /** Why the balancer must not have traffic; empty: it may. */
  health(why: string): void { this.#tell('health', { kind: 'health', why }); }
  scriptResult(name: string, ok: boolean): void { this.#tell(`script ${name}`, { kind: 'script', name, ok }); }
  /** This process may say nothing for so long at most. Resolves when the VRRP process can know it. */
  busy(forMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!this.#send({ kind: 'busy', forMs }, resolve)) resolve();
    return promise;
  }

  clearStatistics(): void { this.#send({ kind: 'clear statistics' }); }

  /** State of all instances; empty when the VRRP process does not answer within a second. */
  status(): Promise<readonly InstanceStatus[]> {
    if (this.#child === undefined) return Promise.resolve([]);
    const { promise, resolve } = Promise.withResolvers<readonly InstanceStatus[]>();
    this.#waiting.push(resolve);
    this.#send({ kind: 'status' });
    setTimeout(() => { resolve([]); }, 1000).unref();
    return promise;
  }

  /** Gives the addresses up (priority 0), lets them go when `quiet` says so or after `lingerMs`, and ends the VRRP process. */
  async stop(quiet: Promise<void> = Promise.resolve(), lingerMs = 0): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#beat);
    this.#scripts?.stop();
    this.#watches?.stop();
    if (this.#beat === undefined) return;
    if (this.#child === undefined) this.#clear();
    else this.#send({ kind: 'stop', lingerMs });
    void quiet.then(() => { this.#send({ kind: 'release' }); });
    const hard = setTimeout(() => {
      this.#child?.kill('SIGKILL');
      this.#ended.resolve();
    }, stopMsMax);
    await this.#ended.promise;
    clearTimeout(hard);
    await this.#notifier?.close();
  }

  /** A VRRP process that hangs sends no adverts, yet its addresses are still set: it is ended, and the next one clears what it left. */
  #beatOnce(): void {
    this.#unanswered += 1;
    const max = this.#answered ? unansweredMax : unansweredStartMax;
    if (this.#unanswered > max && this.#child !== undefined) {
      this.#options.log('err', `the VRRP process has not answered for ${max * beatMs / 1000} s: it is ended`);
      this.#unanswered = 0;
      this.#child.kill('SIGKILL');
    }
    this.#send({ kind: 'beat' });
  }

  /** One that died has left its addresses: another one takes them off and ends. */
  #clear(): void {
    this.#cleared = true;
    this.#launch();
    this.#send({ kind: 'stop', lingerMs: 0 });
  }

  #tell(subject: string, command: VrrpCommand): void {
    const before = this.#standing.get(subject);
    this.#standing.set(subject, command);
    if (JSON.stringify(before) !== JSON.stringify(command)) this.#send(command);
  }

  /** `written` is called when the line has gone, or cannot go. False: nobody is there to read it. */
  #send(command: VrrpCommand, written: () => void = () => undefined): boolean {
    const { stdin } = this.#child ?? {};
    const open = stdin !== null && stdin !== undefined && stdin.writable && stdin.writableLength < lineBytesMax;
    if (open) stdin.write(`${JSON.stringify(command)}\n`, written);
    return open;
  }

  // ---- the process

  #launch(): void {
    const child = this.#options.spawn();
    this.#child = child;
    this.#launchedMs = performance.now();
    this.#unanswered = 0;
    this.#answered = false;
    let rest = '';
    child.stdin?.on('error', () => { /* its end tells */ });
    child.stdin?.write(`${serialize(this.#options.model).toString('base64')}\n`);
    for (const command of this.#standing.values()) this.#send(command);
    child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(JSON.parse(line) as VrrpReport);
    });
    child.on('error', (error) => { this.#options.log('err', `cannot start the VRRP process: ${error.message}`); });
    child.on('close', (code, signal) => { this.#exited(code, signal); });
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    this.#child = undefined;
    if (this.#stopping) {
      if (this.#gaveUp || this.#cleared) this.#ended.resolve();
      else this.#clear();
      return;
    }
    this.#options.log('err', `the VRRP process ended with ${signal ?? `code ${code ?? 0}`}: it is started again`);
    setTimeout(() => { if (!this.#stopping) this.#launch(); }, performance.now() - this.#launchedMs > ranMs ? 0 : restartMs);
  }

  #take(report: VrrpReport): void {
    this.#unanswered = 0;
    this.#answered = true;
    if (report.kind === 'alive') return;
    this.#gaveUp ||= report.kind === 'stopped';
    if (report.kind === 'status') for (const resolve of this.#waiting.splice(0)) resolve(report.instances);
    else {
      const [level, text] = reportText(report);
      if (text !== '') this.#options.log(level, text);
    }
    this.#notifier?.hear(report);
    this.#options.onReport(report);
  }
}

/** The words keepalived uses, where it has any; people search their logs for them. */
function reportText(report: VrrpReport): readonly [LogLevel, string] {
  switch (report.kind) {
    case 'state':
      return [report.to === 'FAULT' ? 'warning' : 'notice', `(${report.instance}) Entering ${report.to} STATE (${report.why})`];
    case 'group':
      return ['notice', `VRRP_Group(${report.group}) Syncing instances to ${report.to} state`];
    case 'priority':
      return ['info', `(${report.instance}) Changing effective priority to ${report.priority}`];
    case 'two masters':
      return ['err', `(${report.instance}) there were two masters: ${report.peer} (priority ${report.peerPriority}) had the addresses too; this node ${report.outcome}. Look for a network that was split, a filter for protocol 112, or a machine that had been stopped`];
    case 'foreign owner':
      return ['err', `(${report.instance}) somebody else uses ${report.address}: ${report.hardware} answers for it`];
    case 'lower priority':
      return ['info', `(${report.instance}) Received advert from ${report.peer} with lower priority ${report.priority}`];
    case 'log':
      return [report.level, report.text];
    case 'stopped':
      return ['info', 'VRRP stopped'];
    case 'alive':
    case 'status':
      return ['info', ''];
  }
}
