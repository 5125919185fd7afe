/** One POP3 session of a simulated server (RFC 1939, CAPA and STLS RFC 2449 and 2595). Made by mail-server.ts. */
import type { LineReader, LineSocket } from './line-socket.ts';
import type { Letter, Mailboxes } from './mailboxes.ts';

export class PopSession implements LineReader {
  private readonly socket: LineSocket;
  private readonly mailboxes: Mailboxes;
  private claimed = '';
  private user = '';

  constructor(socket: LineSocket, fqdn: string, mailboxes: Mailboxes) {
    this.socket = socket;
    this.mailboxes = mailboxes;
    socket.send(`+OK The Microsoft Exchange POP3 service is ready. [${fqdn}]\r\n`);
  }

  bytes(): void {}

  line(text: string): void {
    const [verb = '', first = '', second = ''] = text.split(' ');
    switch (verb.toUpperCase()) {
      case 'CAPA': this.socket.send(`+OK\r\nTOP\r\nUIDL\r\n${this.socket.isSecure ? 'USER' : 'STLS'}\r\n.\r\n`); return;
      case 'STLS': this.startTls(); return;
      case 'USER': this.claimed = first; this.socket.send(this.socket.isSecure ? '+OK\r\n' : '-ERR Command is not valid in this state.\r\n'); return;
      case 'PASS': this.login(text.slice(5)); return;
      case 'NOOP': this.socket.send('+OK\r\n'); return;
      case 'QUIT': this.quit(); return;
      default:
    }
    if (this.user === '') this.socket.send('-ERR Command is not valid in this state.\r\n');
    else this.transaction(verb.toUpperCase(), first, Number(second));
  }

  private startTls(): void {
    if (this.socket.isSecure) {
      this.socket.send('-ERR Command is not valid in this state.\r\n');
      return;
    }
    this.socket.send('+OK Begin TLS negotiation now.\r\n');
    this.socket.startTls();
  }

  private login(password: string): void {
    const good = this.socket.isSecure && this.mailboxes.mayLogIn(this.claimed, password);
    if (good) this.user = this.claimed;
    this.socket.send(good ? '+OK User successfully logged on.\r\n' : '-ERR Logon failure: unknown user name or bad password.\r\n');
  }

  private quit(): void {
    if (this.user !== '') this.mailboxes.expunge(this.user);
    this.socket.close('+OK Microsoft Exchange Server POP3 server signing off.\r\n');
  }

  private transaction(verb: string, which: string, count: number): void {
    const box = this.mailboxes.of(this.user);
    const live = box.map((letter, at) => ({ letter, place: at + 1 })).filter(({ letter }) => !letter.deleted);
    const one = live.find(({ place }) => place === Number(which))?.letter;
    const list = (tell: (letter: Letter) => string | number): string => {
      if (which !== '') return one === undefined ? '-ERR The specified message is out of range.\r\n' : `+OK ${which} ${tell(one)}\r\n`;
      return `+OK\r\n${live.map(({ letter, place }) => `${place} ${tell(letter)}\r\n`).join('')}.\r\n`;
    };
    if (verb === 'STAT') this.socket.send(`+OK ${live.length} ${live.reduce((sum, { letter }) => sum + letter.bytes.length, 0)}\r\n`);
    else if (verb === 'LIST') this.socket.send(list((letter) => letter.bytes.length));
    else if (verb === 'UIDL') this.socket.send(list((letter) => letter.uid));
    else if (verb === 'RSET') this.reset(box);
    else if (one === undefined) this.socket.send('-ERR Protocol error or message out of range.\r\n');
    else if (verb === 'RETR') this.retrieve(one, Number.POSITIVE_INFINITY);
    else if (verb === 'TOP') this.retrieve(one, count);
    else if (verb === 'DELE') {
      one.deleted = true;
      this.socket.send('+OK\r\n');
    } else this.socket.send('-ERR Protocol error. 20\r\n');
  }

  private reset(box: Letter[]): void {
    for (const letter of box) letter.deleted = false;
    this.socket.send('+OK\r\n');
  }

  /** The head and so many lines of the body, lines with a leading point doubled. */
  private retrieve(letter: Letter, bodyLines: number): void {
    const lines = letter.bytes.toString('latin1').replace(/\r\n$/, '').split('\r\n');
    const headEnd = lines.indexOf('');
    const shown = headEnd < 0 ? lines : lines.slice(0, headEnd + 1 + bodyLines);
    this.socket.send(`+OK\r\n${shown.map((line) => `${line.startsWith('.') ? '.' : ''}${line}\r\n`).join('')}.\r\n`);
  }
}
