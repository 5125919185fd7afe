/** What every workload is made of, and the measurements that they share. Used by the files beside it and the runner. */
import { eventually, sleep } from '../../test/harness/place.ts';
import type { Shape, Site } from '../configurations/shape.ts';
import type { TimedLoad } from '../load/latencies.ts';
import { cpuBetween, peakMemoryBytes, readCpu } from '../machine/cost.ts';
import type { Started } from '../machine/programs.ts';
import type { LogCount, Stage } from '../machine/stage.ts';
import { aroundSeconds, durations, type Size } from '../durations.ts';
import type { Measured, Row } from '../row.ts';
import type { SubjectName } from '../subjects/subject.ts';

export interface Context {
  readonly stage: Stage;
  readonly subject: SubjectName;
  readonly started: Started;
  readonly size: Size;
}

/** HAProxy and nginx are compiled when they start. */
export function compileSeconds(size: Size, subject: SubjectName): number {
  return subject === 'haproxy' || subject === 'nginx' ? 0 : durations[size].compileSeconds;
}

/** Seconds that loads take together, with what is around them. For estimates. */
export function loadSeconds(...loads: readonly number[]): number {
  return loads.reduce((sum, one) => sum + one + aroundSeconds.process + aroundSeconds.log, 0);
}

/** One start of each subject in each round. Gives the rows it measured by name. */
export interface Cell {
  readonly rows: readonly Row[];
  readonly shape: (site: Site) => Shape;
  readonly measure: (context: Context) => Promise<ReadonlyMap<string, Measured>>;
  /** About how long one start is measured, without the start itself. */
  readonly seconds: (size: Size, subject: SubjectName) => number;
  /** Rounds of this cell when the command line says nothing and the workload has more. */
  readonly roundsMax?: number;
  /** The pair alone plays it. */
  readonly pairOnly?: boolean;
  /** The subject runs on the load's core too. */
  readonly bothCores?: boolean;
}

export interface Workload {
  readonly name: string;
  readonly what: string;
  readonly peers: readonly SubjectName[];
  /** Rounds when the command line says nothing. */
  readonly rounds: Readonly<Record<Size, number>>;
  /** Full rounds of the subjects that are shown without a target: Poise on Node and the libraries. */
  readonly roundsOfOthers: number;
  readonly cells: readonly Cell[];
}

/** Answers of a load, and how many log lines there may be beyond them: requests under way when the load ended. */
export interface Work {
  readonly answers: number;
  readonly underWayMax: number;
  readonly units: number;
  readonly seconds: number;
}

const logMsMax = 3000;
const logQuietMs = 150;

/** Log lines of an earlier load may still be on their way: waits until none has come for a moment. */
async function quietLog(stage: Stage): Promise<LogCount> {
  let last = await stage.logCount();
  for (;;) {
    await sleep(logQuietMs);
    const now = await stage.logCount();
    if (now.lines === last.lines) return now;
    last = now;
  }
}

/** CPU of the subject per unit while the load runs. Throws when log lines and answers do not match. */
export async function cpuPerUnit(context: Context, load: () => Promise<Work>): Promise<Measured> {
  const { stage, started } = context;
  const logBefore = await quietLog(stage);
  const before = readCpu(started.pid);
  const work = await load();
  const use = cpuBetween(before, readCpu(started.pid));
  let log = await stage.logCount();
  await eventually('log lines', async () => { log = await stage.logCount(); return log.lines - logBefore.lines >= work.answers; }, logMsMax).catch(() => undefined);
  const beyond = log.lines - logBefore.lines - work.answers;
  if (beyond < 0 || beyond > work.underWayMax) throw new Error(`${log.lines - logBefore.lines} log lines for ${work.answers} answers`);
  return {
    cost: use.nanoseconds / work.units, units: work.units, seconds: work.seconds, systemShare: use.systemShare,
    peakBytes: peakMemoryBytes(started.pid), logLinesBeyond: beyond, logLinesDropped: log.dropped - logBefore.dropped,
  };
}

export function latencyOf(timed: TimedLoad, ratePerSecond: number): Pick<Measured, 'ratePerSecond' | 'p50Ms' | 'p99Ms' | 'p999Ms'> {
  return { ratePerSecond, p50Ms: timed.p50Ms, p99Ms: timed.p99Ms, p999Ms: timed.p999Ms };
}
