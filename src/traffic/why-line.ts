/**
 * The second log line (`log-why` of the poise section): who, which server, the termination letters, and the cause in words. Called by the
 * rooms that log, after their own line and only for what ended otherwise than well.
 */
import { localWithMs } from '../rules/format/dates.ts';
import { speaks, why } from '../rules/why.ts';
import type { Exchange } from './exchange.ts';
import type { ClientSession } from './session.ts';

/** `client:port [date] frontend`, as HAProxy begins lines of its own. */
export function lineStart(session: ClientSession, dateMs: number): string {
  const client = session.sourceAddress === '' ? `unix:${session.bind.luid}` : `${session.sourceAddress}:${session.sourcePort}`;
  return `${client} [${localWithMs(dateMs)}] ${session.frontend.name}`;
}

/** '' when there is nothing to say. `failed`: as the line before took it. */
export function whyLine(exchange: Exchange, session: ClientSession, failed: boolean): string {
  const { facts } = exchange;
  if (!failed && !speaks(facts.status)) return '';
  const words = why(exchange);
  return words === '' ? '' : `${lineStart(session, facts.requestDateMs)} ${facts.backendName}/${facts.serverName} ${facts.cause}${facts.stage} why: ${words}`;
}
