/** W1, W2 and W8: requests over 64 kept connections, 100-byte answers, paths of the eight services in turn. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exchangeShape, servicePaths } from '../configurations/exchange.ts';
import { ports } from '../configurations/shape.ts';
import { durations, type Size } from '../durations.ts';
import { openLoop } from '../load/timed.ts';
import { wrk } from '../load/wrk.ts';
import { smallBodyBytes } from '../machine/origin.ts';
import type { Measured } from '../row.ts';
import { ratioMax } from '../targets.ts';
import type { SubjectName } from '../subjects/subject.ts';
import { compileSeconds, cpuPerUnit, latencyOf, loadSeconds, type Cell, type Context, type Work, type Workload } from './workload.ts';

const connections = 64;
const fixedRatePerSecond = 2000;

export interface SmallRequests {
  readonly tls: boolean;
  readonly seconds: number;
  /** Lines of `path host`. */
  readonly paths?: readonly string[];
  readonly close?: boolean;
  readonly port?: number;
}

/** Small requests as fast as they are answered. */
export async function smallRequests(context: Context, load: SmallRequests): Promise<Work> {
  const { site } = context.stage;
  const file = join(site.folder, 'paths.txt');
  writeFileSync(file, `${(load.paths ?? servicePaths).join('\n')}\n`);
  const port = load.port ?? (load.tls ? ports.tls : ports.clear);
  const done = await wrk({
    url: `${load.tls ? 'https' : 'http'}://${site.address}:${port}`, connections, seconds: load.seconds,
    script: ['list', file, load.close === true ? 'close' : 'keep'], answerBytesMin: smallBodyBytes,
  });
  return { answers: done.answers, underWayMax: 2 * connections, units: done.answers, seconds: done.seconds };
}

/** Warm-up, then cost, then latency at the fixed rate. */
async function costAndLatency(context: Context, tls: boolean): Promise<Measured> {
  const { warmSeconds, sampleSeconds, rateSeconds } = durations[context.size];
  await smallRequests(context, { tls, seconds: warmSeconds + compileSeconds(context.size, context.subject) });
  const cost = await cpuPerUnit(context, () => smallRequests(context, { tls, seconds: sampleSeconds }));
  const { address: host } = context.stage.site;
  const timed = await openLoop({ host, port: tls ? ports.tls : ports.clear, tls, seconds: rateSeconds, connections: 32, ratePerSecond: fixedRatePerSecond, keepAlive: true, paths: servicePaths });
  return { ...cost, ...latencyOf(timed, fixedRatePerSecond) };
}

function secondsOf(size: Size, subject: SubjectName): number {
  const { warmSeconds, sampleSeconds, rateSeconds } = durations[size];
  return compileSeconds(size, subject) + loadSeconds(warmSeconds, sampleSeconds, rateSeconds);
}

function cell(workload: string, name: string, tls: boolean, target: number): Cell {
  return {
    rows: [{ workload, name, kind: 'cpu', unit: 'request', target, headline: true }],
    shape: (site) => exchangeShape(site, { bridged: tls }),
    seconds: secondsOf,
    measure: async (context) => new Map([[name, await costAndLatency(context, tls)]]),
  };
}

export const clear: Workload = {
  name: 'W1', what: 'HTTP/1.1 keep-alive, clear, 64 connections, 100-byte answers, eight Exchange ACLs',
  peers: ['nginx', 'fast-proxy', 'http-proxy-3', 'fastify-http-proxy'], rounds: { quick: 2, full: 5, dry: 1 }, roundsOfOthers: 5,
  cells: [cell('W1', 'keep-alive, clear', false, ratioMax.W1)],
};

export const bridged: Workload = {
  name: 'W2', what: 'the same with TLS on both sides', peers: ['nginx'], rounds: { quick: 2, full: 5, dry: 1 }, roundsOfOthers: 5,
  cells: [cell('W2', 'keep-alive, TLS on both sides', true, ratioMax.W2)],
};

function threads(count: number): Cell {
  const name = `nbthread ${count}`;
  return {
    rows: [{ workload: 'W8', name, kind: 'cpu', unit: 'request', headline: count === 2 }],
    shape: (site) => exchangeShape(site, { bridged: false, threads: count }),
    bothCores: true,
    seconds: (size, subject) => compileSeconds(size, subject) + loadSeconds(durations[size].warmSeconds, durations[size].sampleSeconds),
    measure: async (context) => {
      const { warmSeconds, sampleSeconds } = durations[context.size];
      await smallRequests(context, { tls: false, seconds: warmSeconds + compileSeconds(context.size, context.subject) });
      return new Map([[name, await cpuPerUnit(context, () => smallRequests(context, { tls: false, seconds: sampleSeconds }))]]);
    },
  };
}

export const scaling: Workload = {
  name: 'W8', what: 'two traffic threads against one, W1\'s requests; the subject may use both cores, the load has core 1 in both rows',
  peers: [], rounds: { quick: 1, full: 5, dry: 1 }, roundsOfOthers: 1, cells: [threads(1), threads(2)],
};
