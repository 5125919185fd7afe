/** W4: large bodies down and up, clear, bridged and as a TCP tunnel; bytes per CPU second. */
import { exchangeShape } from '../configurations/exchange.ts';
import { ports } from '../configurations/shape.ts';
import { durations } from '../durations.ts';
import { openLoop, uploads } from '../load/timed.ts';
import { wrk } from '../load/wrk.ts';
import { bodySizes, fileName } from '../machine/origin.ts';
import type { Measured, Row } from '../row.ts';
import { ratioMax } from '../targets.ts';
import { cpuPerUnit, latencyOf, loadSeconds, type Cell, type Context, type Workload } from './workload.ts';

type Way = 'clear' | 'bridged' | 'TCP passthrough';
const connections = 4;
const largeAtOnce = 2;
const fixedRatePerSecond = 20;
const directions = ['down', 'up'] as const;

const target = (way: Way): { readonly target?: number } => (way === 'TCP passthrough' ? {} : { target: ratioMax[`W4 ${way}`] });
const nameOf = (way: Way, size: string, direction: string): string => `${way}, ${size} ${direction}`;

async function transfer(context: Context, way: Way, size: string, direction: string): Promise<Measured> {
  const { address } = context.stage.site;
  const bytes = bodySizes[size] ?? 0;
  const port = { clear: ports.clear, bridged: ports.tls, 'TCP passthrough': ports.tcp }[way];
  const atOnce = size === '1 MB' ? connections : largeAtOnce;
  const down = direction === 'down';
  const { bodySeconds, largeBodySeconds } = durations[context.size];
  // Uploads under way in the end are waited for, downloads are not.
  const seconds = down && size !== '1 MB' ? largeBodySeconds : bodySeconds;
  return cpuPerUnit(context, async () => {
    // A tunnel's one line is written when its connection ends.
    const lines = (answers: number): { readonly answers: number; readonly underWayMax: number } => ({ answers: way === 'TCP passthrough' ? 0 : answers, underWayMax: 2 * atOnce });
    if (!down) {
      const sent = await uploads({ host: address, port, tls: way === 'bridged', seconds, connections: atOnce, path: `/put/${fileName(size)}`, bytes });
      return { ...lines(sent.answered), units: sent.answered * bytes, seconds };
    }
    const path = `/files/${fileName(size)}`;
    const url = `${way === 'bridged' ? 'https' : 'http'}://${address}:${port}`;
    const done = await wrk({ url, connections: atOnce, seconds, script: ['get', path], answerBytesMin: bytes });
    return { ...lines(done.answers), units: done.bytes, seconds: done.seconds };
  });
}

function cell(way: Way): Cell {
  const sizes = Object.keys(bodySizes);
  const rows = sizes.flatMap((size) => directions.map((direction): Row => ({ workload: 'W4', name: nameOf(way, size, direction), kind: 'cpu', unit: 'byte', ...target(way), headline: way !== 'TCP passthrough' })));
  return {
    rows,
    shape: (site) => exchangeShape(site, { bridged: way === 'bridged' }),
    ...(way === 'TCP passthrough' ? { roundsMax: 3 } : {}),
    seconds: (size) => {
      const { bodySeconds, largeBodySeconds, rateSeconds } = durations[size];
      return loadSeconds(bodySeconds, bodySeconds, bodySeconds, largeBodySeconds, rateSeconds);
    },
    measure: async (context) => {
      const measured = new Map<string, Measured>();
      for (const size of sizes) for (const direction of directions) measured.set(nameOf(way, size, direction), await transfer(context, way, size, direction));
      const name = nameOf(way, '1 MB', 'down');
      const port = { clear: ports.clear, bridged: ports.tls, 'TCP passthrough': ports.tcp }[way];
      const timed = await openLoop({ host: context.stage.site.address, port, tls: way === 'bridged', seconds: durations[context.size].rateSeconds, connections: 8, ratePerSecond: fixedRatePerSecond, keepAlive: true, paths: [`/files/${fileName('1 MB')}`] });
      const first = measured.get(name);
      if (first !== undefined) measured.set(name, { ...first, ...latencyOf(timed, fixedRatePerSecond) });
      return measured;
    },
  };
}

export const bodies: Workload = {
  name: 'W4', what: 'bodies of 1 MB and 100 MB', peers: [], rounds: { quick: 1, full: 5, dry: 1 }, roundsOfOthers: 1,
  cells: [cell('clear'), cell('bridged'), cell('TCP passthrough')],
};
