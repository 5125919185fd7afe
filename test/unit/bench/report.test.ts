/** From samples to medians, ratios, the table, the last lines and the performance page. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readResults, writeResults, type Results } from '../../../bench/report/results.ts';
import { ratioLines, ratios, summary } from '../../../bench/report/statistics.ts';
import { findingOf, missedSection, missedShort, peerLines } from '../../../bench/report/missed.ts';
import { ratioText, table } from '../../../bench/report/table.ts';
import { resultsSection, withSection } from '../../../bench/report/write-docs.ts';
import { bodies } from '../../../bench/workloads/bodies.ts';
import { newClear, newTls } from '../../../bench/workloads/connections.ts';
import { idle } from '../../../bench/workloads/idle.ts';
import { bridged, clear } from '../../../bench/workloads/keep-alive.ts';
import { latency } from '../../../bench/workloads/latency.ts';
import { sizes } from '../../../bench/workloads/sizes.ts';
import type { Row, Sample } from '../../../bench/row.ts';
import type { SubjectName } from '../../../bench/subjects/subject.ts';

const row: Row = { workload: 'W1', name: 'clear', kind: 'cpu', unit: 'request', target: 1, headline: true };
const shown: Row = { workload: 'W1', name: 'shown only', kind: 'cpu', unit: 'request', headline: false };
const sample = (subject: SubjectName, round: number, cost: number, of = row): Sample => ({ workload: of.workload, row: of.name, subject, round, cost, peakBytes: 20_000_000 });
const pair = (haproxy: readonly number[], poise: readonly number[], of = row): Sample[] => [...haproxy.map((cost, round) => sample('haproxy', round, cost, of)), ...poise.map((cost, round) => sample('poise-bun', round, cost, of))];
const subjects = [{ name: 'haproxy', title: 'HAProxy' }, { name: 'nginx', title: 'nginx' }, { name: 'poise-bun', title: 'Poise (Bun)' }] as const;

describe('statistics', () => {
  it('median and spread of odd and even counts', () => {
    assert.deepEqual(summary([3, 1, 2]), { median: 2, least: 1, most: 3, count: 3 });
    assert.deepEqual(summary([4, 1, 2, 3]), { median: 2.5, least: 1, most: 4, count: 4 });
  });

  it('no values, or none that is a number, give nothing', () => {
    assert.equal(summary([]), undefined);
    assert.equal(summary([Number.NaN, Infinity]), undefined);
  });

  it('a ratio is taken in each round, so that a slow moment of the machine hits both', () => {
    assert.deepEqual(ratios(pair([10, 20, 40], [9, 18, 44]), row, 'poise-bun'), { median: 0.9, least: 0.9, most: 1.1, count: 3 });
  });

  it('rounds that HAProxy does not have do not count', () => {
    assert.equal(ratios(pair([10], [9, 1, 1]), row, 'poise-bun')?.count, 1);
    assert.equal(ratios(pair([], [9]), row, 'poise-bun'), undefined);
  });
});

describe('last lines', () => {
  it('one per workload, ratio as the second word, the worst headline row', () => {
    const other: Row = { ...row, name: 'second' };
    const samples = [...pair([10], [9.7]), ...pair([10], [12], other), ...pair([10], [99], shown)];
    assert.deepEqual(ratioLines(samples, [row, other, shown]), ['W1 1.20']);
  });

  it('no line when a headline row was not measured', () => {
    assert.deepEqual(ratioLines(pair([10], [9]), [row, { ...row, name: 'missing' }]), []);
    assert.deepEqual(ratioLines(pair([10], []), [row]), []);
  });
});

describe('table', () => {
  it('has a line for each subject that was measured and none for the others', () => {
    const lines = table([row], pair([20_000, 25_000], [10_000, 10_000]), subjects).split('\n').slice(2);
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? '', /^\| W1 \| clear \| HAProxy \| 45\.0 k \(40\.0 k–50\.0 k\) req\/CPU s \| 1 \|/);
    assert.match(lines[1] ?? '', /Poise \(Bun\) \| 100\.0 k.*\| 0\.45 \(0\.40–0\.50\), wanted ≤ 1 ✓ \|.*\| 20 MB \| 2 \|$/);
  });

  it('marks a missed target', () => {
    assert.equal(ratioText({ median: 1.24, least: 1.2, most: 1.3, count: 5 }, 1), '1.24 (1.20–1.30), wanted ≤ 1 ✗ missed');
    assert.equal(ratioText(undefined, 1), '–');
  });

  it('shows latency with the rate it was taken at', () => {
    const timed = [{ ...sample('haproxy', 1, 20_000), ratePerSecond: 2000, p50Ms: 0.2, p99Ms: 1.5, p999Ms: 3 }];
    assert.match(table([row], timed, subjects), /\| 0\.20 \/ 1\.50 \/ 3\.00 at 2000\/s \|/);
  });

  it('of memory is in KB for each connection', () => {
    const memory: Row = { ...row, kind: 'memory', unit: 'connection' };
    assert.match(table([memory], [sample('haproxy', 1, 35_100)], subjects), /35\.1 KB/);
  });
});

describe('results', () => {
  const results: Results = {
    date: '2026-01-02T03:04:05.000Z', commit: 'abc1234', size: 'full', seconds: 1500, machine: { cores: 2, model: 'a processor', kernel: '6.1', memoryBytes: 1 },
    subjects: [{ name: 'haproxy', title: 'HAProxy', version: '2.6' }, { name: 'poise-bun', title: 'Poise (Bun)', version: '0.1' }], rows: [row], samples: pair([10, 10], [9, 8]),
    leftOut: [{ workload: 'W1', subject: 'nginx', why: 'it is not installed' }],
  };

  it('come back from their file as they were', () => {
    const folder = mkdtempSync(join(tmpdir(), 'poise-bench-'));
    try {
      assert.deepEqual(readResults(writeResults(results, join(folder, 'out.json'))), results);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('take their place in the page, what stands around stays', () => {
    const page = 'before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n';
    const written = withSection(page, resultsSection(results));
    assert.match(written, /^before\n<!-- bench: begin -->\nMeasured 2026-01-02 at commit abc1234 in 25 minutes/);
    assert.match(written, /left out: W1, nginx: it is not installed\n\n```\nW1 0\.85\n```\n<!-- bench: end -->\nafter\n$/);
    assert(!written.includes('old'));
    assert.equal(withSection(written, resultsSection(results)), written);
    assert.throws(() => withSection('no marks', ''), /marks of the bench/);
  });
});

describe('rows that miss their target', () => {
  const known: Row = { ...row, name: 'keep-alive, clear' };

  it('say how far they are, what was tried and what is left', () => {
    const samples = pair([10], [13], known);
    assert.match(missedShort([known], samples).join(), /^missed: W1, keep-alive, clear: 1\.30 of HAProxy's where 1 is wanted: 30 % too much; \w/);
    assert.match(missedSection([known], samples), /^- \*\*W1\*\* keep-alive, clear \(1\.30 .*30 % too much\)\. Tried: .* Left: /);
  });

  it('are silent when the target holds, when there is none, and when nothing was measured', () => {
    assert.deepEqual(missedShort([known], pair([10], [10], known)), []);
    assert.deepEqual(missedShort([shown], pair([10], [99], shown)), []);
    assert.equal(missedSection([known], pair([], [99], known)), '');
  });

  it('share one item when they share their causes', () => {
    const both: Row[] = [{ ...row, workload: 'W5', name: 'connection per request, clear' }, { ...row, workload: 'W5', name: 'connection per request, mode tcp' }];
    const section = missedSection(both, both.flatMap((one) => pair([10], [15], one)));
    assert.equal(section.split('\n').length, 1);
    assert.match(section, /clear \(1\.50.*; connection per request, mode tcp \(1\.50/);
  });

  it('all have a finding, should they miss', () => {
    const rows = [clear, bridged, newTls, bodies, newClear, idle, sizes, latency].flatMap((workload) => workload.cells.flatMap((cell) => cell.rows));
    const aimed = rows.filter((one) => one.target !== undefined);
    assert(aimed.length > 10);
    assert.deepEqual(aimed.filter((one) => findingOf(one) === undefined), []);
  });
});

describe('aims beside other proxies', () => {
  it('name nginx and the cheapest library that was measured', () => {
    const samples = [...pair([10], [9]), sample('nginx', 0, 10), sample('http-proxy-3', 0, 60), sample('fast-proxy', 0, 20)];
    assert.deepEqual(peerLines([row], samples), ["W1, clear: 0.90 of nginx's CPU, wanted ≤ 1 ✓", "W1, clear: 0.45 of fast-proxy's CPU, wanted ≤ 0.33 ✗ missed"]);
    assert.deepEqual(peerLines([row], pair([10], [9])), []);
  });
});
