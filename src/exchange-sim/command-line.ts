/** What `poise-exchange-sim` may be told: its help and the servers that its arguments stand for. Read by main.ts. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Accounts } from './authentication.ts';
import { makeCertificate } from './certificate.ts';
import { ScaledClock } from './clock.ts';
import { argumentFault, fileFault } from './faults.ts';
import { mailProtocols } from './mail/mail-server.ts';
import type { MailProtocol } from './mail/mail-server.ts';
import type { ExchangeServerOptions } from './server.ts';

export const help = `Usage: poise-exchange-sim [options]
       poise-exchange-sim set SERVER COMPONENT REQUESTER STATE [--control HOST:PORT]

A site of servers that behave like Exchange towards its clients, for tests of what stands in front of them.

  --servers N            so many servers LAB-EX01 … (default 2)
  --listen ADDRESS       where they listen (default 127.0.0.1)
  --port PORT            port of the first, the next ones follow; 0: free ones (default 8443)
  --server NAME=HOST:PORT  one server; may be repeated, in place of --servers, --listen and --port
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

const options = {
  servers: { type: 'string' }, listen: { type: 'string' }, port: { type: 'string' },
  server: { type: 'string', multiple: true, default: [] as string[] }, certificate: { type: 'string' }, 'own-certificates': { type: 'boolean', default: false },
  name: { type: 'string', default: 'mail.lab.local' }, user: { type: 'string', multiple: true, default: ['alice:secret', 'bob:secret', 'carol:secret'] as string[] },
  anonymous: { type: 'boolean', default: false }, domain: { type: 'string', default: 'lab.local' }, 'extended-protection': { type: 'string', default: 'off' },
  redirect: { type: 'string' }, smtp: { type: 'string' }, submission: { type: 'string' }, imap: { type: 'string' }, imaps: { type: 'string' }, pop: { type: 'string' }, pops: { type: 'string' },
  'time-scale': { type: 'string', default: '1' }, control: { type: 'string', default: '127.0.0.1:8089' }, log: { type: 'string', default: '' },
  attached: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
} as const;

/** A number below zero behind an option is its value, not the next option. */
function joined(args: readonly string[]): string[] {
  return args.reduce<string[]>((all, word) => {
    const before = all.at(-1) ?? '';
    if (/^-\d/.test(word) && /^--[a-z-]+$/.test(before)) return [...all.slice(0, -1), `${before}=${word}`];
    return [...all, word];
  }, []);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: joined(args), allowPositionals: true, options });
  } catch (error) {
    throw argumentFault(error);
  }
}

type Values = ReturnType<typeof parse>['values'];

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

interface Place { readonly name: string; readonly host: string; readonly port: number }

/** The servers that --server names, or as many as --servers wants. */
function placesOf(values: Values): readonly Place[] {
  if (values.server.length > 0) {
    const other = (['servers', 'listen', 'port'] as const).find((name) => values[name] !== undefined);
    if (other !== undefined) throw new Error(`--server says name and address of each server; take --${other} out, or --server`);
    return values.server.map((text) => {
      const [, name, address] = /^([^=]+)=(.+)$/.exec(text) ?? [];
      if (name === undefined || address === undefined) throw new Error(`--server takes NAME=HOST:PORT, not '${text}'`);
      return { name, ...hostPort(address) };
    });
  }
  const count = wholeNumber('servers', values.servers ?? '2', 1, 99);
  const first = wholeNumber('port', values.port ?? '8443', 0, 65_535 - count);
  return Array.from({ length: count }, (_, at) => ({ name: `LAB-EX${String(at + 1).padStart(2, '0')}`, host: values.listen ?? '127.0.0.1', port: first === 0 ? 0 : first + at }));
}

function readCertificate(file: string): { certPem: string; keyPem: string } {
  let pem = '';
  try {
    pem = readFileSync(file, 'latin1');
  } catch (error) {
    throw fileFault(`--certificate ${file}`, error);
  }
  for (const [mark, what] of [[/-----BEGIN CERTIFICATE-----/, 'certificate'], [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'key']] as const) {
    if (!mark.test(pem)) throw new Error(`--certificate ${file}: there is no ${what} in it (PEM)`);
  }
  return { certPem: pem, keyPem: pem };
}

/** Throws an Error of one sentence when the arguments make no sense. */
export function readCommandLine(args: readonly string[], log: (line: string) => void): SiteWish {
  const { values, positionals } = parse(args);
  const common = { help: values.help, order: positionals.slice(1), control: hostPort(values.control), attached: values.attached, logFile: values.log };
  if (positionals.length > 0 && (positionals[0] !== 'set' || positionals.length !== 5)) throw new Error("the only order is 'set SERVER COMPONENT REQUESTER STATE'");
  if (common.help || common.order.length > 0) return { ...common, servers: [] };
  if (values.certificate !== undefined && values['own-certificates']) throw new Error('--certificate is for all servers, --own-certificates makes one for each; take one of them out');
  const places = placesOf(values);
  const make = (): { certPem: string; keyPem: string } =>
    makeCertificate({ commonName: values.name, names: [values.name, `*.${values.domain}`, values.listen ?? '127.0.0.1'], validFrom: new Date(Date.now() - 60_000), validDays: 30 });
  const shared = values.certificate === undefined ? make() : readCertificate(values.certificate);
  const clock = new ScaledClock(wholeNumber('time-scale', values['time-scale'], 1, 3600));
  const accounts = values.anonymous ? {} : { accounts: accountsOf(values.user, values.domain) };
  const protection = protectionOf(values['extended-protection']);
  const servers = places.map((place, at) => ({
    ...place, ...morePorts(values, places.slice(0, at).filter((other) => other.host === place.host).length), fqdn: `${place.name}.${values.domain}`, ...(values['own-certificates'] ? make() : shared), ...accounts, protection, clock, log,
  }));
  return { ...common, servers };
}
