/**
 * Gives back what reloads have left behind in the control thread: on Bun the compiled code of what only a reload runs, and pages that the
 * collector keeps for the next one, some 10 MB. Done when nobody has reloaded for a while. Used by balancer.ts; does nothing on Node.js.
 */

/** After the last reload. */
const quietMs = 3000;
/** From a larger heap nothing is given back: the collection would hold the thread up for longer than a command should wait. */
const heapBytesMax = 64 * 1024 * 1024;

const bun = (globalThis as { Bun?: { shrink(): void } }).Bun;

export class SpareMemory {
  private timer: NodeJS.Timeout | null = null;

  reloaded(): void {
    this.close();
    if (bun === undefined) return;
    this.timer = setTimeout(() => {
      if (process.memoryUsage().heapUsed < heapBytesMax) bun.shrink();
    }, quietMs);
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
