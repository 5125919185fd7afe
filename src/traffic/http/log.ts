/** The log line of an exchange, and with `log-why` the second one: whether, at which level, and in which format. Called by finish.ts. */
import type { FormatFn } from '../../rules/compile.ts';
import { whyLine } from '../why-line.ts';
import type { HttpExchange } from './http-exchange.ts';

const levels: Readonly<Record<string, number>> = { emerg: 0, alert: 1, crit: 2, err: 3, error: 3, warning: 4, notice: 5, info: 6, debug: 7 };
const levelInfo = 6;
const levelError = 3;

export function logExchange(x: HttpExchange): void {
  const { frontend, front } = x;
  if (frontend.logTargets.length === 0 || x.logLevel === 'silent') return;
  const failed = isError(x);
  if (!failed && frontend.switches.dontlogNormal) return;
  const level = levelFor(x, failed);
  const { rules } = front;
  const sd = rules.logSd === null ? '' : rules.logSd(x);
  x.context.logs.push(front.slot, level, lineOf(x, failed && rules.errorLog !== null ? rules.errorLog : rules.log), sd, front.front.counters);
  // With logasap the end is not known yet.
  if (rules.logWhy && !x.logged) logCause(x, failed, level);
}

/** `option logasap`: the line was written before the end; what became of it is told now. */
export function logEnd(x: HttpExchange): void {
  if (!x.front.rules.logWhy || x.frontend.logTargets.length === 0 || x.logLevel === 'silent') return;
  const failed = isError(x);
  logCause(x, failed, levelFor(x, failed));
}

function logCause(x: HttpExchange, failed: boolean, level: number): void {
  const why = whyLine(x, x.client.session, failed);
  if (why !== '') x.context.logs.push(x.front.slot, level, why, '', x.front.front.counters);
}

function levelFor(x: HttpExchange, failed: boolean): number {
  const set = x.logLevel === '' ? undefined : levels[x.logLevel];
  return set ?? (failed && x.frontend.switches.logSeparateErrors ? levelError : levelInfo);
}

function lineOf(x: HttpExchange, format: FormatFn | null): string {
  if (format !== null) return format(x);
  const { session } = x.client;
  return `Connect from ${session.sourceAddress}:${session.sourcePort} to ${session.destinationAddress}:${session.destinationPort} (${x.frontend.name}/HTTP)`;
}

/** What HAProxy takes for an error: a failed, retried or redispatched request, or a 5xx. */
function isError(x: HttpExchange): boolean {
  const { facts } = x;
  return (facts.cause !== '-' && facts.cause !== 'L') || facts.retries > 0 || facts.redispatched || facts.status >= 500;
}
