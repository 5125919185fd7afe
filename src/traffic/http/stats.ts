/**
 * `stats uri` and `use-service prometheus-exporter`: access is decided here, the page itself comes from the control thread's HTTP
 * server over the internal socket, which this room treats as one more server.
 */
import { C } from '../../model/counters.ts';
import { faults } from '../../model/fault.ts';
import { limits } from '../../model/limits.ts';
import { internalServer } from '../dispatch/internal-server.ts';
import type { ServerPlan } from '../plan.ts';
import type { ThreadContext } from '../thread-context.ts';
import { answerNow } from './answer.ts';
import type { StatsRules } from './http-rules.ts';
import { stage, type HttpExchange } from './http-exchange.ts';

const internals = new WeakMap<ThreadContext, ServerPlan>();

/** True: the request is for the statistics page of this proxy and has been dealt with. */
export function askStats(x: HttpExchange, stats: StatsRules): boolean {
  const { requestHead, front, back } = x;
  if (!requestHead.uri.startsWith(stats.page.uri)) return false;
  const { method } = requestHead;
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') return false;
  if (back === null || back === front) front.front.count(C.intercepted);
  x.facts.serverName = '<STATS>';
  if (!allowed(x, stats)) return true;
  serveInternal(x, 'stats', stats.admin.some((test) => test(x)));
  return true;
}

/** False: refused and answered. */
function allowed(x: HttpExchange, stats: StatsRules): boolean {
  if (stats.rules.length > 0) {
    x.final = true;
    const verdict = stats.rules.run(x, 0);
    if (verdict !== null && verdict.kind === 'answer') {
      x.facts.rule = stats.rules.decider;
      if (verdict.cause === 'deny') {
        x.front.front.count(C.dreq);
        x.facts.fault = faults.denied;
      }
      answerNow(x, verdict.bytes, verdict.cause === 'deny' ? 'P' : 'L', 'R');
      return false;
    }
    // An explicit allow stands before the users of `stats auth`.
    if (verdict !== null && verdict.kind === 'allow') return true;
  }
  if (stats.page.auth.length === 0 || hasCredentials(x, stats)) return true;
  x.facts.requestMs = x.readyMs - x.startMs;
  answerNow(x, Buffer.from(unauthorized(stats.page.realm), 'latin1'), 'L', 'R');
  return false;
}

function hasCredentials(x: HttpExchange, stats: StatsRules): boolean {
  const line = x.requestHead.find('authorization', 0);
  if (line < 0) return false;
  const match = /^basic +([a-z0-9+/=]+)$/i.exec(x.requestHead.value(line));
  if (match === null) return false;
  const given = Buffer.from(match[1] ?? '', 'base64').toString('latin1');
  return stats.page.auth.some(({ user, password }) => given === `${user}:${password}`);
}

function unauthorized(realm: string): string {
  const page = '<html><body><h1>401 Unauthorized</h1>\nYou need a valid user and password to access this content.\n</body></html>\n';
  return `HTTP/1.1 401 Unauthorized\r\ncontent-length: ${page.length}\r\ncache-control: no-cache\r\ncontent-type: text/html\r\nwww-authenticate: Basic realm="${realm.replaceAll('"', '\\"')}"\r\n\r\n${page}`;
}

/** Sends the request to the internal server, with what it has to know. */
export function serveInternal(x: HttpExchange, service: 'stats' | 'prometheus', isAdmin: boolean): void {
  const { context, requestHead, facts } = x;
  const proxy = x.back ?? x.front;
  for (let line = 0; line < requestHead.lineCount; line += 1) {
    if (!requestHead.isRemoved(line) && requestHead.name(line).toLowerCase().startsWith('x-poise-')) requestHead.remove(line);
  }
  requestHead.append('x-poise-key', context.start.internalKey);
  requestHead.append('x-poise-proxy', String(proxy.slot));
  requestHead.append('x-poise-admin', isAdmin ? '1' : '0');
  requestHead.append('x-poise-service', service);
  // The page is made for one request and its connection ends with it.
  x.serverLines = requestHead.minor === 1 ? 'connection: close\r\n' : '';
  x.serverKeeps = false;
  facts.requestMs = context.clock.monoMs() - x.startMs;
  if (service === 'prometheus') x.front.front.count(C.intercepted);
  if (!x.requestBody.done && !x.clientPaused) x.pauseClient();
  x.internal = service === 'stats' ? '<STATS>' : '<PROMEX>';
  x.serverTimeoutMs = limits.internalAnswerMsMax;
  x.stage = stage.dispatch;
  x.dispatch.startInternal(x.client.session, internal(context));
}

function internal(context: ThreadContext): ServerPlan {
  let server = internals.get(context);
  if (server === undefined) {
    server = internalServer(context.start.internalSocket, context.plan.compiler, context.wheel);
    internals.set(context, server);
  }
  return server;
}

/** The internal server answered: what it told only us goes no further. */
export function internalAnswered(x: HttpExchange): void {
  const { responseHead } = x;
  for (let line = 0; line < responseHead.lineCount; line += 1) {
    if (!responseHead.isRemoved(line) && responseHead.name(line).toLowerCase().startsWith('x-poise-')) responseHead.remove(line);
  }
  x.facts.cause = 'L';
  x.facts.stage = 'R';
  x.facts.serverName = x.internal;
}
