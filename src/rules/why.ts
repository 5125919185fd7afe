/**
 * Why a request or stream ended as it did, in words, out of what its facts hold anyway: the fault, what the last and the first attempt met,
 * the rule that decided, retries. Called by the fetch `why` and by the second log line (`log-why`) after the end; costs nothing otherwise.
 * Names servers, limits and places of the configuration, never what a client or a rule's condition said.
 */
import { faults } from '../model/fault.ts';
import type { Rule } from '../model/expression.ts';
import type { Proxy } from '../model/model.ts';
import { broken } from '../wire/http1/broken.ts';
import type { Subject } from './subject.ts';
import { codeWords } from './why-codes.ts';

/** Servers named when none is up. */
const serversNamedMax = 8;

type Telling = (s: Subject) => string;

function ms(value: number | null | undefined): string {
  return `(${value ?? 0} ms)`;
}

function server(s: Subject): string {
  return s.server === null ? 'server' : `server ${s.facts.serverName}`;
}

function place(rule: Rule): string {
  const { file, line } = rule.place;
  return `${file}:${line}`;
}

/** `http-request deny (lb.cfg:12)`: never the condition, which may hold a secret. */
function ruleName(rule: Rule): string {
  const [ruleset = '', layer = ''] = rule.text.split(' ', 2);
  const kind = rule.action.kind;
  if (ruleset === 'redirect') return `redirect (${place(rule)})`;
  return `${ruleset.startsWith('tcp-') ? `${ruleset} ${layer}` : ruleset} ${kind} (${place(rule)})`;
}

/** The words of a fault with the rule behind them. */
function byRule(word: string): Telling {
  return (s) => {
    const { rule, detail } = s.facts;
    return `${word} ${rule === null ? detail || 'a rule' : ruleName(rule)}`;
  };
}

/** The keyword of the timeout in force for a request head. */
function headTimeout({ timeouts }: Proxy): string {
  return timeouts.httpRequestMs === null ? `timeout client ${ms(timeouts.clientMs)}` : `timeout http-request ${ms(timeouts.httpRequestMs)}`;
}

function queueTimeout({ timeouts }: Proxy): string {
  return timeouts.queueMs === null ? `timeout connect ${ms(timeouts.connectMs)}` : `timeout queue ${ms(timeouts.queueMs)}`;
}

function clientTimeout(s: Subject): string {
  const tunnelMs = tunnelTimeout(s);
  return tunnelMs > 0 ? `timeout tunnel ${ms(tunnelMs)}` : `timeout client ${ms(s.clientTimeoutMs ?? s.frontend.timeouts.clientMs)}`;
}

function serverTimeout(s: Subject): string {
  const tunnelMs = tunnelTimeout(s);
  return tunnelMs > 0 ? `timeout tunnel ${ms(tunnelMs)}` : `timeout server ${ms(s.serverTimeoutMs ?? s.backend?.timeouts.serverMs)}`;
}

/** 0: this is no tunnel, or it has none of its own. */
function tunnelTimeout(s: Subject): number {
  const tunnels = s.request === null || s.facts.status === 101 || s.facts.method === 'CONNECT';
  return tunnels ? s.tunnelTimeoutMs ?? s.backend?.timeouts.tunnelMs ?? 0 : 0;
}

/** What was under way: the answer, the request's body, a stream. */
function during(s: Subject): string {
  if (s.request === null || s.facts.status === 101) return 'during the transfer';
  return s.facts.responseMs >= 0 ? 'during response' : 'while sending the request body';
}

/** Which servers there are and why each takes nothing. */
function nobodyIsUp(s: Subject): string {
  const { backend, world } = s;
  if (backend === null) return 'no backend fits: no use_backend rule, and no default_backend that is enabled';
  if (backend.servers.length === 0) return `backend ${backend.name} has no servers`;
  const named = backend.servers.slice(0, serversNamedMax).map((index) => `${world.model.servers[index]?.name ?? ''} ${world.serverTrouble(index) || 'up again'}`);
  const more = backend.servers.length - named.length;
  return `no server is up in backend ${backend.name}: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function badHead(s: Subject): string {
  const { detail } = s.facts;
  const { global } = s.world.model;
  if (detail === broken.headBytes) return `request refused: ${detail} of ${global.headBytesMax} bytes`;
  if (detail === broken.headLines) return `request refused: ${detail} of ${global.headerCountMax} lines`;
  return `request refused: ${detail || faults.badRequest.why}`;
}

function badBody(s: Subject): string {
  return `request body refused: ${s.facts.detail || faults.badRequestBody.why}`;
}

function attempt(s: Subject): string {
  return `${server(s)} ${codeWords(s.facts.detail)}`;
}

function cut(what: string): Telling {
  return (s) => `${server(s)} ${s.facts.detail === 'ECONNRESET' ? 'reset the connection' : 'closed'} ${what === '' ? during(s) : what}`;
}

function silent(s: Subject): string {
  return s.facts.detail === '' ? '' : ` (${s.facts.detail})`;
}

/** Faults by name that can tell more than their row in model/fault.ts. */
const tellings: Readonly<Record<string, Telling>> = {
  clientAbortHead: (s) => `${s.facts.badRequest ? 'client closed before it sent a whole request' : 'client closed while its request waited'}${silent(s)}`,
  clientTimeoutHead: (s) => `${headTimeout(s.frontend)} while waiting for the request ${s.facts.badRequest ? 'head' : 'body'}${silent(s)}`,
  badRequest: badHead,
  headTooLarge: badHead,
  rejectedContent: byRule('rejected by'),
  responseRejected: byRule('answer rejected by'),
  denied: byRule('denied by'),
  tarpit: byRule('tarpitted by'),
  responseDenied: byRule('answer denied by'),
  queueTimeout: (s) => `${queueTimeout(s.backend ?? s.frontend)} while waiting for a free slot of ${s.server === null ? `backend ${s.facts.backendName}` : server(s)}`,
  queueFull: (s) => `queue of ${server(s)} is full (maxqueue ${s.server?.maxqueue ?? 0})`,
  noServer: nobodyIsUp,
  connectRefused: attempt,
  resources: attempt,
  connectTimeout: (s) => `${server(s)} did not accept the connection within timeout connect ${ms(s.backend?.timeouts.connectMs)}`,
  clientAbortConnect: (s) => (s.server === null ? 'client closed while its request waited' : `client closed while ${server(s)} was being connected`),
  serverAbortHead: cut('before it sent a whole answer head'),
  serverTimeoutHead: (s) => `timeout server ${ms(s.serverTimeoutMs ?? s.backend?.timeouts.serverMs)} while waiting for the answer of ${server(s)}`,
  badResponse: (s) => `answer of ${server(s)} refused: ${s.facts.detail || faults.badResponse.why}`,
  clientAbortHeadWait: (s) => `client closed while ${server(s)} was preparing its answer`,
  clientTimeoutBody: (s) => `${clientTimeout(s)} while waiting for the request body`,
  clientAbortData: (s) => `client closed ${during(s)}`,
  clientTimeoutData: (s) => `${clientTimeout(s)} ${during(s)}: the client neither sent nor read`,
  clientTimeoutLast: (s) => `${clientTimeout(s)} while it was sent the last data`,
  serverAbortData: cut(''),
  badResponseData: (s) => `answer of ${server(s)} broken off: ${s.facts.detail || faults.badResponseData.why}`,
  serverTimeoutData: (s) => `${serverTimeout(s)} ${during(s)}: ${server(s)} neither sent nor read`,
  badRequestBody: badBody,
  badRequestData: badBody,
  serverKilled: (s) => `session was ended because ${server(s)} was marked down`,
};

/** Answers of a server that tell of a limit, besides those from 500 on. */
const limitStatuses: Readonly<Record<number, string>> = {
  413: 'the request body exceeds its limit', 414: 'the request target exceeds its limit', 431: 'the request head exceeds its limit',
};

/** A server's answer that needs words although it passed well. */
export function speaks(status: number): boolean {
  return status >= 500 || limitStatuses[status] !== undefined;
}

function ending(s: Subject): string {
  const { fault, rule, status, cause } = s.facts;
  if (fault !== null) return tellings[fault.name]?.(s) ?? fault.why;
  if (cause === 'L' && rule !== null) return `answered by ${ruleName(rule)}`;
  if (!speaks(status) || s.server === null) return '';
  const limit = limitStatuses[status];
  return `${server(s)} answered ${status}${limit === undefined ? '' : `: ${limit}`}`;
}

/** Attempts before the last one. */
function detour(s: Subject): string {
  const { facts } = s;
  if (facts.firstServer === '') return '';
  const first = `server ${facts.firstServer} ${codeWords(facts.firstDetail)}`;
  const retries = `${facts.retries} ${facts.retries === 1 ? 'retry' : 'retries'}`;
  if (facts.redispatched && facts.serverName !== facts.firstServer) return `${first}, redispatched to ${facts.serverName}${facts.retries > 1 ? ` after ${retries}` : ''}`;
  const isSame = facts.fault !== null && facts.detail === facts.firstDetail && facts.fault.stage === 'C';
  return isSame ? `${retries} before it` : `${first}, ${retries}`;
}

/** '' when it ended well, and at once. */
export function why(s: Subject): string {
  const way = detour(s);
  const end = ending(s);
  if (way === '' || end === '') return way + end;
  return way.endsWith('before it') ? `${end}, ${way}` : `${way}; ${end}`;
}
