/**
 * Runs the tracked scripts of keepalived.conf at their intervals, without a shell, as their user, with their time limit, and counts rise and
 * fall. Used by vrrp/node.ts, in the process that started the VRRP process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { VrrpScript } from '../model/keepalived.ts';
import { commandUser } from './command-user.ts';

interface ScriptEvents {
  /** The counted state has changed, or is known for the first time. */
  result(script: VrrpScript, ok: boolean, why: string): void;
}

class RunningScript {
  readonly script: VrrpScript;
  readonly #events: ScriptEvents;
  readonly #user: ReturnType<typeof commandUser>;
  readonly #timer: NodeJS.Timeout;
  #child: ChildProcess | undefined;
  /** Successes since the last failure, or failures since the last success, as a negative number. */
  #run = 0;
  #ok: boolean | undefined;

  constructor(script: VrrpScript, events: ScriptEvents) {
    this.script = script;
    this.#events = events;
    this.#user = commandUser(script.command);
    if (script.initFail) this.#tell(false, 'init_fail');
    this.#timer = setInterval(() => { this.#start(); }, script.intervalMs);
    this.#start();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#child?.kill('SIGTERM');
  }

  #start(): void {
    // One that has not ended yet goes on until its time limit.
    if (this.#child !== undefined) return;
    const [program = '', ...words] = this.script.command.words;
    let ended = false;
    const child = spawn(program, words, { stdio: 'ignore', ...this.#user });
    this.#child = child;
    const limit = setTimeout(() => {
      child.kill('SIGTERM');
      end(false, `did not end within ${this.script.timeoutMs / 1000} s`);
      setTimeout(() => child.kill('SIGKILL'), this.script.intervalMs).unref();
    }, this.script.timeoutMs);
    const end = (ok: boolean, why: string): void => {
      if (ended) return;
      ended = true;
      clearTimeout(limit);
      this.#count(ok, why);
    };
    child.on('error', (error) => { this.#child = undefined; end(false, `cannot be run: ${error.message}`); });
    child.on('exit', (code, signal) => {
      this.#child = undefined;
      end(code === 0, code === 0 ? 'exited with 0' : signal === null ? `exited with ${code ?? 0}` : `was ended by ${signal}`);
    });
  }

  #count(ok: boolean, why: string): void {
    this.#run = ok ? Math.max(1, this.#run + 1) : Math.min(-1, this.#run - 1);
    // The first result counts at once: nobody should wait rise × interval for the state of a machine that has just started.
    const settled = this.#ok === undefined || (ok ? this.#run >= this.script.rise : -this.#run >= this.script.fall);
    if (settled && this.#ok !== ok) this.#tell(ok, why);
  }

  #tell(ok: boolean, why: string): void {
    this.#ok = ok;
    this.#events.result(this.script, ok, why);
  }
}

export class ScriptRunner {
  readonly #running: readonly RunningScript[];

  constructor(scripts: readonly VrrpScript[], events: ScriptEvents) {
    this.#running = scripts.map((script) => new RunningScript(script, events));
  }

  stop(): void {
    for (const one of this.#running) one.stop();
  }
}
