/**
 * `npm run bench`: measures Poise beside HAProxy, nginx and Node library proxies on the same work in the same run; prints the table
 * and, last, a line `W1 0.97` for each workload (CPU, memory or p99 of Poise on Bun as a ratio to HAProxy's). Exit code 0: measured;
 * 1: some measurement failed and was left out; 2: it could not run. docs/performance.md explains it.
 */
import { machine, commit, writeResults, type Results } from './report/results.ts';
import { missedShort, peerLines } from './report/missed.ts';
import { ratioLines } from './report/statistics.ts';
import { table } from './report/table.ts';
import { cores, coresNeeded, loadCores, missingPrograms, onlyOn } from './machine/programs.ts';
import { Stage } from './machine/stage.ts';
import { quickWorkloads, readOptions, usage, type Options } from './options.ts';
import { whatIsMissing } from './needs.ts';
import { estimatedSeconds, Runner } from './runner.ts';
import { haproxy, poiseOnBun, poiseOnNode } from './subjects/haproxy-format.ts';
import { libraries } from './subjects/libraries.ts';
import { nginx } from './subjects/nginx.ts';
import type { Subject } from './subjects/subject.ts';
import { bodies } from './workloads/bodies.ts';
import { newClear, newTls } from './workloads/connections.ts';
import { idle } from './workloads/idle.ts';
import { bridged, clear, scaling } from './workloads/keep-alive.ts';
import { latency } from './workloads/latency.ts';
import { sizes } from './workloads/sizes.ts';
import type { Workload } from './workloads/workload.ts';

const workloads: readonly Workload[] = [clear, bridged, newTls, bodies, newClear, idle, sizes, scaling, latency];
const subjects: readonly Subject[] = [haproxy, nginx, poiseOnBun, poiseOnNode, ...libraries];

function chosenWorkloads(options: Options): Workload[] {
  const names: readonly string[] = options.only.length > 0 ? options.only : options.size === 'quick' ? quickWorkloads : workloads.map((workload) => workload.name);
  return workloads.filter((workload) => names.includes(workload.name));
}

async function measure(options: Options): Promise<{ results: Results; failed: boolean }> {
  const startedAt = performance.now();
  const present = subjects.flatMap((subject) => { const version = subject.version(); return version === undefined ? [] : [{ subject, version }]; });
  const chosen = chosenWorkloads(options);
  const seconds = chosen.map((workload) => estimatedSeconds(workload, present.map((one) => one.subject), options));
  console.log(`# about ${(seconds.reduce((sum, one) => sum + one, 0) / 60).toFixed(1)} minutes: ${chosen.map((workload, index) => `${workload.name} ${(seconds[index] ?? 0).toFixed(0)} s`).join(', ')}`);
  if (options.size === 'dry') console.log('# a dry run: it shows that everything runs, its numbers mean nothing');
  const stage = await Stage.open();
  const runner = new Runner(stage, options);
  try {
    for (const subject of subjects) if (!present.some((one) => one.subject === subject)) runner.leftOut.push({ workload: 'all', subject: subject.name, why: 'it is not installed' });
    for (const workload of chosen) {
      console.log(`# ${workload.name}: ${workload.what}`);
      await runner.run(workload, present.map((one) => one.subject));
    }
  } finally {
    await stage.close();
  }
  const results: Results = {
    date: new Date().toISOString(), commit: commit(), size: options.size, seconds: (performance.now() - startedAt) / 1000, machine: machine(),
    subjects: present.filter((one) => runner.samples.some((sample) => sample.subject === one.subject.name)).map(({ subject, version }) => ({ name: subject.name, title: subject.title, version })),
    rows: chosen.flatMap((workload) => workload.cells.flatMap((cell) => cell.rows)), samples: runner.samples, leftOut: runner.leftOut,
  };
  return { results, failed: runner.failed };
}

async function main(words: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(words);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return 2;
  }
  const missing = whatIsMissing(cores(), coresNeeded, missingPrograms());
  for (const line of missing.notes) console.log(`# ${line}`);
  if (missing.cannotRun !== '') {
    console.error(missing.cannotRun);
    return 2;
  }
  onlyOn(loadCores);
  const { results, failed } = await measure(options);
  console.log(`\n${table(results.rows, results.samples, results.subjects)}\n`);
  for (const line of [...peerLines(results.rows, results.samples), ...missedShort(results.rows, results.samples)]) console.log(line);
  for (const one of results.leftOut) console.log(`left out: ${one.workload}, ${one.subject}: ${one.why}`);
  if (options.json !== undefined || options.size === 'full') console.log(`results: ${writeResults(results, options.json)}`);
  console.log(`${Math.round(results.seconds)} s\n${ratioLines(results.samples, results.rows).join('\n')}`);
  return failed ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
