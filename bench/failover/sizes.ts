/**
 * Memory and descriptors of every process of the hosts over its life: programs are started again all the time in a soak, so that the beginning and
 * the end of the whole say little. Used by bench/failover/soak.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Host } from '../../test/harness/pair/stage.ts';
import { partOf } from '../../test/harness/pair/whole-node.ts';

interface Size { readonly atMs: number; readonly descriptors: number; readonly residentKb: number }
interface Life { readonly name: string; readonly seenMs: number; first: Size | undefined; last: Size | undefined }

/** A runtime's heap settles while a program starts, and may settle higher once. */
const settleMs = 10_000;
const growthMax = 1.5;
const descriptorsMore = 20;
/** The last look at everything was no longer ago. */
const lastLookMs = 5000;

/** Does a process run, that is, exist and not stand still? */
export function movesAgain(pid: number): boolean {
  try {
    return !/^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

function sizeOf(pid: number): Size | undefined {
  try {
    const residentKb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
    return { atMs: performance.now(), residentKb, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

export class Sizes {
  readonly #lives = new Map<number, Life>();

  look(host: Host): void {
    for (const part of ['', 'balancer', 'vrrp'] as const) {
      for (const pid of partOf(host, part)) {
        let life = this.#lives.get(pid);
        if (life === undefined) this.#lives.set(pid, life = { name: `${host.name} ${part === '' ? 'master' : part}`, seenMs: performance.now(), first: undefined, last: undefined });
        if (performance.now() - life.seenMs < settleMs) continue;
        life.last = sizeOf(pid) ?? life.last;
        life.first ??= life.last;
      }
    }
  }

  /** A line for each part, of the process that lived longest; `complain` hears of every one that has grown. */
  report(complain: (text: string) => void): readonly string[] {
    const longest = new Map<string, { readonly text: string; readonly ageMs: number }>();
    for (const [pid, { name, first, last }] of this.#lives) {
      if (first === undefined || last === undefined) continue;
      const ageMs = last.atMs - first.atMs;
      const text = `${name} (${pid}): in ${(ageMs / 60_000).toFixed(1)} minutes from ${Math.round(first.residentKb / 1024)} to ${Math.round(last.residentKb / 1024)} MB, from ${first.descriptors} to ${last.descriptors} descriptors`;
      // Connections whose clients were told nothing are held until their time is over, which only whoever lives to the end has seen.
      const hasTold = performance.now() - last.atMs < lastLookMs;
      if (last.residentKb > first.residentKb * growthMax || hasTold && last.descriptors > first.descriptors + descriptorsMore) complain(`grown: ${text}`);
      if (ageMs >= (longest.get(name)?.ageMs ?? 0)) longest.set(name, { text, ageMs });
    }
    return [...longest.values()].map((one) => one.text);
  }
}
