/**
 * Turns one log line into the datagram (or text line) that a log target gets: priority, time stamp, host, tag, pid, structured
 * data, text, newline, cut to the target's length. Used by control/log-writer.ts. Knows no sockets and no clock of its own.
 * Formats: configuration manual, `log … format`; RFC 3164 section 4.1, RFC 5424 section 6.
 */
import { months } from '../base/months.ts';
import type { LogTarget } from '../model/model.ts';

const syslogLevels = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;
type SyslogLevel = (typeof syslogLevels)[number];

/** Level numbers by name, for callers that log by name. */
export const syslogLevel: Readonly<Record<SyslogLevel, number>> = Object.freeze(
  Object.fromEntries(syslogLevels.map((name, index) => [name, index])) as Record<SyslogLevel, number>,
);

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** Offset of local time from UTC as `+01:00`. */
function zone(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Time stamps in local time; the part that changes once a second is kept. One per writer, fed with rising times. */
export class SyslogTime {
  private second = -1;
  private bsd = '';
  private isoHead = '';
  private isoZone = '';

  private turn(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.second) return;
    this.second = second;
    const date = new Date(second * 1000);
    const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
    this.bsd = `${months[date.getMonth()] ?? ''} ${String(date.getDate()).padStart(2, ' ')} ${clock}`;
    this.isoHead = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${clock}.`;
    this.isoZone = zone(date);
  }

  /** `Nov 20 22:54:56` */
  rfc3164(nowMs: number): string {
    this.turn(nowMs);
    return this.bsd;
  }

  /** `2026-11-20T22:54:56.123000+00:00`; microseconds as far as the clock gives them. */
  iso(nowMs: number): string {
    this.turn(nowMs);
    const micros = Math.floor((nowMs - this.second * 1000) * 1000);
    return `${this.isoHead}${String(micros).padStart(6, '0')}${this.isoZone}`;
  }
}

/** What stays the same for all lines that one process writes for one proxy. */
export interface SyslogOrigin {
  /** Host name, '' when none is to be sent. */
  readonly hostname: string;
  readonly tag: string;
  readonly pid: number;
}

export type SyslogFormat = Exclude<LogTarget['format'], 'unset'>;

/** Bytes before the structured data (rfc5424) or before the text (all others). */
export function syslogHead(
  format: SyslogFormat, facility: number, level: number, origin: SyslogOrigin, time: SyslogTime, nowMs: number,
): string {
  switch (format) {
    case 'rfc3164':
      return `<${facility * 8 + level}>${time.rfc3164(nowMs)} ${origin.hostname === '' ? 'localhost' : origin.hostname} ${origin.tag}[${origin.pid}]: `;
    case 'local':
      return `<${facility * 8 + level}>${time.rfc3164(nowMs)} ${origin.tag}[${origin.pid}]: `;
    case 'rfc5424':
      return `<${facility * 8 + level}>1 ${time.iso(nowMs)} ${origin.hostname === '' ? '-' : origin.hostname} ${origin.tag} ${origin.pid} - `;
    case 'priority':
      return `<${facility * 8 + level}>`;
    case 'short':
      return `<${level}>`;
    case 'timed':
      return `<${level}>${time.iso(nowMs)} `;
    case 'iso':
      return `${time.iso(nowMs)} `;
    case 'raw':
      return '';
  }
}

/** What a message may have besides head, structured data and line: `- ` and the newline. */
export const messageExtraBytes = 3;
const dash = 0x2d;
const blank = 0x20;
const newline = 0x0a;

/**
 * Puts a whole message together at to[start..] and gives its length. The line stands at from[at .. at + line), `sd` bytes of structured
 * data behind it (rfc5424 alone uses them). The newline is not counted in the limit.
 */
export function writeMessage(
  to: Buffer, start: number, format: SyslogFormat, head: Buffer, from: Buffer, at: number, line: number, sd: number, lengthBytesMax: number,
): number {
  const stop = start + lengthBytesMax;
  let end = start + head.copy(to, start, 0, lengthBytesMax);
  if (format === 'rfc5424') {
    if (sd > 0) end += from.copy(to, end, at + line, at + line + Math.min(sd, stop - end));
    else if (end < stop) to[end++] = dash;
    if (end < stop) to[end++] = blank;
  }
  end += from.copy(to, end, at, at + Math.min(line, stop - end));
  to[end] = newline;
  return end + 1 - start;
}
