/** Runs wrk, the closed-loop load of the bench, and gives exact counts. Any failed or missing answer is an error. Used by the workloads. */
import { join } from 'node:path';
import { projectFolder } from '../../test/harness/program.ts';
import { runToEnd } from '../machine/programs.ts';

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** Words for requests.lua. */
  readonly script: readonly string[];
  /** Least bytes of an answer, head included: a shorter one is not the answer that was asked for. */
  readonly answerBytesMin: number;
}

export interface Loaded {
  readonly answers: number;
  /** Read by the client, heads included; also those of answers that were under way in the end. */
  readonly bytes: number;
  readonly seconds: number;
}

interface Counted { readonly requests: number; readonly bytes: number; readonly microseconds: number; readonly status: number; readonly connect: number; readonly read: number; readonly write: number; readonly timeout: number }

const script = join(projectFolder, 'bench/load/requests.lua');

/** Reads the counts that requests.lua prints; throws when any answer failed. */
export function readCounts(output: string, answerBytesMin: number): Loaded {
  const text = /^counted (\{.*\})$/m.exec(output)?.[1];
  if (text === undefined) throw new Error(`wrk printed no counts: ${output.slice(-300)}`);
  const counted = JSON.parse(text) as Counted;
  const failed = Object.entries(counted).filter(([name, value]) => ['status', 'connect', 'read', 'write', 'timeout'].includes(name) && value > 0);
  if (failed.length > 0) throw new Error(`failed requests (${failed.map(([name, value]) => `${name} ${value}`).join(', ')}) beside ${counted.requests} answers`);
  if (counted.requests === 0) throw new Error('no request was answered');
  if (counted.bytes < counted.requests * answerBytesMin) throw new Error(`${counted.requests} answers have ${counted.bytes} bytes together, less than ${answerBytesMin} each`);
  return { answers: counted.requests, bytes: counted.bytes, seconds: counted.microseconds / 1e6 };
}

export async function wrk(load: Load): Promise<Loaded> {
  const args = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--timeout', '30s', '-s', script, load.url, '--', ...load.script];
  return readCounts(await runToEnd('wrk', args, load.seconds + 60), load.answerBytesMin);
}
