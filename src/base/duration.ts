/**
 * HAProxy's durations (configuration manual 2.5): an integer and an optional unit. Called by config/ and by the readers of
 * rules and runtime commands. Never rounds down: a value below the wanted unit becomes one unit.
 */

export type DurationUnit = 'us' | 'ms' | 's' | 'm' | 'h' | 'd';

const microseconds: Readonly<Record<DurationUnit, number>> = {
  us: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3600e6, d: 86400e6,
};
const durationMax = 2147483647;

/** The duration in `unit`, which also is the unit of a bare number. Undefined: not a duration, see durationFault. */
export function parseDuration(text: string, unit: DurationUnit = 'ms'): number | undefined {
  const match = /^(\d+)(us|ms|s|m|h|d)?$/.exec(text);
  if (match === null) return undefined;
  const given = (match[2] ?? unit) as DurationUnit;
  const value = Math.ceil((Number(match[1]) * microseconds[given]) / microseconds[unit]);
  return value > durationMax ? undefined : value;
}

/** Why parseDuration refused `text`, as the end of a sentence. */
export function durationFault(text: string): string {
  if (text === '') return 'a duration such as 10s is missing';
  if (/^\d+(?:us|ms|s|m|h|d)?$/.test(text)) return `'${text}' is too long, the longest duration is 2147483647 ms (24 days)`;
  return `'${text}' is not a duration: write a whole number and us, ms, s, m, h or d`;
}
