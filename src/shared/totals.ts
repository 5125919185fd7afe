/** One object's counters over all threads, as reports show them and as they are kept over restarts. Used by report/ and control/saved. Reads only. */
import { C, counterFields, maxFields } from '../model/counters.ts';
import type { Segments } from './segments.ts';

const isMax: readonly boolean[] = counterFields.map((name) => maxFields.includes(name));
const isAverage: readonly boolean[] = counterFields.map((name) => name.endsWith('_avg'));

/** A Float64 per counter field: sums, maxima, and averages weighted by their samples. */
export function objectTotals(segments: Segments, object: number): Float64Array {
  const sums = new Float64Array(counterFields.length);
  let samples = 0;
  for (let thread = 0; thread <= segments.threads; thread++) {
    const counters = segments.counters(object, thread);
    const weight = counters[C.time_samples] as number;
    samples += weight;
    for (let field = 0; field < sums.length; field++) {
      const value = counters[field] as number;
      if (isMax[field]) sums[field] = Math.max(sums[field] as number, value);
      else sums[field] = (sums[field] as number) + (isAverage[field] ? value * weight : value);
    }
  }
  if (samples > 0) for (let field = 0; field < sums.length; field++) if (isAverage[field]) sums[field] = (sums[field] as number) / samples;
  return sums;
}
