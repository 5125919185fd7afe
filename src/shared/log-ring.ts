/**
 * Log lines of one traffic thread on their way to the control thread: a ring of bytes in shared memory. The traffic thread's
 * LogQueue puts records in, the control thread takes them out; neither ever waits for the other. What is not taken when the
 * thread dies stays there for the control thread. Knows no formats and no sockets.
 */
import { limits } from '../model/limits.ts';

/** Two Int32 before the data: where the next record is put, where the next one is taken. */
const head = { put: 0, take: 1, bytes: 8 } as const;
/** A record: line length, structured data length, (proxy + 1) × 8 + level; then the bytes of both, filled up to whole words. */
const record = { line: 0, sd: 1, kind: 2, words: 3, bytes: 12 } as const;
/** In place of a line length: the rest up to the end of the ring is empty. */
const wrapped = -1;

/** `bytes[at .. at + line)` is the line, `sd` bytes of structured data follow. Valid during the call only. */
type TakeRecord = (proxy: number, level: number, bytes: Buffer, at: number, line: number, sd: number) => void;

export class LogRing {
  private readonly words: Int32Array;
  private readonly bytes: Buffer;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.bytes = Buffer.from(memory);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(head.bytes + limits.logRingBytes);
  }

  /** Texts are latin1. False: no room, nothing was put in. */
  put(proxy: number, level: number, line: string, sd: string): boolean {
    const { words, bytes } = this;
    const start = Atomics.load(words, head.put);
    const length = (record.bytes + line.length + sd.length + 3) & ~3;
    const at = this.room(start, length);
    if (at < 0) return false;
    const word = (head.bytes + at) >> 2;
    const text = head.bytes + at + record.bytes;
    words[word + record.line] = line.length;
    words[word + record.sd] = sd.length;
    words[word + record.kind] = (proxy + 1) * 8 + level;
    bytes.write(line, text, line.length, 'latin1');
    if (sd !== '') bytes.write(sd, text + line.length, sd.length, 'latin1');
    const end = at + length;
    Atomics.store(words, head.put, end === limits.logRingBytes ? 0 : end);
    return true;
  }

  /** Where a record of so many bytes can stand, at `start` or at the beginning; -1 = nowhere. One word stays free, so that full and empty differ. */
  private room(start: number, length: number): number {
    const take = Atomics.load(this.words, head.take);
    if (start < take) return length < take - start ? start : -1;
    const left = limits.logRingBytes - start;
    if (length < left || (length === left && take > 0)) return start;
    if (length >= take) return -1;
    this.words[(head.bytes + start) >> 2] = wrapped;
    return 0;
  }

  /** Gives every record to `each`, in order. */
  takeAll(each: TakeRecord): void {
    const { words, bytes } = this;
    let at = Atomics.load(words, head.take);
    const end = Atomics.load(words, head.put);
    while (at !== end) {
      const word = (head.bytes + at) >> 2;
      const line = words[word + record.line] as number;
      if (line === wrapped) {
        at = 0;
        continue;
      }
      const sd = words[word + record.sd] as number;
      const kind = words[word + record.kind] as number;
      each((kind >> 3) - 1, kind & 7, bytes, head.bytes + at + record.bytes, line, sd);
      at = (at + record.bytes + line + sd + 3) & ~3;
      if (at === limits.logRingBytes) at = 0;
    }
    Atomics.store(words, head.take, end);
  }
}
