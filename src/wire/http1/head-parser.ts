/**
 * Reads one message head byte by byte into an Http1Head, over any split of the input (RFC 9112 2 to 5, as strict as HAProxy
 * 2.6; NUL is refused as well). One parser per connection side, started again for each message. Keeps only offsets: when a
 * head is spread over several reads the caller joins them and calls rebase(). Decides nothing about bodies: see framing.ts.
 */
import { broken } from './broken.ts';
import { endsRelaxedValue, endsValue, isRelaxedTarget, isTarget, isToken, isVersion } from './chars.ts';
import { column, knownName, lineState, type Http1Head } from './head.ts';

export const parsed = { more: 0, done: 1, bad: 2, tooLarge: 3 } as const;

const at = {
  before: 0, beforeLf: 1, first: 2, firstBlanks: 3, second: 4, secondBlanks: 5, third: 6, startLf: 7,
  lineStart: 8, name: 9, valueBlanks: 10, value: 11, lineLf: 12, lineDone: 13, lastLf: 14,
} as const;

/** HAProxy relays longer codes than three digits; some servers use four for their own purposes. */
const statusDigitsMax = 5;
const cr = 0x0d;
const lf = 0x0a;
const blank = 0x20;
const tab = 0x09;

export class HeadParser {
  readonly head: Http1Head;
  /** Accept what `option accept-invalid-http-request|response` accepts. */
  relaxed = false;
  bytesMax = 0;
  linesMax = 0;
  /** Where the byte at fault stands, for `show errors`; offset in head.bytes. */
  position = 0;
  /** After `bad` and `tooLarge`: what is wrong, in words. */
  broken = '';
  private state: number = at.before;

  constructor(head: Http1Head, bytesMax: number, linesMax: number) {
    this.head = head;
    this.bytesMax = bytesMax;
    this.linesMax = linesMax;
  }

  /** A new message starts at `from`. */
  begin(bytes: Buffer, from: number): void {
    this.head.reset();
    this.head.bytes = bytes;
    this.head.start = from;
    this.position = from;
    this.state = at.before;
  }

  /** Only header lines start at `from`: the trailers of a chunked body. */
  beginLines(bytes: Buffer, from: number): void {
    this.begin(bytes, from);
    this.head.linesStart = from;
    this.state = at.lineStart;
  }

  /** Nothing of a message has come yet (empty lines before it do not count). */
  get untouched(): boolean {
    return this.state === at.before || this.state === at.beforeLf;
  }

  /** The bytes read so far now stand `delta` lower, in `bytes`. */
  rebase(bytes: Buffer, delta: number): void {
    this.position -= delta;
    this.head.rebase(bytes, delta);
  }

  /** Goes on up to `to`, the end of what is there. */
  parse(to: number): number {
    let result: number = parsed.more;
    if (this.state < at.lineStart) result = this.head.isResponse ? this.statusLine(to) : this.requestLine(to);
    if (this.state >= at.lineStart && result === parsed.more) result = this.lines(to);
    if (result === parsed.more && to - this.head.start > this.bytesMax) return this.tooLarge(broken.headBytes);
    if (result === parsed.done && this.head.end - this.head.start > this.bytesMax) return this.tooLarge(broken.headBytes);
    return result;
  }

  private stop(state: number, position: number): number {
    this.state = state;
    this.position = position;
    return parsed.more;
  }

  private bad(position: number, what: string): number {
    this.position = position;
    this.broken = what;
    return parsed.bad;
  }

  private tooLarge(what: string): number {
    this.broken = what;
    return parsed.tooLarge;
  }

  /** Empty lines before the message: skipped, and no part of it. Gives the next position, -1 = more, -2 = bad. */
  private skipEmpty(bytes: Buffer, from: number, to: number): number {
    let position = from;
    for (; position < to; position += 1) {
      const code = bytes[position] as number;
      if (this.state === at.beforeLf) {
        if (code !== lf) break;
        this.state = at.before;
      } else if (code === cr) {
        this.state = at.beforeLf;
      } else if (code !== lf) {
        this.head.start = position;
        return position;
      }
    }
    this.position = position;
    return position < to ? -2 : -1;
  }

  private requestLine(to: number): number {
    const { head, relaxed } = this;
    const { bytes } = head;
    let position = this.position;
    let state: number = this.state;
    if (state <= at.beforeLf) {
      position = this.skipEmpty(bytes, position, to);
      if (position === -2) return this.bad(this.position, broken.emptyLine);
      if (position === -1) return parsed.more;
      if (isToken[bytes[position] as number] === 0) return this.bad(position, broken.method);
      state = at.first;
    }
    if (state === at.first) {
      while (position < to && isToken[bytes[position] as number] === 1) position += 1;
      if (position === to) return this.stop(state, position);
      head.firstEnd = position;
      if (!isBlank(bytes[position] as number)) return this.bad(position, broken.method);
      state = at.firstBlanks;
    }
    if (state === at.firstBlanks) {
      while (position < to && isBlank(bytes[position] as number)) position += 1;
      if (position === to) return this.stop(state, position);
      if (position !== head.firstEnd + 1 || bytes[head.firstEnd] !== blank) head.irregular = true;
      head.secondStart = position;
      state = at.second;
    }
    if (state === at.second) {
      const allowed = relaxed ? isRelaxedTarget : isTarget;
      while (position < to && allowed[bytes[position] as number] === 1) position += 1;
      if (position === to) return this.stop(state, position);
      if (position === head.secondStart) return this.bad(position, broken.target);
      head.secondEnd = position;
      const code = bytes[position] as number;
      if (!isBlank(code)) return relaxed && (code === cr || code === lf) ? this.oldRequest(position, to) : this.bad(position, code === cr || code === lf ? broken.version : broken.target);
      state = at.secondBlanks;
    }
    return this.requestVersion(state, position, to);
  }

  private requestVersion(from: number, start: number, to: number): number {
    const { head } = this;
    const { bytes } = head;
    let position = start;
    let state = from;
    if (state === at.secondBlanks) {
      while (position < to && isBlank(bytes[position] as number)) position += 1;
      if (position === to) return this.stop(state, position);
      if (position !== head.secondEnd + 1 || bytes[head.secondEnd] !== blank) head.irregular = true;
      head.thirdStart = position;
      state = at.third;
    }
    if (state === at.third) {
      while (position < to && isVersion[bytes[position] as number] === 1) position += 1;
      if (position === to) return this.stop(state, position);
      head.thirdEnd = position;
      if (!this.takeVersion(head.thirdStart, position)) return this.bad(position, broken.version);
      const code = bytes[position] as number;
      if (code === cr) position += 1;
      else if (code !== lf) return this.bad(position, broken.version);
      else head.irregular = true;
      state = at.startLf;
    }
    return this.endStartLine(position, to);
  }

  /** HTTP/0.9: a request line without version, accepted by `accept-invalid-http-request` and passed on as HTTP/1.0. */
  private oldRequest(position: number, to: number): number {
    const { head } = this;
    const end = head.bytes[position] === cr ? position + 1 : position;
    if (end === to) return this.stop(at.second, position);
    if (head.bytes[end] !== lf) return this.bad(end, broken.startLineEnd);
    head.thirdStart = position;
    head.thirdEnd = position;
    head.minor = 0;
    head.irregular = true;
    head.linesStart = end + 1;
    head.linesEnd = end + 1;
    head.end = end + 1;
    return parsed.done;
  }

  private statusLine(to: number): number {
    const { head } = this;
    const { bytes } = head;
    let position = this.position;
    let state: number = this.state;
    if (state <= at.beforeLf) {
      position = this.skipEmpty(bytes, position, to);
      if (position === -2) return this.bad(this.position, broken.emptyLine);
      if (position === -1) return parsed.more;
      state = at.first;
    }
    if (state === at.first) {
      while (position < to && isVersion[bytes[position] as number] === 1) position += 1;
      if (position === to) return position - head.start > 8 ? this.bad(position, broken.version) : this.stop(state, position);
      head.firstEnd = position;
      if (!isBlank(bytes[position] as number) || !this.takeVersion(head.start, position)) return this.bad(position, broken.version);
      state = at.firstBlanks;
    }
    if (state === at.firstBlanks) {
      while (position < to && isBlank(bytes[position] as number)) position += 1;
      if (position === to) return this.stop(state, position);
      if (position !== head.firstEnd + 1 || bytes[head.firstEnd] !== blank) head.irregular = true;
      head.secondStart = position;
      state = at.second;
    }
    if (state === at.second) {
      while (position < to && isDigit(bytes[position] as number)) position += 1;
      if (position === to) return position - head.secondStart > statusDigitsMax ? this.bad(position, broken.status) : this.stop(state, position);
      head.secondEnd = position;
      if (!this.takeStatus()) return this.bad(position, broken.status);
      const code = bytes[position] as number;
      if (isBlank(code)) position += 1;
      else if (code === cr || code === lf) head.irregular = true;
      else return this.bad(position, broken.status);
      head.thirdStart = position;
      state = at.third;
    }
    return this.reason(state, position, to);
  }

  private reason(from: number, start: number, to: number): number {
    const { head } = this;
    const { bytes } = head;
    let position = start;
    if (from === at.third) {
      while (position < to && position === head.thirdStart && isBlank(bytes[position] as number)) {
        // More blanks than one before the reason.
        position += 1;
        head.thirdStart = position;
        head.irregular = true;
      }
      for (; position < to; position += 1) {
        const code = bytes[position] as number;
        if (code === cr || code === lf) break;
        if (code === 0) return this.bad(position, broken.reason);
      }
      if (position === to) return this.stop(at.third, position);
      head.thirdEnd = position;
      if (bytes[position] === cr) position += 1;
      else head.irregular = true;
    }
    return this.endStartLine(position, to);
  }

  private endStartLine(position: number, to: number): number {
    if (position === to) return this.stop(at.startLf, position);
    if (this.head.bytes[position] !== lf) return this.bad(position, broken.startLineEnd);
    this.head.linesStart = position + 1;
    return this.stop(at.lineStart, position + 1);
  }

  /** Reads `HTTP/x.y`. Relaxed: any other word is taken as HTTP/1.0. */
  private takeVersion(from: number, to: number): boolean {
    const { bytes } = this.head;
    const wellFormed = to - from === 8 && bytes[from] === 0x48 && bytes[from + 1] === 0x54 && bytes[from + 2] === 0x54 && bytes[from + 3] === 0x50
      && bytes[from + 4] === 0x2f && bytes[from + 6] === 0x2e && isDigit(bytes[from + 5] as number) && isDigit(bytes[from + 7] as number);
    if (!wellFormed) {
      this.head.minor = 0;
      return this.relaxed && to > from && !this.head.isResponse;
    }
    const major = (bytes[from + 5] as number) - 0x30;
    const minor = (bytes[from + 7] as number) - 0x30;
    this.head.minor = major > 1 || (major === 1 && minor >= 1) ? 1 : 0;
    if (major !== 1 || minor > 1) this.head.irregular = true;
    // The preface of HTTP/2 with prior knowledge is no request.
    return major !== 2 || this.head.isResponse || !isPreface(this.head);
  }

  private takeStatus(): boolean {
    const { head } = this;
    const { bytes, secondStart } = head;
    const digits = head.secondEnd - secondStart;
    if (digits < 3 || digits > statusDigitsMax) return false;
    head.statusCode = 0;
    for (let position = secondStart; position < head.secondEnd; position += 1) head.statusCode = head.statusCode * 10 + (bytes[position] as number) - 0x30;
    return head.statusCode >= 100;
  }

  private lines(to: number): number {
    const { head, relaxed } = this;
    const { bytes } = head;
    let { table } = head;
    let position = this.position;
    let state: number = this.state;
    let row = head.parsedCount * column.stride;
    while (position < to) {
      const code = bytes[position] as number;
      if (state === at.name) {
        while (position < to && isToken[bytes[position] as number] === 1) position += 1;
        if (position === to) break;
        const end = bytes[position] as number;
        if (end !== 0x3a) {
          if (!relaxed || end === cr || end === lf) return this.bad(position, broken.name);
          position += 1;
          continue;
        }
        if (position === table[row]) return this.bad(position, broken.name);
        table[row + column.nameEnd] = position;
        state = at.valueBlanks;
        position += 1;
      } else if (state === at.valueBlanks) {
        while (position < to && isBlank(bytes[position] as number)) position += 1;
        if (position === to) break;
        table[row + column.valueStart] = position;
        state = at.value;
      } else if (state === at.value) {
        const ends = relaxed ? endsRelaxedValue : endsValue;
        while (position < to && ends[bytes[position] as number] === 0) position += 1;
        if (position === to) break;
        const next = bytes[position] as number;
        if (next === 0) return this.bad(position, broken.value);
        table[row + column.valueEnd] = position;
        if (next === cr) position += 1; else head.irregular = true;
        state = at.lineLf;
      } else if (state === at.lineLf) {
        if (code !== lf) return this.bad(position, broken.lineEnd);
        position += 1;
        state = at.lineDone;
      } else if (state === at.lineDone) {
        if (isBlank(code)) {
          state = this.unfold(row, position);
          continue;
        }
        this.finishLine(row, position);
        row += column.stride;
        if (head.parsedCount > this.linesMax) return this.tooLarge(broken.headLines);
        if (row + column.stride > table.length) {
          head.grow();
          table = head.table;
        }
        state = at.lineStart;
      } else if (state === at.lineStart) {
        table[row] = position;
        if (code === cr || code === lf) {
          head.linesEnd = position;
          if (code === cr) position += 1; else head.irregular = true;
          state = at.lastLf;
        } else {
          // A continuation of nothing, whatever is accepted otherwise.
          if (isBlank(code)) return this.bad(position, broken.fold);
          state = at.name;
        }
      } else {
        return code === lf ? this.whole(position + 1) : this.bad(position, broken.headEnd);
      }
    }
    return this.stop(state, position);
  }

  private whole(end: number): number {
    this.head.end = end;
    this.stop(at.before, end);
    return parsed.done;
  }

  /** obs-fold (RFC 9112 5.2): the line break becomes blanks and the value goes on. Gives the state to go on in. */
  private unfold(row: number, position: number): number {
    const { bytes, table } = this.head;
    const valueEnd = table[row + column.valueEnd] as number;
    bytes.fill(blank, valueEnd, position);
    return table[row + column.valueStart] === valueEnd ? at.valueBlanks : at.value;
  }

  /** The line of `row` is whole: trims its value, names it. */
  private finishLine(row: number, next: number): void {
    const { head } = this;
    const { bytes, table } = head;
    let valueEnd = table[row + column.valueEnd] as number;
    const valueStart = table[row + column.valueStart] as number;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1] as number)) valueEnd -= 1;
    table[row + column.valueEnd] = valueEnd;
    table[row + column.next] = next;
    const id = knownName(bytes, table[row] as number, table[row + column.nameEnd] as number);
    table[row + column.name] = id;
    table[row + column.state] = lineState.asCame;
    head.knownMask |= 1 << id;
    head.parsedCount += 1;
  }
}

function isPreface(head: Http1Head): boolean {
  const { bytes, start } = head;
  return head.firstEnd - start === 3 && bytes[start] === 0x50 && bytes[start + 1] === 0x52 && bytes[start + 2] === 0x49;
}

function isBlank(code: number): boolean {
  return code === blank || code === tab;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
