/** `npm run bench:docs -- RESULTS.json`: puts the table of a results file between the marks of docs/performance.md. The prose around it is written by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../test/harness/program.ts';
import { readResults, type Results } from './results.ts';
import { missedSection, peerLines } from './missed.ts';
import { ratioLines } from './statistics.ts';
import { table } from './table.ts';

export const marks = { begin: '<!-- bench: begin -->', end: '<!-- bench: end -->' } as const;

export function resultsSection(results: Results): string {
  const { machine } = results;
  const versions = results.subjects.map((subject) => `${subject.title} ${subject.version}`).join(', ');
  const missing = results.leftOut.map((one) => `- left out: ${one.workload}, ${one.subject}: ${one.why}`);
  const peers = peerLines(results.rows, results.samples);
  const missed = missedSection(results.rows, results.samples);
  return [
    `Measured ${results.date.slice(0, 10)} at commit ${results.commit} in ${Math.round(results.seconds / 60)} minutes: ${machine.cores} cores (${machine.model}), Linux ${machine.kernel}.`,
    `${versions}.`, '', table(results.rows, results.samples, results.subjects), ...(missing.length > 0 ? ['', ...missing] : []),
    ...(peers.length > 0 ? ['', 'Beside the other proxies:', '', ...peers.map((line) => `- ${line}`)] : []),
    ...(missed === '' ? [] : ['', '### Rows that miss their target', '', missed]), '', '```', ...ratioLines(results.samples, results.rows), '```',
  ].join('\n');
}

/** The page with the section between its marks replaced; throws when the marks are not there. */
export function withSection(page: string, section: string): string {
  const [before, after] = [page.indexOf(marks.begin), page.indexOf(marks.end)];
  if (before < 0 || after < before) throw new Error('the marks of the bench are not in the page');
  return `${page.slice(0, before + marks.begin.length)}\n${section}\n${page.slice(after)}`;
}

if (import.meta.main) {
  const file = process.argv[2];
  if (file === undefined) {
    console.error('write-docs.ts RESULTS.json');
    process.exitCode = 2;
  } else {
    const page = join(projectFolder, 'docs/performance.md');
    writeFileSync(page, withSection(readFileSync(page, 'utf8'), resultsSection(readResults(file))));
  }
}
