/**
 * The last malformed request and answer of every proxy, for `show errors`. Filled from messages of the traffic threads, bounded
 * by limits.errorCaptureBytesMax each; a proxy that stays keeps its own over a reload. Printed in HAProxy's layout. Bytes of clients are
 * shown escaped, never as they are.
 */
import { months } from '../base/months.ts';
import type { ToControl } from '../model/messages.ts';
import { limits } from '../model/limits.ts';
import type { Model } from '../model/model.ts';

type CapturedError = Extract<ToControl, { type: 'captured-error' }>;

interface Kept {
  readonly number: number;
  readonly error: CapturedError;
  /** `s1 (#1)`, as it was then. */
  readonly server: string;
}

/** Printed characters per line of a dump. */
const lineWidth = 70;

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** `20/Nov/2026:22:55:51.270`, local time. */
export function dateText(ms: number): string {
  const at = new Date(ms);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  return `${two(at.getDate())}/${months[at.getMonth()] ?? ''}/${at.getFullYear()}:${time}`;
}

function printable(byte: number): string {
  if (byte === 0x0d) return '\\r';
  if (byte === 0x0a) return '\\n';
  if (byte === 0x09) return '\\t';
  if (byte === 0x5c) return '\\\\';
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0').toUpperCase()}`;
}

/** Offset, '+' on continued lines, text; a new line after every line feed. */
function dump(bytes: Uint8Array): string {
  let out = '';
  let start = 0;
  let continued = false;
  while (start < bytes.length) {
    let line = '';
    let index = start;
    let ended = false;
    while (index < bytes.length && !ended) {
      const byte = bytes[index] ?? 0;
      const piece = printable(byte);
      if (line.length + piece.length > lineWidth) break;
      line += piece;
      ended = byte === 0x0a;
      index += 1;
    }
    out += `  ${String(start).padStart(5, '0')}${continued ? '+' : ' '} ${line}\n`;
    continued = !ended;
    start = index;
  }
  return out;
}

export class CapturedErrors {
  private readonly model: Model;
  /** By proxy and side. */
  private readonly kept = new Map<string, Kept>();
  private total = 0;

  /** `former`: before a reload, and where a proxy of then stands now, −1 = nowhere. */
  constructor(model: Model, former?: { readonly errors: CapturedErrors; readonly indexNow: (proxy: number) => number }) {
    this.model = model;
    if (former === undefined) return;
    const { errors, indexNow } = former;
    this.total = errors.total;
    for (const { error, ...kept } of errors.kept.values()) {
      const proxy = indexNow(error.proxy);
      if (proxy >= 0) this.kept.set(`${proxy} ${error.side}`, { ...kept, error: { ...error, proxy } });
    }
  }

  capture(error: CapturedError): void {
    const bytes = error.bytes.length > limits.errorCaptureBytesMax ? error.bytes.slice(0, limits.errorCaptureBytesMax) : error.bytes;
    const server = this.model.servers[error.server];
    this.kept.set(`${error.proxy} ${error.side}`, { number: this.total, error: { ...error, bytes }, server: server === undefined ? '<NONE> (#-1)' : `${server.name} (#${server.sid})` });
    this.total += 1;
  }

  /** `proxy` -1 = all. */
  text(proxy: number, side: 'request' | 'response' | 'both', nowMs: number): string {
    let out = `Total events captured on [${dateText(nowMs)}] : ${this.total}\n`;
    for (const { index } of this.model.proxies) {
      if (proxy >= 0 && index !== proxy) continue;
      if (side !== 'response') out += this.one(this.kept.get(`${index} request`));
      if (side !== 'request') out += this.one(this.kept.get(`${index} response`));
    }
    return out;
  }

  private one(kept: Kept | undefined): string {
    if (kept === undefined) return '';
    const { error, number, server } = kept;
    const proxy = this.model.proxies[error.proxy];
    const name = `${proxy?.name ?? ''} (#${proxy?.iid ?? -1})`;
    const head = error.side === 'request'
      ? `frontend ${name}: invalid request\n  backend <NONE> (#-1), server ${server}`
      : `backend ${name}: invalid response\n  frontend <NONE> (#-1), server ${server}`;
    return ` \n[${dateText(error.atMs)}] ${head}, event #${number}, src ${error.client}\n` +
      `  len ${error.bytes.length}, error at position ${error.position}: ${error.why}\n  \n${dump(error.bytes)}`;
  }
}
