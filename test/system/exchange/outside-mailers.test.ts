/**
 * Mail clients that nobody here wrote, through sections of mode tcp in front of the simulated mail ports: swaks, Python's imaplib
 * and poplib, openssl s_client. HAProxy and Poise must show the same.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { authority } from '../../harness/certificates.ts';
import { comparison } from '../../harness/comparison.ts';
import { layerSevenWithMail, mailCertificate, twoServersWithMail } from '../../harness/exchange-origin.ts';
import { outputOf } from '../../harness/exchange-stage.ts';
import { accounts, clientSees, placeOf } from '../../harness/outside.ts';
import { temporaryFolder } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

/** A letter whose lines try what SMTP could spoil: leading points, long lines. */
function letter(subject: string, lines: number): string {
  const body = Array.from({ length: lines }, (_, at) => (at % 7 === 0 ? `.${at}` : at % 5 === 0 ? '.' : `${at} ${'x'.repeat(at % 900)}`));
  return `From: Phone <phone@lab.local>\nTo: carol@lab.local\nSubject: ${subject}\n\n${body.join('\n')}\n`;
}

const letters = [letter('short', 10), letter('long', 1200)];
/** As mail_readers.py counts them. */
const digests = letters.map((text) => createHash('sha256').update(text.trimEnd()).digest('hex'));

function written(text: string): string {
  const file = join(temporaryFolder(), 'letter');
  writeFileSync(file, text);
  return file;
}

/** The answers of the server, without what differs each time; `TLS` stands before those that came in TLS, `!` behind those that swaks calls errors. */
function answers(told: string): string[] {
  return [...told.matchAll(/^<([-~])(.) (\d{3}.*)$/gm)].map((found) => `${found[1] === '~' ? 'TLS ' : ''}${(found[3] ?? '').trim().replace(/LAB-EX0\d|\bat .*|\d+@/g, '…')}${found[2] === '*' ? ' !' : ''}`);
}

async function swaks(site: Site, bind: string, ...args: readonly string[]): Promise<string[]> {
  const told = await outputOf('swaks', [
    '--server', site.place.address, '--port', String(site.port(bind)), '--from', 'phone@lab.local', '--to', 'carol@lab.local', '--helo', 'phone.lab.local', '--timeout', '20', ...args,
  ]);
  const seen = answers(told);
  if (seen.length === 0) throw new Error(told);
  return seen;
}

const login = (scheme: string, password = 'secret'): string[] => ['--auth', scheme, '--auth-user', 'alice@lab.local', '--auth-password', password];

/** Sends what carol reads then. */
async function send(site: Site): Promise<unknown> {
  const [short = '', long = ''] = letters.map(written);
  return {
    // Another server brings mail to port 25, without a login; a phone to port 587, with one.
    server: await swaks(site, 'smtp', '--tls', '--data', `@${short}`),
    phone: await swaks(site, 'submission', '--tls', ...login('PLAIN'), '--data', `@${long}`),
  };
}

async function refused(site: Site): Promise<unknown> {
  return {
    clear: await swaks(site, 'smtp', '--quit-after', 'RCPT'),
    noLogin: await swaks(site, 'submission', '--tls'),
    noTls: await swaks(site, 'submission'),
    wrong: await swaks(site, 'submission', '--tls', ...login('LOGIN', 'wrong')),
    right: await swaks(site, 'submission', '--tls', ...login('LOGIN'), '--quit-after', 'AUTH'),
    relay: await swaks(site, 'smtp', '--tls', ...login('PLAIN'), '--pipeline', '--to', 'nobody@lab.local'),
  };
}

/** What s_client says of the certificate, and the mail server after that. */
async function tlsClient(site: Site, bind: string, input: string, ...args: readonly string[]): Promise<unknown> {
  const command = ['s_client', '-connect', placeOf(site, bind), '-servername', 'mail.lab.local', '-verify_hostname', 'mail.lab.local', '-CAfile', authority(), '-verify_return_error', '-quiet', ...args];
  const told = await outputOf('openssl', command, { input });
  return told.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('Connecting')).map((line) => line.replace(/LAB-EX0\d|\bat .*/g, '…'));
}

const readers = ['imap', 'imaps', 'pop', 'pops'] as const;

comparison('mail clients of others', { configuration: layerSevenWithMail(), origins: twoServersWithMail({ accounts }), values: mailCertificate }, (situation) => {
  situation('swaks: STARTTLS on 25, STARTTLS and AUTH on 587', send, { shows: ['TLS 235 2.7.0 Authentication successful', 'Queued mail for delivery'] });
  situation('swaks: what is refused', refused, { shows: ['TLS 530 5.7.57 Client was not authenticated to send mail !', 'TLS 535 5.7.3 Authentication unsuccessful !', '550 5.1.10 Recipient not found'] });
  situation('imaplib and poplib: STARTTLS and TLS, both letters whole, deleted at the end', async (site) => {
    const seen = await clientSees('mail_readers.py', site.place.address, ...readers.map((bind) => String(site.port(bind))), 'carol', 'third');
    return JSON.parse(JSON.stringify(seen).replaceAll(digests[0] ?? '', 'FIRST').replaceAll(digests[1] ?? '', 'SECOND')) as unknown;
  }, { shows: [/"letters": \[\s+"FIRST",\s+"SECOND"/, '"left": [\n  0,'] });
  situation('openssl s_client: STARTTLS and TLS', async (site) => ({
    smtp: await tlsClient(site, 'smtp', 'EHLO s\r\nQUIT\r\n', '-starttls', 'smtp'),
    submission: await tlsClient(site, 'submission', 'EHLO s\r\nQUIT\r\n', '-starttls', 'smtp', '-tls1_2'),
    imap: await tlsClient(site, 'imap', 'a CAPABILITY\r\nb LOGOUT\r\n', '-starttls', 'imap'),
    imaps: await tlsClient(site, 'imaps', 'a CAPABILITY\r\nb LOGOUT\r\n'),
    pop: await tlsClient(site, 'pop', 'CAPA\r\nQUIT\r\n', '-starttls', 'pop3'),
    pops: await tlsClient(site, 'pops', 'CAPA\r\nQUIT\r\n'),
  }), { shows: ['250-AUTH LOGIN PLAIN', 'b OK LOGOUT completed', '+OK', 'AUTH=PLAIN'] });
});
