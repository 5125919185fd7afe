/**
 * Reads from /proc what a subject costs: CPU time of all threads of a process and of its children, and memory. Used by the
 * workloads. Never starts or ends anything.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second in /proc/PID/stat; 100 on every Linux that the bench runs on. */
const ticksPerSecond = 100;
const nanosecondsPerTick = 1e9 / ticksPerSecond;

interface ProcessTimes {
  readonly userTicks: number;
  readonly systemTicks: number;
  /** Of children that have ended and were waited for. */
  readonly endedChildrenTicks: number;
  /** Time on a core by thread, nanoseconds; user and system together. */
  readonly threads: ReadonlyMap<number, number>;
}

/** What a tree of processes has used so far. */
export type CpuReading = ReadonlyMap<number, ProcessTimes>;

export interface CpuUse {
  readonly nanoseconds: number;
  /** Part of the time that was spent in the kernel, 0 to 1; from ticks, so coarse. */
  readonly systemShare: number;
}

/** Fields of /proc/PID/stat after the command, which may hold blanks and brackets; the first is the state. */
export function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder).filter((name) => /^\d+$/.test(name)).map(Number);
  } catch {
    return [];
  }
}

/** The process and everything below it. */
export function processTree(root: number): number[] {
  const parents = new Map(numbersIn('/proc').map((pid) => [pid, Number(statFields(read(`/proc/${pid}/stat`))[1])]));
  const tree = [root];
  for (const pid of tree) tree.push(...[...parents].filter(([, parent]) => parent === pid).map(([child]) => child));
  return tree;
}

function timesOf(pid: number): ProcessTimes {
  const fields = statFields(read(`/proc/${pid}/stat`));
  const field = (index: number): number => Number(fields[index] ?? 0);
  // schedstat: time on a core in nanoseconds, time waiting, number of turns. It is what utime + stime are rounded from.
  const threads = numbersIn(`/proc/${pid}/task`).map((thread): [number, number] => [thread, Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] ?? 0)]);
  return { userTicks: field(11), systemTicks: field(12), endedChildrenTicks: field(13) + field(14), threads: new Map(threads) };
}

export function readCpu(root: number): CpuReading {
  return new Map(processTree(root).map((pid) => [pid, timesOf(pid)]));
}

const nothing: ProcessTimes = { userTicks: 0, systemTicks: 0, endedChildrenTicks: 0, threads: new Map() };

function nanosecondsBetween(before: ProcessTimes, after: ProcessTimes): number {
  const ticks = after.userTicks + after.systemTicks - before.userTicks - before.systemTicks;
  const complete = [...before.threads.keys()].every((thread) => after.threads.has(thread)) && [...after.threads.values()].some((time) => time > 0);
  // A thread that has ended took its nanoseconds with it; the ticks of the process still hold them.
  if (!complete) return ticks * nanosecondsPerTick;
  let sum = 0;
  for (const [thread, time] of after.threads) sum += time - (before.threads.get(thread) ?? 0);
  return sum;
}

export function cpuBetween(before: CpuReading, after: CpuReading): CpuUse {
  let nanoseconds = 0;
  let user = 0;
  let system = 0;
  for (const [pid, times] of after) {
    const earlier = before.get(pid) ?? nothing;
    nanoseconds += nanosecondsBetween(earlier, times) + (times.endedChildrenTicks - earlier.endedChildrenTicks) * nanosecondsPerTick;
    user += times.userTicks - earlier.userTicks;
    system += times.systemTicks - earlier.systemTicks;
  }
  return { nanoseconds, systemShare: user + system === 0 ? 0 : system / (user + system) };
}

function kibibytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
}

/** Highest resident memory of the processes of the tree that still run, added up, in bytes. */
export function peakMemoryBytes(root: number): number {
  return processTree(root).reduce((sum, pid) => sum + kibibytes(read(`/proc/${pid}/status`), 'VmHWM') * 1024, 0);
}

/** Memory of the tree now, each shared page counted once (proportional set size), in bytes. */
export function memoryBytes(root: number): number {
  return processTree(root).reduce((sum, pid) => sum + kibibytes(read(`/proc/${pid}/smaps_rollup`), 'Pss') * 1024, 0);
}
