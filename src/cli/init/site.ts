/**
 * What `poise init exchange` knows of a site: made of the command line by arguments.ts, written down by the files beside it.
 * Names and addresses are checked when an ExchangeSite exists. Nothing here touches a file.
 */
import type { IpValue } from '../../base/ip.ts';

export interface Machine {
  readonly name: string;
  /** Empty: not given (nodes only). */
  readonly address: string;
}

export interface Service {
  /** Word for --services, and part of the backend's name. */
  readonly word: string;
  /** Virtual directory of Exchange. */
  readonly directory: string;
  /** For `timeout server`; empty: the one of the defaults section is long enough. */
  readonly timeout: string;
  /** Comment lines of the backend. */
  readonly why: readonly string[];
}

export type MailProtocol = 'smtp' | 'imap' | 'pop';

export interface Alert { readonly to: readonly string[]; readonly from: string; readonly server: string }

export interface ExchangeSite {
  readonly servers: readonly Machine[];
  /** The first is the name in health checks. */
  readonly names: readonly [string, ...string[]];
  readonly vip: IpValue;
  readonly prefixLength: number;
  /** Absolute path. */
  readonly certificate: string;
  /** Absolute path of the authority that signed the servers' certificates; empty: they are not verified. */
  readonly authority: string;
  readonly services: readonly Service[];
  readonly mail: readonly MailProtocol[];
  readonly mode: 'l7' | 'tcp';
  /** What the nodes run today; `poise`: nothing yet. */
  readonly from: 'haproxy' | 'poise';
  /** Networks that may see what is hidden from everybody else. */
  readonly inside: readonly string[];
  /** The first one is preferred. */
  readonly nodes: readonly [Machine, Machine];
  readonly device: string;
  readonly routerId: number;
  readonly alert: Alert | null;
  readonly webhook: string;
}

/** Frontend (mode l7) or listen section (mode tcp) in front of the web services. */
export function webProxy(site: ExchangeSite): string {
  return site.mode === 'tcp' ? 'exchange_https' : 'fe_exchange';
}

/** In the order in which requests are most frequent; times of silence from docs/exchange.md, with some margin. */
export const allServices: readonly Service[] = [
  { word: 'owa', directory: '/owa', timeout: '', why: ['Outlook on the web. No cookie is needed: each server reads the login of another if their certificate is the same.'] },
  { word: 'mapi', directory: '/mapi', timeout: '30m', why: ['Outlook 2013 SP1 and later. A wait for news is held open for minutes.'] },
  { word: 'eas', directory: '/Microsoft-Server-ActiveSync', timeout: '61m', why: ['Phones. A ping stays without an answer for up to 59 minutes: that is how push mail works.', 'Firewalls in front must allow as much, or phones fall back to asking again and again.'] },
  { word: 'ews', directory: '/EWS', timeout: '35m', why: ['Outlook for Mac, calendars, programs. Notifications are streamed for up to 30 minutes.'] },
  { word: 'autodiscover', directory: '/Autodiscover', timeout: '', why: ['Where clients find everything else, asked in every capitalisation: hence path_beg -i above.'] },
  { word: 'oab', directory: '/OAB', timeout: '', why: ['Address books for offline use: large downloads, in ranges.'] },
  { word: 'ecp', directory: '/ecp', timeout: '', why: ['Settings of users, and the administration page.'] },
  { word: 'rpc', directory: '/rpc', timeout: '30m', why: ['Outlook Anywhere: two requests for as long as Outlook runs, either of them silent for up to 15 minutes.'] },
];
