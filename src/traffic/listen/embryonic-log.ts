/**
 * Log line of a connection that ended before it could be served: failed TLS handshake, bad PROXY header. HAProxy's own format,
 * whatever log-format says. Called by Arrival.
 */
import { localWithMs } from '../../rules/format/dates.ts';
import type { ClientSession } from '../session.ts';

const levelInfo = 6;
const levelError = 3;

export function logEmbryonic(session: ClientSession, message: string): void {
  const { frontend, bind, context } = session;
  const level = frontend.switches.logSeparateErrors ? levelError : levelInfo;
  const client = session.sourceAddress === '' ? `unix:${bind.luid}` : `${session.sourceAddress}:${session.sourcePort}`;
  const line = `${client} [${localWithMs(session.acceptedAtMs)}] ${frontend.name}/${bind.name === '' ? bind.luid : bind.name}: ${message}`;
  context.logs.push(frontend.index, level, line, '', session.proxy.front.counters);
}
