/**
 * `npm run bench:micro [-- words]`: nanoseconds and allocated bytes per operation of the hot parts whose names hold one of the words,
 * on Bun and on Node; `bun bench/micro/run.ts [words]` on that runtime alone. Time and memory are measured in processes of
 * their own, because memory needs a collector that does not run:
 * - time: the best of several rounds after a warm-up, by process.hrtime;
 * - bytes on Node: growth of V8's total_allocated_bytes, which counts every allocation on the heap, collected or not; the memory
 *   of buffers beside the heap is not in it (pooled ones are paid with their pool);
 * - bytes on Bun: growth of JavaScriptCore's heapCapacity with its collector off (BUN_JSC_useGC=0). Buffers of up to 1000 bytes are
 *   in it, larger ones lie beside the heap. Its blocks are of 16 KiB, which so many operations make small.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getHeapStatistics } from 'node:v8';
import { parts } from './parts.ts';
import { MicroRoom } from './room.ts';

type Kind = 'ns' | 'bytes';
type Result = Readonly<Record<string, number>>;

const here = fileURLToPath(import.meta.url);
const isBun = process.versions['bun'] !== undefined;
const rounds = 7;
const roundMs = 60;
const bytesOperations = 20_000;
/** What the operations gave, so that their work counts as used. */
let used = 0;

function repeat(operation: () => number, count: number): void {
  for (let left = count; left > 0; left -= 1) used += operation();
}

function elapsedNs(operation: () => number, count: number): number {
  const start = process.hrtime.bigint();
  repeat(operation, count);
  return Number(process.hrtime.bigint() - start);
}

function nanoseconds(operation: () => number): number {
  let count = 1000;
  while (elapsedNs(operation, count) < roundMs * 1e6) count *= 2;
  let best = Infinity;
  for (let round = 0; round < rounds; round += 1) best = Math.min(best, elapsedNs(operation, count) / count);
  return best;
}

async function allocatedTotal(): Promise<() => number> {
  if (!isBun) return () => (getHeapStatistics() as unknown as { total_allocated_bytes: number }).total_allocated_bytes;
  const name = 'bun:jsc';
  const { heapStats } = await import(name) as { heapStats: () => { heapCapacity: number } };
  return () => heapStats().heapCapacity;
}

async function measure(kind: Kind, words: readonly string[]): Promise<Record<string, number>> {
  const total = kind === 'bytes' ? await allocatedTotal() : null;
  const results: Record<string, number> = {};
  for (const { name, make } of parts) {
    if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
    const room = new MicroRoom();
    const operation = make(room);
    if (total === null) {
      results[name] = nanoseconds(operation);
    } else {
      repeat(operation, bytesOperations);
      const before = total();
      repeat(operation, bytesOperations);
      results[name] = (total() - before) / bytesOperations;
    }
    room.end();
  }
  return results;
}

function inChild(runtime: string, kind: Kind, words: readonly string[]): Result {
  const child = spawnSync(runtime, [here, `--${kind}`, ...words], { encoding: 'utf8', env: { ...process.env, ...(kind === 'bytes' ? { BUN_JSC_useGC: '0' } : {}) }, stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.status !== 0) throw new Error(`${runtime} could not run the bench: ${child.error?.message ?? child.stderr}`);
  return JSON.parse(child.stdout) as Result;
}

function show(runtime: string, title: string, words: readonly string[]): void {
  const ns = inChild(runtime, 'ns', words);
  const bytes = inChild(runtime, 'bytes', words);
  console.log(`${title.padEnd(30)} ${'ns'.padStart(10)} ${'bytes'.padStart(10)}`);
  for (const [name, value] of Object.entries(ns)) console.log(`${name.padEnd(30)} ${value.toFixed(0).padStart(10)} ${(bytes[name] ?? 0).toFixed(0).padStart(10)}`);
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const options = words.filter((word) => word.startsWith('--'));
  const names = words.filter((word) => !word.startsWith('--'));
  const kind = options.includes('--ns') ? 'ns' : options.includes('--bytes') ? 'bytes' : null;
  if (kind !== null) {
    console.log(JSON.stringify(await measure(kind, names)));
    process.exitCode = Number.isNaN(used) ? 1 : 0;
    return;
  }
  const folder = join(here, '../../../node_modules/.bin');
  if (options.includes('--both')) {
    show(join(folder, 'bun'), 'Bun', names);
    show(join(folder, 'node'), 'Node', names);
  } else {
    show(process.execPath, `${isBun ? 'Bun' : 'Node'} ${process.versions['bun'] ?? process.versions.node}`, names);
  }
}

await main();
