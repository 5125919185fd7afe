/** The site's clock, which may run faster than the world's: an hour's poll takes a minute at scale 60. Made by site.ts. */
import type { SimClock } from './service.ts';

export class ScaledClock implements SimClock {
  readonly scale: number;
  private readonly began = Date.now();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(scale: number) {
    this.scale = scale;
  }

  now(): number {
    return this.began + (Date.now() - this.began) * this.scale;
  }

  after(milliseconds: number, call: () => void): () => void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      call();
    }, milliseconds / this.scale);
    this.timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.timers.delete(timer);
    };
  }

  /** Calls off everything. */
  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }
}
