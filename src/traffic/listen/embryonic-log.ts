/**
 * Log line of a connection that ended before it could be served: failed TLS handshake, bad PROXY header. HAProxy's own format,
 * whatever log-format says, and with `log-why` a second one with the cause in words. Called by Arrival.
 */
import { handshakeWords } from '../../rules/why-codes.ts';
import type { ClientSession } from '../session.ts';
import { lineStart } from '../why-line.ts';

const levelInfo = 6;
const levelError = 3;

export function logEmbryonic(session: ClientSession, message: string, code: string): void {
  const { frontend, bind, context } = session;
  const level = frontend.switches.logSeparateErrors ? levelError : levelInfo;
  const start = `${lineStart(session, session.acceptedAtMs)}/${bind.name === '' ? bind.luid : bind.name}`;
  context.logs.push(session.proxy.slot, level, `${start}: ${message}`, '', session.proxy.front.counters);
  if (session.proxy.rules.logWhy) context.logs.push(session.proxy.slot, level, `${start} why: ${cause(session, message, code)}`, '', session.proxy.front.counters);
}

function cause(session: ClientSession, message: string, code: string): string {
  if (message.startsWith('Timeout ')) return `timeout client (${session.frontend.timeouts.clientMs ?? 0} ms) ${message.slice(8)}`;
  return handshakeWords(code) || `${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}
