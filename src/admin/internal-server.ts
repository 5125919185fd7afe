/**
 * The control thread's HTTP server on its private unix socket: statistics pages (`stats uri`) and the Prometheus exporter. Only the
 * traffic threads know its key; they have applied every rule, `stats auth` and `stats admin` before they pass a request on, and
 * say in headers for which proxy it is and whether actions are allowed. One implementation of every page, no cost for traffic.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { limits } from '../model/limits.ts';
import type { Proxy, StatsPage } from '../model/model.ts';
import { csv } from '../report/csv.ts';
import { filterRows } from '../report/filter.ts';
import type { ActionResult, PageView } from '../report/html.ts';
import { htmlPage, pageLink } from '../report/html.ts';
import { jsonRows } from '../report/json.ts';
import type { TableUse } from '../report/prometheus.ts';
import { metricOptions, prometheus } from '../report/prometheus.ts';
import { typedRows } from '../report/typed.ts';
import type { AdminContext } from './context.ts';
import { runPageActions } from './page-actions.ts';

/** Headers that the traffic threads set. */
const internalHeaders = { key: 'x-poise-key', proxy: 'x-poise-proxy', admin: 'x-poise-admin', service: 'x-poise-service' } as const;

/** Longest part of a proxy name that the page searches for. */
const scopeLengthMax = 20;
const actionResults: readonly ActionResult[] = ['DONE', 'NONE', 'PART', 'ERRP', 'EXCD', 'DENY'];

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function plain(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'text/plain' }, body };
}

type Options = Pick<PageView, 'up' | 'noMaint' | 'noRefresh' | 'scope' | 'result'> & { readonly format: 'html' | 'csv' | 'json' | 'typed' };

/** What follows `stats uri` in the target: `;csv;norefresh`, `/;csv`, `?stats;csv`, `;st=DONE?scope=be`. */
function readOptions(uri: string, target: string): Options {
  const rest = target.slice(uri.length);
  const words = new Set(rest.split(/[?;/&]/));
  const code = /;st=([A-Z]{4})/.exec(rest)?.[1];
  const scope = new URLSearchParams(rest.slice(rest.indexOf('?') + 1)).get('scope') ?? '';
  const result = code === undefined ? null : (actionResults.find(known => known === code) ?? 'UNKN');
  const format = words.has('json') ? 'json' : words.has('csv') ? 'csv' : words.has('typed') ? 'typed' : 'html';
  return { format, up: words.has('up'), noMaint: words.has('no-maint'), noRefresh: words.has('norefresh'), scope: scope.slice(0, scopeLengthMax), result };
}

function allowedProxies(page: StatsPage, proxy: Proxy): readonly string[] {
  return page.scopes.map(name => (name === '.' ? proxy.name : name));
}

function statistics(context: AdminContext, proxy: Proxy, page: StatsPage, target: string, admin: boolean): Answer {
  const options = readOptions(page.uri, target);
  const snapshot = context.snapshot();
  const rows = filterRows(snapshot, {
    iid: -1, types: -1, sid: -1, up: options.up, noMaint: options.noMaint, legends: page.showLegends, scope: options.scope, allowed: allowedProxies(page, proxy),
  });
  const page200 = (type: string, body: string): Answer => {
    const refresh = page.refreshSeconds > 0 && !options.noRefresh ? { refresh: String(page.refreshSeconds) } : {};
    return { status: 200, headers: { 'cache-control': 'no-cache', 'content-type': type, ...refresh }, body };
  };
  switch (options.format) {
    case 'csv': return page200('text/plain', csv(rows));
    case 'json': return page200('application/json', jsonRows(rows));
    case 'typed': return page200('text/plain', typedRows(rows, false));
    case 'html': return page200('text/html', htmlPage({ page, rows, snapshot, nodeName: context.nodeName, advice: context.advice.entries(), removed: context.removed(), admin, ...options }));
  }
}

/** The answer to a form: back to the page, which shows what came of it. */
function redirect(page: StatsPage, target: string, result: ActionResult): Answer {
  const options = readOptions(page.uri, target);
  const location = pageLink(page, options, { format: `st=${result}` });
  return { status: 303, headers: { 'cache-control': 'no-cache', 'content-type': 'text/plain', 'content-length': '0', location }, body: '' };
}

function exporter(context: AdminContext, target: string): Answer {
  const query = target.indexOf('?');
  const options = metricOptions(new URLSearchParams(query < 0 ? '' : target.slice(query + 1)));
  if (options === undefined) return { status: 400, headers: { 'cache-control': 'no-cache', 'content-type': 'text/html' }, body: '<html><body><h1>400 Bad request</h1>\nUnknown scope.\n</body></html>\n' };
  const tables: TableUse[] = [];
  for (const { name, index, stickTable } of context.model.proxies) {
    if (stickTable !== null) tables.push({ name, type: stickTable.type, size: stickTable.sizeEntries, used: context.tables.table(index)?.used ?? 0 });
  }
  return { status: 200, headers: { 'cache-control': 'no-cache', 'content-type': 'text/plain; version=0.0.4' }, body: prometheus(context.snapshot(), tables, options) };
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

export class InternalServer {
  private readonly context: AdminContext;
  private readonly key: Buffer;
  private readonly server: Server;

  constructor(context: AdminContext, key: string) {
    this.context = context;
    this.key = Buffer.from(key);
    this.server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, maxHeaderSize: limits.headBytesMax }, (request, response) => this.serve(request, response));
    this.server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Gives '' or why the socket could not be opened. */
  listen(path: string): Promise<string> {
    return new Promise((resolve) => {
      this.server.once('error', error => resolve(error.message));
      this.server.listen(path, () => resolve(''));
    });
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private keyMatches(request: IncomingMessage): boolean {
    const given = Buffer.from(header(request, internalHeaders.key));
    return given.length === this.key.length && timingSafeEqual(given, this.key);
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    if (!this.keyMatches(request)) return this.answer(request, response, plain(403, 'forbidden\n'));
    const target = request.url ?? '/';
    if (header(request, internalHeaders.service) === 'prometheus') return this.answer(request, response, exporter(this.context, target));
    const proxy = this.context.model.proxies[this.context.segments.proxyAt(Number(header(request, internalHeaders.proxy)))];
    const page = proxy?.stats ?? null;
    if (proxy === undefined || page === null) return this.answer(request, response, plain(404, 'no statistics here\n'));
    const admin = header(request, internalHeaders.admin) === '1';
    if (request.method === 'POST') return this.form(request, response, page, admin);
    if (request.method !== 'GET' && request.method !== 'HEAD') return this.answer(request, response, plain(405, 'method not allowed\n'));
    this.answer(request, response, statistics(this.context, proxy, page, target, admin));
  }

  /** Forms sent by pages of other sites are refused: the browser says so in Sec-Fetch-Site. */
  private form(request: IncomingMessage, response: ServerResponse, page: StatsPage, admin: boolean): void {
    const target = request.url ?? page.uri;
    const allowed = admin && header(request, 'sec-fetch-site') !== 'cross-site';
    let body = '';
    let tooLong = false;
    request.setEncoding('latin1');
    request.on('data', (text: string) => {
      if (body.length + text.length > limits.statsFormBytesMax) tooLong = true;
      else body += text;
    });
    request.on('end', () => {
      let result: ActionResult = 'DENY';
      if (allowed) result = tooLong ? 'EXCD' : runPageActions(this.context, new URLSearchParams(body));
      this.answer(request, response, redirect(page, target, result));
    });
    request.on('error', () => response.destroy());
  }

  private answer(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
    response.sendDate = false;
    response.writeHead(status, { ...headers, ...('content-length' in headers ? {} : { 'content-length': String(Buffer.byteLength(body)) }) });
    response.end(request.method === 'HEAD' ? undefined : body);
    if (!request.readableEnded) request.resume();
  }
}
