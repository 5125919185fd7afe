/**
 * How long things took: numbers of times by milliseconds, for percentiles over files of any size. Exact up to a minute, to a thousandth above.
 * Used by tables.ts.
 */
const exactMsMax = 65_536;

export class Times {
  count = 0;
  private readonly exact = new Float64Array(exactMsMax);
  private readonly longer = new Map<number, number>();

  add(ms: number): void {
    this.count += 1;
    if (ms < exactMsMax) {
      this.exact[ms] = (this.exact[ms] as number) + 1;
      return;
    }
    const step = 2 ** (Math.floor(Math.log2(ms)) - 10);
    const rounded = Math.floor(ms / step) * step;
    this.longer.set(rounded, (this.longer.get(rounded) ?? 0) + 1);
  }

  /** The time that so many percent of all do not exceed, ranked as halog does. */
  percentile(percent: number): number {
    const rank = Math.max(1, rankOf(percent, this.count));
    let sum = 0;
    for (let ms = 0; ms < exactMsMax; ms += 1) {
      sum += this.exact[ms] as number;
      if (sum >= rank) return ms;
    }
    for (const [ms, count] of [...this.longer].toSorted((one, other) => one[0] - other[0])) {
      sum += count;
      if (sum >= rank) return ms;
    }
    return 0;
  }
}

/** Number of the one in order that a percentile stands for. */
export function rankOf(percent: number, count: number): number {
  return Math.floor((Math.round(percent * 10) * count) / 1000);
}
