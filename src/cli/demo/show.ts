/** Prints where requests went: one line per kind of request, with the backend from the balancer's log. Used by the demo. */
import type { Answer } from './client.ts';

/** Backend that the log names for a request line, '' when no line has come yet. */
function loggedBackend(log: readonly string[], request: Answer['request']): string {
  const line = log.findLast((one) => one.includes(`"${request.method} ${request.target} HTTP/1.1"`));
  return line === undefined ? '' : / fe_ex2013~ ([^/ ]+)\//.exec(line)?.[1] ?? '';
}

export function printAnswers(answers: readonly Answer[], log: readonly string[]): void {
  const groups = new Map<Answer['request'], Answer[]>();
  for (const answer of answers) groups.set(answer.request, [...(groups.get(answer.request) ?? []), answer]);
  for (const [request, group] of groups) {
    const status = [...new Set(group.map((answer) => (answer.status === 0 ? answer.failure : String(answer.status))))].join(' ');
    const servers = [...new Set(group.map((answer) => answer.server))].sort().join(' ');
    const target = request.target.length > 34 ? `${request.target.slice(0, 33)}…` : request.target;
    console.log(`    ${request.client.padEnd(15)} ${request.method.padEnd(12)} ${target.padEnd(35)} ${status}  ${loggedBackend(log, request).padEnd(22)} ${servers}`);
  }
}
