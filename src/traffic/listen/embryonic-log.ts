/**
 * Log line of a connection that ended before it could be served: failed TLS handshake, bad PROXY header. HAProxy's own format,
 * whatever log-format says. Called by Arrival.
 */
import type { ClientSession } from '../session.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const levelInfo = 6;
const levelError = 3;

export function logEmbryonic(session: ClientSession, message: string): void {
  const { frontend, bind, context } = session;
  const level = frontend.switches.logSeparateErrors ? levelError : levelInfo;
  const client = session.sourceAddress === '' ? `unix:${bind.luid}` : `${session.sourceAddress}:${session.sourcePort}`;
  const line = `${client} [${dateText(session.acceptedAtMs)}] ${frontend.name}/${bind.name === '' ? bind.luid : bind.name}: ${message}`;
  context.logs.push(frontend.index, level, line, '', session.proxy.front.counters);
}

/** `20/Nov/2026:22:01:31.123`, local time. */
function dateText(dateMs: number): string {
  const date = new Date(dateMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
  return `${two(date.getDate())}/${months[date.getMonth()] ?? ''}/${date.getFullYear()}:${clock}`;
}
