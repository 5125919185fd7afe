/** The log line of a TCP stream: whether it is written, at which level, in which format. Called by TcpStream once per stream. */
import type { Fault } from '../../model/fault.ts';
import type { Exchange } from '../exchange.ts';
import type { ClientSession } from '../session.ts';
import type { ThreadContext } from '../thread-context.ts';
import { levelOf } from '../log-level.ts';
import { whyLine } from '../why-line.ts';

/** Without any log format every connection gets one line when it comes. */
export function logConnect(context: ThreadContext, session: ClientSession): void {
  const { frontend, proxy, bind } = session;
  if (frontend.logStyle !== 'connect' || frontend.logTargets.length === 0) return;
  const line = session.sourceAddress === ''
    ? `Connect to unix listener ${bind.luid} (${frontend.name}/TCP)`
    : `Connect from ${session.sourceAddress}:${session.sourcePort} to ${session.destinationAddress}:${session.destinationPort} (${frontend.name}/TCP)`;
  context.logs.push(proxy.slot, levelOf('', false), line, '', proxy.front.counters);
}

export function logStream(context: ThreadContext, exchange: Exchange, session: ClientSession, sentAnything: boolean, fault: Fault | null, fromEnd: boolean): void {
  const { frontend, proxy } = session;
  const { log, errorLog, logSd, logWhy: saysWhy } = proxy.rules;
  if ((log === null && !saysWhy) || exchange.logLevel === 'silent') return;
  if (frontend.switches.dontlognull && !sentAnything) return;
  const { facts } = exchange;
  const failed = fault !== null || facts.redispatched || facts.retries > 0;
  if (frontend.switches.dontlogNormal && !failed) return;
  // With logasap the line was written before the end, which is told now.
  const format = facts.early && fromEnd ? null : failed && errorLog !== null ? errorLog : log;
  const level = levelOf(exchange.logLevel, failed && frontend.switches.logSeparateErrors);
  if (format !== null) context.logs.push(proxy.slot, level, format(exchange), logSd?.(exchange) ?? '', proxy.front.counters);
  if (!saysWhy || !fromEnd) return;
  const why = whyLine(exchange, session, failed);
  if (why !== '') context.logs.push(proxy.slot, level, why, '', proxy.front.counters);
}
