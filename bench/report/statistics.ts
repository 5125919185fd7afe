/** Medians, spreads and ratios of samples. Used by the tables; never measures. */
import type { Row, Sample } from '../row.ts';
import type { SubjectName } from '../subjects/subject.ts';

export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** Undefined for no values: a number that was not measured is never made up. */
export function summary(values: readonly number[]): Summary | undefined {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) return undefined;
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? (sorted[middle] ?? least) : ((sorted[middle - 1] ?? least) + (sorted[middle] ?? least)) / 2;
  return { median, least, most, count: sorted.length };
}

export function samplesOf(samples: readonly Sample[], row: Row, subject: SubjectName): Sample[] {
  return samples.filter((sample) => sample.workload === row.workload && sample.row === row.name && sample.subject === subject);
}

/** Cost of the subject divided by the other's (HAProxy's) of the same round, over the rounds that both have. */
export function ratios(samples: readonly Sample[], row: Row, subject: SubjectName, to: SubjectName = 'haproxy'): Summary | undefined {
  const base = new Map(samplesOf(samples, row, to).map((sample) => [sample.round, sample.cost]));
  return summary(samplesOf(samples, row, subject).flatMap((sample) => {
    const other = base.get(sample.round);
    return other === undefined || other <= 0 ? [] : [sample.cost / other];
  }));
}

/** `W1 0.97` for each workload that Poise on Bun and HAProxy both have: the worst of its headline rows. */
export function ratioLines(samples: readonly Sample[], rows: readonly Row[]): string[] {
  const names = [...new Set(rows.map((row) => row.workload))];
  return names.flatMap((workload) => {
    const worst = rows.filter((row) => row.workload === workload && row.headline).map((row) => ratios(samples, row, 'poise-bun')?.median);
    const known = worst.filter((value) => value !== undefined);
    return known.length === 0 || known.length < worst.length ? [] : [`${workload} ${Math.max(...known).toFixed(2)}`];
  });
}
