/**
 * `npm run bench:failover [-- --rounds N] [-- --write]`: what a client loses when the master of a pair loses its power, its link or its
 * balancer, is stopped as planned, returns, or is cut off; for Poise and for HAProxy with keepalived, in network namespaces on this machine.
 * All pairs run side by side and suffer the same fault at the same part of the time between two adverts, so that they share what the machine
 * does. `--write` puts the table into docs/high-availability.md.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { whyNoNamespaces } from '../../test/harness/pair/stage.ts';
import { projectFolder, runtime } from '../../test/harness/program.ts';
import { machine } from '../report/results.ts';
import { summary } from '../report/statistics.ts';
import { FailoverPair, faults, type Loss, type Subject } from './pair.ts';

const subjects: readonly Subject[] = [
  { name: 'HAProxy and keepalived, version 2, advert_int 1', programs: 'haproxy and keepalived', fast: false },
  { name: 'Poise, version 2, advert_int 1', programs: 'poise', fast: false },
  { name: 'HAProxy and keepalived, version 3, advert_int 0.1', programs: 'haproxy and keepalived', fast: true },
  { name: 'Poise, version 3, advert_int 0.1', programs: 'poise', fast: true },
];

function cell(values: readonly number[]): string {
  const found = summary(values);
  return found === undefined ? 'not measured' : `${Math.round(found.median)} (${Math.round(found.least)}–${Math.round(found.most)})`;
}

function version(command: string, pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command, ['-v'], { encoding: 'utf8' });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown';
}

const [begin, end] = ['<!-- failover: begin -->', '<!-- failover: end -->'];

function table(pairs: readonly FailoverPair[]): string {
  const row = (name: string, losses: readonly Loss[]): string => `| ${name} | ${cell(losses.map((one) => one.pings))} | ${cell(losses.map((one) => one.requests))} | ${cell(losses.map((one) => one.gapMs))} |\n`;
  const head = '| what happens, and to whom | pings lost of 10 a second | requests lost of 50 a second | longest time without an answer, ms |\n|---|---|---|---|\n';
  return head + faults.map((fault) => `| **${fault}** | | | |\n${pairs.map(({ subject, losses }) => row(subject.name, losses[fault])).join('')}`).join('');
}

function write(text: string): void {
  const file = join(projectFolder, 'docs/high-availability.md');
  const [before = '', after = ''] = readFileSync(file, 'utf8').split(new RegExp(`(?<=${begin}\n)[^]*(?=${end})`));
  if (after === '') throw new Error('docs/high-availability.md has no place for the table');
  writeFileSync(file, `${before}${text}${after}`);
}

async function measure(rounds: number): Promise<readonly FailoverPair[]> {
  const pairs = subjects.map((subject) => new FailoverPair(subject));
  try {
    for (const pair of pairs) await pair.start();
    for (let round = 1; round <= rounds; round++) {
      for (const fault of faults) {
        await Promise.all(pairs.map((pair) => pair.prepare(fault)));
        const phase = Math.random();
        const losses = await Promise.all(pairs.map((pair) => pair.suffer(fault, phase)));
        losses.forEach(({ pings, requests, gapMs, sent }, index) => {
          console.log(`${String(round).padStart(2)} ${fault}, ${pairs[index]?.subject.name ?? ''}: ${pings} pings, ${requests} of ${sent} requests lost; nobody answered for ${gapMs} ms`);
        });
      }
    }
    return pairs;
  } finally {
    for (const pair of pairs) pair.close();
  }
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '10' }, write: { type: 'boolean', default: false } } });
const missing = [whyNoNamespaces(), ...['haproxy', 'keepalived'].map((name) => (spawnSync(name, ['-v']).status === 0 ? '' : `${name} is not installed`))].filter((one) => one !== '');
if (missing.length > 0) {
  console.error(`bench:failover: ${missing.join('; ')}`);
  process.exit(2);
}
const rounds = Number(values.rounds);
const result = table(await measure(rounds));
const { model, cores, kernel } = machine();
const text = `${result}\nMedian (least–most) of ${rounds}; all pairs side by side, each fault at the same part of the time between two adverts. ${model}, ${cores} cores, Linux ${kernel}; keepalived ${version('keepalived', /v([\d.]+)/)}, HAProxy ${version('haproxy', /version ([\d.]+)/)}, Poise on ${runtime === 'bun' ? 'Bun' : 'Node.js'}.\n`;
console.log(`\n${text}`);
if (values.write) write(text);
process.exit(0);
