/**
 * How a process of Poise that was started by another one (master, or the launcher of a daemon) knows its part and tells that it
 * is ready. The part travels in one environment variable, the rest over the runtime's own channel between the two processes.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { deserialize, serialize } from 'node:v8';
import { programArguments } from '../base/program.ts';
import type { KnownNames } from '../base/kept-names.ts';
import type { Model } from '../model/model.ts';
import type { InstanceStatus } from '../model/vrrp-messages.ts';

/** `balancer`: child of a master. `vrrp`: speaks VRRP for one. `daemon`: child of a launcher that ends once it is ready. '': started by a person or a unit. */
export type Part = '' | 'balancer' | 'takeover' | 'daemon' | 'vrrp';

const variable = 'POISE_PROCESS';
/** Children read the same command line from the same folder, also when -C has moved this process. */
const startFolder = process.cwd();

/** Asked once at start; the variable does not reach further children. */
export function takePart(): Part {
  const part = process.env[variable];
  delete process.env[variable];
  return part === 'balancer' || part === 'takeover' || part === 'daemon' || part === 'vrrp' ? part : '';
}

interface ChildOptions {
  readonly detached: boolean;
  /** What stdout and stderr of the child become. */
  readonly output: 'inherit' | 'pipe';
  /** Open files that the child has under the same numbers (`bind fd@N`). */
  readonly descriptors: readonly number[];
}

/** What the child's descriptors become, by number; the channel between the two processes takes the first that is free. */
function stdioOf(output: 'inherit' | 'pipe', descriptors: readonly number[]): (number | 'ignore' | 'inherit' | 'pipe' | 'ipc')[] {
  const stdio: (number | 'ignore' | 'inherit' | 'pipe' | 'ipc')[] = ['ignore', output, output];
  const last = Math.max(2, ...descriptors);
  for (let number = stdio.length; number <= last; number += 1) stdio.push(descriptors.includes(number) ? number : 'ignore');
  const free = stdio.indexOf('ignore', 3);
  stdio.splice(free < 0 ? stdio.length : free, 1, 'ipc');
  return stdio;
}

/** Starts this program again with the same command line in another part. */
export function spawnPart(part: Part, words: readonly string[], options: ChildOptions): ChildProcess {
  return spawn(process.execPath, programArguments(words), {
    env: { ...process.env, [variable]: part },
    cwd: startFolder,
    detached: options.detached,
    stdio: stdioOf(options.output, options.descriptors),
  });
}

/** Starts this program as the VRRP process, which hears commands on stdin and reports on stdout. In a process group of its own: a terminal's Ctrl-C reaches it through its master only. */
export function spawnVrrp(): ChildProcess {
  return spawn(process.execPath, programArguments([]), { env: { ...process.env, [variable]: 'vrrp' }, cwd: startFolder, detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
}

/** What a balancer process tells its master twice a second when virtual addresses or systemd's watchdog depend on it. */
export interface BalancerWord {
  /** What of itself does not work; empty: all does. */
  readonly broken: string;
  /** Why it must not have traffic; empty: it may. */
  readonly why: string;
  /** Every server has been checked once. */
  readonly checked: boolean;
  /** Another configuration is being taken up: this process may say nothing for a while. */
  readonly takesUp: boolean;
}

export function isBalancerWord(message: unknown): message is BalancerWord {
  return typeof message === 'object' && message !== null && 'broken' in message && 'why' in message && 'checked' in message && 'takesUp' in message;
}

/** What the master tells a balancer of the virtual addresses, once a second. */
interface NodeWord { readonly virtualAddresses: readonly InstanceStatus[] }

export function isNodeWord(message: unknown): message is NodeWord {
  return typeof message === 'object' && message !== null && 'virtualAddresses' in message;
}

export function tellVirtualAddresses(balancer: ChildProcess, virtualAddresses: readonly InstanceStatus[]): void {
  if (balancer.connected) balancer.send({ virtualAddresses } satisfies NodeWord);
}

const holdWord = 'hold connections';

/** The virtual addresses are about to move: no new connection is to begin on this node. */
export function tellHold(balancer: ChildProcess): void {
  if (balancer.connected) balancer.send(holdWord);
}

export function isHoldWord(message: unknown): boolean {
  return message === holdWord;
}

const quietWord = 'quiet';

/** After `tellHold`: every request that was being answered has ended. */
export function tellQuiet(): void {
  process.send?.(quietWord);
}

export function isQuietWord(message: unknown): boolean {
  return message === quietWord;
}

/** `model` null: `lines` say why it cannot be used; otherwise they are warnings. */
export interface Reading {
  readonly model: Model | null;
  readonly lines: readonly string[];
  /** For a process that is locked in and cannot ask. */
  readonly names?: KnownNames;
}

const readWord = 'read the configuration';

/** A balancer that has given up root cannot read every key: it leaves the reading to its master, who has not. */
export function askMasterToRead(): Promise<Reading> {
  return new Promise((resolve) => {
    const take = (message: unknown): void => {
      if (typeof message !== 'object' || message === null || !('reading' in message)) return;
      process.off('message', take);
      resolve(deserialize(Buffer.from(String(message.reading), 'base64')) as Reading);
    };
    process.on('message', take);
    process.send?.(readWord);
  });
}

export function isReadWord(message: unknown): boolean {
  return message === readWord;
}

export function tellReading(balancer: ChildProcess, reading: Reading): void {
  if (balancer.connected) balancer.send({ reading: serialize(reading).toString('base64') });
}

const reloadWord = 'reload';

/** The configuration files are to be taken up again, in place. */
export function tellReload(balancer: ChildProcess): void {
  if (balancer.connected) balancer.send(reloadWord);
}

export function isReloadWord(message: unknown): boolean {
  return message === reloadWord;
}

/** What came of it; the words are in the balancer's output. */
interface ReloadedWord {
  readonly reloaded: boolean;
  /** A signal has come meanwhile. */
  readonly another: boolean;
}

export function tellReloaded(reloaded: boolean, another: boolean): void {
  process.send?.({ reloaded, another } satisfies ReloadedWord);
}

export function isReloadedWord(message: unknown): message is ReloadedWord {
  return typeof message === 'object' && message !== null && 'reloaded' in message;
}

const upgradeWord = 'upgrade';

/** Asks the master for a new balancer process that takes over from this one. False: there is no master. */
export function askForUpgrade(): boolean {
  return process.send?.(upgradeWord) ?? false;
}

export function isUpgradeWord(message: unknown): boolean {
  return message === upgradeWord;
}

export function tellHealth(word: BalancerWord): void {
  process.send?.(word);
}

const takenWord = 'listening sockets taken';

/** Another process has the listening sockets as well: a stop that follows is a take-over. */
export function tellTaken(): void {
  process.send?.(takenWord);
}

export function isTakenWord(message: unknown): boolean {
  return message === takenWord;
}

/** Tells whoever started this process that it serves. */
export function tellReady(): void {
  process.send?.('ready');
}
