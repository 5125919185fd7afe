/**
 * Servers of the simulated Exchange site as origins of a test site, for HTTP and for mail, and the configuration of the layer 7
 * article with the test site's addresses in place of its own. Used by test/system/exchange.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Accounts } from '../../src/exchange-sim/authentication.ts';
import { ScaledClock } from '../../src/exchange-sim/clock.ts';
import { MailServer, mailProtocols } from '../../src/exchange-sim/mail/mail-server.ts';
import type { MailProtocol } from '../../src/exchange-sim/mail/mail-server.ts';
import { Mailboxes } from '../../src/exchange-sim/mail/mailboxes.ts';
import { ExchangeServer } from '../../src/exchange-sim/server.ts';
import { certificate, type CertificateFiles } from './certificates.ts';
import { Origin } from './origin.ts';
import { projectFolder } from './program.ts';

export interface ExchangeOptions {
  /** Simulated seconds in a real one. */
  readonly scale?: number;
  readonly accounts?: Accounts;
}

/** What all servers and the balancer show. */
const files = (): CertificateFiles => certificate(['mail.lab.local', 'autodiscover.lab.local']);

function certificatePems(): { certPem: string; keyPem: string } {
  return { certPem: readFileSync(files().certificate, 'latin1'), keyPem: readFileSync(files().key, 'latin1') };
}

export class ExchangeOrigin extends Origin {
  exchange: ExchangeServer | null = null;
  /** Lines of its log. */
  readonly lines: string[] = [];
  private readonly name: string;
  private readonly settings: ExchangeOptions;

  constructor(name: string, settings: ExchangeOptions = {}) {
    super(() => {});
    this.name = name;
    this.settings = settings;
  }

  override listen(host: string, port: number): Promise<void> {
    const { scale = 1, accounts } = this.settings;
    this.exchange = new ExchangeServer({
      name: this.name, fqdn: `${this.name}.lab.local`, host, port, ...certificatePems(),
      clock: new ScaledClock(scale), log: (line) => { this.lines.push(line); }, ...(accounts === undefined ? {} : { accounts }),
    });
    return this.exchange.listen();
  }

  override async close(): Promise<void> {
    await this.exchange?.close();
    this.exchange = null;
  }

  override forget(): void {
    super.forget();
    this.lines.length = 0;
  }
}

/** One mail port of a server. */
class MailOrigin extends Origin {
  private readonly protocol: MailProtocol;
  private readonly fqdn: string;
  private readonly mailboxes: Mailboxes;
  private mail: MailServer | null = null;

  constructor(protocol: MailProtocol, fqdn: string, mailboxes: Mailboxes) {
    super(() => {});
    this.protocol = protocol;
    this.fqdn = fqdn;
    this.mailboxes = mailboxes;
  }

  override listen(host: string, port: number): Promise<void> {
    const { certPem, keyPem } = certificatePems();
    this.mail = new MailServer({ fqdn: this.fqdn, host, ports: { [this.protocol]: port }, certPem, keyPem, mailboxes: this.mailboxes, isActive: () => true });
    return this.mail.listen();
  }

  override async close(): Promise<void> {
    this.mail?.close();
    this.mail = null;
  }
}

/** Two servers, called as examples/exchange-l7.cfg and layerSeven() call them. */
export const twoServers = (settings: ExchangeOptions = {}) => () => ({ ex1: new ExchangeOrigin('LAB-EX01', settings), ex2: new ExchangeOrigin('LAB-EX02', settings) });

/** What layerSeven() names {crt}. */
export const mailCertificate = (): Record<string, string> => ({ crt: files().both });

/** The same two, and their mail ports: {smtp1}, {imaps2} … */
export const twoServersWithMail = (settings: ExchangeOptions & { readonly accounts: Accounts }) => () => {
  const mailboxes = new Mailboxes([...settings.accounts.passwords]);
  const mail = mailProtocols.flatMap((protocol) => [1, 2].map((at) => [`${protocol}${at}`, new MailOrigin(protocol, `LAB-EX0${at}.lab.local`, mailboxes)] as const));
  return { ...twoServers(settings)(), ...Object.fromEntries(mail) };
};

/** Checks that may take 10 seconds, fail often before anything is said, and come back soon: a busy machine takes no server away. */
const patientChecks = 'inter 10s downinter 1s rise 1 fall 30';

/** examples/exchange-l7.cfg with {plain}, {https} and {stats} as its binds, {ex1} and {ex2} as its servers. */
export function layerSeven(): string {
  const places: readonly (readonly [string, string])[] = [
    ['127.0.0.1:5140', '{log}'], ['"${RUN_DIR}/admin.sock"', '{admin}'], ['127.0.0.10:8080', '{plain}'], ['127.0.0.10:8443', '{https}'],
    ['127.0.0.10:8404', '{stats}'], ['"${CRT}"', '{crt}'], ['127.0.0.21:8443', '{ex1}'], ['127.0.0.22:8443', '{ex2}'], ['inter 2s', patientChecks],
  ];
  let text = readFileSync(join(projectFolder, 'examples/exchange-l7.cfg'), 'utf8');
  for (const [from, to] of places) {
    if (!text.includes(from)) throw new Error(`examples/exchange-l7.cfg has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** The same with a section for each mail protocol, {smtp} to {pops}: TLS passes through. */
export function layerSevenWithMail(): string {
  const hello: Readonly<Record<MailProtocol, string>> = {
    smtp: 'tcp-check expect rstring ^220', submission: 'tcp-check expect rstring ^220', imap: 'tcp-check expect string "* OK"', pop: 'tcp-check expect string +OK',
    imaps: 'tcp-check connect ssl\n    tcp-check expect string "* OK"', pops: 'tcp-check connect ssl\n    tcp-check expect string +OK',
  };
  return layerSeven() + mailProtocols.map((protocol) => `
listen exchange_${protocol}
    bind {${protocol}}
    mode tcp
    option tcplog
    option tcp-check
    ${hello[protocol]}
    server lab-ex01 {${protocol}1} check ${patientChecks} verify none
    server lab-ex02 {${protocol}2} check ${patientChecks} verify none
`).join('');
}
