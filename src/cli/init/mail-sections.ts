/**
 * SMTP, IMAP and POP of an Exchange site: TCP passed through, STARTTLS and logins included. Called by haproxy-file.ts.
 * Never with send-proxy: Exchange does not understand the PROXY protocol and would end the session.
 */
import type { ExchangeSite, MailProtocol } from './site.ts';
import { bindAddress, serverAddress } from './words.ts';

interface MailPort {
  readonly name: string;
  readonly port: number;
  readonly why: readonly string[];
  readonly check: (site: ExchangeSite) => readonly string[];
  /** The check speaks TLS from the first byte. */
  readonly tls: boolean;
}

const smtpCheck = (answers: string) => (site: ExchangeSite): readonly string[] => [
  'tcp-check expect rstring ^220',
  `tcp-check send "EHLO ${site.names[0]}\\r\\n"`,
  'tcp-check expect string "250 "',
  'tcp-check send "MAIL FROM:<>\\r\\n"',
  `tcp-check expect rstring ${answers}`,
  'tcp-check send "QUIT\\r\\n"',
];
const imapCheck = (): readonly string[] => ['tcp-check expect string "* OK"', 'tcp-check send "a LOGOUT\\r\\n"', 'tcp-check expect string "a OK"'];
const popCheck = (): readonly string[] => ['tcp-check expect string +OK', 'tcp-check send "QUIT\\r\\n"', 'tcp-check expect string +OK'];

const ports: Readonly<Record<MailProtocol, readonly MailPort[]>> = {
  smtp: [
    {
      name: 'smtp', port: 25, tls: false, check: smtpCheck('^250'),
      why: [
        'Mail from other servers. Exchange sees the balancer as the sender of everything: a relay connector whose remote addresses include',
        'the balancer is an open relay, and filters by sender address (block lists, SPF) have nothing to go by. Let them work in front of here.',
        'A server in maintenance (HubTransport draining) still greets and refuses the first letter: hence MAIL FROM in the check.',
      ],
    },
    { name: 'submission', port: 587, tls: false, check: smtpCheck('^(250|530)'), why: ['Mail from users, after STARTTLS and a login: 530 is the right answer to a check that has none.'] },
  ],
  imap: [
    { name: 'imap', port: 143, tls: false, check: imapCheck, why: ['IMAP. A phone that waits for mail (IDLE) is silent for up to 29 minutes.'] },
    { name: 'imaps', port: 993, tls: true, check: imapCheck, why: ['The same, with TLS from the start.'] },
  ],
  pop: [
    { name: 'pop', port: 110, tls: false, check: popCheck, why: ['POP.'] },
    { name: 'pops', port: 995, tls: true, check: popCheck, why: ['The same, with TLS from the start.'] },
  ],
};

/** Longer than Exchange's own patience, so that Exchange ends what is idle. Once both sides have spoken only the one for tunnels counts. */
const timeouts: Readonly<Record<MailProtocol, string>> = { smtp: '11m', imap: '35m', pop: '31m' };

export function mailSections(site: ExchangeSite): string[] {
  return site.mail.flatMap((protocol) => ports[protocol].flatMap((port) => section(site, protocol, port)));
}

function section(site: ExchangeSite, protocol: MailProtocol, port: MailPort): string[] {
  return [
    '',
    ...port.why.map((line) => `# ${line}`),
    `listen exchange_${port.name}`,
    `    bind ${bindAddress(site, port.port)}`,
    '    mode tcp',
    '    option tcplog',
    ...['client', 'server', 'tunnel'].map((side) => `    timeout ${side} ${timeouts[protocol]}`),
    '    option tcp-check',
    ...port.tls ? ['    tcp-check connect ssl'] : [],
    ...port.check(site).map((line) => `    ${line}`),
    ...site.servers.map((server) => `    server ${server.name} ${serverAddress(server, port.port)} check inter 15s${port.tls ? ' verify none' : ''}`),
  ];
}
