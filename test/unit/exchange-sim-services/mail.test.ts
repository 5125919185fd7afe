/** The simulated mail ports, spoken to with the commands that real clients send: greeting, STARTTLS, login, letter, draining. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { makeCertificate } from '../../../src/exchange-sim/certificate.ts';
import { MailServer } from '../../../src/exchange-sim/mail/mail-server.ts';
import { Mailboxes } from '../../../src/exchange-sim/mail/mailboxes.ts';

const made = makeCertificate({ commonName: 'mail.lab.local', names: ['mail.lab.local'], validFrom: new Date(Date.now() - 60_000), validDays: 2 });
const tls = { ca: made.certPem, servername: 'mail.lab.local' };
const inactive = new Set<string>();
const mailboxes = new Mailboxes([['anna', 'right']]);
const server = new MailServer({
  fqdn: 'lab-ex01.lab.local', host: '127.0.0.1', ports: { smtp: 0, submission: 0, imap: 0, imaps: 0, pop: 0, pops: 0 },
  certPem: made.certPem, keyPem: made.keyPem, mailboxes, isActive: (protocol) => !inactive.has(protocol),
});

before(() => server.listen());
after(() => server.close());

class Talk {
  text = '';
  closed = false;
  private socket: Socket;
  private wake = (): void => {};

  constructor(socket: Socket) {
    this.socket = socket;
    this.follow();
  }

  private follow(): void {
    this.socket.on('data', (part: Buffer) => {
      this.text += part.toString('latin1');
      this.wake();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
  }

  /** Sends, waits until the answer since then matches, gives that answer. */
  async say(words: string, expected: RegExp): Promise<string> {
    this.text = '';
    this.socket.write(words, 'latin1');
    return this.hear(expected);
  }

  async hear(expected: RegExp): Promise<string> {
    while (!expected.test(this.text)) {
      assert.equal(this.closed, false, `closed after ${this.text}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.text;
  }

  async secure(): Promise<void> {
    this.socket.removeAllListeners('data');
    const raw = this.socket;
    this.text = '';
    await new Promise<void>((resolve, reject) => {
      const over = connectTls({ ...tls, socket: raw }, resolve);
      over.once('error', reject);
      this.socket = over;
    });
    this.follow();
  }

  end(): void {
    this.socket.destroy();
  }
}

const clear = (port: number): Talk => new Talk(connect({ host: '127.0.0.1', port }));
const safe = (port: number): Talk => new Talk(connectTls({ ...tls, host: '127.0.0.1', port }));
const plain = (password: string): string => Buffer.from(`\0LAB\\anna\0${password}`).toString('base64');

test('a letter goes in by SMTP with STARTTLS and login, and out by IMAP and POP', async () => {
  const smtp = clear(server.portOf('submission'));
  await smtp.hear(/^220 lab-ex01/);
  assert.doesNotMatch(await smtp.say('EHLO me\r\n', /250 8BITMIME/), /AUTH/);
  await smtp.say('MAIL FROM:<a@b>\r\n', /^530 5\.7\.57/);
  await smtp.say('STARTTLS\r\n', /^220/);
  await smtp.secure();
  await smtp.say('EHLO me\r\n', /AUTH LOGIN PLAIN[^]*250 8BITMIME/);
  await smtp.say(`AUTH PLAIN ${plain('wrong')}\r\n`, /^535/);
  await smtp.say('AUTH LOGIN\r\n', /^334 VXNlcm5hbWU6/);
  await smtp.say('YW5uYQ==\r\n', /^334 UGFzc3dvcmQ6/);
  await smtp.say('cmlnaHQ=\r\n', /^235/);
  await smtp.say('MAIL FROM:<anna@lab.local>\r\nRCPT TO:<nobody@lab.local>\r\nRCPT TO:<anna@lab.local>\r\n', /250 2\.1\.0[^]*550 5\.1\.10[^]*250 2\.1\.5/);
  await smtp.say('DATA\r\n', /^354/);
  await smtp.say('Subject: one\r\n\r\n..two\r\n.\r\n', /^250 2\.6\.0/);
  await smtp.say('QUIT\r\n', /^221/);
  const imap = safe(server.portOf('imaps'));
  await imap.hear(/^\* OK/);
  await imap.say('a LOGIN anna {5}\r\n', /^\+ /);
  await imap.say('right\r\n', /^a OK/);
  await imap.say('b SELECT INBOX\r\n', /\* 1 EXISTS[^]*b OK/);
  assert.match(await imap.say('c FETCH 1 (BODY[])\r\n', /c OK/), /BODY\[\] \{22\}\r\nSubject: one\r\n\r\n\.two\r\n\)/);
  await imap.say('d IDLE\r\n', /^\+ /);
  await imap.say('DONE\r\n', /^d OK/);
  imap.end();
  const pop = safe(server.portOf('pops'));
  await pop.hear(/^\+OK/);
  await pop.say('USER anna\r\nPASS right\r\nRETR 1\r\n', /Subject: one\r\n\r\n\.\.two\r\n\.\r\n/);
  await pop.say('DELE 1\r\nQUIT\r\n', /signing off/);
  assert.equal(mailboxes.of('anna').length, 0);
});

test('IMAP and POP refuse a login in clear and take it after STARTTLS', async () => {
  const imap = clear(server.portOf('imap'));
  await imap.hear(/^\* OK/);
  await imap.say('a LOGIN anna right\r\n', /^a NO/);
  await imap.say('b STARTTLS\r\n', /^b OK/);
  await imap.secure();
  await imap.say('c LOGIN anna "right"\r\n', /^c OK/);
  imap.end();
  const pop = clear(server.portOf('pop'));
  await pop.hear(/^\+OK/);
  await pop.say('STLS\r\n', /^\+OK/);
  await pop.secure();
  await pop.say('USER anna\r\nPASS right\r\n', /logged on/);
  pop.end();
});

test('a draining transport greets and logs in, and only then says 421', async () => {
  inactive.add('submission');
  const smtp = clear(server.portOf('submission'));
  await smtp.hear(/^220/);
  await smtp.say('EHLO me\r\nSTARTTLS\r\n', /220 2\.0\.0/);
  await smtp.secure();
  await smtp.say(`AUTH PLAIN ${plain('right')}\r\n`, /^235[^]*421 4\.3\.2/);
  inactive.clear();
});

test('IMAP stops listening while its component is inactive, and comes back at the same port', async () => {
  const port = server.portOf('imap');
  const isOpen = (): Promise<boolean> => new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
  const until = async (wanted: boolean): Promise<void> => {
    for (let tries = 0; (await isOpen()) !== wanted; tries += 1) {
      assert.ok(tries < 100);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await until(true);
  inactive.add('imap');
  await until(false);
  inactive.clear();
  await until(true);
});
