/**
 * `cookie` persistence (configuration manual, keyword `cookie`): finds the server that a request's cookie names, cleans the
 * request, and makes the answer's Set-Cookie. One per backend and thread, used by persistence.ts. Chooses no server by itself.
 */
import { parseIp } from '../base/ip.ts';
import { xxh64 } from '../base/xxhash.ts';
import type { Cookie, Model, Proxy, Server } from '../model/model.ts';
import type { Subject } from '../rules/subject.ts';
import type { Head } from '../wire/head.ts';
import { keptFromCaches } from './cacheable.ts';
import { dateText, editCookies, readDate, setCookieValue } from './cookie-text.ts';
import { PerServer } from './per-server.ts';
import type { PersistenceMemo } from './persistence-memo.ts';

/** Cookies from the future by more than this are as bad as old ones; less is a clock that is off. */
const futureSecondsMax = 86_400;
const never: Usable = () => false;
const removal = '; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/';

/** May the server with this index be used for a request that asks for it? */
type Usable = (server: number) => boolean;

export class CookiePersistence {
  private readonly cookie: Cookie;
  private readonly servers: readonly Server[];
  /** Cookie value of each server; '' = none. */
  private readonly values: PerServer<string>;
  /** What follows the value in Set-Cookie, from `; path=/` on. */
  private readonly attributes: string;
  /** Letters are logged when the mode is not merely passive. */
  private readonly logged: boolean;
  /** The search under way, so that nothing is allocated per request. */
  private readonly search = {
    subject: null as Subject | null, memo: null as PersistenceMemo | null, closed: false, up: never, usable: never, first: true, server: -1,
  };
  private readonly visit = (value: string): string | null => this.cleaned(value);

  constructor(cookie: Cookie, proxy: Proxy, model: Model) {
    this.cookie = cookie;
    this.servers = proxy.servers.flatMap((index) => model.servers[index] ?? []);
    this.values = new PerServer(proxy.servers);
    for (const server of this.servers) this.values.set(server.index, cookieOf(server, cookie, proxy));
    let attributes = '; path=/';
    for (const domain of cookie.domains) attributes += `; domain=${domain}`;
    if (cookie.httponly) attributes += '; HttpOnly';
    if (cookie.secure) attributes += '; Secure';
    for (const attribute of cookie.attrs) attributes += `; ${attribute}`;
    this.attributes = attributes;
    this.logged = cookie.mode !== 'passive' || cookie.indirect;
  }

  /**
   * Reads and cleans the request's Cookie lines. Gives the server asked for, -1 = none. `up`: the server runs; `usable`: it runs
   * or is wanted anyway. `closed`: another rule has decided already, or persistence is to be ignored.
   */
  request(subject: Subject, memo: PersistenceMemo, closed: boolean, up: Usable, usable: Usable): number {
    const { request } = subject;
    if (request === null) return -1;
    const { search } = this;
    search.subject = subject;
    search.memo = memo;
    search.closed = closed;
    search.up = up;
    search.usable = usable;
    search.first = true;
    search.server = -1;
    for (let line = request.find('cookie', 0); line >= 0; line = request.find('cookie', line + 1)) {
      const before = request.value(line);
      if (!before.includes(this.cookie.name)) continue;
      const after = editCookies(before, this.cookie.name, this.visit);
      if (after === '' && before !== '') request.remove(line);
      else if (after !== before) request.setValue(line, after);
    }
    if (this.logged) {
      subject.facts.cookieFound = memo.cookieLetter;
      subject.facts.cookieSet = 'N';
    }
    return search.server;
  }

  /** One cookie of our name: the first one decides, all are cleaned. */
  private cleaned(value: string): string | null {
    const { search } = this;
    const prefixEnd = this.cookie.mode === 'prefix' ? value.indexOf('~') : -1;
    if (search.first && search.subject !== null && search.memo !== null) {
      search.first = false;
      search.server = this.choose(this.keyOf(value, prefixEnd, search.memo, search.subject), search.memo);
    }
    if (this.cookie.mode === 'prefix') return prefixEnd < 0 ? value : value.slice(prefixEnd + 1);
    return this.cookie.indirect ? null : value;
  }

  /** The part of the value that names the server; '' when the cookie is too old. Takes the dates along. */
  private keyOf(value: string, prefixEnd: number, memo: PersistenceMemo, subject: Subject): string {
    if (this.cookie.mode === 'prefix') return prefixEnd < 0 ? value : value.slice(0, prefixEnd);
    const bar = value.indexOf('|');
    if (bar < 0) return value;
    memo.lastSeenSeconds = readDate(value.slice(bar + 1));
    const secondBar = value.indexOf('|', bar + 1);
    memo.firstSeenSeconds = secondBar < 0 ? 0 : readDate(value.slice(secondBar + 1));
    const now = Math.floor(subject.world.nowMs() / 1000);
    const letter = outside(now, memo.firstSeenSeconds, this.cookie.maxLifeSeconds) ? 'O' : outside(now, memo.lastSeenSeconds, this.cookie.maxIdleSeconds) ? 'E' : '';
    if (letter === '') return value.slice(0, bar);
    memo.cookieLetter = letter;
    memo.firstSeenSeconds = 0;
    memo.lastSeenSeconds = 0;
    return '';
  }

  /** Several servers may share a cookie: the first one that can be used is taken. */
  private choose(key: string, memo: PersistenceMemo): number {
    const { closed, up, usable } = this.search;
    if (key !== '' && !closed) {
      for (const { index } of this.servers) {
        if (this.values.get(index) !== key) continue;
        memo.cookieLetter = up(index) ? 'V' : 'D';
        if (usable(index)) return index;
      }
    }
    if (memo.cookieLetter === 'N') memo.cookieLetter = closed ? 'U' : 'I';
    return -1;
  }

  /** `direct`: persistence chose this server and it was kept. */
  answer(subject: Subject, memo: PersistenceMemo, server: number, direct: boolean): void {
    const { response, request } = subject;
    if (response === null) return;
    let letter = this.serverCookies(response, this.values.get(server) ?? '', direct);
    if (this.inserts(subject, memo, direct, letter !== 'N', request?.method ?? '')) {
      letter = direct && this.values.get(server) !== '' ? 'U' : 'I';
      const kept = this.cookie.nocache && keptFromCaches(response, request?.method ?? '');
      response.append('set-cookie', this.setCookie(subject, memo, this.values.get(server) ?? ''));
      if (kept) response.append('cache-control', 'private');
    }
    if (this.logged) subject.facts.cookieSet = letter;
  }

  /** Set-Cookie lines of the server itself with the cookie's name: kept, removed, rewritten or prefixed. Gives the log's letter. */
  private serverCookies(response: Head, value: string, direct: boolean): string {
    const { mode, name, preserve, indirect } = this.cookie;
    let letter = 'N';
    for (let line = response.find('set-cookie', 0); line >= 0; line = response.find('set-cookie', line + 1)) {
      const text = response.value(line);
      const place = setCookieValue(text, name);
      if (place === undefined) continue;
      const rest = text.slice(place.valueEnd);
      const own = text.slice(place.valueAt, place.valueEnd);
      letter = 'P';
      if (!preserve && (mode === 'insert' || (direct && indirect))) {
        response.remove(line);
        letter = 'D';
      } else if (!preserve && value !== '' && mode === 'rewrite') {
        response.setValue(line, `${name}=${value}${rest}`);
        letter = 'R';
      } else if (!preserve && value !== '' && mode === 'prefix') {
        response.setValue(line, `${name}=${value}~${own}${rest}`);
        letter = 'R';
      }
    }
    return letter;
  }

  private inserts(subject: Subject, memo: PersistenceMemo, direct: boolean, found: boolean, method: string): boolean {
    const { mode, preserve, postonly, maxIdleSeconds, maxLifeSeconds } = this.cookie;
    if (mode !== 'insert' || memo.ignored || (found && preserve) || (postonly && method !== 'POST')) return false;
    if (!direct) return true;
    const { lastSeenSeconds, firstSeenSeconds } = memo;
    const now = Math.floor(subject.world.nowMs() / 1000);
    const refresh = (maxIdleSeconds > 0 || lastSeenSeconds > 0) && (lastSeenSeconds === 0 || lastSeenSeconds < now);
    return refresh || (maxLifeSeconds > 0) !== (firstSeenSeconds > 0);
  }

  /** A server without a cookie removes the client's. */
  private setCookie(subject: Subject, memo: PersistenceMemo, value: string): string {
    const { name, maxIdleSeconds, maxLifeSeconds } = this.cookie;
    if (value === '') return `${name}=${removal}${this.attributes.slice('; path=/'.length)}`;
    let dates = '';
    if (maxIdleSeconds > 0 || maxLifeSeconds > 0) {
      // Rounded up: the next second's request must not look like one from the future.
      const now = dateText(Math.floor(subject.world.nowMs() / 1000) + 3);
      dates = `|${now}`;
      if (maxLifeSeconds > 0) dates += `|${memo.firstSeenSeconds > 0 ? dateText(memo.firstSeenSeconds) : now}`;
    }
    return `${name}=${value}${dates}${this.attributes}`;
  }
}

function outside(now: number, seen: number, limit: number): boolean {
  return seen > 0 && limit > 0 && (now - seen > limit || seen - now > futureSecondsMax);
}

/** `dynamic`: a hash of key, address and port, unless the server has a cookie of its own. */
function cookieOf(server: Server, cookie: Cookie, proxy: Proxy): string {
  if (server.cookie !== '' || !cookie.dynamic || proxy.dynamicCookieKey === '' || server.address.kind !== 'inet') return server.cookie;
  const ip = parseIp(server.address.host);
  if (ip === undefined) return '';
  const port = Buffer.alloc(4);
  port.writeUInt32BE(server.address.port);
  const hash = xxh64(Buffer.concat([Buffer.from(proxy.dynamicCookieKey, 'latin1'), ip.bytes, port]), 0n);
  return hash.toString(16).padStart(16, '0');
}
