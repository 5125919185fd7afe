/** Rows whose target is missed: how far, what was tried, what is left. For the terminal in short, for the performance page in full. */
import { findings, type Finding } from '../findings.ts';
import type { Row, Sample } from '../row.ts';
import type { SubjectName } from '../subjects/subject.ts';
import { peerRatioMax } from '../targets.ts';
import { ratios } from './statistics.ts';

interface Missed {
  readonly row: Row;
  readonly finding: Finding | undefined;
  /** `1.30 of HAProxy's where 1 is wanted: 30 % too much`. */
  readonly distance: string;
}

export function findingOf(row: Pick<Row, 'workload' | 'name'>): Finding | undefined {
  return findings.find((one) => one.workload === row.workload && row.name.startsWith(one.rows));
}

function distance(median: number, of: string, max: number): string {
  return `${median.toFixed(2)} of ${of} where ${Number(max.toFixed(2))} is wanted: ${Math.max(1, Math.round((median / max - 1) * 100))} % too much`;
}

function missedRows(rows: readonly Row[], samples: readonly Sample[]): Missed[] {
  return rows.flatMap((row) => {
    const median = ratios(samples, row, 'poise-bun')?.median;
    if (row.target === undefined || median === undefined || median <= row.target) return [];
    return [{ row, finding: findingOf(row), distance: distance(median, 'HAProxy\'s', row.target) }];
  });
}

/** The ratio of Poise on Bun to the cheapest of the peers that were measured. */
function worstOfPeers(samples: readonly Sample[], row: Row, peers: readonly SubjectName[]): { readonly peer: SubjectName; readonly median: number } | undefined {
  const known = peers.flatMap((peer) => { const median = ratios(samples, row, 'poise-bun', peer)?.median; return median === undefined ? [] : [{ peer, median }]; });
  return known.toSorted((a, b) => b.median - a.median)[0];
}

/** One line for each aim beside HAProxy that was measured: reached or not. */
export function peerLines(rows: readonly Row[], samples: readonly Sample[]): string[] {
  return peerRatioMax.flatMap(({ workload, peers, max }) => rows.filter((row) => row.workload === workload && row.headline).flatMap((row) => {
    const worst = worstOfPeers(samples, row, peers);
    if (worst === undefined) return [];
    const wanted = Number(max.toFixed(2));
    return [`${workload}, ${row.name}: ${worst.median.toFixed(2)} of ${worst.peer}'s CPU, wanted ≤ ${wanted} ${worst.median <= max ? '✓' : '✗ missed'}`];
  }));
}

/** One line for each row that misses. */
export function missedShort(rows: readonly Row[], samples: readonly Sample[]): string[] {
  return missedRows(rows, samples).map(({ row, finding, distance: far }) => `missed: ${row.workload}, ${row.name}: ${far}; ${finding?.short ?? 'its cause is not known'}`);
}

/** As Markdown; rows with the same finding share an item. */
export function missedSection(rows: readonly Row[], samples: readonly Sample[]): string {
  const missed = missedRows(rows, samples);
  const shared = Map.groupBy(missed, (one) => one.finding ?? one.row);
  return [...shared.values()].map((group) => {
    const names = group.map(({ row, distance: far }) => `${row.name} (${far})`).join('; ');
    const [first] = group;
    const finding = first?.finding;
    const known = finding === undefined ? 'Its cause is not known.' : `Tried: ${finding.tried} Left: ${finding.left}`;
    return `- **${first?.row.workload ?? ''}** ${names}. ${known}`;
  }).join('\n');
}
