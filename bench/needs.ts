/** Says what a machine lacks for the bench, in words. Called by run.ts with what it found; never looks or installs itself. */

export interface Missing {
  /** Not empty: nothing can be measured, and why. */
  readonly cannotRun: string;
  /** What is left out, and why. */
  readonly notes: readonly string[];
}

/** Without these there is no load, no origin or no pinning. nginx is the origin of every row as well as a peer. */
const indispensable = ['nginx', 'wrk', 'taskset', 'openssl'];

export function whatIsMissing(cores: number, coresNeeded: number, missing: readonly string[]): Missing {
  if (cores < coresNeeded) return { cannotRun: `the bench leaves out all rows: it needs ${coresNeeded} cores, one for the proxy and one for load and origin, and there is ${cores}`, notes: [] };
  const needed = missing.filter((program) => indispensable.includes(program));
  if (needed.length > 0) return { cannotRun: `the bench leaves out all rows: it needs ${needed.join(', ')} (Debian: apt-get install nginx wrk util-linux openssl)`, notes: [] };
  const notes: string[] = [];
  if (missing.includes('haproxy')) notes.push('haproxy is not installed: its rows and all ratios are left out');
  if (missing.includes('prlimit')) notes.push('prlimit is not installed: programs keep the limit of open files of this shell');
  return { cannotRun: '', notes };
}
