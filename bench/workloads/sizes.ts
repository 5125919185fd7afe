/** W7: what a request costs when there are many ACLs, many servers, or many entries in a stick table. */
import { manyAcls, manyServersShape, requestOfRule, stickTable } from '../configurations/sizes.ts';
import { ports } from '../configurations/shape.ts';
import { wrk } from '../load/wrk.ts';
import { smallBodyBytes } from '../machine/origin.ts';
import type { Measured } from '../row.ts';
import { ratioMax } from '../targets.ts';
import { smallRequests } from './keep-alive.ts';
import { cpuPerUnit, type Cell, type Context, type Work, type Workload } from './workload.ts';

const aclCounts = [8, 100, 1000, 10_000];
const serverCounts = [2, 100, 1000];
const entryCounts = [1000, 100_000, 1_000_000];
const connections = 64;
const seconds = 2;
/** Answers per second below which a table would never fill; only a bound for the filling time. */
const fillSecondsMax = 120;

const grouped = (value: number): string => value.toLocaleString('en-US');

function acls(count: number): Cell {
  const name = `${grouped(count)} ACLs`;
  const paths = Array.from({ length: count }, (_, index) => requestOfRule(index));
  return {
    rows: [{ workload: 'W7', name, kind: 'cpu', unit: 'request', ...(count === 10_000 ? { target: ratioMax['W7 10,000 ACLs'] } : {}), headline: count === 10_000 }],
    shape: (site) => manyAcls(site, count),
    measure: async (context) => {
      await smallRequests(context, { tls: false, seconds: 1, paths });
      return new Map([[name, await cpuPerUnit(context, () => smallRequests(context, { tls: false, seconds, paths }))]]);
    },
  };
}

function servers(count: number): Cell {
  const name = `${grouped(count)} servers`;
  return {
    rows: [{ workload: 'W7', name, kind: 'cpu', unit: 'request', headline: false }],
    roundsMax: 1,
    shape: (site) => manyServersShape(site, count),
    measure: async (context) => {
      await smallRequests(context, { tls: false, seconds: 2 });
      return new Map([[name, await cpuPerUnit(context, () => smallRequests(context, { tls: false, seconds }))]]);
    },
  };
}

async function keyed(context: Context, script: readonly string[], duration: number): Promise<Work> {
  const done = await wrk({ url: `http://${context.stage.site.address}:${ports.clear}`, connections, seconds: duration, script, answerBytesMin: smallBodyBytes });
  return { answers: done.answers, underWayMax: 2 * connections, units: done.answers, seconds: done.seconds };
}

function entries(count: number): Cell {
  const name = `stick table of ${grouped(count)} entries`;
  return {
    rows: [{ workload: 'W7', name, kind: 'cpu', unit: 'request', headline: false }],
    roundsMax: 1,
    shape: (site) => stickTable(site, count),
    measure: async (context) => {
      // Seconds that filling takes, from the speed of a warm second; every key once, in turn.
      await keyed(context, ['fill', String(count)], 2);
      const { answers } = await keyed(context, ['fill', String(count)], 1);
      if (answers < count) await keyed(context, ['fill', String(count)], Math.min(fillSecondsMax, Math.ceil(count / answers * 1.1)));
      const measured: Measured = await cpuPerUnit(context, () => keyed(context, ['keys', String(count)], seconds));
      return new Map([[name, measured]]);
    },
  };
}

export const sizes: Workload = {
  name: 'W7', what: 'cost against size; requests spread over all rules, servers, keys', peers: [], rounds: { quick: 1, full: 3 },
  cells: () => [...aclCounts.map(acls), ...serverCounts.map(servers), ...entryCounts.map(entries)],
};
