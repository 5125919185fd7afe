/** A real SMTP server as an origin of a site: keeps every letter as a reader of mail sees it. */
import { SMTPServer } from 'smtp-server';
import { Origin } from './origin.ts';

export interface Mail {
  /** What the sender called itself in HELO or EHLO. */
  readonly hello: string;
  /** Envelope. */
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  /** Header fields by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Decoded, with LF line ends. */
  readonly body: string;
}

export class MailSink extends Origin {
  readonly mails: Mail[] = [];
  /** Not '': what every client is refused with. */
  refuses = '';
  private smtp: SMTPServer | null = null;

  constructor() {
    super(() => undefined);
  }

  override listen(address: string, port: number): Promise<void> {
    const server = new SMTPServer({
      authOptional: true, hideSTARTTLS: true,
      onConnect: (_session, done) => { done(this.refuses === '' ? null : new Error(this.refuses)); },
      onData: (stream, session, done) => {
        let text = '';
        stream.on('data', (chunk: Buffer) => { text += chunk.toString('latin1'); });
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope;
          this.mails.push(readMail(text, { hello: String(session.hostNameAppearsAs), from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map((one) => one.address) }));
          done();
        });
      },
    });
    server.on('error', () => { /* clients that give up */ });
    this.smtp = server;
    return new Promise((resolve) => { server.listen(port, address, () => resolve()); });
  }

  /** Where it listens, when any port would do. */
  get port(): number {
    const place = this.smtp?.server.address();
    return typeof place === 'object' && place !== null ? place.port : 0;
  }

  override close(): Promise<void> {
    const { smtp } = this;
    this.smtp = null;
    return smtp === null ? Promise.resolve() : new Promise((resolve) => { smtp.close(() => resolve()); });
  }
}

export function readMail(text: string, envelope: Pick<Mail, 'hello' | 'from' | 'to'>): Mail {
  const end = text.indexOf('\r\n\r\n');
  const headers = new Map(text.slice(0, end).replaceAll(/\r\n[ \t]/g, ' ').split('\r\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)] as const));
  const raw = text.slice(end + 4).replaceAll('\r\n', '\n');
  const body = headers.get('content-transfer-encoding') === 'quoted-printable'
    ? raw.replaceAll('=\n', '').replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))) : raw;
  return { ...envelope, subject: headers.get('subject') ?? '', headers, body };
}
