/**
 * Final answers of servers behind Exchange frontends, as the watch over logins wants them: 401, OWA's form taken, sent to its logon
 * page, let in. Called by from-server.ts for backends whose plan says so. Nothing is made for an answer that is no news.
 */
import type { LoginScheme } from '../../model/messages.ts';
import { column, known, type Http1Head } from '../../wire/http1/head.ts';
import { equalsLower } from '../../wire/http1/chars.ts';
import type { HttpExchange } from './http-exchange.ts';

const authPath = '/auth.owa';
const logonPath = '/auth/logon.aspx';
const pagesOfLogin = '/owa/auth/';

export function noteAnswer(x: HttpExchange, status: number): void {
  const { back, serverPlan, context } = x;
  if (back === null || serverPlan === null) return;
  const { session } = x.client;
  const backend = back.slot;
  const { sightings } = context;
  if (status === 401) {
    if (session.sourceAddress !== '') sightings.refused(session, backend, serverPlan.slot, schemeOf(x.requestHead));
  } else if (status === 302) {
    noteRedirect(x, backend, serverPlan.slot);
  } else if ((status < 300 || status === 304) && sightings.suspected(session, backend) && !pathStarts(x, pagesOfLogin)) {
    // The logon page itself is shown to everybody.
    sightings.accepted(session, backend, serverPlan.slot);
  }
}

/** How the request tries to log in: a word of ours, never what stands there. */
function schemeOf(head: Http1Head): LoginScheme {
  const line = head.findKnown(known.authorization, 0);
  if (line < 0) return 'none';
  const from = head.table[line * column.stride + column.valueStart] as number;
  const length = (head.table[line * column.stride + column.valueEnd] as number) - from;
  if (length < 5) return 'other';
  if (equalsLower(head.bytes, from, 'ntlm')) return 'ntlm';
  if (equalsLower(head.bytes, from, 'nego')) return 'negotiate';
  return equalsLower(head.bytes, from, 'basic') ? 'basic' : 'other';
}

function noteRedirect(x: HttpExchange, backend: number, server: number): void {
  const { client: { session }, context: { sightings }, requestHead: head, responseHead } = x;
  const line = responseHead.find('location', 0);
  if (line < 0 || session.sourceAddress === '') return;
  const toLogon = (responseHead.value(line).split('?', 1)[0] ?? '').toLowerCase().endsWith(logonPath);
  if (head.path().toLowerCase().endsWith(authPath)) {
    // With the logon page as its destination the form was refused: a wrong password.
    if (!toLogon && head.method === 'POST') sightings.loggedIn(session, backend, server);
  } else if (toLogon) {
    sightings.sentBack(session, backend, server);
  }
}

function pathStarts(x: HttpExchange, lower: string): boolean {
  return x.requestHead.path().slice(0, lower.length).toLowerCase() === lower;
}
