/**
 * One SMTP session of a simulated server (RFC 5321, STARTTLS RFC 3207, AUTH RFC 4954). Made by mail-server.ts. While the transport
 * component is not Active the greeting and even a good login succeed, and only then comes 421 4.3.2, as on Exchange: a check that
 * stops at the greeting is fooled.
 */
import type { LineReader, LineSocket } from './line-socket.ts';
import type { Mailboxes } from './mailboxes.ts';

const letterBytesMax = 37_748_736;
const recipientsMax = 500;
const notActive = '421 4.3.2 Service not available\r\n';

interface SmtpSide {
  readonly fqdn: string;
  readonly mailboxes: Mailboxes;
  /** The client connector (587): nobody sends without a login. */
  readonly needsLogin: boolean;
  isActive(): boolean;
}

type Step = 'command' | 'data' | 'auth-plain' | 'auth-user' | 'auth-password';

const decode = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

export class SmtpSession implements LineReader {
  private readonly socket: LineSocket;
  private readonly side: SmtpSide;
  private step: Step = 'command';
  private greeted = false;
  private user = '';
  private claimed = '';
  private sender: string | null = null;
  private recipients: string[] = [];
  private lines: string[] = [];
  private lineBytes = 0;

  constructor(socket: LineSocket, side: SmtpSide) {
    this.socket = socket;
    this.side = side;
    this.socket.send(`220 ${side.fqdn} Microsoft ESMTP MAIL Service ready at ${new Date().toUTCString()}\r\n`);
  }

  bytes(): void {}

  line(text: string): void {
    if (this.step === 'data') this.dataLine(text);
    else if (this.step === 'command') this.command(text);
    else this.authLine(text);
  }

  private command(text: string): void {
    const [verb = ''] = text.split(' ', 1);
    const rest = text.slice(verb.length + 1).trim();
    switch (verb.toUpperCase()) {
      case 'HELO': this.greeted = true; this.say(`250 ${this.side.fqdn} Hello`); return;
      case 'EHLO': this.hello(); return;
      case 'STARTTLS': this.startTls(); return;
      case 'AUTH': this.auth(rest); return;
      case 'MAIL': this.mail(rest); return;
      case 'RCPT': this.recipient(rest); return;
      case 'DATA': this.data(); return;
      case 'RSET': this.forget(); this.say('250 2.0.0 Resetting'); return;
      case 'NOOP': this.say('250 2.0.0 OK'); return;
      case 'QUIT': this.socket.close('221 2.0.0 Service closing transmission channel\r\n'); return;
      default: this.say('500 5.3.3 Unrecognized command');
    }
  }

  private say(text: string): void {
    this.socket.send(`${text}\r\n`);
  }

  private hello(): void {
    this.greeted = true;
    this.forget();
    const login = this.socket.isSecure ? ['AUTH LOGIN PLAIN'] : ['STARTTLS'];
    const words = [`${this.side.fqdn} Hello`, `SIZE ${letterBytesMax}`, 'PIPELINING', 'ENHANCEDSTATUSCODES', ...login, '8BITMIME'];
    this.socket.send(words.map((word, at) => `250${at === words.length - 1 ? ' ' : '-'}${word}\r\n`).join(''));
  }

  private startTls(): void {
    if (this.socket.isSecure) {
      this.say('503 5.5.2 Only one STARTTLS command can be issued per session');
      return;
    }
    this.say('220 2.0.0 SMTP server ready');
    this.greeted = false;
    this.forget();
    this.socket.startTls();
  }

  private auth(rest: string): void {
    const [scheme = '', first = ''] = rest.split(' ');
    if (!this.socket.isSecure || this.user !== '') {
      this.say(this.user === '' ? '530 5.7.0 Must issue a STARTTLS command first' : '503 5.5.2 Already authenticated');
      return;
    }
    if (scheme.toUpperCase() === 'PLAIN') {
      this.step = 'auth-plain';
      if (first === '') this.say('334 ');
      else this.authLine(first);
      return;
    }
    if (scheme.toUpperCase() !== 'LOGIN') {
      this.say('504 5.7.4 Unrecognized authentication type');
      return;
    }
    this.step = 'auth-user';
    if (first === '') this.say('334 VXNlcm5hbWU6');
    else this.authLine(first);
  }

  private authLine(text: string): void {
    const step = this.step;
    this.step = 'command';
    if (text === '*') {
      this.say('501 5.7.0 Authentication cancelled');
    } else if (step === 'auth-user') {
      this.claimed = decode(text);
      this.step = 'auth-password';
      this.say('334 UGFzc3dvcmQ6');
    } else if (step === 'auth-password') {
      this.login(this.claimed, decode(text));
    } else {
      const [, user = '', password = ''] = decode(text).split('\0');
      this.login(user, password);
    }
  }

  private login(user: string, password: string): void {
    if (!this.side.mailboxes.mayLogIn(user, password)) {
      this.say('535 5.7.3 Authentication unsuccessful');
      return;
    }
    this.user = user;
    this.say('235 2.7.0 Authentication successful');
    if (!this.side.isActive()) this.socket.close(notActive);
  }

  private mail(rest: string): void {
    const sender = /^FROM:\s*<([^>]*)>/i.exec(rest)?.[1];
    if (!this.greeted) this.say('503 5.5.2 Send hello first');
    else if (!this.side.isActive()) this.socket.close(notActive);
    else if (this.side.needsLogin && this.user === '') this.say('530 5.7.57 Client was not authenticated to send mail');
    else if (sender === undefined) this.say('501 5.5.4 Invalid arguments');
    else {
      this.forget();
      this.sender = sender;
      this.say('250 2.1.0 Sender OK');
    }
  }

  private recipient(rest: string): void {
    const recipient = /^TO:\s*<([^>]+)>/i.exec(rest)?.[1];
    if (this.sender === null) this.say('503 5.5.2 Need mail command');
    else if (recipient === undefined) this.say('501 5.5.4 Invalid arguments');
    else if (!this.side.mailboxes.has(recipient)) this.say('550 5.1.10 Recipient not found');
    else if (this.recipients.length >= recipientsMax) this.say('452 4.5.3 Too many recipients');
    else {
      this.recipients.push(recipient);
      this.say('250 2.1.5 Recipient OK');
    }
  }

  private data(): void {
    if (this.recipients.length === 0) {
      this.say('503 5.5.2 Need rcpt command');
      return;
    }
    this.step = 'data';
    this.say('354 Start mail input; end with <CRLF>.<CRLF>');
  }

  private dataLine(text: string): void {
    if (text !== '.') {
      this.lineBytes += text.length + 2;
      if (this.lineBytes <= letterBytesMax) this.lines.push(text.startsWith('.') ? text.slice(1) : text);
      return;
    }
    this.step = 'command';
    const tooLong = this.lineBytes > letterBytesMax;
    const letter = Buffer.from(`${this.lines.join('\r\n')}\r\n`, 'latin1');
    const { recipients } = this;
    this.forget();
    if (tooLong) this.say('552 5.3.4 Message size exceeds fixed maximum message size');
    else if (recipients.map((to) => this.side.mailboxes.deliver(to, letter)).includes(false)) this.say('452 4.2.2 Mailbox full');
    else this.say(`250 2.6.0 <${Date.now()}@${this.side.fqdn}> Queued mail for delivery`);
  }

  private forget(): void {
    this.sender = null;
    this.recipients = [];
    this.lines = [];
    this.lineBytes = 0;
  }
}
