/** Checked draft → Model: resolves what needed the whole configuration, loads certificates, freezes nothing itself. Called by load.ts. */
import { builtinLogFormats } from '../model/catalog/aliases.ts';
import type { Format, SampleExpr } from '../model/expression.ts';
import type { EmailAlert } from '../model/mail.ts';
import type { Bind, Global, Mode, Model, Proxy, Server, StatsPage } from '../model/model.ts';
import { buildCheckMethod, buildServerCheck } from './build-check.ts';
import { CertificateStore } from './certificates.ts';
import type { Context } from './context.ts';
import type { BindDraft, Deferred, ProxyDraft, ServerDraft } from './draft.ts';
import { parseFormat } from './expression/format.ts';
import { parseSample } from './expression/sample.ts';
import { LineScope } from './line-scope.ts';
import { readPoise } from './side/poise.ts';
import { buildBindTls, buildServerTls } from './tls.ts';
import { mailsAlerts } from './verify-mail.ts';

export class ModelBuilder {
  private readonly context: Context;
  private readonly store: CertificateStore;

  constructor(context: Context, nowMs: number) {
    this.context = context;
    this.store = new CertificateStore(context, nowMs);
  }

  /** In steps of one object. */
  *build(files: readonly string[]): Generator<undefined, Model> {
    const { draft } = this.context;
    this.numberProxies();
    const binds = draft.proxies.flatMap((proxy) => this.numberBinds(proxy));
    const servers: Server[] = [];
    for (const proxy of draft.proxies) {
      servers.push(...this.numberServers(proxy));
      yield;
    }
    const proxies: Proxy[] = [];
    for (const proxy of draft.proxies) {
      proxies.push(this.proxy(proxy));
      yield;
    }
    return {
      global: this.global(), proxies, servers: servers.toSorted((left, right) => left.index - right.index), binds, acls: draft.acls, patterns: draft.patterns, used: [...draft.used],
      certificates: draft.certificates, authorities: draft.authorities, userlists: draft.userlists, inactive: draft.inactive, mailers: draft.mailers, poise: draft.poise ?? readPoise(this.context, []), files,
    };
  }

  /** Ids given by `id` first, then counted from 2 (1 is HAProxy's own runtime socket proxy). */
  private numberProxies(): void {
    const taken = new Set(this.context.draft.proxies.map((proxy) => proxy.id).filter((id) => id > 0));
    let next = 2;
    for (const proxy of this.context.draft.proxies) {
      if (proxy.id === 0) while (taken.has(next)) next += 1;
      proxy.iid = proxy.id > 0 ? proxy.id : next;
      taken.add(proxy.iid);
    }
  }

  private numberBinds(proxy: ProxyDraft): Bind[] {
    const drafts = proxy.binds.map((index) => this.context.draft.binds[index]).filter((bind) => bind !== undefined);
    const taken = new Set(drafts.map((bind) => bind.id).filter((id) => id > 0));
    let next = 1;
    return drafts.map((bind) => {
      if (bind.id === 0) while (taken.has(next)) next += 1;
      const luid = bind.id > 0 ? bind.id : next;
      // Every port of a range is a listener of its own and takes a number.
      const ports = bind.address.kind === 'inet' ? bind.address.portLast - bind.address.port + 1 : 1;
      for (let port = 0; port < ports; port += 1) taken.add(luid + port);
      return this.bind(bind, luid);
    });
  }

  private bind(bind: BindDraft, luid: number): Bind {
    return {
      index: bind.index, name: bind.name, luid, guidPrefix: bind.guidPrefix, proxy: bind.proxy, address: bind.address, text: bind.text, place: bind.place, maxconn: bind.maxconn, backlog: bind.backlog,
      v4v6: bind.v4v6, v6only: bind.v6only, acceptProxy: bind.acceptProxy, interface: bind.interface, mode: bind.mode, uid: bind.uid, gid: bind.gid,
      transparent: bind.transparent, tls: buildBindTls(this.context, this.store, bind),
    };
  }

  private numberServers(proxy: ProxyDraft): Server[] {
    const drafts = proxy.servers.map((index) => this.context.draft.servers[index]).filter((server) => server !== undefined);
    const taken = new Set(drafts.map((server) => server.id).filter((id) => id > 0));
    let next = 1;
    return drafts.map((server) => {
      if (server.id === 0) while (taken.has(next)) next += 1;
      server.sid = server.id > 0 ? server.id : next;
      taken.add(server.sid);
      return this.server(server, proxy);
    });
  }

  private server(server: ServerDraft, proxy: ProxyDraft): Server {
    const options = buildServerTls(this.context, this.store, server, server.tls.ssl || server.check.checkSsl === true);
    const check = buildServerCheck(this.context, server, proxy, options);
    return {
      index: server.index, sid: server.sid, guid: server.guid, name: server.name, proxy: server.proxy, place: server.place,
      address: server.address ?? { kind: 'inet', family: 4, host: '0.0.0.0', port: 0, portLast: 0 }, portMode: server.portMode, portOffset: server.portOffset,
      weight: server.weight, backup: server.backup, disabled: server.disabled, cookie: server.cookie, maxconn: server.maxconn, minconn: server.minconn, maxqueue: server.maxqueue,
      slowstartMs: server.slowstartMs, sendProxy: server.sendProxy, proxyV2Options: server.proxyV2Options, checkSendProxy: server.checkSendProxy, source: server.source,
      tls: server.tls.ssl ? options : null, check, track: this.tracked(server), observe: server.observe, errorLimit: server.errorLimit, onError: server.onError,
      onMarkedDown: server.onMarkedDown, onMarkedUp: server.onMarkedUp, redirectPrefix: server.redirectPrefix, poolMaxConn: server.poolMaxConn,
      poolPurgeDelayMs: server.poolPurgeDelayMs, poolLowConn: server.poolLowConn, maxReuse: server.maxReuse, initAddr: server.initAddr, initState: server.initState,
      resolvers: server.resolvers, resolvePrefer: server.resolvePrefer, nonStick: server.nonStick, tcpUserTimeoutMs: server.tcpUserTimeoutMs,
    };
  }

  private tracked(server: ServerDraft): number {
    return server.track === '' ? -1 : this.context.names.tracked(server.track, server.proxy);
  }

  /** A log-format string of a proxy, read now that its mode is known. */
  private format(proxy: ProxyDraft, deferred: Deferred | null, layer: 'log-format' | 'unique-id' | 'http-request' = 'log-format'): Format | null {
    if (deferred === null || deferred.text === '') return null;
    const mode: Mode = proxy.settings.mode === 'http' ? 'http' : 'tcp';
    const scope = new LineScope(this.context, { proxy: proxy.index, mode, acls: proxy.acls, captures: proxy }, layer, deferred.place);
    return parseFormat(deferred.text, scope) ?? null;
  }

  private rdpPersist(proxy: ProxyDraft): SampleExpr | null {
    const { rdpPersist } = proxy.settings;
    if (rdpPersist === null) return null;
    const scope = new LineScope(this.context, { proxy: proxy.index, mode: 'tcp', acls: proxy.acls, captures: proxy }, 'tcp-request content', rdpPersist.place);
    return parseSample(`req.rdp_cookie(${rdpPersist.text})`, scope) ?? null;
  }

  private logFormat(proxy: ProxyDraft): Format | null {
    const { style, format } = proxy.settings.log;
    if (style === 'custom') return this.format(proxy, format);
    if (style === 'none' || style === 'connect') return null;
    const built = { httplog: builtinLogFormats.httplog, tcplog: builtinLogFormats.tcplog, httpslog: builtinLogFormats.httpslog, clf: builtinLogFormats.clf }[style];
    return this.format(proxy, { text: built, place: proxy.settings.places['log format'] ?? proxy.place });
  }

  private stats(proxy: ProxyDraft): StatsPage | null {
    const { stats } = proxy.settings;
    if (stats === null) return null;
    const { place, ...page } = stats;
    void place;
    return { ...page, node: page.node || this.context.draft.global.node, description: page.description || this.context.draft.global.description };
  }

  private defaultBackend(proxy: ProxyDraft): number {
    const named = proxy.settings.defaultBackend;
    if (named === null || proxy.kind === 'backend') return proxy.kind === 'listen' && named === null ? proxy.index : -1;
    return this.context.names.proxy(named.text, 'backend');
  }

  private proxy(proxy: ProxyDraft): Proxy {
    const { settings } = proxy;
    const isFrontend = proxy.kind !== 'backend';
    const isBackend = proxy.kind !== 'frontend';
    return {
      index: proxy.index, name: proxy.name, iid: proxy.iid, kind: proxy.kind, isFrontend, isBackend, mode: settings.mode === 'http' ? 'http' : 'tcp', disabled: settings.disabled,
      guid: proxy.guid, description: proxy.description, place: proxy.place, timeouts: settings.timeouts, switches: settings.switches, connectionMode: settings.connectionMode,
      forwardfor: settings.forwardfor, originalto: settings.originalto, forwarded: isBackend ? this.format(proxy, settings.forwarded, 'http-request') : null, errors: settings.errors, logTargets: settings.logTargets,
      logTag: settings.logTag || this.context.draft.global.logTag, logFormat: isFrontend ? this.logFormat(proxy) : null,
      errorLogFormat: isFrontend ? this.format(proxy, settings.errorLogFormat) : null, logFormatSd: isFrontend ? this.format(proxy, settings.logFormatSd) : null,
      logStyle: settings.log.style, uniqueIdFormat: isFrontend ? this.format(proxy, settings.uniqueIdFormat, 'unique-id') : null, uniqueIdHeader: settings.uniqueIdHeader,
      binds: proxy.binds, maxconn: settings.maxconn, backlog: settings.backlog, rateLimitSessions: settings.rateLimitSessions, monitorUri: settings.monitorUri,
      monitorFail: proxy.monitorFail, requestCaptures: proxy.requestCaptures, responseCaptures: proxy.responseCaptures,
      cookieCapture: proxy.cookieCapture, useBackend: proxy.useBackend, defaultBackend: this.defaultBackend(proxy),
      tcpRequestConnection: isFrontend ? settings.tcpRequestConnection : [], tcpRequestSession: isFrontend ? settings.tcpRequestSession : [],
      tcpRequestContent: settings.tcpRequestContent, tcpResponseContent: isBackend ? settings.tcpResponseContent : [], inspectDelayMs: settings.inspectDelayMs,
      responseInspectDelayMs: settings.responseInspectDelayMs, httpRequest: settings.httpRequest, redirects: settings.redirects, httpResponse: settings.httpResponse,
      httpAfterResponse: settings.httpAfterResponse, stats: this.stats(proxy), servers: proxy.servers, balance: settings.balance, hashType: settings.hashType,
      hashBalanceFactor: settings.hashBalanceFactor, cookie: isBackend ? settings.cookie : null, dynamicCookieKey: settings.dynamicCookieKey, sendNameHeader: isBackend ? settings.sendNameHeader : '', rdpPersist: isBackend ? this.rdpPersist(proxy) : null, useServer: proxy.useServer,
      retries: settings.retries, redispatch: settings.redispatch, retryOn: settings.retryOn, httpReuse: settings.httpReuse, fullconn: settings.fullconn,
      check: buildCheckMethod(proxy), checkDisableOn404: settings.checkDisableOn404, checkSendState: settings.checkSendState, stickTable: proxy.stickTable,
      stickRules: proxy.stickRules, persistRules: proxy.persistRules, source: settings.source, serverStateFromFile: settings.serverStateFromFile, serverStateFileName: settings.serverStateFileName,
      maxKeepAliveQueue: settings.maxKeepAliveQueue, emailAlert: this.emailAlert(proxy),
    };
  }

  private emailAlert(proxy: ProxyDraft): EmailAlert | null {
    const { emailAlert } = proxy.settings;
    const mailers = this.context.draft.mailers.findIndex((section) => section.name === emailAlert.mailers);
    if (!mailsAlerts(proxy) || mailers < 0) return null;
    const { from, to, levelMax, myhostname } = emailAlert;
    return { mailers, from, to: to.split(',').map((each) => each.trim()).filter((each) => each !== ''), levelMax, myhostname };
  }

  private global(): Global {
    const { global } = this.context.draft;
    const { tls, pathOrigin, unixBindPrefix, unixBindMode, unixBindUid, unixBindGid, places, nbthreadGiven, ...rest } = global;
    void [tls, pathOrigin, unixBindPrefix, unixBindMode, unixBindUid, unixBindGid, places, nbthreadGiven];
    return { ...rest, environment: Object.fromEntries(this.context.environment) };
  }
}
