/** Converters of integers: arithmetic, bits, booleans, dates. Integers are exact to 2^53 and saturate beyond 64 bits. */
import type { Sample, SampleValue, Subject } from '../subject.ts';
import { intArg, textArg, type Args, type ConvertFn, type ConvertMaker, type ConvertTable } from '../types.ts';
import { toBool, toInt } from '../values.ts';
import { readVar } from '../vars.ts';

const int64Max = 2 ** 63;

function saturate(value: number): number {
  return Math.max(-int64Max, Math.min(int64Max, value));
}

/** The second operand: a number, or a variable read each time. */
function operand(args: Args): (s: Subject) => number | undefined {
  const [arg] = args;
  if (arg?.kind === 'int') return () => arg.value;
  if (arg?.kind !== 'var') return () => undefined;
  return (s) => {
    const value = readVar(s, arg.scope, arg.name);
    return value === undefined ? undefined : toInt(value);
  };
}

function arithmetic(run: (a: number, b: number) => Sample): ConvertMaker {
  return (args) => {
    const second = operand(args);
    return (value, s) => {
      const a = toInt(value);
      const b = second(s);
      return a === undefined || b === undefined ? undefined : run(a, b);
    };
  };
}

/** Bit operations on 64 bits; the common 32-bit case avoids BigInt. */
function bits(small: (a: number, b: number) => number, big: (a: bigint, b: bigint) => bigint): ConvertMaker {
  return arithmetic((a, b) => {
    if (a >= 0 && b >= 0 && a <= 0x7fffffff && b <= 0x7fffffff) return small(a, b);
    return Number(BigInt.asIntN(64, big(BigInt(Math.trunc(a)), BigInt(Math.trunc(b)))));
  });
}

function onInt(run: (value: number) => Sample): ConvertMaker {
  return () => (value) => {
    const number = toInt(value);
    return number === undefined ? undefined : run(number);
  };
}

function negateZero(value: number): number {
  return value === 0 ? 0 : -value;
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** The parts of a date in local time or UTC that strftime needs. */
interface DateParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly zone: string;
  readonly zoneName: string;
  readonly epoch: number;
}

function partsOf(seconds: number, utc: boolean): DateParts {
  const d = new Date(seconds * 1000);
  const offset = utc ? 0 : -d.getTimezoneOffset();
  const shifted = new Date(seconds * 1000 + offset * 60_000);
  const size = Math.abs(offset);
  return {
    year: shifted.getUTCFullYear(), month: shifted.getUTCMonth(), day: shifted.getUTCDate(), weekday: shifted.getUTCDay(),
    hour: shifted.getUTCHours(), minute: shifted.getUTCMinutes(), second: shifted.getUTCSeconds(),
    zone: `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`,
    zoneName: utc ? 'GMT' : /\(([^)]+)\)/.exec(d.toString())?.[1] ?? 'UTC', epoch: seconds,
  };
}

function dayOfYear(p: DateParts): number {
  return Math.round((Date.UTC(p.year, p.month, p.day) - Date.UTC(p.year, 0, 1)) / 86_400_000) + 1;
}

/** Week of the year; weeks begin on Sunday (0) or Monday (1). */
function week(p: DateParts, begins: 0 | 1): number {
  return Math.floor((dayOfYear(p) + 6 - ((p.weekday - begins + 7) % 7)) / 7);
}

function isoWeek(p: DateParts): { readonly year: number; readonly week: number } {
  const thursday = new Date(Date.UTC(p.year, p.month, p.day + 4 - (p.weekday === 0 ? 7 : p.weekday)));
  const year = thursday.getUTCFullYear();
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / 604_800_000) + 1 };
}

type Field = (p: DateParts) => string;

const hour12 = (p: DateParts): number => (p.hour % 12 === 0 ? 12 : p.hour % 12);

/** strftime(3) in the C locale. */
const fields: Readonly<Record<string, Field>> = {
  a: (p) => (days[p.weekday] ?? '').slice(0, 3), A: (p) => days[p.weekday] ?? '', b: (p) => (months[p.month] ?? '').slice(0, 3), B: (p) => months[p.month] ?? '',
  h: (p) => (months[p.month] ?? '').slice(0, 3), c: (p) => strftime('%a %b %e %H:%M:%S %Y', p), C: (p) => two(Math.floor(p.year / 100)), d: (p) => two(p.day),
  D: (p) => strftime('%m/%d/%y', p), e: (p) => String(p.day).padStart(2), F: (p) => strftime('%Y-%m-%d', p), g: (p) => two(isoWeek(p).year % 100),
  G: (p) => String(isoWeek(p).year), H: (p) => two(p.hour), I: (p) => two(hour12(p)), j: (p) => String(dayOfYear(p)).padStart(3, '0'),
  k: (p) => String(p.hour).padStart(2), l: (p) => String(hour12(p)).padStart(2), m: (p) => two(p.month + 1), M: (p) => two(p.minute), n: () => '\n',
  p: (p) => (p.hour < 12 ? 'AM' : 'PM'), P: (p) => (p.hour < 12 ? 'am' : 'pm'), r: (p) => strftime('%I:%M:%S %p', p), R: (p) => strftime('%H:%M', p),
  s: (p) => String(p.epoch), S: (p) => two(p.second), t: () => '\t', T: (p) => strftime('%H:%M:%S', p), u: (p) => String(p.weekday === 0 ? 7 : p.weekday),
  U: (p) => two(week(p, 0)), V: (p) => two(isoWeek(p).week), w: (p) => String(p.weekday), W: (p) => two(week(p, 1)), x: (p) => strftime('%m/%d/%y', p),
  X: (p) => strftime('%H:%M:%S', p), y: (p) => two(p.year % 100), Y: (p) => String(p.year), z: (p) => p.zone, Z: (p) => p.zoneName, '%': () => '%',
};

function strftime(format: string, p: DateParts): string {
  return format.replaceAll(/%([a-zA-Z%])/g, (text, letter: string) => fields[letter]?.(p) ?? text);
}

function timeFormat(utc: boolean): ConvertMaker {
  return (args) => {
    const format = textArg(args, 0);
    const offset = intArg(args, 1, 0);
    return (value) => {
      const seconds = toInt(value);
      return seconds === undefined ? undefined : strftime(format, partsOf(seconds + offset, utc));
    };
  };
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, ms: 1000, us: 1_000_000 };

function httpDate(args: Args): ConvertFn {
  const offset = intArg(args, 0, 0);
  const divisor = unitSeconds[textArg(args, 1, 's')] ?? 1;
  return (value: SampleValue) => {
    const time = toInt(value);
    if (time === undefined) return undefined;
    const date = new Date(Math.floor((time + offset) / divisor) * 1000);
    if (Number.isNaN(date.getTime())) return undefined;
    if (divisor === 1) return date.toUTCString();
    const fraction = String((((time + offset) % divisor) + divisor) % divisor).padStart(String(divisor).length - 1, '0');
    return date.toUTCString().replace(/ GMT$/, `.${fraction} GMT`);
  };
}

export const numberConverters: ConvertTable = {
  add: arithmetic((a, b) => saturate(a + b)),
  sub: arithmetic((a, b) => saturate(a - b)),
  mul: arithmetic((a, b) => saturate(a * b)),
  // Division by zero gives the largest integer, as in HAProxy.
  div: arithmetic((a, b) => (b === 0 ? (a < 0 ? -int64Max : int64Max) : Math.trunc(a / b))),
  mod: arithmetic((a, b) => (b === 0 ? 0 : a % b === 0 ? 0 : a % b)),
  and: bits((a, b) => a & b, (a, b) => a & b),
  or: bits((a, b) => a | b, (a, b) => a | b),
  xor: bits((a, b) => a ^ b, (a, b) => a ^ b),
  neg: onInt(negateZero),
  cpl: onInt((value) => -value - 1),
  bool: onInt((value) => value !== 0),
  not: onInt((value) => value === 0),
  odd: onInt((value) => value % 2 !== 0),
  even: onInt((value) => value % 2 === 0),
  iif: (args) => {
    const yes = textArg(args, 0);
    const no = textArg(args, 1);
    return (value) => {
      const test = toBool(value);
      return test === undefined ? undefined : test ? yes : no;
    };
  },
  http_date: httpDate,
  ltime: timeFormat(false),
  utime: timeFormat(true),
};
