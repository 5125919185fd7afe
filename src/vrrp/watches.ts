/**
 * Looks once a second whether tracked processes run and what tracked files say (vrrp_track_process, vrrp_track_file). Used by vrrp/node.ts.
 */
import { readdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import type { KeepalivedModel, TrackedProcess } from '../model/keepalived.ts';

const lookMs = 1000;
const fileBytesMax = 64;
const [fileMin, fileMax] = [-254, 254];

interface WatchEvents {
  process(name: string, ok: boolean): void;
  file(name: string, value: number): void;
}

/** Since when the number of processes says something else than is told. */
interface Seen { told: boolean | undefined; other: number }

export class Watches {
  readonly #model: KeepalivedModel;
  readonly #events: WatchEvents;
  readonly #seen = new Map<TrackedProcess, Seen>();
  readonly #timer: NodeJS.Timeout;

  constructor(model: KeepalivedModel, events: WatchEvents) {
    this.#model = model;
    this.#events = events;
    for (const file of model.trackedFiles) if (file.initFile !== undefined && !existsSync(file.file)) tryWrite(file.file, file.initFile);
    this.#look();
    this.#timer = setInterval(() => { this.#look(); }, lookMs);
    if (model.processes.length === 0 && model.trackedFiles.length === 0) clearInterval(this.#timer);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const file of this.#model.trackedFiles) this.#events.file(file.name, readValue(file.file));
    if (this.#model.processes.length === 0) return;
    const running = listProcesses(this.#model.processes.some((one) => one.fullCommand || one.parameters.length > 0));
    for (const one of this.#model.processes) this.#judge(one, running.filter((found) => matches(one, found)).length, performance.now());
  }

  #judge(one: TrackedProcess, count: number, nowMs: number): void {
    const ok = count >= one.quorum && count <= one.quorumMax;
    const seen = this.#seen.get(one) ?? { told: undefined, other: nowMs };
    this.#seen.set(one, seen);
    if (seen.told === ok) { seen.other = 0; return; }
    if (seen.other === 0) seen.other = nowMs;
    // The first look counts at once; later changes have to last.
    if (seen.told !== undefined && nowMs - seen.other < (ok ? one.delayMs : one.terminateDelayMs)) return;
    seen.told = ok;
    this.#events.process(one.name, ok);
  }
}

interface Running { readonly name: string; readonly command: readonly string[] }

/** Zombies do not run. Names are cut at 15 bytes by the kernel. */
function listProcesses(withCommands: boolean): readonly Running[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const [open, close] = [stat.indexOf('('), stat.lastIndexOf(')')];
      if (stat[close + 2] === 'Z') return [];
      const command = withCommands ? readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').slice(0, -1) : [];
      return [{ name: stat.slice(open + 1, close), command }];
    } catch {
      return [];
    }
  });
}

function matches(one: TrackedProcess, found: Running): boolean {
  if (!one.fullCommand && one.parameters.length === 0) return found.name === one.process.slice(0, 15);
  return found.command[0] === one.process && one.parameters.every((word, index) => found.command[index + 1] === word);
}

/** 0 when the file is missing or holds no number. */
function readValue(path: string): number {
  try {
    const value = Number.parseInt(readFileSync(path, 'latin1').slice(0, fileBytesMax), 10);
    return Number.isNaN(value) ? 0 : Math.min(fileMax, Math.max(fileMin, value));
  } catch {
    return 0;
  }
}

function tryWrite(path: string, value: number): void {
  try {
    writeFileSync(path, `${value}\n`);
  } catch {
    // A missing file counts as 0, which is what most write.
  }
}
