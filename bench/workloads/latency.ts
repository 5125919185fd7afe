/** W9: latency at half of the rate that saturates HAProxy and this load in the same run, clear and bridged. A minute in all, split over the rounds. */
import { exchangeShape, servicePaths } from '../configurations/exchange.ts';
import { ports } from '../configurations/shape.ts';
import { durations } from '../durations.ts';
import { openLoop, type OpenLoop } from '../load/timed.ts';
import type { Measured } from '../row.ts';
import { ratioMax } from '../targets.ts';
import { smallRequests } from './keep-alive.ts';
import { compileSeconds, cpuPerUnit, latencyOf, loadSeconds, type Cell, type Context, type Workload } from './workload.ts';

/** Far more a second than anybody answers here, for so long. */
const floodPerSecond = 40_000;
const floodSeconds = 1;

/** Found once per way with HAProxy, and the same for all subjects. wrk asks faster than this load can: half of its rate would be all of this one's. */
const halfRates = new Map<boolean, number>();

function loadOn(context: Context, tls: boolean, ratePerSecond: number, seconds: number): OpenLoop {
  return { host: context.stage.site.address, port: tls ? ports.tls : ports.clear, tls, seconds, connections: 64, ratePerSecond, keepAlive: true, paths: servicePaths };
}

async function halfRate(context: Context, tls: boolean): Promise<number> {
  const known = halfRates.get(tls);
  if (known !== undefined) return known;
  const { perSecond } = await openLoop(loadOn(context, tls, floodPerSecond, floodSeconds));
  const half = Math.floor(perSecond / 2);
  if (context.subject === 'haproxy') halfRates.set(tls, half);
  return half;
}

function cell(tls: boolean): Cell {
  const name = tls ? 'TLS on both sides' : 'clear';
  return {
    rows: [{ workload: 'W9', name, kind: 'latency', unit: 'p99', target: ratioMax.W9, headline: true }],
    shape: (site) => exchangeShape(site, { bridged: tls }),
    seconds: (size, subject) => compileSeconds(size, subject) + loadSeconds(durations[size].warmSeconds, durations[size].latencySeconds),
    measure: async (context) => {
      const { warmSeconds, latencySeconds } = durations[context.size];
      await smallRequests(context, { tls, seconds: warmSeconds + compileSeconds(context.size, context.subject) });
      const ratePerSecond = await halfRate(context, tls);
      let latency: ReturnType<typeof latencyOf> | undefined;
      const cpu = await cpuPerUnit(context, async () => {
        const timed = await openLoop(loadOn(context, tls, ratePerSecond, latencySeconds));
        latency = latencyOf(timed, ratePerSecond);
        return { answers: timed.answered, underWayMax: 0, units: timed.answered, seconds: latencySeconds };
      });
      const measured: Measured = { ...cpu, ...latency, cost: latency?.p99Ms ?? Number.NaN };
      return new Map([[name, measured]]);
    },
  };
}

export const latency: Workload = {
  name: 'W9', what: 'p99 and p99.9 at half of the rate that saturates the set-up', peers: [], rounds: { quick: 1, full: 5, dry: 1 }, roundsOfOthers: 1, cells: [cell(false), cell(true)],
};
