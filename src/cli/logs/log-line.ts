/**
 * One line of a log file taken apart: HAProxy's httplog (httpslog too) and tcplog lines, whatever stands before them (syslog headers, journald's
 * prefix, nothing), and the second lines of `log-why`. One object is filled again for each line. Never throws; judges nothing.
 */

type LineKind = 'http' | 'tcp' | 'why' | 'other' | 'broken';

const timersForm = /^-?\d+(?:\/-?\d+)+\/\+?-?\d+$/;
/** Lines that HAProxy and Poise write about other things than requests and streams. */
const otherForms = /Connect (?:from|to) |(?:Backup )?(?:[Ss]erver|Proxy|backend|Health check for) \S+|: (?:SSL |Connection |Timeout |Received |Missing )|\[(?:ALERT|WARNING|NOTICE)\]|(?:poise|haproxy)\[\d+\]: /;
const months: Readonly<Record<string, number>> = { Jan: 0, Feb: 1, Mar: 2, Apr: 3, May: 4, Jun: 5, Jul: 6, Aug: 7, Sep: 8, Oct: 9, Nov: 10, Dec: 11 };

export class LogLine {
  text = '';
  kind: LineKind = 'broken';
  /** `10.1.2.3:40711` */
  client = '';
  /** `21/Nov/2026:08:13:13.123` */
  date = '';
  /** Without the ~ of TLS. */
  frontend = '';
  backend = '';
  server = '';
  /** -1 in mode tcp, and where HAProxy writes -1. */
  status = -1;
  /** Termination letters, 2 or 4. */
  letters = '';
  retries = 0;
  redispatched = false;
  /** The cause, of a why line. */
  why = '';
  private timers = '';
  private request = '';
  private minute = '';
  private minuteMs = 0;

  /** Takes a line without its end. */
  read(text: string): LineKind {
    this.text = text;
    this.kind = this.take(text);
    return this.kind;
  }

  private take(text: string): LineKind {
    const at = dateStart(text);
    if (at < 0) return otherForms.test(text) ? 'other' : 'broken';
    const dateEnd = text.indexOf(']', at);
    this.client = text.slice(text.lastIndexOf(' ', at - 3) + 1, at - 2);
    this.date = text.slice(at, dateEnd);
    const words = text.slice(dateEnd + 2).split(' ', 12);
    const [frontend = '', place = '', timers = ''] = words;
    if (words[1] === 'why:' || (frontend.endsWith(':') && frontend.includes('/'))) return 'other';
    this.frontend = frontend.endsWith('~') ? frontend.slice(0, -1) : frontend;
    const slash = place.indexOf('/');
    if (slash <= 0) return 'broken';
    this.backend = place.slice(0, slash);
    this.server = place.slice(slash + 1);
    this.status = -1;
    this.request = '';
    if (words[3] === 'why:') return this.takeWhy(text, timers);
    if (!timersForm.test(timers)) return 'broken';
    this.timers = timers;
    return count(timers) === 5 ? this.takeHttp(text, words) : count(timers) === 3 ? this.takeTcp(words) : 'broken';
  }

  private takeWhy(text: string, letters: string): LineKind {
    this.letters = letters;
    this.why = text.slice(text.indexOf(' why: ') + 6);
    return 'why';
  }

  private takeHttp(text: string, words: readonly string[]): LineKind {
    const [, , , status = '', bytes = '', , , letters = '', connections = '', queues = ''] = words;
    if (!/^-?\d+$/.test(status) || !/^\+?\d+$/.test(bytes) || letters.length !== 4 || !/^\d+\/\d+$/.test(queues) || !this.takeConnections(connections)) return 'broken';
    this.status = Number(status);
    this.letters = letters;
    const quote = text.indexOf(' "');
    if (quote >= 0) {
      const end = text.indexOf('"', quote + 2);
      this.request = text.slice(quote + 2, end < 0 ? text.length : end);
    }
    return 'http';
  }

  private takeTcp(words: readonly string[]): LineKind {
    const [, , , bytes = '', letters = '', connections = '', queues = ''] = words;
    if (!/^\+?\d+$/.test(bytes) || letters.length !== 2 || !/^\d+\/\d+$/.test(queues) || !this.takeConnections(connections)) return 'broken';
    this.letters = letters;
    return 'tcp';
  }

  /** `1/1/0/0/+1`: the last one is the number of retries, with + after a redispatch. */
  private takeConnections(text: string): boolean {
    if (!/^\d+\/\d+\/\d+\/\d+\/\+?\d+$/.test(text)) return false;
    const last = text.slice(text.lastIndexOf('/') + 1);
    this.redispatched = last.startsWith('+');
    this.retries = Number(last);
    return true;
  }

  /** `[TR, Tw, Tc, Tr, Ta]`, or `[Tw, Tc, Tt]` in mode tcp; -1 = did not happen. */
  times(): number[] {
    return this.timers.split('/').map(Number);
  }

  /** Ta, or Tt in mode tcp. */
  totalMs(): number {
    return Number(this.timers.slice(this.timers.lastIndexOf('/') + 1));
  }

  get method(): string {
    const end = this.request.indexOf(' ');
    return end < 0 ? this.request : this.request.slice(0, end);
  }

  /** Without the query; '' in mode tcp. */
  get path(): string {
    const from = this.request.indexOf(' ') + 1;
    if (from === 0) return '';
    const blank = this.request.indexOf(' ', from);
    const target = this.request.slice(from, blank < 0 ? this.request.length : blank);
    const query = target.indexOf('?');
    return query < 0 ? target : target.slice(0, query);
  }

  /** Date.now() of the date, which is in the local time of who wrote it. NaN when it is no date. */
  timeMs(): number {
    const minute = this.date.slice(0, 17);
    if (minute !== this.minute) {
      const [, day = '', month = '', year = '', hour = '', min = ''] = /^(\d\d)\/(\w{3})\/(\d{4}):(\d\d):(\d\d)$/.exec(minute) ?? [];
      this.minute = minute;
      this.minuteMs = new Date(Number(year), months[month] ?? Number.NaN, Number(day), Number(hour), Number(min)).getTime();
    }
    return this.minuteMs + Math.round(Number(this.date.slice(18)) * 1000);
  }
}

/** Where the text of the date begins, -1 = there is none. */
function dateStart(text: string): number {
  for (let at = text.indexOf(' ['); at >= 0; at = text.indexOf(' [', at + 1)) {
    if (text.charCodeAt(at + 4) === 0x2f && text.charCodeAt(at + 8) === 0x2f && text.charCodeAt(at + 13) === 0x3a && text.indexOf('] ', at) > 0) return at + 2;
  }
  return -1;
}

function count(timers: string): number {
  let parts = 1;
  for (let at = timers.indexOf('/'); at >= 0; at = timers.indexOf('/', at + 1)) parts += 1;
  return parts;
}
