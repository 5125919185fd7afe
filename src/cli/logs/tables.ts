/**
 * Counts of log lines by columns, and percentiles of their times: gathered line by line, printed at the end as text or JSON. Memory is bounded:
 * rows beyond a limit are counted as one. Used by logs.ts.
 */
import { limits } from '../../model/limits.ts';
import { terminationWords } from '../../model/termination.ts';
import type { LogLine } from './log-line.ts';
import { rankOf, Times } from './times.ts';

export const columns: Readonly<Record<string, (line: LogLine) => string>> = {
  backend: (line) => line.backend,
  frontend: (line) => line.frontend,
  server: (line) => `${line.backend}/${line.server}`,
  status: (line) => (line.kind === 'http' ? String(line.status) : '-'),
  class: (line) => (line.kind === 'http' && line.status > 0 ? `${Math.floor(line.status / 100)}xx` : '-'),
  cause: (line) => line.letters.slice(0, 2),
  why: (line) => line.why,
  method: (line) => line.method,
  path: (line) => line.path,
  client: (line) => line.client.slice(0, Math.max(0, line.client.lastIndexOf(':'))),
  hour: (line) => `${line.date.slice(0, 14)}:00`,
  minute: (line) => line.date.slice(0, 17),
};

/** Percentiles that halog prints. */
export const halogPercents: readonly number[] = [
  ...steps(0.1, 1.9, 0.1), ...steps(2, 9, 1), ...steps(10, 85, 5), ...steps(90, 97, 1), ...steps(98, 100, 0.1),
];

function steps(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.round((to - from) / step) + 1 }, (_, index) => Math.round((from + index * step) * 10) / 10);
}

export class CountTable {
  private readonly names: readonly string[];
  private readonly readers: readonly ((line: LogLine) => string)[];
  private readonly rows = new Map<string, number>();
  private others = 0;
  private total = 0;

  constructor(names: readonly string[]) {
    this.names = names;
    this.readers = names.flatMap((name) => columns[name] ?? []);
  }

  add(line: LogLine): void {
    const key = this.readers.map((read) => read(line)).join('\0');
    const count = this.rows.get(key);
    this.total += 1;
    if (count === undefined && this.rows.size >= limits.logCountRowsMax) this.others += 1;
    // A key that was cut out of a line would keep all of it.
    else if (count === undefined) this.rows.set(Buffer.from(key, 'latin1').toString('latin1'), 1);
    else this.rows.set(key, count + 1);
  }

  private sorted(top: number): [string[], number][] {
    const all = [...this.rows].toSorted((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
    return all.slice(0, top).map(([key, count]) => [key.split('\0'), count]);
  }

  json(top: number): unknown {
    const rows = this.sorted(top).map(([values, count]) => ({
      count, ...Object.fromEntries(this.names.map((name, index) => [name, values[index] ?? ''])),
      ...(this.names.includes('cause') ? { words: terminationWords(values[this.names.indexOf('cause')] ?? '') } : {}),
    }));
    return { rows, total: this.total, ...(this.others > 0 ? { others: this.others } : {}) };
  }

  text(top: number): string {
    const rows = this.sorted(top).map(([values, count]) => [
      String(count), `${((100 * count) / Math.max(this.total, 1)).toFixed(1)}%`,
      ...values.map((value, index) => (this.names[index] === 'cause' ? `${value} ${terminationWords(value)}`.trim() : value || '-')),
    ]);
    if (this.others > 0) rows.push([String(this.others), '', `others: more than ${limits.logCountRowsMax} rows`]);
    return aligned([['count', 'share', ...this.names], ...rows]);
  }
}

export class PercentileTable {
  private readonly percents: readonly number[];
  private readonly times: readonly Times[] = [0, 1, 2, 3, 4, 5].map(() => new Times());

  constructor(percents: readonly number[]) {
    this.percents = percents;
  }

  /** Lines without one of the times are left out, as halog does. */
  add(line: LogLine): void {
    const read = line.times();
    const [request = 0, queue = 0, connect = 0, response = 0, total = 0] = line.kind === 'tcp' ? [0, read[0], read[1], 0, read[2]] : read;
    if (request < 0 || queue < 0 || connect < 0 || response < 0 || total < 0) return;
    const values = [request, queue, connect, response, Math.max(0, total - request - queue - connect - response), total];
    values.forEach((value, index) => this.times[index]?.add(value));
  }

  private rows(): number[][] {
    const count = this.times[0]?.count ?? 0;
    return this.percents.map((percent) => [percent, rankOf(percent, count), ...this.times.map((times) => (count === 0 ? 0 : times.percentile(percent)))]);
  }

  json(): unknown {
    return this.rows().map(([percent, lines, TR, Tw, Tc, Tr, Td, total]) => ({ percent, lines, TR, Tw, Tc, Tr, Td, total }));
  }

  text(): string {
    return aligned([['percent', 'lines', 'TR', 'Tw', 'Tc', 'Tr', 'Td', 'total'], ...this.rows().map((row) => row.map(String))]);
  }
}

/** Numbers to the right, words to the left. */
function aligned(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)));
  const isNumber = head.map((_, index) => rows.slice(1).every((row) => /^[\d.%-]*$/.test(row[index] ?? '')));
  return rows.map((row) => `${row.map((cell, index) => (isNumber[index] === true ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0))).join('  ').trimEnd()}\n`).join('');
}
