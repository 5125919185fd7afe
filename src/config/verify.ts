/** Checks over the whole draft, as HAProxy makes them after reading, and advice it does not give. Called by load.ts before build.ts. */
import { isIP } from 'node:net';
import type { Place } from '../model/problem.ts';
import type { Context } from './context.ts';
import type { ProxyDraft, ServerDraft } from './draft.ts';
import { dispatchServer } from './names.ts';
import { didYouMean } from './problems.ts';
import { verifyEmailAlert, verifyMailers } from './verify-mail.ts';

const isHttp = (proxy: ProxyDraft): boolean => proxy.settings.mode === 'http';

class Verifier {
  private readonly context: Context;

  constructor(context: Context) {
    this.context = context;
  }

  *run(): Generator<undefined> {
    const { draft } = this.context;
    this.names();
    this.lockedIn();
    for (const proxy of draft.proxies) {
      if (proxy.settings.disabled) continue;
      if (proxy.kind !== 'backend') this.frontend(proxy);
      if (proxy.kind !== 'frontend') this.backend(proxy);
      this.timeouts(proxy);
      this.logs(proxy);
      this.modes(proxy);
      verifyEmailAlert(this.context, proxy);
      yield;
    }
    verifyMailers(this.context);
    const listening = draft.proxies.some((proxy) => !proxy.settings.disabled && (proxy.binds.length > 0 || proxy.bindAtFault));
    if (!listening && this.context.names.proxies.length > 0 && draft.global.statsSockets.length === 0) {
      this.context.problems.warning(draft.proxies[0]?.place ?? { file: '', line: 0 }, '', 'nothing listens: no proxy has a bind line');
    }
  }

  private warning(place: Place, word: string, message: string, remedy = ''): void {
    this.context.problems.warning(place, word, message, remedy);
  }

  private error(place: Place, word: string, message: string, remedy = ''): void {
    this.context.problems.error(place, word, message, remedy);
  }

  private lockedIn(): void {
    const { global, poise } = this.context.draft;
    const place = global.places['chroot'];
    if (place === undefined || poise === null) return;
    const named = poise.webhooks.filter((url) => URL.canParse(url) && isIP(new URL(url).hostname.replace(/^\[|\]$/g, '')) === 0);
    for (const url of named) this.warning(place, 'chroot', `webhook ${url} cannot be reached by its name from within 'chroot' when servers change`, 'write its address, or leave chroot out');
    if (poise.watchCertificates) this.warning(place, 'chroot', `'watch-certificates' has no effect with 'chroot': the files are out of sight`, 'reload when a certificate has changed');
  }

  private names(): void {
    const seen = new Map<number, ProxyDraft>();
    const byName = new Map<string, ProxyDraft[]>();
    for (const proxy of this.context.draft.proxies) {
      const namesakes = byName.get(proxy.name) ?? [];
      for (const other of namesakes) {
        const clash = (proxy.kind !== 'backend' && other.kind !== 'backend') || (proxy.kind !== 'frontend' && other.kind !== 'frontend');
        const where = `${other.place.file}:${other.place.line}`;
        if (clash) this.error(proxy.place, proxy.name, `${proxy.kind} '${proxy.name}' has the name of ${other.kind} '${other.name}' at ${where}`, 'give each a name of its own');
        else this.warning(proxy.place, proxy.name, `${proxy.kind} '${proxy.name}' has the name of ${other.kind} '${other.name}' at ${where}, which newer versions of HAProxy refuse`, 'give each a name of its own');
      }
      byName.set(proxy.name, [...namesakes, proxy]);
      const twin = seen.get(proxy.id);
      if (proxy.id > 0 && twin !== undefined) this.error(proxy.settings.places['id'] ?? proxy.place, String(proxy.id), `id ${proxy.id} is taken by ${twin.kind} '${twin.name}'`);
      if (proxy.id > 0) seen.set(proxy.id, proxy);
    }
  }

  private frontend(proxy: ProxyDraft): void {
    if (proxy.binds.length === 0 && !proxy.bindAtFault) this.warning(proxy.place, proxy.name, `${proxy.kind} '${proxy.name}' has no bind line and does not listen`, "add 'bind <address>:<port>'");
    this.bindIds(proxy);
    this.captures(proxy);
    for (const rule of proxy.useBackend) if (rule.target >= 0) this.modeOf(proxy, rule.target, rule.place, 'use_backend');
    const named = proxy.settings.defaultBackend;
    if (named === null) return;
    const index = this.context.names.proxy(named.text, 'backend');
    if (index < 0) {
      const frontend = this.context.names.proxy(named.text, 'frontend') >= 0;
      this.error(named.place, named.text, frontend ? `default_backend '${named.text}' is a frontend` : `there is no backend '${named.text}'`,
        didYouMean(named.text, this.context.names.proxies.filter((each) => each.kind !== 'frontend').map((each) => each.name)));
    } else this.modeOf(proxy, index, named.place, 'default_backend');
  }

  private bindIds(proxy: ProxyDraft): void {
    const seen = new Map<number, string>();
    for (const index of proxy.binds) {
      const bind = this.context.draft.binds[index];
      if (bind === undefined || bind.id === 0) continue;
      const twin = seen.get(bind.id);
      if (twin !== undefined) this.error(bind.place, String(bind.id), `id ${bind.id} is taken by bind '${twin}'`);
      seen.set(bind.id, bind.text);
    }
  }

  /** `capture … id N` must name a slot; in a backend the slots are those of whatever frontend the request came through. */
  private captures(proxy: ProxyDraft): void {
    const sides = [[proxy.settings.httpRequest, proxy.requestCaptures], [proxy.settings.httpResponse, proxy.responseCaptures]] as const;
    for (const [rules, slots] of sides) {
      for (const { action, place } of rules) {
        if (action.kind !== 'capture' || action.slot < slots.length) continue;
        this.error(place, String(action.slot), `there is no capture slot ${action.slot}`, "add 'declare capture request len <n>' (or response) before it; slots are counted from 0");
      }
    }
  }

  private modeOf(proxy: ProxyDraft, index: number, place: Place, word: string): void {
    const backend = this.context.draft.proxies[index];
    if (backend === undefined || isHttp(backend) === isHttp(proxy)) return;
    // The other way round the connection becomes HTTP, and stays with that backend.
    if (isHttp(proxy)) this.error(place, word, `frontend '${proxy.name}' is in mode http and backend '${backend.name}' in mode tcp`, 'give both the same mode');
  }

  private backend(proxy: ProxyDraft): void {
    const { settings } = proxy;
    const servers = proxy.servers.map((index) => this.context.draft.servers[index]).filter((server) => server !== undefined);
    const names = new Map<string, ServerDraft>();
    const ids = new Map<number, ServerDraft>();
    for (const server of servers) {
      const twin = names.get(server.name);
      if (twin !== undefined) this.error(server.place, server.name, `server '${server.name}' is there already, at line ${twin.place.line}`, 'give each server of a backend a name of its own');
      names.set(server.name, server);
      const numbered = ids.get(server.id);
      if (server.id > 0 && numbered !== undefined) this.error(server.place, String(server.id), `id ${server.id} is taken by server '${numbered.name}'`);
      ids.set(server.id, server);
      this.server(proxy, server);
    }
    // With a dispatch address, servers only get the requests that persistence gives them.
    if (settings.places['dispatch'] !== undefined) for (const server of servers) if (server.name !== dispatchServer) server.weight = 0;
    this.checks(proxy);
    for (const rule of proxy.stickRules) {
      if (this.context.draft.proxies[rule.table]?.stickTable) continue;
      const name = this.context.draft.proxies[rule.table]?.name ?? proxy.name;
      this.error(proxy.settings.places['stick'] ?? proxy.place, 'stick', `'stick' uses the table of '${name}', which has no stick-table`, "add 'stick-table type ip size 100k expire 30m'");
    }
    if (settings.cookie !== null && !isHttp(proxy)) this.warning(settings.places['cookie'] ?? proxy.place, 'cookie', `'cookie' has no effect in ${proxy.kind} '${proxy.name}', which is in mode tcp`);
    if (settings.cookie?.dynamic === true && settings.dynamicCookieKey === '') this.warning(settings.places['cookie'] ?? proxy.place, 'dynamic', "'cookie … dynamic' without 'dynamic-cookie-key' gives values that anybody can compute", "add 'dynamic-cookie-key <secret>'");
    const hashes: ReadonlySet<string> = new Set(['uri', 'url_param', 'hdr']);
    if (hashes.has(settings.balance.algorithm) && !isHttp(proxy)) {
      this.warning(settings.places['balance'] ?? proxy.place, 'balance', `'balance ${settings.balance.algorithm}' needs mode http; ${proxy.kind} '${proxy.name}' uses roundrobin`);
      settings.balance = { ...settings.balance, algorithm: 'roundrobin' };
    }
  }

  private server(proxy: ProxyDraft, server: ServerDraft): void {
    const { settings } = proxy;
    if (isHttp(proxy) && server.tls.ssl === false && server.check.check && server.check.checkSsl === true && server.check.port === 0 && server.check.address === null) {
      this.warning(server.place, 'check-ssl', `server '${server.name}' has 'check-ssl' without 'ssl': checks would be encrypted and traffic sent in clear text to the same port`,
        "write 'ssl' instead of 'check-ssl'");
    }
    if (server.track !== '') this.track(server);
    else if (server.observe !== 'none' && !server.check.check) this.warning(server.place, 'observe', `server '${server.name}' has 'observe' without 'check': nothing brings it up again`, "add 'check'");
    if (server.observe === 'layer7' && !isHttp(proxy)) this.error(server.place, 'observe', `'observe layer7' needs mode http, and ${proxy.kind} '${proxy.name}' is in mode tcp`, "use 'observe layer4'");
    if (server.check.agent) return;
    if (server.resolvers !== '') {
      const known = (this.context.names.sections.get('resolvers') ?? []).map((section) => section.name);
      if (!known.includes(server.resolvers)) this.error(server.place, server.resolvers, `there is no resolvers section '${server.resolvers}'`, didYouMean(server.resolvers, known));
      else this.toldOnce(server.place, 'resolvers', "'resolvers' on a server line is not active yet: names are resolved once at start");
    }
    if (server.minconn > server.maxconn && server.maxconn > 0) server.minconn = server.maxconn;
    if (server.cookie !== '' && settings.cookie === null) this.warning(server.place, 'cookie', `server '${server.name}' has a cookie value, but '${proxy.name}' has no 'cookie' line`);
    if (server.redirectPrefix !== '' && !isHttp(proxy)) this.warning(server.place, 'redir', "'redir' has no effect in mode tcp");
    const port = server.address !== null && 'port' in server.address ? server.address.port : 0;
    if (server.sendProxy !== 'none' && [25, 587].includes(port)) {
      this.context.problems.notice(server.place, 'send-proxy', `server '${server.name}' gets the PROXY protocol on port ${port}`, 'Exchange receive connectors do not understand it; Postfix, Exim and Haraka do');
    }
  }

  private toldOnce(place: Place, key: string, message: string): void {
    if (this.context.told.has(key)) return;
    this.context.told.add(key);
    this.warning(place, key, message);
  }

  private track(server: ServerDraft): void {
    const { servers } = this.context.draft;
    const target = servers[this.context.names.tracked(server.track, server.proxy)];
    if (target === undefined) {
      this.error(server.place, server.track, `server '${server.name}' tracks '${server.track}', which does not exist`, "write 'track <backend>/<server>'");
      return;
    }
    let follows: ServerDraft | undefined = target;
    for (let hops = 0; follows !== undefined && follows.track !== ''; hops += 1) {
      if (follows === server || hops > servers.length) {
        this.error(server.place, server.track, `server '${server.name}' tracks itself in a circle`);
        return;
      }
      follows = servers[this.context.names.tracked(follows.track, follows.proxy)];
    }
    if (target.track === '' && !target.check.check) this.error(server.place, server.track, `server '${server.name}' tracks '${server.track}', which has no health checks`, "add 'check' to the server that is tracked");
    if (this.disables404(target) !== this.disables404(server)) {
      this.error(server.place, server.track, `server '${server.name}' tracks '${server.track}', but only one of their backends has 'http-check disable-on-404'`, 'give both the same');
    }
    if (server.check.check) this.error(server.place, 'track', `server '${server.name}' has both 'check' and 'track'`, 'leave one of them out');
  }

  private disables404(server: ServerDraft): boolean {
    return this.context.draft.proxies[server.proxy]?.settings.checkDisableOn404 ?? false;
  }

  private checks(proxy: ProxyDraft): void {
    const { check, places } = proxy.settings;
    if (check.kind !== 'http' && check.httpPlace !== null && proxy.ownHttpSteps) {
      this.warning(check.httpPlace, 'http-check', `'${proxy.name}' has http-check rules without 'option httpchk': they are ignored`, "add 'option httpchk'");
    }
    if (check.kind !== 'tcp-check' && check.tcpPlace !== null && proxy.ownTcpSteps) {
      this.warning(check.tcpPlace, 'tcp-check', `'${proxy.name}' has tcp-check rules without 'option tcp-check': they are ignored`, "add 'option tcp-check'");
    }
    if (places['retry-on'] !== undefined && !isHttp(proxy) && proxy.settings.retryOn.some((word) => word !== 'conn-failure' && word !== 'none')) {
      this.warning(places['retry-on'], 'retry-on', `'retry-on' has no effect in '${proxy.name}' beyond conn-failure: it is in mode tcp`);
    }
  }

  private timeouts(proxy: ProxyDraft): void {
    const { timeouts } = proxy.settings;
    const missing: string[] = [];
    if (proxy.kind !== 'backend' && !timeouts.clientMs) missing.push('client');
    if (proxy.kind !== 'frontend' && proxy.servers.length > 0 && !timeouts.connectMs) missing.push('connect');
    if (proxy.kind !== 'frontend' && proxy.servers.length > 0 && !timeouts.serverMs) missing.push('server');
    if (missing.length === 0) return;
    this.warning(proxy.place, proxy.name, `${proxy.kind} '${proxy.name}' has no timeout ${missing.join(', ')}: connections that hang are never ended`,
      `add ${missing.map((word) => `'timeout ${word} …'`).join(', ')} to it or to its defaults section`);
  }

  private logs(proxy: ProxyDraft): void {
    const { settings } = proxy;
    const place = settings.places['log format'] ?? proxy.place;
    const { style } = settings.log;
    if (style !== 'connect' && style !== 'none' && settings.logTargets.length === 0 && place.line >= proxy.place.line && place.file === proxy.place.file) {
      this.warning(place, 'log', `the log format of ${proxy.kind} '${proxy.name}' is not used: it has no log target`, "add 'log global', or 'log <address> <facility>'");
    }
    if (!isHttp(proxy) && (style === 'httplog' || style === 'httpslog' || style === 'clf')) {
      this.warning(place, 'option httplog', `${proxy.kind} '${proxy.name}' is in mode tcp: 'option tcplog' is used instead of 'option httplog'`, "write 'option tcplog' in this section");
      settings.log = { style: 'tcplog', format: null };
    }
  }

  /** Words of mode http in a proxy of mode tcp do nothing. */
  private modes(proxy: ProxyDraft): void {
    if (isHttp(proxy)) return;
    const { settings } = proxy;
    const inert = (place: Place | undefined, word: string): void => {
      if (place === undefined || place.file !== proxy.place.file || place.line < proxy.place.line) return;
      this.warning(place, word, `'${word}' has no effect in ${proxy.kind} '${proxy.name}', which is in mode tcp`);
    };
    inert(settings.places['http rules'], 'http-request, http-response or redirect rules');
    inert(settings.places['connection mode'], `option ${settings.connectionMode === 'keep-alive' ? 'http-keep-alive' : settings.connectionMode === 'close' ? 'httpclose' : 'http-server-close'}`);
    inert(settings.places['option forwardfor'], 'option forwardfor');
    inert(settings.places['monitor-uri'], 'monitor-uri');
    inert(settings.places['stats'], 'stats');
    for (const name of ['httpBufferRequest', 'httpNoDelay', 'httpIgnoreProbes', 'checkcache', 'preferLastServer', 'httpPretendKeepalive']) {
      inert(settings.places[`option ${name}`], `option ${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
    }
    inert(settings.places['httpRequestMs'], 'timeout http-request');
    inert(settings.places['httpKeepAliveMs'], 'timeout http-keep-alive');
  }
}

/** In steps of one proxy. */
export function* verify(context: Context): Generator<undefined> {
  yield* new Verifier(context).run();
}
