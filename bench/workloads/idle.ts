/** W6: idle connections with TLS on both sides, memory for each; then one request a second on each. */
import { eventually, sleep } from '../../test/harness/place.ts';
import { join } from 'node:path';
import { projectFolder } from '../../test/harness/program.ts';
import { exchangeShape } from '../configurations/exchange.ts';
import { ports } from '../configurations/shape.ts';
import { durations } from '../durations.ts';
import type { TimedLoad } from '../load/latencies.ts';
import { readTimed } from '../load/timed.ts';
import { memoryBytes, peakMemoryBytes } from '../machine/cost.ts';
import { bun, loadCores, start } from '../machine/programs.ts';
import type { Measured } from '../row.ts';
import { ratioMax } from '../targets.ts';
import { smallRequests } from './keep-alive.ts';
import { compileSeconds, cpuPerUnit, latencyOf, type Cell, type Context, type Workload } from './workload.ts';

const memoryName = 'memory of an idle connection';
const pulseName = 'one request a second on each';
const openMsMax = 120_000;
/** Handshakes that the clients and the subject manage in a second; only for the estimate. */
const openedPerSecond = 1300;
/** Before memory is read, things settle. */
const settleMs = { first: 1000, all: 1500 } as const;

async function measure(context: Context): Promise<ReadonlyMap<string, Measured>> {
  const { started, stage, size } = context;
  const { idleConnections: count, pulseSeconds: seconds } = durations[size];
  const clients = start(loadCores, bun, [join(projectFolder, 'bench/load/idle-clients.ts'), stage.site.address, String(ports.tls)]);
  const answer = (pattern: RegExp, msMax: number): Promise<RegExpExecArray> => eventually('idle clients', () => {
    if (clients.ended()) throw new Error(`idle clients: ${clients.output()}`);
    return pattern.exec(clients.output());
  }, msMax);
  try {
    // Code and buffers that the first connections bring in belong to the process, not to a connection.
    const first = Math.ceil(count / 20);
    clients.writeLine(`open ${first}`);
    await answer(new RegExp(`^opened ${first}$`, 'm'), openMsMax);
    await sleep(settleMs.first);
    const before = memoryBytes(started.pid);
    clients.writeLine(`open ${count - first}`);
    await answer(new RegExp(`^opened ${count - first}$`, 'm'), openMsMax);
    await sleep(settleMs.all);
    const memory: Measured = { cost: (memoryBytes(started.pid) - before) / (count - first), units: count - first, peakBytes: peakMemoryBytes(started.pid) };
    // Few requests have been seen so far: without this, half of the cost is the runtime compiling.
    await smallRequests(context, { tls: true, seconds: durations[size].warmSeconds + compileSeconds(size, context.subject) });
    let timed: TimedLoad | undefined;
    const pulse = await cpuPerUnit(context, async () => {
      clients.writeLine(`pulse ${seconds}`);
      const line = await answer(/^\{.*\}$/m, openMsMax);
      timed = readTimed(line[0]);
      return { answers: timed.answered, underWayMax: 0, units: timed.answered, seconds };
    });
    return new Map([[memoryName, memory], [pulseName, timed === undefined ? pulse : { ...pulse, ...latencyOf(timed, count) }]]);
  } finally {
    await clients.end();
  }
}

const cell: Cell = {
  rows: [
    { workload: 'W6', name: memoryName, kind: 'memory', unit: 'connection', target: ratioMax['W6 memory'], headline: true },
    { workload: 'W6', name: pulseName, kind: 'cpu', unit: 'request', headline: false },
  ],
  // Every client connection keeps its own server connection, as clients that log on with NTLM do: both legs stay open.
  shape: (site) => exchangeShape(site, { bridged: true, maxconn: 8500, defaults: '    http-reuse never\n' }),
  seconds: (size, subject) => compileSeconds(size, subject) + (settleMs.first + settleMs.all) / 1000 + durations[size].idleConnections / openedPerSecond + durations[size].warmSeconds + durations[size].pulseSeconds + 1,
  measure,
};

export const idle: Workload = {
  name: 'W6', what: 'idle connections, TLS on both sides (8,000; with --quick 1,500)', peers: [], rounds: { quick: 1, full: 5, dry: 1 }, roundsOfOthers: 1, cells: [cell],
};
