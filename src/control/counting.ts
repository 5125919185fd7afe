/**
 * Since when each figure counts, and how much of it former processes have counted. Filled by control/saved, read by report/. Objects as
 * shared/segments.ts numbers them. One per balancer process; it outlives reloads.
 */

/** In place of an object: the figures of the process. */
export const processObject = -1;

/** By name of a counter or of a column. */
export type Figures = Readonly<Record<string, number>>;

export class Counting {
  /** True: there is a state folder, so that figures may be older than the process. */
  lasts = false;
  private readonly startedAtMs: number;
  private readonly since = new Map<number, number>();
  private readonly bases = new Map<number, Figures>();

  constructor(startedAtMs: number) {
    this.startedAtMs = startedAtMs;
  }

  /** Date.now() of when counting began. */
  sinceMs(object: number): number {
    return this.since.get(object) ?? this.startedAtMs;
  }

  /** What of a figure was counted by other processes. */
  base(object: number, name: string): number {
    return this.bases.get(object)?.[name] ?? 0;
  }

  begin(object: number, sinceMs: number, base: Figures): void {
    this.since.set(object, sinceMs);
    this.bases.set(object, base);
  }

  /** Another process has counted this beside us. */
  inherit(object: number, figures: Figures): void {
    const base: Record<string, number> = { ...this.bases.get(object) };
    for (const [name, value] of Object.entries(figures)) base[name] = (base[name] ?? 0) + value;
    this.bases.set(object, base);
  }

  /** `clear counters all`. */
  cleared(objects: readonly number[], nowMs: number): void {
    for (const object of [...objects, processObject]) this.begin(object, nowMs, {});
  }
}
