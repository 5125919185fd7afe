/** Reads from /proc what a process costs: CPU of all its threads, memory. Used by the workloads. */
import { readFileSync } from 'node:fs';

/** Clock ticks per second of /proc/PID/stat; 100 on every Linux that Poise runs on. */
const ticksPerSecond = 100;

/** User and system time of the process so far, ended threads included, in microseconds. */
export function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * (1_000_000 / ticksPerSecond);
}

/** Memory that the process alone holds (proportional set size), in bytes. */
export function memoryBytes(pid: number): number {
  const line = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1').split('\n').find((one) => one.startsWith('Pss:')) ?? '';
  return Number(/\d+/.exec(line)?.[0] ?? 0) * 1024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
