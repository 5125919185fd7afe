/** Dates as logs write them. The part down to the second is kept for the next line of the same second. */
import { months } from '../../base/months.ts';

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

export function three(value: number): string {
  return value < 10 ? `00${value}` : value < 100 ? `0${value}` : String(value);
}

function localText(ms: number): string {
  const d = new Date(ms);
  return `${two(d.getDate())}/${months[d.getMonth()]}/${d.getFullYear()}:${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

function gmtText(ms: number): string {
  const d = new Date(ms);
  return `${two(d.getUTCDate())}/${months[d.getUTCMonth()]}/${d.getUTCFullYear()}:${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())} +0000`;
}

function zone(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

/** Remembers the text of one second. */
class SecondCache {
  private second = -1;
  private text = '';
  private readonly make: (ms: number) => string;

  constructor(make: (ms: number) => string) {
    this.make = make;
  }

  of(ms: number): string {
    const second = Math.floor(ms / 1000);
    if (second !== this.second) {
      this.second = second;
      this.text = this.make(second * 1000);
    }
    return this.text;
  }
}

const local = new SecondCache(localText);
const gmt = new SecondCache(gmtText);
const localZone = new SecondCache((ms) => `${localText(ms)} ${zone(ms)}`);

/** 20/Nov/2026:22:59:24.735 */
export function localWithMs(ms: number): string { return `${local.of(ms)}.${three(ms % 1000)}`; }
/** 20/Nov/2026:22:59:24 +0000 in GMT. */
export function gmtDate(ms: number): string { return gmt.of(ms); }
/** 20/Nov/2026:23:59:24 +0100 in local time. */
export function localDate(ms: number): string { return localZone.of(ms); }
