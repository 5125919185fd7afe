/** The log-format variables: each reads the exchange's facts and prints them as HAProxy does. Called by compiled formats only. */
import { parseIp } from '../../base/ip.ts';
import type { FormatFlags } from '../../model/expression.ts';
import type { Subject } from '../subject.ts';
import { gmtDate, localDate, localWithMs, three } from './dates.ts';
import { escapeHeader, escapeUrl } from './escape.ts';

export type AliasFn = (s: Subject) => string;
type AliasMaker = (flags: FormatFlags) => AliasFn;

/** A text that may be missing: quoted, or '-' where a log needs something. */
function optionalText(text: string, flags: FormatFlags): string {
  if (flags.quote) return `"${text}"`;
  return text === '' && flags.mandatory ? '-' : text;
}

function text(read: (s: Subject) => string): AliasMaker {
  return (flags) => (s) => optionalText(read(s), flags);
}

/** As text, but nothing stays nothing. */
function bareText(read: (s: Subject) => string): AliasMaker {
  return (flags) => (s) => (flags.quote ? `"${read(s)}"` : read(s));
}

function number(read: (s: Subject) => number): AliasMaker {
  return () => (s) => String(read(s));
}

function hex(value: number, digits: number): string {
  return Math.max(value, 0).toString(16).toUpperCase().padStart(digits, '0');
}

function hexNumber(digits: number, read: (s: Subject) => number): AliasMaker {
  return (flags) => (flags.hex ? (s) => hex(read(s), digits) : (s) => String(read(s)));
}

function address(read: (s: Subject) => string): AliasMaker {
  return (flags) => (s) => {
    const value = read(s);
    const shown = flags.hex && value !== '' ? hexAddress(value) : value;
    return optionalText(shown, flags);
  };
}

function hexAddress(value: string): string {
  const ip = parseIp(value);
  return ip === undefined ? value : Buffer.from(ip.bytes).toString('hex').toUpperCase();
}

/** Port beside an address; '-' when there is no address. */
function port(readAddress: (s: Subject) => string, read: (s: Subject) => number): AliasMaker {
  return (flags) => (s) => {
    if (readAddress(s) === '') return optionalText('', { ...flags, quote: false });
    return flags.hex ? hex(read(s), 4) : String(read(s));
  };
}

function fixed(read: (s: Subject) => string): AliasMaker {
  return () => read;
}

/** `{a|b}`; nothing when the frontend captures nothing, or when there was no request to capture from. */
function braces(read: (s: Subject) => (string | undefined)[] | null, declared: (s: Subject) => number): AliasMaker {
  return (flags) => (s) => {
    const count = declared(s);
    if (count === 0 || s.facts.badRequest) return '';
    const values = read(s);
    let out = '{';
    for (let i = 0; i < count; i++) out += (i > 0 ? '|' : '') + escapeHeader(values?.[i] ?? '');
    return flags.quote ? `"${out}}"` : `${out}}`;
  };
}

/** CLF style: values apart, '-' for what was not captured. */
function list(read: (s: Subject) => (string | undefined)[] | null, declared: (s: Subject) => number): AliasMaker {
  return (flags) => (s) => {
    const count = declared(s);
    const values = read(s);
    const out: string[] = [];
    for (let i = 0; i < count; i++) {
      const value = values?.[i];
      if (flags.quote) out.push(`"${escapeHeader(value ?? '')}"`);
      else out.push(value === undefined ? '-' : escapeHeader(value));
    }
    return out.join(' ');
  };
}

function withoutQuery(uri: string): string {
  const at = uri.indexOf('?');
  return at < 0 ? uri : uri.slice(0, at);
}

/** Path part of the target as it came. */
function pathOnly(uri: string): string {
  const bare = withoutQuery(uri);
  if (bare.startsWith('/') || bare === '*') return bare;
  const authority = bare.indexOf('://');
  if (authority < 0) return bare;
  const slash = bare.indexOf('/', authority + 3);
  return slash < 0 ? '' : bare.slice(slash);
}

function bad(s: Subject, value: string): string {
  return s.facts.badRequest ? '<BADREQ>' : escapeUrl(value);
}

function clientAddress(s: Subject): string {
  return s.session.sourceAddress === '' ? 'unix' : s.session.sourceAddress;
}

function early(s: Subject, value: number): string {
  return s.facts.early ? `+${value}` : String(value);
}

/** '-' stands for nothing captured. */
function cookie(value: string): string {
  return value === '-' ? '' : escapeHeader(value);
}

function termination(s: Subject): string {
  return s.facts.cause + s.facts.stage;
}

/** %Td: data time, what is left of the total. */
function dataTime(s: Subject): number {
  const f = s.facts;
  const before = Math.max(f.handshakeMs, 0) + Math.max(f.idleMs, 0) + Math.max(f.requestMs, 0) + Math.max(f.queueMs, 0) + Math.max(f.connectMs, 0) + Math.max(f.responseMs, 0);
  return f.totalMs < 0 || f.connectMs < 0 || f.responseMs < 0 ? -1 : Math.max(f.totalMs - before, 0);
}

function requestTime(s: Subject): number {
  const f = s.facts;
  return f.requestMs < 0 ? -1 : Math.max(f.handshakeMs, 0) + Math.max(f.idleMs, 0) + f.requestMs;
}

/** Requests of this thread that asked for %rt, spread so that threads never give one number twice. */
class RequestCounter {
  private count = 0;

  next(s: Subject): number {
    return this.count++ * Math.max(s.world.model.global.nbthread, 1) + s.world.threadIndex;
  }
}

function requestSlots(s: Subject): number { return s.frontend.requestCaptures.length; }
function responseSlots(s: Subject): number { return s.frontend.responseCaptures.length; }

/** `counter` belongs to one Compiler, so that tests and threads do not share it. */
export function makeAliases(): Readonly<Record<string, AliasMaker>> {
  const counter = new RequestCounter();
  return {
    B: fixed((s) => early(s, s.facts.bytesToClient)), U: number((s) => s.facts.bytesFromClient),
    CC: text((s) => cookie(s.facts.requestCookie)), CS: text((s) => cookie(s.facts.responseCookie)),
    H: text((s) => s.world.hostname), ID: text((s) => escapeUrl(s.uniqueId)),
    HM: text((s) => bad(s, s.facts.method)), HU: text((s) => bad(s, s.facts.uri)), HV: text((s) => bad(s, s.facts.version)),
    HP: text((s) => bad(s, withoutQuery(s.facts.uri))), HPO: text((s) => bad(s, pathOnly(s.facts.uri))),
    HQ: bareText((s) => escapeUrl(s.facts.uri.slice(withoutQuery(s.facts.uri).length))),
    r: text((s) => bad(s, s.facts.requestLine)), ST: number((s) => s.facts.status),
    T: fixed((s) => gmtDate(s.facts.acceptDateMs)), Tl: fixed((s) => localDate(s.facts.acceptDateMs)), t: fixed((s) => localWithMs(s.facts.acceptDateMs)),
    tr: fixed((s) => localWithMs(s.facts.requestDateMs)), trg: fixed((s) => gmtDate(s.facts.requestDateMs)), trl: fixed((s) => localDate(s.facts.requestDateMs)),
    Ts: hexNumber(4, (s) => Math.floor(s.facts.acceptDateMs / 1000)), ms: fixed((s) => three(s.facts.acceptDateMs % 1000)),
    Th: number((s) => s.facts.handshakeMs), Ti: number((s) => s.facts.idleMs), TR: number((s) => s.facts.requestMs), Tq: number(requestTime),
    Tw: number((s) => s.facts.queueMs), Tc: number((s) => s.facts.connectMs), Tr: number((s) => s.facts.responseMs), Td: number(dataTime),
    Ta: fixed((s) => early(s, s.facts.activeMs)), Tt: fixed((s) => early(s, s.facts.totalMs)), Tu: fixed((s) => early(s, s.facts.totalMs - Math.max(s.facts.idleMs, 0))),
    ac: number((s) => s.world.processConnections()), fc: number((s) => s.world.frontendConnections(s.frontend.index)),
    bc: number((s) => (s.backend === null ? 0 : s.world.backendConnections(s.backend.index))),
    sc: number((s) => (s.server === null ? 0 : s.world.serverConnections(s.server.index))),
    sq: number((s) => s.facts.serverQueue), bq: number((s) => s.facts.backendQueue),
    rc: fixed((s) => (s.facts.redispatched ? `+${s.facts.retries}` : String(s.facts.retries))),
    f: text((s) => s.frontend.name), ft: text((s) => (s.session.tls === null ? s.frontend.name : `${s.frontend.name}~`)),
    b: text((s) => s.facts.backendName), s: text((s) => s.facts.serverName),
    ci: address(clientAddress), cp: port(clientAddress, (s) => s.session.sourcePort),
    fi: address((s) => s.session.destinationAddress), fp: port((s) => s.session.destinationAddress, (s) => s.session.destinationPort),
    si: address((s) => s.facts.serverAddress), sp: port((s) => s.facts.serverAddress, (s) => s.facts.serverPort),
    bi: address((s) => s.facts.ownAddress), bp: port((s) => s.facts.ownAddress, (s) => s.facts.ownPort),
    hr: braces((s) => s.requestCaptures, requestSlots), hs: braces((s) => s.responseCaptures, responseSlots),
    hrl: list((s) => s.requestCaptures, requestSlots), hsl: list((s) => s.responseCaptures, responseSlots),
    pid: hexNumber(4, (s) => s.world.pid), rt: hexNumber(4, (s) => counter.next(s)), lc: number((s) => counter.next(s)),
    sslc: text((s) => s.session.tls?.cipher() ?? ''), sslv: text((s) => s.session.tls?.protocol() ?? ''),
    ts: fixed(termination), tsc: fixed((s) => termination(s) + s.facts.cookieFound + s.facts.cookieSet),
  };
}

/** Variables that print nothing at all when there is nothing: the blank after them is then left out. */
export const vanishing: ReadonlySet<string> = new Set(['hr', 'hs', 'hrl', 'hsl']);
