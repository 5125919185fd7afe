/**
 * Checks of mail over the whole draft: `email-alert` lines that are not complete or name nobody, and mail servers that can only be
 * reached through what the letters tell of. Called by verify.ts, side/poise.ts, and for keepalived.conf by cli/.
 */
import { networkInterfaces } from 'node:os';
import type { BindAddress, PeerAddress } from '../model/address.ts';
import type { Relay } from '../model/mail.ts';
import type { Place } from '../model/problem.ts';
import type { Context } from './context.ts';
import type { ProxyDraft } from './draft.ts';
import { didYouMean } from './problems.ts';
import type { Problems } from './problems.ts';

/** True when letters are written about this proxy's servers. */
export function mailsAlerts(proxy: ProxyDraft): boolean {
  const { mailers, from, to } = proxy.settings.emailAlert;
  return mailers !== '' && from !== '' && to !== '';
}

export function verifyEmailAlert(context: Context, proxy: ProxyDraft): void {
  const { draft, problems } = context;
  const { emailAlert, places } = proxy.settings;
  const place = places['email-alert'];
  if (place === undefined) return;
  const missing = (['mailers', 'from', 'to'] as const).filter((word) => emailAlert[word] === '');
  if (missing.length > 0) {
    problems.warning(place, 'email-alert', `'email-alert' is ignored without ${missing.map((word) => `'email-alert ${word}'`).join(' and ')}`, "'mailers', 'from' and 'to' are needed together");
  } else if (!draft.mailers.some((section) => section.name === emailAlert.mailers)) {
    problems.error(places['email-alert mailers'] ?? place, emailAlert.mailers, `there is no mailers section '${emailAlert.mailers}'`, didYouMean(emailAlert.mailers, draft.mailers.map((section) => section.name)));
  }
}

export function verifyMailers(context: Context): void {
  const { draft, problems } = context;
  const users = draft.proxies.filter((proxy) => mailsAlerts(proxy));
  for (const section of draft.mailers) {
    if (!users.some((proxy) => proxy.settings.emailAlert.mailers === section.name)) {
      problems.warning(section.place, section.name, `no 'email-alert mailers' that counts names the mailers section '${section.name}': it is left out`, "write 'email-alert mailers', 'from' and 'to' in a backend");
    } else if (section.relays.length === 0) {
      problems.warning(section.place, section.name, `the mailers section '${section.name}' has no mailer`, "add 'mailer <name> <host>:<port>'");
    }
    for (const relay of section.relays) warnOfCircle(draft, problems, relay, []);
  }
}

/** What a draft and a Model both know of servers and binds. */
interface Balanced {
  readonly proxies: readonly { readonly name: string }[];
  readonly servers: readonly { readonly name: string; readonly proxy: number; readonly address: PeerAddress | null; readonly place: Place }[];
  readonly binds: readonly { readonly text: string; readonly address: BindAddress; readonly place: Place }[];
}

type MailServer = Pick<Relay, 'place' | 'host' | 'port'>;

/**
 * A warning when letters that say "it is down" would have to pass what is down. `addresses`: virtual addresses of this
 * node, beside those that its interfaces have now.
 */
export function warnOfCircle(balanced: Balanced, problems: Problems, mail: MailServer, addresses: readonly string[]): void {
  const why = circle(balanced, mail, addresses);
  if (why === undefined) return;
  problems.warning(mail.place, mail.host, `the mail server ${mail.host}:${mail.port} is ${why}: a letter about its failure would not get through`,
    "name a mail server outside, as 'relay HOST:PORT' or beside it a 'webhook URL', in a section 'poise'");
}

/** What the mail server is, in words; undefined for one that has nothing to do with this balancer. */
export function circle(balanced: Balanced, { host: named, port }: MailServer, addresses: readonly string[]): string | undefined {
  const host = named.toLowerCase();
  return serverThat(balanced, host, port) ?? bindThat(balanced, host, port, addresses);
}

function serverThat({ servers, proxies }: Balanced, host: string, port: number): string | undefined {
  const found = servers.find(({ address }) => {
    if (address?.kind === 'name') return address.name.toLowerCase() === host;
    // Programs of this machine fail one by one, machines as a whole.
    return address?.kind === 'inet' && address.host === host && (!isLoopback(host) || address.port === port);
  });
  return found === undefined ? undefined : `the balanced server '${proxies[found.proxy]?.name ?? ''}/${found.name}' (${found.place.file}:${found.place.line})`;
}

function bindThat({ binds }: Balanced, host: string, port: number, addresses: readonly string[]): string | undefined {
  const found = binds.find(({ address }) => {
    if (address.kind !== 'inet' || port < address.port || port > address.portLast) return false;
    if (address.host === host) return true;
    const any = address.host === '0.0.0.0' || address.host === '::';
    return any && (host === 'localhost' || isLoopback(host) || addresses.includes(host) || ownAddresses().includes(host));
  });
  return found === undefined ? undefined : `this balancer itself (bind '${found.text}', ${found.place.file}:${found.place.line})`;
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1';
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((one) => one.address));
}
