/**
 * Tells scripts and the notify_fifo of state changes, with keepalived's words (keepalived.conf(5), "notify"): no shell, as the script's
 * user, one after the other, each with a time limit, so that a script that hangs delays only the next script. Used by vrrp/node.ts.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, writeSync } from 'node:fs';
import type { Command, KeepalivedModel, Notifications } from '../model/keepalived.ts';
import { limits } from '../model/limits.ts';
import type { VrrpReport, VrrpState } from '../model/vrrp-messages.ts';
import { commandUser, insecure } from './command-user.ts';

interface Run { readonly command: Command; readonly extra: readonly string[] }
type Log = (level: 'info' | 'warning', text: string) => void;

export class Notifier {
  readonly #model: KeepalivedModel;
  readonly #log: Log;
  readonly #scriptMsMax: number;
  readonly #waiting: Run[] = [];
  #running: ChildProcess | undefined;
  #fifo = -1;
  #fifoScript: ChildProcess | undefined;
  #idle: (() => void) | undefined;

  constructor(model: KeepalivedModel, log: Log, scriptMsMax: number = limits.notifyScriptMsMax) {
    this.#model = model;
    this.#log = log;
    this.#scriptMsMax = scriptMsMax;
    this.#openFifo();
  }

  hear(report: VrrpReport): void {
    if (report.kind === 'state') this.#stateChanged('INSTANCE', report.instance, report.to, report.priority);
    else if (report.kind === 'group') this.#stateChanged('GROUP', report.group, report.to, 0);
    else if (report.kind === 'lower priority') this.#heardLower(report.instance, report.priority);
    else if (report.kind === 'priority') this.#priorityChanged(report.instance, report.state, report.priority);
  }

  /** Resolves when the scripts that were begun have ended, or after their time limit. */
  async close(): Promise<void> {
    if (this.#running !== undefined || this.#waiting.length > 0) await new Promise<void>((resolve) => { this.#idle = resolve; });
    this.#fifoScript?.kill('SIGTERM');
    if (this.#fifo >= 0) closeSync(this.#fifo);
    this.#fifo = -1;
  }

  #notifications(kind: 'INSTANCE' | 'GROUP', name: string): Notifications | undefined {
    const list: readonly { readonly name: string; readonly notify: Notifications }[] = kind === 'INSTANCE' ? this.#model.instances : this.#model.groups;
    return list.find((one) => one.name === name)?.notify;
  }

  #stateChanged(kind: 'INSTANCE' | 'GROUP', name: string, to: VrrpState, priority: number): void {
    const notify = this.#notifications(kind, name);
    if (notify === undefined || to === 'INIT') return;
    const own: Readonly<Record<Exclude<VrrpState, 'INIT'>, Command | undefined>> = { MASTER: notify.master, BACKUP: notify.backup, FAULT: notify.fault, STOP: notify.stop };
    if (own[to] !== undefined) this.#start({ command: own[to], extra: [] });
    if (notify.any !== undefined) this.#start({ command: notify.any, extra: [kind, name, to, String(priority)] });
    this.#writeFifo(kind, name, to, priority);
  }

  #heardLower(name: string, priority: number): void {
    const command = this.#notifications('INSTANCE', name)?.masterHeardLower;
    if (command !== undefined) this.#start({ command, extra: [] });
    this.#writeFifo('INSTANCE', name, 'MASTER_RX_LOWER_PRI', priority);
  }

  #priorityChanged(name: string, state: VrrpState, priority: number): void {
    const notify = this.#notifications('INSTANCE', name);
    if (notify?.priorityChanges === true && (state === 'MASTER' || state === 'BACKUP')) this.#writeFifo('INSTANCE', name, `${state}_PRIORITY`, priority);
  }

  // ---- scripts

  #start(run: Run): void {
    if (this.#waiting.length >= limits.notifyScriptsMax) {
      this.#log('warning', `too many notify scripts wait: ${run.command.words.join(' ')} is not run`);
      return;
    }
    this.#waiting.push(run);
    if (this.#running === undefined) this.#next();
  }

  #next(): void {
    const run = this.#waiting.shift();
    if (run === undefined) {
      this.#running = undefined;
      this.#idle?.();
      return;
    }
    const [program = '', ...words] = run.command.words;
    const unsafe = this.#model.globals.enableScriptSecurity ? insecure(run.command) : '';
    if (unsafe !== '') {
      this.#log('warning', `script ${program} is not run: ${unsafe}`);
      this.#next();
      return;
    }
    const child = spawn(program, [...words, ...run.extra], { stdio: 'ignore', ...commandUser(run.command) });
    this.#running = child;
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      clearTimeout(limit);
      this.#next();
    };
    const limit = setTimeout(() => {
      this.#log('warning', `script ${program} did not end within ${this.#scriptMsMax / 1000} s and was ended`);
      child.kill('SIGKILL');
      end();
    }, this.#scriptMsMax);
    child.on('error', (error) => { this.#log('warning', `script ${program} cannot be run: ${error.message}`); end(); });
    child.on('exit', end);
  }

  // ---- fifo

  #openFifo(): void {
    const { notifyFifo: path, notifyFifoScript: script } = this.#model.globals;
    if (path === '') return;
    try {
      if (!existsSync(path)) execFileSync('mkfifo', ['-m', '600', path], { stdio: 'ignore' });
      // Open for both, so that a missing reader neither blocks nor fails the writer.
      this.#fifo = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    } catch (error) {
      this.#log('warning', `notify_fifo ${path} cannot be opened: ${(error as Error).message}`);
      return;
    }
    if (script === undefined) return;
    const [program = '', ...words] = script.words;
    this.#fifoScript = spawn(program, [...words, path], { stdio: 'ignore', ...commandUser(script) });
    this.#fifoScript.on('error', (error) => { this.#log('warning', `notify_fifo_script ${program} cannot be run: ${error.message}`); });
  }

  #writeFifo(kind: string, name: string, word: string, priority: number): void {
    if (this.#fifo < 0) return;
    try {
      writeSync(this.#fifo, `${kind} "${name}" ${word} ${priority}\n`);
    } catch {
      // Nobody reads: it is full, and what is new is lost, as with keepalived.
    }
  }
}
