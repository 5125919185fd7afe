/**
 * `npm run bench -- [--quick] [W1 …]`: measures Poise and Debian's HAProxy in turns in one run and prints the ratio of each
 * workload as `W1 0.97`. Exit code 1 when a ratio is above what the project accepts.
 */
import { median } from './measure.ts';
import { missingPrograms, Stage } from './stage.ts';
import { workloads, type Scale, type Workload } from './workloads.ts';

const scales: Readonly<Record<'quick' | 'full', Scale & { readonly rounds: number }>> = {
  quick: { seconds: 4, warmUpSeconds: 2, idleConnections: 3000, rounds: 2 },
  full: { seconds: 20, warmUpSeconds: 5, idleConnections: 3000, rounds: 5 },
};
const bodyBytes = 100;

async function compare(stage: Stage, workload: Workload, scale: Scale & { readonly rounds: number }): Promise<boolean> {
  const costs = { haproxy: [] as number[], poise: [] as number[] };
  for (let round = 0; round < scale.rounds; round++) {
    for (const name of ['haproxy', 'poise'] as const) costs[name].push(await stage.withProxy(name, (proxy) => workload.cost(proxy, scale)));
  }
  const ratio = median(costs.poise) / median(costs.haproxy);
  const list = (values: readonly number[]): string => values.map((value) => value.toFixed(1)).join(' ');
  console.log(`# ${workload.name}: ${workload.what}, ${workload.unit}: HAProxy ${list(costs.haproxy)}, Poise ${list(costs.poise)}, accepted ratio ${workload.ratioMax}`);
  console.log(`${workload.name} ${ratio.toFixed(2)}`);
  return ratio <= workload.ratioMax;
}

async function main(): Promise<number> {
  const words = process.argv.slice(2);
  const scale = scales[words.includes('--quick') ? 'quick' : 'full'];
  const names = words.filter((word) => !word.startsWith('--'));
  const chosen = workloads.filter((workload) => names.length === 0 || names.includes(workload.name));
  const missing = await missingPrograms();
  if (missing.length > 0 || chosen.length === 0) {
    console.error(missing.length > 0 ? `the bench needs ${missing.join(', ')}: apt-get install haproxy nginx wrk util-linux openssl` : `workloads: ${workloads.map((workload) => workload.name).join(' ')}`);
    return 2;
  }
  const stage = await Stage.open(bodyBytes);
  let accepted = true;
  try {
    for (const workload of chosen) accepted = (await compare(stage, workload, scale)) && accepted;
  } finally {
    await stage.close();
  }
  return accepted ? 0 : 1;
}

process.exitCode = await main();
