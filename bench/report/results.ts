/** The results file: machine, versions, every single sample. Written by the runner, read by the performance page. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { projectFolder } from '../../test/harness/program.ts';
import type { Size } from '../durations.ts';
import type { LeftOut, Row, Sample } from '../row.ts';
import type { SubjectName } from '../subjects/subject.ts';

export interface Results {
  readonly date: string;
  readonly commit: string;
  readonly size: Size;
  readonly seconds: number;
  readonly machine: { readonly cores: number; readonly model: string; readonly kernel: string; readonly memoryBytes: number };
  readonly subjects: readonly { readonly name: SubjectName; readonly title: string; readonly version: string }[];
  readonly rows: readonly Row[];
  readonly samples: readonly Sample[];
  readonly leftOut: readonly LeftOut[];
}

export function machine(): Results['machine'] {
  return { cores: cpus().length, model: cpus()[0]?.model.trim() ?? 'unknown', kernel: release(), memoryBytes: totalmem() };
}

/** Short commit of the checkout; `unknown` outside of git. */
export function commit(): string {
  try {
    return execFileSync('git', ['-C', projectFolder, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}

export function writeResults(results: Results, path = join(projectFolder, 'bench/results', `${results.date.slice(0, 10)}-${results.commit}.json`)): string {
  mkdirSync(dirname(path), { recursive: true });
  const { samples, ...rest } = results;
  // One sample per line: two runs can be compared with diff.
  const text = `${JSON.stringify(rest, null, 1).slice(0, -2)},\n "samples": [\n${samples.map((sample) => `  ${JSON.stringify(sample)}`).join(',\n')}\n ]\n}\n`;
  writeFileSync(path, text);
  return path;
}

export function readResults(path: string): Results {
  return JSON.parse(readFileSync(path, 'utf8')) as Results;
}
