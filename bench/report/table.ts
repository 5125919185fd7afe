/** The table of a run, as Markdown that reads well in a terminal too. Used by the runner and by the performance page. */
import type { Row, Sample } from '../row.ts';
import type { SubjectName } from '../subjects/subject.ts';
import { ratios, samplesOf, summary, type Summary } from './statistics.ts';

const dash = '–';

function scaled(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} G`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

const withSpread = (one: Summary, text: (value: number) => string): string => (one.count === 1 ? text(one.median) : `${text(one.median)} (${text(one.least)}–${text(one.most)})`);

/** The row's own measure: units per CPU second, KB per connection, or milliseconds. */
function amount(row: Row, samples: readonly Sample[]): string {
  const costs = samples.map((sample) => sample.cost);
  const turned = row.kind === 'cpu' ? costs.map((cost) => 1e9 / cost) : row.kind === 'memory' ? costs.map((cost) => cost / 1000) : costs;
  const all = summary(turned);
  if (all === undefined) return dash;
  const suffix = row.kind === 'cpu' ? `${row.unit === 'byte' ? 'B' : row.unit === 'connection' ? 'conn' : 'req'}/CPU s` : row.kind === 'memory' ? 'KB' : 'ms';
  return `${withSpread(all, row.kind === 'cpu' ? scaled : (value) => value.toPrecision(3))} ${suffix}`;
}

function latency(samples: readonly Sample[]): string {
  const median = (pick: (sample: Sample) => number | undefined): string => summary(samples.flatMap((sample) => pick(sample) ?? []))?.median.toFixed(2) ?? dash;
  const rate = samples.find((sample) => sample.ratePerSecond !== undefined)?.ratePerSecond;
  return rate === undefined ? dash : `${median((one) => one.p50Ms)} / ${median((one) => one.p99Ms)} / ${median((one) => one.p999Ms)} at ${rate}/s`;
}

function peak(samples: readonly Sample[]): string {
  const bytes = samples.flatMap((sample) => sample.peakBytes ?? []);
  return bytes.length === 0 ? dash : `${(Math.max(...bytes) / 1e6).toFixed(0)} MB`;
}

/** The ratio to HAProxy; for Poise on Bun with the target and a mark when it is missed. */
export function ratioText(ratio: Summary | undefined, target: number | undefined): string {
  if (ratio === undefined) return dash;
  const text = withSpread(ratio, (value) => value.toFixed(2));
  if (target === undefined) return text;
  return `${text}, wanted ≤ ${target} ${ratio.median <= target ? '✓' : '✗ missed'}`;
}

export function table(rows: readonly Row[], samples: readonly Sample[], subjects: readonly { readonly name: SubjectName; readonly title: string }[]): string {
  const lines = [
    '| | row | subject | per CPU second, KB or ms: median (spread) | ratio to HAProxy | p50 / p99 / p99.9 ms | peak memory | runs |',
    '|---|---|---|---|---|---|---|---|',
  ];
  for (const row of rows) {
    for (const subject of subjects) {
      const own = samplesOf(samples, row, subject.name);
      if (own.length === 0) continue;
      const ratio = subject.name === 'haproxy' ? '1' : ratioText(ratios(samples, row, subject.name), subject.name === 'poise-bun' ? row.target : undefined);
      lines.push(`| ${row.workload} | ${row.name} | ${subject.title} | ${amount(row, own)} | ${ratio} | ${latency(own)} | ${peak(own)} | ${own.length} |`);
    }
  }
  return lines.join('\n');
}
