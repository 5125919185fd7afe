/**
 * The words of state events, as HAProxy logs them. Pure functions; used by server-states.ts.
 */
import type { Server } from '../model/model.ts';
import { checkStatusTexts } from '../model/server-state.ts';
import { hasCode } from './check-result.ts';
import type { CheckResult } from './check-result.ts';

/** Counts of a backend and queue movements, for the tail of a line. */
interface Tally {
  readonly active: number;
  readonly backup: number;
  readonly sessions: number;
  readonly requeued: number;
  readonly remaining: number;
}

/** `Server be/s1` or `Backup Server be/s1`. */
export function serverSubject(server: Server, fullName: string): string {
  return `${server.backup ? 'Backup ' : ''}Server ${fullName}`;
}

/** `, reason: Layer4 timeout, check duration: 2000ms` */
export function reasonText(result: CheckResult): string {
  const code = hasCode(result.status) ? `, code: ${result.code}` : '';
  const info = result.description === '' ? '' : `, info: "${result.description}"`;
  const duration = result.durationMs < 0 ? '' : `, check duration: ${result.durationMs}ms`;
  return `, reason: ${checkStatusTexts[result.status]}${code}${info}${duration}`;
}

export function tallyText(stopped: boolean, tally: Tally): string {
  const onBackup = tally.active === 0 && tally.backup > 0 ? ' Running on backup.' : '';
  const servers = `. ${tally.active} active and ${tally.backup} backup servers ${stopped ? 'left' : 'online'}.${onBackup}`;
  return stopped
    ? `${servers} ${tally.sessions} sessions active, ${tally.requeued} requeued, ${tally.remaining} remaining in queue.`
    : `${servers} ${tally.requeued} sessions requeued, ${tally.remaining} total in queue.`;
}

/** `option log-health-checks`. */
export function healthCheckText(server: Server, fullName: string, result: CheckResult, health: number, rise: number, fall: number, weight: number): string {
  const outcome = result.outcome === 'failed' ? 'failed' : result.outcome === 'conditional' ? 'conditionally succeeded' : 'succeeded';
  const up = health >= rise;
  const status = up ? `${health - rise + 1}/${fall} ${weight > 0 ? 'UP' : 'DRAIN'}` : `${health}/${rise} DOWN`;
  return `Health check for ${server.backup ? 'backup ' : ''}server ${fullName} ${outcome}${reasonText(result)}, status: ${status}.`;
}

/** Column `status`. `health`, `rise` and `fall` are those of the check that decides (of the tracked server, if any). */
export function statusText(running: 'up' | 'stopping' | 'stopped', draining: boolean, checked: boolean, health: number, rise: number, fall: number): string {
  const full = !checked || health >= rise + fall - 1;
  const partly = `${health - rise + 1}/${fall}`;
  if (running === 'stopped') return !checked || health <= 0 ? 'DOWN' : `DOWN ${health}/${rise}`;
  if (running === 'stopping') {
    if (!checked) return 'no check';
    return full ? 'NOLB' : `NOLB ${partly}`;
  }
  if (draining) return full ? 'DRAIN' : `DRAIN ${partly}`;
  if (!checked) return 'no check';
  return full ? 'UP' : `UP ${partly}`;
}
