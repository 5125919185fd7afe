/** W7: what a request costs when there are many ACLs, many servers, or many entries in a stick table. */
import { manyAcls, manyServersShape, requestOfRule, stickTable } from '../configurations/sizes.ts';
import { ports } from '../configurations/shape.ts';
import { durations, type Size } from '../durations.ts';
import { wrk } from '../load/wrk.ts';
import { smallBodyBytes } from '../machine/origin.ts';
import type { Measured } from '../row.ts';
import { ratioMax } from '../targets.ts';
import { smallRequests } from './keep-alive.ts';
import { cpuPerUnit, loadSeconds, type Cell, type Context, type Work, type Workload } from './workload.ts';

const aclCounts = [8, 100, 1000, 10_000];
const serverCounts = [2, 100, 1000];
const entryCounts = [1000, 100_000, 1_000_000];
const connections = 64;
/** Rounds of sizes that are shown without a target. */
const shownRounds = 2;
/** Answers per second while a table fills; only for the estimate. */
const filledPerSecond = 28_000;

const secondsOf = (size: Size): number => loadSeconds(durations[size].warmSeconds, durations[size].sizeSeconds);
const grouped = (value: number): string => value.toLocaleString('en-US');

function acls(count: number): Cell {
  const name = `${grouped(count)} ACLs`;
  const paths = Array.from({ length: count }, (_, index) => requestOfRule(index));
  return {
    rows: [{ workload: 'W7', name, kind: 'cpu', unit: 'request', ...(count === 10_000 ? { target: ratioMax['W7 10,000 ACLs'] } : {}), headline: count === 10_000 }],
    shape: (site) => manyAcls(site, count),
    // Those between the ends only show the shape of the curve.
    ...([aclCounts[0], aclCounts.at(-1)].includes(count) ? {} : { roundsMax: shownRounds }),
    seconds: secondsOf,
    measure: async (context) => {
      const { warmSeconds, sizeSeconds } = durations[context.size];
      await smallRequests(context, { tls: false, seconds: warmSeconds, paths });
      return new Map([[name, await cpuPerUnit(context, () => smallRequests(context, { tls: false, seconds: sizeSeconds, paths }))]]);
    },
  };
}

function servers(count: number): Cell {
  const name = `${grouped(count)} servers`;
  return {
    rows: [{ workload: 'W7', name, kind: 'cpu', unit: 'request', headline: false }],
    roundsMax: shownRounds,
    shape: (site) => manyServersShape(site, count),
    seconds: secondsOf,
    measure: async (context) => {
      const { warmSeconds, sizeSeconds } = durations[context.size];
      await smallRequests(context, { tls: false, seconds: warmSeconds });
      return new Map([[name, await cpuPerUnit(context, () => smallRequests(context, { tls: false, seconds: sizeSeconds }))]]);
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
    // Half a minute goes into filling the largest.
    ...(count >= 1_000_000 ? { roundsMax: 1, pairOnly: true } : { roundsMax: shownRounds }),
    shape: (site) => stickTable(site, count),
    seconds: (size) => secondsOf(size) + loadSeconds(1) + Math.min(durations[size].fillSecondsMax, count / filledPerSecond),
    measure: async (context) => {
      const { warmSeconds, sizeSeconds, fillSecondsMax } = durations[context.size];
      // Seconds that filling takes, from the speed of a warm second; every key once, in turn.
      await keyed(context, ['fill', String(count)], warmSeconds);
      const { answers } = await keyed(context, ['fill', String(count)], 1);
      if (answers < count) await keyed(context, ['fill', String(count)], Math.min(fillSecondsMax, Math.ceil(count / answers * 1.1)));
      const measured: Measured = await cpuPerUnit(context, () => keyed(context, ['keys', String(count)], sizeSeconds));
      return new Map([[name, measured]]);
    },
  };
}

export const sizes: Workload = {
  name: 'W7', what: 'cost against size; requests spread over all rules, servers, keys', peers: [], rounds: { quick: 1, full: 5, dry: 1 }, roundsOfOthers: 1,
  cells: [...aclCounts.map(acls), ...serverCounts.map(servers), ...entryCounts.map(entries)],
};
