/**
 * Draws conclusions from live traffic of Exchange frontends: clients that are refused for ever, OWA logins that lead back to the logon
 * page, path rules that miss requests because of their case. Fed by process/balancer.ts with the messages of the traffic threads.
 * Remembers a bounded number of clients, never what they sent.
 */
import type { Clock } from '../../base/clock.ts';
import type { AdviceCode } from '../../model/advice.ts';
import { limits } from '../../model/limits.ts';
import type { LoginScheme, LoginSighting, MissedRouteSighting } from '../../model/messages.ts';
import type { Model } from '../../model/model.ts';
import type { AdviceList } from './advice-list.ts';
import { ClientStreaks } from './client-streaks.ts';
import type { Streak } from './client-streaks.ts';

/** How often look() wants to be called. */
export const trafficWatchPeriodMs = 1000;
/** A sighting waits so long for earlier ones of other threads, which gather theirs for a moment and may be late. */
const settleMs = 1000;

/** A login over NTLM is two 401, and Outlook opens up to eight connections at once before the first is let in. */
const refusedTimes = 20;
const bouncedTimes = 3;
const streakMs = 300_000;
/** From a login to the page that it leads to; a later visit to the logon page is another story. */
const bounceMs = 10_000;
/** A rule that no request has missed for so long is taken for corrected, or its client for gone. */
const missedMs = 3_600_000;

const adviceByScheme: Readonly<Record<LoginScheme, string>> = {
  ntlm: 'Either its password is wrong (event 4625 on the server, status 0xC000006A), or Extended Protection refuses it (status 0xC000035B): then the server needs the certificate ' +
    'of this balancer, see the entries about certificates.',
  negotiate: 'Either its password is wrong (event 4625 on the server, status 0xC000006A), or Extended Protection refuses it (status 0xC000035B): then the server needs the certificate ' +
    'of this balancer, see the entries about certificates. Kerberos also needs the name that clients use as an SPN of the alternate service account.',
  basic: 'Most often a phone or a program that keeps an old password: the IIS log of the server names the user. The account may be locked by it.',
  other: 'The server does not take its way to log in: look at the authentication settings of the virtual directory.',
  none: 'It never sends credentials: it knows none of the ways that the server offers, waits for its user, or is a scanner.',
};

interface Unsettled {
  readonly login: LoginSighting;
  readonly atMs: number;
}

export class TrafficWatch {
  private readonly model: Model;
  private readonly advice: AdviceList;
  private readonly clock: Clock;
  private readonly refusals: ClientStreaks;
  private readonly bounces: ClientStreaks;
  /** Logins that wait for what follows, by client and backend. */
  private readonly openLogins = new Map<string, { readonly atMs: number; readonly server: number }>();
  private unsettled: Unsettled[] = [];
  private readonly missed = new Map<string, { lastMs: number }>();

  constructor(model: Model, advice: AdviceList, clock: Clock) {
    this.model = model;
    this.advice = advice;
    this.clock = clock;
    const parts = { clock, withinMs: streakMs };
    this.refusals = new ClientStreaks({ ...parts, times: refusedTimes, raise: (streak, times) => this.tellRefused(streak, times), clear: (streak) => this.clear('login-refused', streak) });
    this.bounces = new ClientStreaks({ ...parts, times: bouncedTimes, raise: (streak, times) => this.tellBounced(streak, times), clear: (streak) => this.clear('owa-login-loop', streak) });
  }

  take(logins: readonly LoginSighting[], missedRoutes: readonly MissedRouteSighting[]): void {
    const atMs = this.clock.monoMs();
    for (const login of logins) this.unsettled.push({ login, atMs });
    if (this.unsettled.length > limits.unsettledSightingsMax) this.settle(atMs);
    for (const route of missedRoutes) this.takeMissed(route);
  }

  /** Ends what was not seen for long. */
  look(): void {
    const nowMs = this.clock.monoMs();
    this.settle(nowMs - settleMs);
    this.refusals.expire();
    this.bounces.expire();
    for (const [key, { atMs }] of this.openLogins) if (nowMs - atMs > bounceMs) this.openLogins.delete(key);
    for (const [subject, { lastMs }] of this.missed) {
      if (nowMs - lastMs <= missedMs) continue;
      this.missed.delete(subject);
      this.advice.clear('rule-misses-case', subject);
    }
  }

  /** Takes in their order those that came until then, and what happened before them. */
  private settle(untilMs: number): void {
    if (this.unsettled.length === 0) return;
    // The difference as 32 bits is right when the numbers have started again, too.
    const inOrder = this.unsettled.toSorted((one, other) => (one.login.order - other.login.order) | 0);
    const settled = inOrder.findLastIndex(({ atMs }) => atMs <= untilMs) + 1;
    for (const { login, atMs } of inOrder.slice(0, settled)) this.takeLogin(login, atMs);
    this.unsettled = inOrder.slice(settled);
  }

  private takeLogin({ client, backend, kind, server, scheme, times }: LoginSighting, atMs: number): void {
    const key = `${client} ${backend}`;
    const open = this.openLogins.get(key);
    if (kind !== 'refused') this.openLogins.delete(key);
    if (kind === 'accepted') {
      this.refusals.end(client, backend);
      this.bounces.end(client, backend);
    } else if (kind === 'refused') {
      this.refusals.add(client, backend, times, { scheme, servers: [server] });
    } else if (kind === 'logged-in') {
      if (this.openLogins.size < limits.watchedClientsMax) this.openLogins.set(key, { atMs, server });
    } else if (open !== undefined && atMs - open.atMs <= bounceMs) {
      this.bounces.add(client, backend, 1, { scheme, servers: [open.server, server] });
    }
  }

  private tellRefused(streak: Streak, times: number): void {
    this.tell('login-refused', streak, times,
      `401 loop: ${this.who(streak)} was refused ${streak.count} times in ${this.seconds(streak)} s at backend ${this.backendName(streak)} (${this.servers(streak)}) and let in not ` +
      `once, ${streak.scheme === 'none' ? 'without credentials' : `with credentials of the kind '${streak.scheme}'`}. ${adviceByScheme[streak.scheme]}`);
  }

  private tellBounced(streak: Streak, times: number): void {
    this.tell('owa-login-loop', streak, times,
      `OWA login loop: ${this.who(streak)} logged in ${streak.count} times in ${this.seconds(streak)} s at backend ${this.backendName(streak)} and was sent back to the logon page each ` +
      `time (${this.servers(streak)}). ` + (streak.servers.size > 1
        ? 'A server cannot read the login cookies of another one: install the same certificate, with its key, on all servers. Until then "balance source" in this backend keeps a client on one server.'
        : 'One server refuses its own login cookies: its certificate may have its key in a CNG key storage provider, which Exchange does not support for this; or the client does not ' +
          'return cookies, as a browser does on http when they are marked secure.'));
  }

  private tell(code: AdviceCode, streak: Streak, times: number, text: string): void {
    // The words are those of the moment when it was noticed; the entry counts on.
    this.advice.raise({ code, severity: 'warning', proxy: streak.backend, server: -1, subject: this.subject(streak), text }, '', times);
  }

  private clear(code: AdviceCode, streak: Streak): void {
    this.advice.clear(code, this.subject(streak));
  }

  private takeMissed(route: MissedRouteSighting): void {
    const frontend = this.model.proxies[route.frontend];
    const target = this.model.proxies[route.target]?.name ?? '';
    const fallback = this.model.proxies[frontend?.defaultBackend ?? -1]?.name ?? frontend?.name ?? '';
    if (frontend === undefined) return;
    const subject = `${frontend.name}: ${route.pattern}`;
    this.missed.set(subject, { lastMs: this.clock.monoMs() });
    this.advice.raise({
      code: 'rule-misses-case', severity: 'warning', proxy: frontend.index, server: -1, subject,
      text: `Requests miss a rule because of upper and lower case: frontend ${frontend.name} sends ${JSON.stringify(route.pattern)} to backend ${target}, but ${route.count} ` +
        `${route.count === 1 ? 'request' : 'requests'} such as ${JSON.stringify(route.path)} of client ${route.client} went to the default backend ${fallback}, where the health checks of ` +
        `${target} do not count. Write "path_beg -i ${route.pattern.toLowerCase()}" in the rule.`,
    }, '', route.count);
  }

  private who(streak: Streak): string {
    return streak.own ? `client ${streak.client}` : `client ${streak.client}, like more than ${limits.adviceClientsMax} others,`;
  }

  /** Unique within a code. */
  private subject(streak: Streak): string {
    return `${this.backendName(streak)}: ${streak.own ? streak.client : 'other clients'}`;
  }

  private backendName(streak: Streak): string {
    return this.model.proxies[streak.backend]?.name ?? '';
  }

  private servers(streak: Streak): string {
    const names = [...streak.servers].map((index) => this.model.servers[index]?.name ?? '').filter((name) => name !== '');
    return `${names.length === 1 ? 'server' : 'servers'} ${names.join(', ')}`;
  }

  private seconds(streak: Streak): number {
    return Math.max(1, Math.ceil((streak.lastMs - streak.sinceMs) / 1000));
  }
}
