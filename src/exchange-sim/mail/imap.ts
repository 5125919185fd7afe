/**
 * One IMAP4rev1 session of a simulated server (RFC 3501, IDLE RFC 2177, LITERAL+ for logins). Made by mail-server.ts. One folder,
 * INBOX; whole letters and their heads can be fetched, flags Seen and Deleted are kept.
 */
import type { LineReader, LineSocket } from './line-socket.ts';
import type { Letter, Mailboxes } from './mailboxes.ts';

const literalBytesMax = 65_536;
const capabilities = (secure: boolean): string => `IMAP4 IMAP4rev1 ${secure ? 'AUTH=PLAIN' : 'LOGINDISABLED STARTTLS'} UIDPLUS IDLE LITERAL+`;

/** Words of a command, quoted ones without their quotes. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map((found) => found[2] ?? (found[1] ?? '').replace(/\\(.)/g, '$1'));
}

const flagsOf = (letter: Letter): string => [letter.seen ? '\\Seen' : '', letter.deleted ? '\\Deleted' : ''].filter((flag) => flag !== '').join(' ');

export class ImapSession implements LineReader {
  private readonly socket: LineSocket;
  private readonly mailboxes: Mailboxes;
  private user = '';
  private selected = false;
  /** What came of a command whose literal is still on its way. */
  private pending = '';
  /** Tag of the command that waits for a further line. */
  private idleTag = '';
  private plainTag = '';

  constructor(socket: LineSocket, mailboxes: Mailboxes) {
    this.socket = socket;
    this.mailboxes = mailboxes;
    socket.send('* OK The Microsoft Exchange IMAP4 service is ready.\r\n');
  }

  bytes(piece: Buffer): void {
    this.pending += `"${piece.toString('latin1').replace(/[\\"]/g, '\\$&')}"`;
  }

  line(text: string): void {
    if (this.idleTag !== '') {
      this.done(this.idleTag, text.toUpperCase() === 'DONE' ? 'OK IDLE completed.' : 'BAD Command Argument Error. 11');
      this.idleTag = '';
      return;
    }
    if (this.plainTag !== '') {
      const [, user = '', password = ''] = Buffer.from(text, 'base64').toString('utf8').split('\0');
      this.login(this.plainTag, 'AUTHENTICATE', user, password);
      this.plainTag = '';
      return;
    }
    const whole = this.pending + text;
    const literal = /\{(\d+)(\+?)\}$/.exec(whole);
    const count = Number(literal?.[1] ?? 0);
    if (literal === null) {
      this.pending = '';
      this.command(whole);
    } else if (count > literalBytesMax || whole.length > literalBytesMax) {
      this.socket.close('* BYE The literal is too long\r\n');
    } else {
      this.pending = whole.slice(0, literal.index);
      if (literal[2] === '') this.socket.send('+ Ready for additional command text.\r\n');
      if (count > 0) this.socket.takeBytes(count);
      else this.bytes(Buffer.alloc(0));
    }
  }

  private done(tag: string, text: string): void {
    this.socket.send(`${tag} ${text}\r\n`);
  }

  private command(text: string): void {
    const [tag = '*', name = '', ...rest] = wordsOf(text);
    const verb = name.toUpperCase();
    switch (verb) {
      case 'CAPABILITY': this.socket.send(`* CAPABILITY ${capabilities(this.socket.isSecure)}\r\n`); this.done(tag, 'OK CAPABILITY completed.'); return;
      case 'NOOP': this.done(tag, 'OK NOOP completed.'); return;
      case 'LOGOUT': this.socket.close(`* BYE Microsoft Exchange Server IMAP4 server signing off.\r\n${tag} OK LOGOUT completed.\r\n`); return;
      case 'STARTTLS': this.startTls(tag); return;
      case 'LOGIN': this.login(tag, verb, rest[0] ?? '', rest[1] ?? ''); return;
      case 'AUTHENTICATE': this.plainTag = tag; this.socket.send('+ \r\n'); return;
      default:
    }
    if (this.user === '') this.done(tag, 'BAD Command received in Invalid state.');
    else this.withUser(tag, verb, rest, text);
  }

  private startTls(tag: string): void {
    if (this.socket.isSecure) {
      this.done(tag, 'BAD Command received in Invalid state.');
      return;
    }
    this.done(tag, 'OK Begin TLS negotiation now.');
    this.socket.startTls();
  }

  private login(tag: string, verb: string, user: string, password: string): void {
    const good = this.socket.isSecure && this.mailboxes.mayLogIn(user, password);
    if (good) this.user = user;
    this.done(tag, good ? `OK ${verb} completed.` : `NO ${verb} failed.`);
  }

  private withUser(tag: string, verb: string, rest: readonly string[], text: string): void {
    const box = this.mailboxes.of(this.user);
    if (verb === 'LIST') {
      this.socket.send('* LIST (\\HasNoChildren) "/" INBOX\r\n');
      this.done(tag, 'OK LIST completed.');
    } else if (verb === 'STATUS') {
      this.socket.send(`* STATUS INBOX (MESSAGES ${box.length} UNSEEN ${box.filter((letter) => !letter.seen).length})\r\n`);
      this.done(tag, 'OK STATUS completed.');
    } else if (verb === 'SELECT' || verb === 'EXAMINE') {
      this.select(tag, verb, rest[0] ?? '', box);
    } else if (verb === 'IDLE') {
      this.idleTag = tag;
      this.socket.send('+ IDLE accepted, awaiting DONE command.\r\n');
    } else if (this.selected) {
      this.withFolder(tag, verb, rest, text, box);
    } else {
      this.done(tag, 'BAD Command received in Invalid state.');
    }
  }

  private select(tag: string, verb: string, folder: string, box: readonly Letter[]): void {
    this.selected = folder.toUpperCase() === 'INBOX';
    if (!this.selected) {
      this.done(tag, `NO ${folder} doesn't exist.`);
      return;
    }
    this.socket.send(`* ${box.length} EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen \\Deleted)\r\n* OK [UIDVALIDITY 1] UIDVALIDITY value\r\n`);
    this.done(tag, `OK [READ-${verb === 'SELECT' ? 'WRITE' : 'ONLY'}] ${verb} completed.`);
  }

  private withFolder(tag: string, verb: string, rest: readonly string[], text: string, box: readonly Letter[]): void {
    const chosen = box.map((letter, at) => ({ letter, place: at + 1 })).filter(({ place }) => inSet(rest[0] ?? '', place, box.length));
    if (verb === 'FETCH') {
      for (const { letter, place } of chosen) this.fetch(letter, place, text.toUpperCase());
      this.done(tag, 'OK FETCH completed.');
    } else if (verb === 'SEARCH') {
      this.socket.send(`* SEARCH${box.map((_letter, at) => ` ${at + 1}`).join('')}\r\n`);
      this.done(tag, 'OK SEARCH completed.');
    } else if (verb === 'STORE') {
      this.store(chosen, (rest[1] ?? '').startsWith('-'), text.toUpperCase());
      this.done(tag, 'OK STORE completed.');
    } else if (verb === 'EXPUNGE' || verb === 'CLOSE') {
      const gone = this.mailboxes.expunge(this.user);
      if (verb === 'EXPUNGE') this.socket.send(gone.map((place) => `* ${place} EXPUNGE\r\n`).join(''));
      else this.selected = false;
      this.done(tag, `OK ${verb} completed.`);
    } else {
      this.done(tag, 'BAD Command Error. 12');
    }
  }

  private store(chosen: readonly { letter: Letter; place: number }[], takeAway: boolean, text: string): void {
    for (const { letter, place } of chosen) {
      if (text.includes('\\SEEN')) letter.seen = !takeAway;
      if (text.includes('\\DELETED')) letter.deleted = !takeAway;
      this.socket.send(`* ${place} FETCH (FLAGS (${flagsOf(letter)}))\r\n`);
    }
  }

  private fetch(letter: Letter, place: number, asked: string): void {
    const text = letter.bytes.toString('latin1');
    const headEnd = text.indexOf('\r\n\r\n') + 4;
    const parts = [`UID ${letter.uid}`, `RFC822.SIZE ${text.length}`];
    const give = (name: string, body: string): number => parts.push(`${name} {${body.length}}\r\n${body}`);
    if (/RFC822(?=[ )]|$)/.test(asked)) give('RFC822', text);
    if (/BODY(?:\.PEEK)?\[\]/.test(asked)) give('BODY[]', text);
    if (/BODY(?:\.PEEK)?\[HEADER\]/.test(asked)) give('BODY[HEADER]', text.slice(0, headEnd));
    if (/RFC822(?=[ )]|$)|BODY\[/.test(asked)) letter.seen = true;
    this.socket.send(`* ${place} FETCH (FLAGS (${flagsOf(letter)}) ${parts.join(' ')})\r\n`);
  }
}

/** Whether a place lies in a set as `1,3:5,7:*` names it. */
function inSet(set: string, place: number, last: number): boolean {
  return set.split(',').some((range) => {
    const [from = 0, to = from] = range.split(':').map((end) => (end === '*' ? last : Number(end)));
    return place >= Math.min(from, to) && place <= Math.max(from, to);
  });
}
