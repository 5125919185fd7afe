/**
 * The head of one HTTP/1 message over the bytes it came in: a table of offsets, strings only when somebody asks, edits kept
 * beside the bytes. Filled by HeadParser, written by writeHead(); used again for later messages. Never copies the bytes.
 */
import type { Head } from '../head.ts';
import { equalsLower, lower } from './chars.ts';

/** Columns of the line table. */
export const column = { nameStart: 0, nameEnd: 1, valueStart: 2, valueEnd: 3, next: 4, name: 5, state: 6, stride: 7 } as const;

/** Header names the data plane looks at itself. 0 is any other name; a bit of `known` tells that a line with it came. */
export const known = {
  other: 0, connection: 1, contentLength: 2, transferEncoding: 3, host: 4, upgrade: 5, expect: 6, authorization: 7,
  wwwAuthenticate: 8, proxyAuthenticate: 9, persistentAuth: 10, secWebsocketKey: 11, proxyAuthorization: 12, forwardedFor: 13, cookie: 14,
} as const;

const knownByLength: readonly (readonly [string, number][])[] = Array.from({ length: 21 }, (_, length) => ([
  ['connection', known.connection], ['content-length', known.contentLength], ['transfer-encoding', known.transferEncoding],
  ['host', known.host], ['upgrade', known.upgrade], ['expect', known.expect], ['authorization', known.authorization],
  ['www-authenticate', known.wwwAuthenticate], ['proxy-authenticate', known.proxyAuthenticate], ['persistent-auth', known.persistentAuth],
  ['sec-websocket-key', known.secWebsocketKey], ['proxy-authorization', known.proxyAuthorization], ['x-forwarded-for', known.forwardedFor],
  ['cookie', known.cookie],
] as [string, number][]).filter(([name]) => name.length === length));

/** The known name in bytes[from..to), or 0. */
export function knownName(bytes: Uint8Array, from: number, to: number): number {
  const names = knownByLength[to - from];
  if (names === undefined) return 0;
  for (const [name, id] of names) if (equalsLower(bytes, from, name)) return id;
  return 0;
}

/** States of a line in the table. */
export const lineState = { asCame: 0, removed: 1, replaced: 2 } as const;

const noBytes = Buffer.alloc(0);
const firstLines = 24;

export class Http1Head implements Head {
  readonly isResponse: boolean;
  bytes: Buffer = noBytes;
  /** Offsets of the start line's parts in `bytes`. For a response: status and reason stand in for method and target. */
  start = 0;
  firstEnd = 0;
  secondStart = 0;
  secondEnd = 0;
  thirdStart = 0;
  thirdEnd = 0;
  /** First byte after the start line, first byte of the empty line, first byte of the body. */
  linesStart = 0;
  linesEnd = 0;
  end = 0;
  table: Int32Array = new Int32Array(firstLines * column.stride);
  /** Lines that came. */
  parsedCount = 0;
  /** Bit 1 << known.x for every known name that came. */
  knownMask = 0;
  /** Something must be spelled anew: bare LF, odd blanks in the start line, another protocol version. */
  irregular = false;
  edited = false;
  statusCode = 0;
  minor = 1;
  private addedNames: string[] = [];
  private addedValues: string[] = [];
  private addedRemoved: boolean[] = [];
  private replacements: Map<number, string> | null = null;
  private methodText: string | null = null;
  private uriText: string | null = null;
  private reasonText: string | null = null;
  private pathText: string | null = null;
  private queryText: string | null = null;
  startEdited = false;

  constructor(isResponse: boolean) {
    this.isResponse = isResponse;
  }

  /** Forgets the message; the table keeps its size. */
  reset(): void {
    this.bytes = noBytes;
    this.parsedCount = 0;
    this.knownMask = 0;
    this.irregular = false;
    this.statusCode = 0;
    this.minor = 1;
    this.methodText = null;
    this.uriText = null;
    this.reasonText = null;
    this.pathText = null;
    this.queryText = null;
    if (!this.edited) return;
    this.edited = false;
    this.startEdited = false;
    this.addedNames = [];
    this.addedValues = [];
    this.addedRemoved = [];
    this.replacements = null;
  }

  /** Room for one more line. */
  grow(): void {
    const larger = new Int32Array(this.table.length * 2);
    larger.set(this.table);
    this.table = larger;
  }

  /** The bytes before `delta` were dropped: every offset moves down. */
  rebase(bytes: Buffer, delta: number): void {
    this.bytes = bytes;
    this.start -= delta;
    this.firstEnd -= delta;
    this.secondStart -= delta;
    this.secondEnd -= delta;
    this.thirdStart -= delta;
    this.thirdEnd -= delta;
    this.linesStart -= delta;
    this.linesEnd -= delta;
    this.end -= delta;
    for (let line = 0; line <= this.parsedCount; line += 1) {
      const at = line * column.stride;
      if (at >= this.table.length) break;
      for (let cell = at; cell < at + column.name; cell += 1) this.table[cell] = (this.table[cell] as number) - delta;
    }
  }

  // ---- start line
  get method(): string {
    this.methodText ??= this.isResponse ? '' : this.bytes.toString('latin1', this.start, this.firstEnd);
    return this.methodText;
  }
  set method(value: string) {
    this.methodText = value;
    this.editStart();
  }

  get uri(): string {
    this.uriText ??= this.isResponse ? '' : this.bytes.toString('latin1', this.secondStart, this.secondEnd);
    return this.uriText;
  }
  set uri(value: string) {
    this.uriText = value;
    this.pathText = null;
    this.queryText = null;
    this.editStart();
  }

  get minorVersion(): number { return this.minor; }
  set minorVersion(value: number) {
    this.minor = value;
    this.editStart();
  }

  get status(): number { return this.statusCode; }
  set status(value: number) {
    this.statusCode = value;
    this.editStart();
  }

  get reason(): string {
    this.reasonText ??= this.isResponse ? this.bytes.toString('latin1', this.thirdStart, this.thirdEnd) : '';
    return this.reasonText;
  }
  set reason(value: string) {
    this.reasonText = value;
    this.editStart();
  }

  private editStart(): void {
    this.edited = true;
    this.startEdited = true;
  }

  /** The request line as it came, before any edit, with single blanks. */
  lineAsCame(): string {
    const { bytes } = this;
    if (!this.irregular) return bytes.toString('latin1', this.start, this.thirdEnd);
    const version = this.thirdEnd > this.thirdStart ? bytes.toString('latin1', this.thirdStart, this.thirdEnd) : 'HTTP/1.0';
    return `${this.methodAsCame()} ${this.uriAsCame()} ${version}`;
  }

  methodAsCame(): string { return this.bytes.toString('latin1', this.start, this.firstEnd); }
  uriAsCame(): string { return this.bytes.toString('latin1', this.secondStart, this.secondEnd); }
  versionAsCame(): string { return this.bytes.toString('latin1', this.thirdStart, this.thirdEnd); }

  // ---- header lines
  get lineCount(): number { return this.parsedCount + this.addedNames.length; }

  isRemoved(index: number): boolean {
    if (index < this.parsedCount) return this.table[index * column.stride + column.state] === lineState.removed;
    return this.addedRemoved[index - this.parsedCount] ?? true;
  }

  find(lowerName: string, from: number): number {
    const { table, bytes, parsedCount } = this;
    const length = lowerName.length;
    const first = lowerName.charCodeAt(0);
    for (let index = from; index < parsedCount; index += 1) {
      const at = index * column.stride;
      const nameStart = table[at] as number;
      if ((table[at + column.nameEnd] as number) - nameStart !== length) continue;
      if (lower[bytes[nameStart] as number] !== first || table[at + column.state] === lineState.removed) continue;
      if (equalsLower(bytes, nameStart, lowerName)) return index;
    }
    for (let index = Math.max(from - parsedCount, 0); index < this.addedNames.length; index += 1) {
      if (this.addedRemoved[index] === false && this.addedNames[index]?.toLowerCase() === lowerName) return parsedCount + index;
    }
    return -1;
  }

  /** First line from `from` on with this known name that came and was not removed, or -1. Asks the mask first. */
  findKnown(id: number, from: number): number {
    if ((this.knownMask & (1 << id)) === 0) return -1;
    const { table, parsedCount } = this;
    for (let index = from; index < parsedCount; index += 1) {
      const at = index * column.stride;
      if (table[at + column.name] === id && table[at + column.state] !== lineState.removed) return index;
    }
    return -1;
  }

  name(index: number): string {
    const added = index - this.parsedCount;
    if (added >= 0) return this.addedNames[added] ?? '';
    const at = index * column.stride;
    return this.bytes.toString('latin1', this.table[at], this.table[at + column.nameEnd]);
  }

  value(index: number): string {
    const added = index - this.parsedCount;
    if (added >= 0) return this.addedValues[added] ?? '';
    const at = index * column.stride;
    if (this.table[at + column.state] === lineState.replaced) return this.replacements?.get(index) ?? '';
    return this.bytes.toString('latin1', this.table[at + column.valueStart], this.table[at + column.valueEnd]);
  }

  remove(index: number): void {
    this.edited = true;
    if (index < this.parsedCount) this.table[index * column.stride + column.state] = lineState.removed;
    else this.addedRemoved[index - this.parsedCount] = true;
  }

  /**
   * Removes a line that came by moving what stands before it over it, so that the rest still leaves as one slice. For heads that
   * nobody has edited yet; the bytes are ours.
   */
  excise(index: number): void {
    const { table, bytes } = this;
    const row = index * column.stride;
    const from = table[row] as number;
    const next = table[row + column.next] as number;
    const length = next - from;
    bytes.copyWithin(this.start + length, this.start, from);
    this.start += length;
    this.firstEnd += length;
    this.secondStart += length;
    this.secondEnd += length;
    this.thirdStart += length;
    this.thirdEnd += length;
    this.linesStart += length;
    for (let at = 0; at < row; at += column.stride) {
      for (let cell = at; cell < at + column.name; cell += 1) table[cell] = (table[cell] as number) + length;
    }
    table[row] = next;
    table[row + column.state] = lineState.removed;
  }

  /** Takes bytes[from..from + length) out of the request target, as if they had never come. */
  cutTarget(from: number, length: number): void {
    this.bytes.copyWithin(this.start + length, this.start, from);
    this.start += length;
    this.firstEnd += length;
    this.secondStart += length;
    this.uriText = null;
  }

  setValue(index: number, value: string): void {
    this.edited = true;
    if (index >= this.parsedCount) {
      this.addedValues[index - this.parsedCount] = value;
      return;
    }
    this.replacements ??= new Map();
    this.replacements.set(index, value);
    this.table[index * column.stride + column.state] = lineState.replaced;
  }

  append(name: string, value: string): void {
    this.edited = true;
    this.addedNames.push(name);
    this.addedValues.push(value);
    this.addedRemoved.push(false);
  }

  path(): string {
    this.pathText ??= pathOf(this.uri);
    return this.pathText;
  }

  query(): string {
    if (this.queryText !== null) return this.queryText;
    const mark = this.uri.indexOf('?');
    this.queryText = mark < 0 ? '' : this.uri.slice(mark + 1);
    return this.queryText;
  }
}

/** Path of a request target: origin form, or what follows the authority of an absolute form; '' when there is none. */
function pathOf(uri: string): string {
  let from = 0;
  if (uri.charCodeAt(0) !== 0x2f) {
    const scheme = uri.indexOf('://');
    if (scheme <= 0) return '';
    from = uri.indexOf('/', scheme + 3);
    if (from < 0) return '';
  }
  const mark = uri.indexOf('?', from);
  return mark < 0 ? uri.slice(from) : uri.slice(from, mark);
}
