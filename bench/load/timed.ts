/** Starts the bench's own load processes and reads what they print; any failed request is an error. Used by the workloads. */
import { join } from 'node:path';
import { projectFolder } from '../../test/harness/program.ts';
import { bun, node, runToEnd } from '../machine/programs.ts';
import type { OpenLoad, TimedLoad } from './latencies.ts';

interface Target {
  readonly host: string;
  readonly port: number;
  readonly seconds: number;
  readonly connections: number;
}

export interface OpenLoop extends Target {
  readonly tls: boolean;
  readonly ratePerSecond: number;
  readonly keepAlive: boolean;
  readonly paths: readonly string[];
}

export interface Handshakes extends Target {
  readonly resumed: boolean;
  /** 0: the next connection when one has ended. */
  readonly ratePerSecond: number;
}

export interface Uploads extends Target {
  readonly tls: boolean;
  readonly path: string;
  readonly bytes: number;
}

export function readTimed(output: string): TimedLoad {
  const result = JSON.parse(output.trim().split('\n').at(-1) ?? '') as TimedLoad;
  if (result.failed > 0 || result.answered !== result.planned) throw new Error(`${result.failed} of ${result.planned} requests failed, ${result.answered} answered: ${result.failure}`);
  if (result.answered === 0) throw new Error('no request was answered');
  return result;
}

async function timed(runtime: string, file: string, load: Target): Promise<TimedLoad> {
  return readTimed(await runToEnd(runtime, [join(projectFolder, 'bench/load', file), JSON.stringify(load)], load.seconds + 40));
}

export async function openLoop(load: OpenLoop): Promise<OpenLoad> {
  return await timed(bun, 'open-loop.ts', load) as OpenLoad;
}

export function uploads(load: Uploads): Promise<TimedLoad> {
  return timed(bun, 'uploads.ts', load);
}

export function handshakes(load: Handshakes): Promise<TimedLoad> {
  return timed(node, 'handshakes.ts', load);
}
