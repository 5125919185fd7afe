/**
 * Prints the problems of a configuration: in HAProxy's form for `-c` and at start, as JSON for `check --json`. Used by main.ts and
 * check.ts. Decides only what counts as fatal.
 */
import type { Problem } from '../model/problem.ts';
import type { Notices } from '../process/notices.ts';
import type { ProbeRow } from './probe.ts';

export function isFatal(problem: Problem): boolean {
  return problem.severity === 'error' || problem.severity === 'unsupported';
}

/** One line: place, message, word when the message does not have it, remedy. */
export function problemText(problem: Problem): string {
  const { place, message, word, remedy } = problem;
  const where = place.file === '' ? '' : place.line > 0 ? `parsing [${place.file}:${place.line}] : ` : `[${place.file}] : `;
  const what = word === '' || message.includes(word) ? message : `${message}: '${word}'`;
  return `config : ${where}${what}${remedy === '' ? '' : `; ${remedy}`}`;
}

export function printProblems(problems: readonly Problem[], notices: Notices): void {
  for (const problem of problems) {
    if (isFatal(problem)) notices.alert(problemText(problem));
    else if (problem.severity === 'warning') notices.warning(problemText(problem));
    else notices.notice(problemText(problem));
  }
}

/** `{"valid":false,"problems":[{"severity","file","line","word","message","remedy"}]}`, with --probe also `"probes"`. */
export function problemsJson(problems: readonly Problem[], probes?: readonly ProbeRow[]): string {
  const rows = problems.map(({ severity, place, word, message, remedy }) => ({ severity, file: place.file, line: place.line, word, message, remedy }));
  return JSON.stringify({ valid: !problems.some(isFatal), problems: rows, ...probes === undefined ? {} : { probes } }, null, 2);
}
