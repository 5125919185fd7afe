/** What `poise-exchange-sim` may be told: its help and the servers that its arguments stand for. Read by main.ts. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Accounts } from './authentication.ts';
import { makeCertificate } from './certificate.ts';
import { ScaledClock } from './clock.ts';
import { mailProtocols } from './mail/mail-server.ts';
import type { MailProtocol } from './mail/mail-server.ts';
import type { ExchangeServerOptions } from './server.ts';

export const help = `Usage: poise-exchange-sim [options]
       poise-exchange-sim set SERVER COMPONENT REQUESTER STATE [--control HOST:PORT]

A site of servers that behave like Exchange towards its clients, for tests of what stands in front of them.

  --servers N            so many servers LAB-EX01 … (default 2)
  --listen ADDRESS       where they listen (default 127.0.0.1)
  --port PORT            port of the first, the next ones follow; 0: free ones (default 8443)
  --server NAME=HOST:PORT  one server; may be repeated, instead of the three above
  --redirect PORT        plain HTTP that redirects to HTTPS; PORT as with --port, for servers of one address (default off)
  --smtp PORT, --submission PORT, --imap PORT, --imaps PORT, --pop PORT, --pops PORT   the same for mail (default off)
  --certificate FILE     certificate and key (PEM) of all servers; without it one is made
  --own-certificates     each server makes its own: cookies of one are not read by another
  --name NAME            name in made certificates (default mail.lab.local)
  --user NAME:PASSWORD   an account; may be repeated (default alice, bob, carol with password 'secret')
  --anonymous            nobody is asked who he is
  --domain NAME          default lab.local
  --extended-protection off|allow|require|directories   default off; 'directories': as Exchange 2019 sets each
  --time-scale N         simulated seconds in a real one (default 1)
  --control HOST:PORT    where component states are read and set (default 127.0.0.1:8089)
  --log FILE             the W3C log; '-' is standard output
  --attached             end when standard input closes
  --help
`;

function hostPort(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`'${text}' is not HOST:PORT`);
  return { host: text.slice(0, colon), port };
}

export interface SiteWish {
  readonly help: boolean;
  /** server, component, requester, state; empty: run a site. */
  readonly order: readonly string[];
  readonly control: { readonly host: string; readonly port: number };
  readonly attached: boolean;
  readonly logFile: string;
  readonly servers: readonly ExchangeServerOptions[];
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw new Error(`--${name} takes a number from ${least} to ${most}, not '${text}'`);
  return value;
}

function accountsOf(users: readonly string[], domain: string): Accounts {
  const passwords = new Map<string, string>();
  for (const user of users) {
    const colon = user.indexOf(':');
    if (colon < 1) throw new Error('--user takes NAME:PASSWORD');
    passwords.set(user.slice(0, colon).toLowerCase(), user.slice(colon + 1));
  }
  return { passwords, domain };
}

function protectionOf(text: string): 'off' | 'allow' | 'require' | 'directories' {
  if (text === 'off' || text === 'allow' || text === 'require' || text === 'directories') return text;
  throw new Error(`--extended-protection takes off, allow, require or directories, not '${text}'`);
}

/** Ports beside HTTPS of a server that has `before` servers before it on its address. */
function morePorts(values: Readonly<Partial<Record<MailProtocol | 'redirect', string>>>, before: number): Pick<ExchangeServerOptions, 'redirectPort' | 'mailPorts'> {
  const portOf = (name: MailProtocol | 'redirect', text: string): number => {
    const first = wholeNumber(name, text, 0, 65_535 - before);
    return first === 0 ? 0 : first + before;
  };
  const mailPorts = Object.fromEntries(mailProtocols.flatMap((name) => (values[name] === undefined ? [] : [[name, portOf(name, values[name])]])));
  return values.redirect === undefined ? { mailPorts } : { redirectPort: portOf('redirect', values.redirect), mailPorts };
}

/** Throws an Error of one sentence when the arguments make no sense. */
export function readCommandLine(args: readonly string[], log: (line: string) => void): SiteWish {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      servers: { type: 'string', default: '2' }, listen: { type: 'string', default: '127.0.0.1' }, port: { type: 'string', default: '8443' },
      server: { type: 'string', multiple: true, default: [] }, certificate: { type: 'string' }, 'own-certificates': { type: 'boolean', default: false },
      name: { type: 'string', default: 'mail.lab.local' }, user: { type: 'string', multiple: true, default: ['alice:secret', 'bob:secret', 'carol:secret'] },
      anonymous: { type: 'boolean', default: false }, domain: { type: 'string', default: 'lab.local' }, 'extended-protection': { type: 'string', default: 'off' },
      redirect: { type: 'string' }, smtp: { type: 'string' }, submission: { type: 'string' }, imap: { type: 'string' }, imaps: { type: 'string' }, pop: { type: 'string' }, pops: { type: 'string' },
      'time-scale': { type: 'string', default: '1' }, control: { type: 'string', default: '127.0.0.1:8089' }, log: { type: 'string', default: '' },
      attached: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
    },
  });
  const common = { help: values.help, order: positionals.slice(1), control: hostPort(values.control), attached: values.attached, logFile: values.log };
  if (positionals.length > 0 && (positionals[0] !== 'set' || positionals.length !== 5)) throw new Error("the only order is 'set SERVER COMPONENT REQUESTER STATE'");
  if (common.help || common.order.length > 0) return { ...common, servers: [] };
  const count = wholeNumber('servers', values.servers, 1, 99);
  const first = wholeNumber('port', values.port, 0, 65_535 - count);
  const places = values.server.length > 0
    ? values.server.map((text) => ({ name: text.slice(0, text.indexOf('=')), ...hostPort(text.slice(text.indexOf('=') + 1)) }))
    : Array.from({ length: count }, (_, at) => ({ name: `LAB-EX${String(at + 1).padStart(2, '0')}`, host: values.listen, port: first === 0 ? 0 : first + at }));
  const make = (): { certPem: string; keyPem: string } =>
    makeCertificate({ commonName: values.name, names: [values.name, `*.${values.domain}`, values.listen], validFrom: new Date(Date.now() - 60_000), validDays: 30 });
  const pem = values.certificate === undefined ? null : readFileSync(values.certificate, 'latin1');
  const shared = pem === null ? make() : { certPem: pem, keyPem: pem };
  const clock = new ScaledClock(wholeNumber('time-scale', values['time-scale'], 1, 3600));
  const accounts = values.anonymous ? {} : { accounts: accountsOf(values.user, values.domain) };
  const protection = protectionOf(values['extended-protection']);
  const servers = places.map((place, at) => ({
    ...place, ...morePorts(values, places.slice(0, at).filter((other) => other.host === place.host).length), fqdn: `${place.name}.${values.domain}`, ...(values['own-certificates'] ? make() : shared), ...accounts, protection, clock, log,
  }));
  return { ...common, servers };
}
