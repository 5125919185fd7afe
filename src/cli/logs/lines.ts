/**
 * Lines of log files, gzip files (told by their first bytes), standard input, and of a file that still grows, with bounded memory: a chunk and
 * the beginning of a line. Used by logs.ts. Reads lines, understands none.
 */
import { createReadStream, fstatSync, statSync, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { limits } from '../../model/limits.ts';

/** Takes the lines of a chunk; resolves when more may come. False: enough. */
type TakeLines = (lines: readonly string[]) => Promise<boolean>;

/** Cuts bytes into lines. */
export class LineCutter {
  /** Lines that were longer than the limit and left out. */
  tooLong = 0;
  private rest = '';
  private skipping = false;

  cut(chunk: Buffer): string[] {
    const lines = (this.rest + chunk.toString('latin1')).split('\n');
    this.rest = lines.pop() ?? '';
    if (this.skipping && lines.length > 0) {
      lines.shift();
      this.skipping = false;
    }
    if (this.rest.length > limits.logLineReadBytesMax) {
      if (!this.skipping) this.tooLong += 1;
      this.skipping = true;
      this.rest = '';
    }
    return lines;
  }

  /** The last line when it has no end. */
  last(): string[] {
    const { rest, skipping } = this;
    this.rest = '';
    this.skipping = false;
    return rest === '' || skipping ? [] : [rest];
  }
}

async function pour(stream: AsyncIterable<Buffer>, cutter: LineCutter, take: TakeLines): Promise<boolean> {
  for await (const chunk of stream) if (!await take(cutter.cut(chunk))) return false;
  return take(cutter.last());
}

/** The stream, unpacked when its first bytes are those of gzip. */
async function* unpacked(stream: Readable): AsyncGenerator<Buffer> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  if (first.done === true) return;
  const all = (async function* () {
    yield first.value;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  })();
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
    yield* all;
    return;
  }
  const packed = Readable.from(all);
  const gunzip = createGunzip();
  packed.on('error', (error) => gunzip.destroy(error));
  yield* packed.pipe(gunzip) as AsyncIterable<Buffer>;
}

/** False: the taker had enough. Rejects with the system's error. */
export function readFile(path: string, cutter: LineCutter, take: TakeLines): Promise<boolean> {
  return pour(unpacked(createReadStream(path, { highWaterMark: limits.logReadBytes })), cutter, take);
}

export function readInput(cutter: LineCutter, take: TakeLines): Promise<boolean> {
  return pour(unpacked(process.stdin), cutter, take);
}

/** A file that grows, is cut, or gives way to another one of its name (logrotate). */
export class GrowingFile {
  private readonly path: string;
  private readonly cutter: LineCutter;
  private readonly take: TakeLines;
  private handle: FileHandle | null = null;
  private position = 0;
  private stopped = false;
  private wake: () => void = () => undefined;

  constructor(path: string, cutter: LineCutter, take: TakeLines) {
    this.path = path;
    this.cutter = cutter;
    this.take = take;
  }

  stop(): void {
    this.stopped = true;
    this.wake();
  }

  /** Until stop(), or until the taker has enough. `fromStart`: also what is there already. */
  async follow(fromStart: boolean): Promise<void> {
    this.handle = await open(this.path, 'r');
    this.position = fromStart ? 0 : fstatSync(this.handle.fd).size;
    try {
      while (!this.stopped) {
        if (!await this.readOn()) return;
        if (!await this.succeed()) await this.pause();
      }
      // What came since the last look; a long way to the end is not gone when it is asked to stop.
      const leftBytes = fstatSync(this.handle.fd).size - this.position;
      if (leftBytes > 0 && leftBytes < limits.logReadBytes) {
        this.stopped = false;
        await this.readOn();
      }
      await this.take(this.cutter.last());
    } finally {
      await this.handle.close();
    }
  }

  /** Reads what is there. */
  private async readOn(): Promise<boolean> {
    const buffer = Buffer.allocUnsafe(limits.logReadBytes);
    while (!this.stopped && this.handle !== null) {
      const { bytesRead } = await this.handle.read(buffer, 0, buffer.length, this.position);
      if (bytesRead === 0) return true;
      this.position += bytesRead;
      if (!await this.take(this.cutter.cut(buffer.subarray(0, bytesRead)))) return false;
    }
    return true;
  }

  /** True: the name belongs to another file now, or the file became shorter; it is read from its start. */
  private async succeed(): Promise<boolean> {
    if (this.handle === null) return false;
    const now = statOf(this.path);
    const mine = fstatSync(this.handle.fd);
    // Between the old file and the new one of its name there may be none.
    if (now === null) return false;
    if (now.ino !== mine.ino || now.dev !== mine.dev) {
      const next = await open(this.path, 'r').catch(() => null);
      if (next === null) return false;
      await this.readOn();
      await this.take(this.cutter.last());
      await this.handle.close();
      this.handle = next;
    } else if (mine.size >= this.position) {
      return false;
    }
    this.position = 0;
    return true;
  }

  private async pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limits.logFollowLookMs);
      this.wake = () => { clearTimeout(timer); resolve(); };
    });
  }
}

function statOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}
