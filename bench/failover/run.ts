/**
 * `npm run bench:failover`: how long nobody answers on the virtual address after a master lost its power. Pairs of HAProxy and keepalived and
 * pairs of Poise take turns on the same stage of network namespaces, with the article's keepalived.conf. Needs root, `ip`, haproxy and
 * keepalived. `--rounds N` power-offs of each, `--write` puts the table into docs/high-availability.md.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Outside } from '../../test/harness/pair/outside.ts';
import { Stage, until, whyNoNamespaces } from '../../test/harness/pair/stage.ts';
import { articleConf, fastAdverts, startNode, virtualAddress, type Programs } from '../../test/harness/pair/whole-node.ts';
import { sleep } from '../../test/harness/place.ts';
import { projectFolder, runtime } from '../../test/harness/program.ts';
import { machine } from '../report/results.ts';
import { summary } from '../report/statistics.ts';

interface Subject { readonly name: string; readonly programs: Programs; readonly fast: boolean; readonly perSecond: number }
interface PowerOff { readonly lost: number; readonly gapMs: number }

const perSecond = 50;
/** A request that is not answered by then is lost; a person would have pressed the button again. */
const patienceMs = 1000;
const startMsMax = 20_000;
const settleMs = 3500;

const subjects: readonly Subject[] = [
  { name: 'HAProxy and keepalived, version 2, advert_int 1', programs: 'haproxy and keepalived', fast: false, perSecond },
  { name: 'Poise, version 2, advert_int 1', programs: 'poise', fast: false, perSecond },
  { name: 'HAProxy and keepalived, version 3, advert_int 0.1', programs: 'haproxy and keepalived', fast: true, perSecond },
  { name: 'Poise, version 3, advert_int 0.1', programs: 'poise', fast: true, perSecond },
];

/** One pair, with its own stage, that runs while the others take their turns. */
class Bench {
  readonly subject: Subject;
  readonly results: PowerOff[] = [];
  readonly #stage = new Stage();
  readonly #outside = new Outside(this.#stage);

  constructor(subject: Subject) {
    this.subject = subject;
  }

  #start(node: 0 | 1): void {
    startNode(this.#stage, node, this.subject.programs, articleConf(node, this.subject.fast ? fastAdverts : {}));
  }

  async #firstHasIt(): Promise<void> {
    const [first, second] = this.#stage.hosts;
    await until(`${this.subject.name}: the first node has the address`, startMsMax, () => first.has(virtualAddress) && !second.has(virtualAddress));
  }

  async start(): Promise<void> {
    await this.#outside.ready();
    this.#start(0);
    this.#start(1);
    await this.#firstHasIt();
  }

  async powerOff(): Promise<PowerOff> {
    const [first, second] = this.#stage.hosts;
    this.#outside.load(this.subject.perSecond, patienceMs);
    // The moment between two adverts is a different one each time.
    await sleep(settleMs + Math.random() * 1000);
    const before = await this.#outside.report();
    if (before.lost > 0 || before.answered === 0) throw new Error(`${this.subject.name}: requests were lost before the power-off: ${JSON.stringify(before)}`);
    first.cutPower();
    await until(`${this.subject.name}: the second node has the address`, startMsMax, () => second.has(virtualAddress));
    await sleep(patienceMs + 500);
    const report = await this.#outside.report();
    this.#outside.endLoad();
    first.restorePower([virtualAddress]);
    this.#start(0);
    await this.#firstHasIt();
    const result = { lost: report.lost, gapMs: report.longestGapMs };
    this.results.push(result);
    return result;
  }

  close(): void {
    this.#outside.close();
    this.#stage.remove();
  }
}

function cell(values: readonly number[]): string {
  const found = summary(values);
  return found === undefined ? 'not measured' : `${Math.round(found.median)} (${Math.round(found.least)}–${Math.round(found.most)})`;
}

function version(command: string, pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command, ['-v'], { encoding: 'utf8' });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown';
}

const [begin, end] = ['<!-- failover: begin -->', '<!-- failover: end -->'];

function table(benches: readonly Bench[]): string {
  const rows = benches.map(({ subject, results }) => `| ${subject.name} | ${results.length} | ${cell(results.map((one) => one.lost))} | ${cell(results.map((one) => one.gapMs))} |`);
  return `| pair | power-offs | requests lost | longest time without an answer, ms |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

function write(text: string): void {
  const file = join(projectFolder, 'docs/high-availability.md');
  const [before = '', after = ''] = readFileSync(file, 'utf8').split(new RegExp(`(?<=${begin}\n)[^]*(?=${end})`));
  if (after === '') throw new Error('docs/high-availability.md has no place for the table');
  writeFileSync(file, `${before}${text}${after}`);
}

async function measure(rounds: number): Promise<readonly Bench[]> {
  const benches = subjects.map((subject) => new Bench(subject));
  try {
    for (const bench of benches) await bench.start();
    for (let round = 1; round <= rounds; round++) {
      for (const bench of benches) {
        const { lost, gapMs } = await bench.powerOff();
        console.log(`${String(round).padStart(2)} ${bench.subject.name}: ${lost} lost, nobody answered for ${gapMs} ms`);
      }
    }
    return benches;
  } finally {
    for (const bench of benches) bench.close();
  }
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '10' }, write: { type: 'boolean', default: false } } });
const missing = [whyNoNamespaces(), ...['haproxy', 'keepalived'].map((name) => (spawnSync(name, ['-v']).status === 0 ? '' : `${name} is not installed`))].filter((one) => one !== '');
if (missing.length > 0) {
  console.error(`bench:failover: ${missing.join('; ')}`);
  process.exit(2);
}
const result = table(await measure(Number(values.rounds)));
const { model, cores, kernel } = machine();
const text = `${result}\nMedian (least–most). ${model}, ${cores} cores, Linux ${kernel}; keepalived ${version('keepalived', /v([\d.]+)/)}, HAProxy ${version('haproxy', /version ([\d.]+)/)}, Poise on ${runtime === 'bun' ? 'Bun' : 'Node.js'}.\n`;
console.log(`\n${text}`);
if (values.write) write(text);
process.exit(0);
