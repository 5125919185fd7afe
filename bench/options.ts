/** Reads the words of `npm run bench -- …`. Never measures. */
import type { Size } from './durations.ts';
import type { SubjectName } from './subjects/subject.ts';

export interface Options {
  readonly size: Size;
  /** Workloads; empty: all (with --quick: the quick ones). */
  readonly only: readonly string[];
  /** Rounds of HAProxy and Poise on Bun; undefined: as each workload says. */
  readonly runs: number | undefined;
  readonly json: string | undefined;
  /** Empty: all that take part in a workload. */
  readonly subjects: readonly SubjectName[];
}

export const workloadNames = ['W1', 'W2', 'W3', 'W4', 'W5', 'W6', 'W7', 'W8', 'W9'] as const;
export const quickWorkloads = ['W1', 'W2', 'W3', 'W6'] as const;
export const subjectNames: readonly SubjectName[] = ['haproxy', 'nginx', 'poise-bun', 'poise-node', 'fast-proxy', 'http-proxy-3', 'fastify-http-proxy'];
const runsMax = 100;

export const usage = `npm run bench -- [--quick|--dry] [--only W2,W3] [--runs 5] [--json out.json] [--subjects haproxy,poise-bun]
workloads: ${workloadNames.join(' ')}
subjects: ${subjectNames.join(' ')}`;

function listed<T extends string>(word: string, value: string, known: readonly T[]): T[] {
  const names = value.split(',').filter((name) => name !== '');
  const chosen = known.filter((one) => names.includes(one));
  const unknown = names.filter((name) => !known.some((one) => one === name));
  if (unknown.length > 0 || names.length === 0) throw new Error(`${word}: ${unknown.length > 0 ? `unknown ${unknown.join(', ')}` : 'nothing named'}`);
  return chosen;
}

/** Throws with one sentence when a word is wrong. Both `--runs 5` and `--runs=5` are read. */
export function readOptions(words: readonly string[]): Options {
  let options: Options = { size: 'full', only: [], runs: undefined, json: undefined, subjects: [] };
  const left = words.flatMap((word) => (/^--\w+=/.test(word) ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] : [word]));
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === '--quick' || word === '--dry') { options = { ...options, size: word === '--quick' ? 'quick' : 'dry' }; continue; }
    if (!['--only', '--runs', '--json', '--subjects'].includes(word)) throw new Error(`unknown word ${word}`);
    const value = left.shift();
    if (value === undefined || value === '' || value.startsWith('--')) throw new Error(`${word} needs a value`);
    if (word === '--only') options = { ...options, only: listed(word, value, workloadNames) };
    else if (word === '--subjects') options = { ...options, subjects: listed(word, value, subjectNames) };
    else if (word === '--json') options = { ...options, json: value };
    else if (/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= runsMax) options = { ...options, runs: Number(value) };
    else throw new Error(`--runs takes a number from 1 to ${runsMax}, not ${value}`);
  }
  return options;
}
