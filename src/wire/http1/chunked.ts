/**
 * Follows a chunked body (RFC 9112 7.1) over any split of the input and says where it ends. Bytes pass as they came; only size
 * lines that another reader could understand otherwise (extensions, blanks, bare line feeds, many zeros) and trailers are spelled
 * anew. Used by traffic/http in both directions, one reader per direction. Never keeps body bytes.
 */
import { limits } from '../../model/limits.ts';
import { broken } from './broken.ts';
import { hexValue } from './chars.ts';
import { Http1Head } from './head.ts';
import { HeadParser, parsed } from './head-parser.ts';

const at = { size: 0, sizeBlanks: 1, extension: 2, sizeLf: 3, data: 4, dataCr: 5, dataLf: 6, trailers: 7, done: 8, bad: 9 } as const;

const cr = 0x0d;
const lf = 0x0a;
const digitsMax = 15;

export class ChunkedReader {
  /**
   * What to send for the last read(): null = bytes[from..rawEnd) as they are, else these pieces. Valid until the next read.
   */
  pieces: Uint8Array[] | null = null;
  rawEnd = 0;
  /** Where the byte at fault stood in the last read. */
  position = 0;
  /** Once `bad`: what is wrong, in words. */
  broken = '';
  /** Set to an array by a caller that wants the body itself: data without the framing is put there too. */
  data: Uint8Array[] | null = null;
  private state: number = at.size;
  private left = 0;
  private digits = 0;
  private lineBytes = 0;
  /** The size line under way has to be spelled anew. */
  private odd = false;
  private runStart = 0;
  private trailers: HeadParser | null = null;

  get done(): boolean { return this.state === at.done; }
  get bad(): boolean { return this.state === at.bad; }

  reset(): void {
    this.pieces = null;
    this.data = null;
    this.state = at.size;
    this.left = 0;
    this.digits = 0;
    this.lineBytes = 0;
    this.odd = false;
    this.trailers = null;
  }

  /** Reads bytes[from..to) and gives the first position that is not part of the body; `to` unless done or bad. */
  read(bytes: Buffer, from: number, to: number): number {
    this.pieces = null;
    this.runStart = from;
    let position = from;
    let lineStart = from;
    while (position < to && this.state < at.done) {
      if (this.state === at.data) {
        position = this.takeData(bytes, position, to);
      } else if (this.state === at.trailers) {
        position = this.takeTrailers(bytes, position, to);
      } else {
        if (this.state === at.size && this.digits === 0) lineStart = position;
        position = this.state < at.data ? this.sizeLine(bytes, position, to, lineStart) : this.dataEnd(bytes, position);
      }
    }
    // A line that goes on in the next read is held back and spelled anew then.
    const held = this.state < at.data && this.digits > 0;
    if (held) this.odd = true;
    this.rawEnd = held ? Math.max(lineStart, this.runStart) : position;
    this.position = position;
    this.finishPieces(bytes);
    return position;
  }

  private finishPieces(bytes: Buffer): void {
    if (this.pieces !== null && this.rawEnd > this.runStart) this.pieces.push(bytes.subarray(this.runStart, this.rawEnd));
  }

  private takeData(bytes: Buffer, position: number, to: number): number {
    const taken = Math.min(this.left, to - position);
    this.data?.push(bytes.subarray(position, position + taken));
    this.left -= taken;
    if (this.left === 0) this.state = at.dataCr;
    return position + taken;
  }

  private dataEnd(bytes: Buffer, position: number): number {
    const code = bytes[position] as number;
    if (this.state === at.dataCr && code === cr) {
      this.state = at.dataLf;
      return position + 1;
    }
    if (code !== lf) return this.fail(position, broken.chunkEnd);
    if (this.state === at.dataCr) this.insert(bytes, position, position + 1, '\r\n');
    this.startLine();
    return position + 1;
  }

  private startLine(): void {
    this.state = at.size;
    this.left = 0;
    this.digits = 0;
    this.lineBytes = 0;
    this.odd = false;
  }

  private sizeLine(bytes: Buffer, from: number, to: number, lineStart: number): number {
    let position = from;
    while (position < to) {
      const code = bytes[position] as number;
      this.lineBytes += 1;
      if (this.lineBytes > limits.chunkLineBytesMax) return this.fail(position, broken.chunkLine);
      if (this.state === at.size) {
        const digit = hexValue[code] as number;
        if (digit < 16) {
          if (this.digits >= digitsMax) this.odd = true;
          this.left = this.left * 16 + digit;
          if (this.left > Number.MAX_SAFE_INTEGER) return this.fail(position, broken.chunkSize);
          this.digits += 1;
          position += 1;
          continue;
        }
        if (this.digits === 0) return this.fail(position, broken.chunkSize);
        this.state = at.sizeBlanks;
      }
      if (code === lf) {
        if (this.state !== at.sizeLf) this.odd = true;
        return this.sizeDone(bytes, position + 1, lineStart);
      }
      if (this.state === at.sizeLf) return this.fail(position, broken.chunkSize);
      if (code === cr) this.state = at.sizeLf;
      else if (this.state === at.extension || code === 0x3b) this.oddTo(at.extension);
      else if (code === 0x20 || code === 0x09) this.oddTo(at.sizeBlanks);
      else return this.fail(position, broken.chunkSize);
      position += 1;
    }
    return position;
  }

  private oddTo(state: number): void {
    this.odd = true;
    this.state = state;
  }

  private sizeDone(bytes: Buffer, end: number, lineStart: number): number {
    if (this.odd) this.insert(bytes, Math.max(lineStart, this.runStart), end, `${this.left.toString(16)}\r\n`);
    this.digits = 0;
    this.state = this.left === 0 ? at.trailers : at.data;
    return end;
  }

  /** Sends what came up to `from`, then `text` in place of the bytes up to `to`. */
  private insert(bytes: Buffer, from: number, to: number, text: string): void {
    this.pieces ??= [];
    if (from > this.runStart) this.pieces.push(bytes.subarray(this.runStart, from));
    this.pieces.push(Buffer.from(text, 'latin1'));
    this.runStart = to;
  }

  private takeTrailers(bytes: Buffer, from: number, to: number): number {
    if (this.trailers === null && bytes[from] === cr && from + 1 < to && bytes[from + 1] === lf) {
      this.state = at.done;
      return from + 2;
    }
    let parser = this.trailers;
    const before = parser === null ? 0 : parser.head.bytes.length;
    const joined = parser === null ? Buffer.from(bytes.subarray(from, to)) : Buffer.concat([parser.head.bytes, bytes.subarray(from, to)]);
    if (parser === null) {
      parser = new HeadParser(new Http1Head(false), limits.trailerBytesMax, limits.headerCountMax);
      parser.beginLines(joined, 0);
      this.trailers = parser;
    } else {
      parser.rebase(joined, 0);
    }
    const result = parser.parse(joined.length);
    if (result === parsed.bad || result === parsed.tooLarge) return this.fail(from, broken.trailers);
    if (result === parsed.more) {
      // Held back until it is whole: what stands before it goes out now.
      this.pieces ??= [];
      if (from > this.runStart) this.pieces.push(bytes.subarray(this.runStart, from));
      this.runStart = to;
      return to;
    }
    const end = from + parser.head.end - before;
    this.insert(bytes, from, end, trailerText(parser.head));
    this.state = at.done;
    this.trailers = null;
    return end;
  }

  private fail(position: number, what: string): number {
    this.broken = what;
    this.state = at.bad;
    return position;
  }
}

function trailerText(head: Http1Head): string {
  let text = '';
  for (let index = 0; index < head.parsedCount; index += 1) text += `${head.name(index)}: ${head.value(index)}\r\n`;
  return `${text}\r\n`;
}
