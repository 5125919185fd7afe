/** What a measurement gives: rows (one line of the table each) and samples (one subject, one round). Used by everything above the load. */
import type { SubjectName } from './subjects/subject.ts';

/** cpu: nanoseconds of CPU per unit; memory: bytes per unit; latency: milliseconds. */
export type CostKind = 'cpu' | 'memory' | 'latency';

export interface Row {
  readonly workload: string;
  /** What tells it from the workload's other rows. */
  readonly name: string;
  readonly kind: CostKind;
  readonly unit: 'request' | 'byte' | 'connection' | 'p99';
  /** Highest ratio to HAProxy that the project wants; absent: only shown. */
  readonly target?: number;
  /** Counts for the workload's line in the end: the worst of these rows is it. */
  readonly headline: boolean;
}

export interface Measured {
  readonly cost: number;
  /** Units done while the cost was taken. */
  readonly units?: number;
  readonly seconds?: number;
  /** Part of the CPU time spent in the kernel. */
  readonly systemShare?: number;
  /** Open loop: requests per second, and what they took. */
  readonly ratePerSecond?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly p999Ms?: number;
  readonly peakBytes?: number;
  /** Log lines beyond the answers that were counted (requests under way in the end), and datagrams dropped at the sink. */
  readonly logLinesBeyond?: number;
  readonly logLinesDropped?: number;
}

export interface Sample extends Measured {
  readonly workload: string;
  readonly row: string;
  readonly subject: SubjectName;
  readonly round: number;
}

/** Something that was to be measured and was not. */
export interface LeftOut {
  readonly workload: string;
  readonly subject: string;
  readonly why: string;
}
