/**
 * `npm run soak:take-over -- [--times N] [--clients N]`: replaces a balancer under load by a new process again and again (`-sf`), over TCP, TLS,
 * unix sockets and mode tcp, and counts failed requests, which must be none, and what the counters say at the end. Exit code 1 otherwise.
 * POISE_RUNTIME chooses the runtime.
 */
import { parseArgs } from 'node:util';
import { runtime } from '../../test/harness/program.ts';
import { sleep } from '../../test/harness/place.ts';
import { TakeOverStage } from '../../test/harness/take-over-stage.ts';

const { values } = parseArgs({ options: { times: { type: 'string', default: '50' }, clients: { type: 'string', default: '64' }, pause: { type: 'string', default: '2' } } });
const stage = await TakeOverStage.prepare();
const served: number[] = [];
const ended: number[] = [];
let wrong = false;

function median(all: readonly number[]): number {
  return Math.round(all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0);
}

try {
  await stage.start();
  stage.startLoad(Number(values.clients), Number(values.pause));
  const sinceMs = performance.now();
  await sleep(1000);
  for (let number = 1; number <= Number(values.times); number += 1) {
    const { servedMs, endedMs } = await stage.replace();
    served.push(servedMs);
    ended.push(endedMs);
    console.log(`${number}: served after ${Math.round(servedMs)} ms, the one before ended after ${Math.round(endedMs)} ms; ${stage.load?.requests} requests, ${stage.load?.failures.length} failures`);
  }
  await stage.load?.stop();
  const seconds = (performance.now() - sinceMs) / 1000;
  // What the last one left behind is taken in within a second.
  await sleep(2500);
  const { requests } = await stage.sums();
  const counts = [...stage.load?.counts ?? []];
  const sent = counts.filter(([name]) => name !== 'tcp').reduce((sum, [, one]) => sum + one.requests, 0);
  for (const [name, one] of counts) console.log(`${name}: ${one.requests} requests on ${one.connections} connections, slowest ${Math.round(one.slowestMs)} ms, ${one.failures.length} failed`);
  for (const failure of stage.load?.failures.slice(0, 20) ?? []) console.log(failure);
  console.log(`${runtime}: ${values.times} take-overs in ${Math.round(seconds)} s, ${Math.round((stage.load?.requests ?? 0) / seconds)} requests a second; median ${median(served)} ms until the new one serves, ${median(ended)} ms until the old one has ended; counted ${requests} of ${sent} requests to fe`);
  wrong = (stage.load?.failures.length ?? 1) > 0 || requests !== sent;
} finally {
  await stage.close();
}
process.exitCode = wrong ? 1 : 0;
