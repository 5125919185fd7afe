/**
 * Reading and scaling of server weights. Pure functions; used by server-states.ts.
 */

/** S.lbweight counts in sixteenths, so that slow start can move in steps finer than one. */
export const weightScale = 16;
const weightMax = 256;

/** Weight × 16 while slow start is under way; starts at one step at once. */
export function rampWeight(uweight: number, elapsedMs: number, slowstartMs: number): number {
  const steps = Math.min(weightScale, Math.floor((weightScale * Math.max(elapsedMs, 0) + slowstartMs) / slowstartMs));
  return uweight * steps;
}

/** A weight as `set server … weight` takes it, or why it cannot be used. `iweight`: weight of the configuration. */
export function readWeight(text: string, iweight: number, dynamic: boolean): number | string {
  if (text === '') return 'Require <weight> or <weight%>.';
  const match = /^\s*([+-]?\d+)(.*)$/.exec(text);
  if (match === null) return 'Empty weight string empty or preceded by garbage';
  const number = Number(match[1]);
  const rest = match[2] ?? '';
  let weight = number;
  if (rest === '%') {
    if (number < 0) return 'Relative weight must be positive.';
    weight = Math.min(weightMax, Math.floor((iweight * Math.min(number, 100 * weightMax)) / 100));
  } else if (number < 0 || number > weightMax) {
    return 'Absolute weight can only be between 0 and 256 inclusive.';
  } else if (rest !== '') {
    return 'Trailing garbage in weight string';
  }
  if (weight !== 0 && weight !== iweight && !dynamic) return "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.";
  return weight;
}
