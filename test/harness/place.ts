/**
 * Where a test runs: a loopback address of its own and a temporary folder. Used by sites and by tests that start programs
 * themselves. Two test processes never get the same address at the same time, so ports may be fixed numbers on it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Port on which a listener marks an address as taken. */
const guardPort = 19999;

export interface Place {
  readonly address: string;
  readonly folder: string;
  release(): Promise<void>;
}

function tryGuard(address: string): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(null));
    server.listen({ host: address, port: guardPort }, () => resolve(server));
  });
}

export async function reservePlace(): Promise<Place> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const address = `127.18.${Math.floor(Math.random() * 250)}.${1 + Math.floor(Math.random() * 250)}`;
    const guard = await tryGuard(address);
    if (guard === null) continue;
    const folder = temporaryFolder();
    return {
      address,
      folder,
      release: () => new Promise((resolve) => {
        rmSync(folder, { recursive: true, force: true });
        guard.close(() => resolve());
      }),
    };
  }
  throw new Error('no loopback address is free');
}

const folders = new Set<string>();
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is gone when the test process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'poise-test-'));
  folders.add(folder);
  return folder;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}

/** Asks again until the answer is truthy; throws with the given words when the time is over. */
export async function eventually<T>(what: string, ask: () => T | Promise<T>, timeoutMs = 5000): Promise<NonNullable<T>> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer as NonNullable<T>;
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await sleep(10);
  }
}
