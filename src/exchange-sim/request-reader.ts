/**
 * Reads HTTP/1 requests of any method (RPC_IN_DATA, RPC_OUT_DATA …) for the simulated servers: head, then a body of known length
 * or in chunks, whose bytes are counted and dropped. Kept apart from the balancer's own parser on purpose: a fault there must
 * not hide behind the same fault here. Lenient where a test server may be; what it cannot read is reported once.
 */
export interface SimRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Lower-case names; repeated lines joined with ', '. */
  readonly headers: ReadonlyMap<string, string>;
  /** Every header line in order, spelled as it came: name, value without blanks around it. */
  readonly lines: readonly (readonly [name: string, value: string])[];
  bodyBytes: number;
}

interface RequestHandler {
  /** The head is complete; the body may still come. */
  onHead(request: SimRequest): void;
  /** The next bytes of the body, without chunk framing. */
  onBody(bytes: Buffer): void;
  /** Head and body are complete. */
  onRequest(request: SimRequest): void;
  onBad(why: BadRequest): void;
}

/** IIS as it is set for Kerberos tokens: one line of a head (MaxFieldLength, which cannot be more), and the whole head (MaxRequestBytes). */
const lineBytesMax = 65_534;
const headBytesMax = 131_072;

export type BadRequest = 'Request Too Long' | 'Invalid Verb' | 'Bad Chunk';

type Part = 'head' | 'length-body' | 'chunk-line' | 'chunk-body' | 'chunk-end' | 'trailers' | 'tunnel' | 'broken';

export class RequestReader {
  private readonly handler: RequestHandler;
  private part: Part = 'head';
  private held: Buffer = Buffer.alloc(0);
  private request: SimRequest | null = null;
  private bytesLeft = 0;
  private stopped = false;
  private running = false;

  constructor(handler: RequestHandler) {
    this.handler = handler;
  }

  feed(chunk: Buffer): void {
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    this.run();
  }

  /** Bytes that came but were not read yet. */
  get heldBytes(): number {
    return this.held.length;
  }

  get isStopped(): boolean {
    return this.stopped;
  }

  /** Bytes of the body that are still announced; chunked: infinity until its end. */
  get bodyBytesLeft(): number {
    if (this.request === null) return 0;
    return this.part === 'length-body' ? this.bytesLeft : Number.POSITIVE_INFINITY;
  }

  /** Nothing is handed on between stop(true) and stop(false). */
  stop(stopped: boolean): void {
    this.stopped = stopped;
    if (!stopped) this.run();
  }

  /** From here on all bytes are body, until the connection ends. */
  tunnel(): void {
    this.part = 'tunnel';
  }

  private run(): void {
    // A handler may call stop() from within a step; the loop that runs then goes on by itself.
    if (this.running) return;
    this.running = true;
    while (!this.stopped && this.part !== 'broken' && this.step());
    this.running = false;
  }

  /** False when more bytes are needed. */
  private step(): boolean {
    switch (this.part) {
      case 'head': return this.readHead();
      case 'length-body': return this.skipBody('head');
      case 'chunk-body': return this.skipBody('chunk-end');
      case 'chunk-line': return this.readLine((line) => this.startChunk(line));
      case 'chunk-end': return this.readLine(() => { this.part = 'chunk-line'; });
      case 'trailers': return this.readLine((line) => { if (line === '') this.finish(); });
      case 'tunnel': return this.passOn(this.held.length);
      case 'broken': return false;
    }
  }

  private readHead(): boolean {
    const end = this.held.indexOf('\r\n\r\n');
    if (end < 0) {
      return this.held.length > headBytesMax ? this.fail('Request Too Long') : false;
    }
    const lines = this.held.toString('latin1', 0, end).split('\r\n');
    this.held = this.held.subarray(end + 4);
    const [method = '', target = '', version = ''] = (lines[0] ?? '').split(' ');
    if (!version.startsWith('HTTP/1.')) return this.fail('Invalid Verb');
    if (end > headBytesMax || lines.some((line) => line.length > lineBytesMax)) return this.fail('Request Too Long');
    const headers = new Map<string, string>();
    const spelled: (readonly [string, string])[] = [];
    for (const line of lines.slice(1)) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      spelled.push([line.slice(0, colon), value]);
      headers.set(name, headers.has(name) ? `${headers.get(name) ?? ''}, ${value}` : value);
    }
    this.request = { method, target, version, headers, lines: spelled, bodyBytes: 0 };
    this.bytesLeft = Number(headers.get('content-length') ?? 0);
    const chunked = (headers.get('transfer-encoding') ?? '').toLowerCase().includes('chunked');
    this.part = chunked ? 'chunk-line' : 'length-body';
    this.handler.onHead(this.request);
    if (!chunked && this.bytesLeft === 0) this.finish();
    return true;
  }

  private skipBody(next: Part): boolean {
    if (this.held.length === 0) return false;
    const taken = Math.min(this.bytesLeft, this.held.length);
    this.bytesLeft -= taken;
    this.passOn(taken);
    if (this.bytesLeft > 0) return false;
    if (next === 'head') this.finish();
    else this.part = next;
    return true;
  }

  /** False when there was nothing. */
  private passOn(taken: number): boolean {
    if (taken === 0) return false;
    const bytes = this.held.subarray(0, taken);
    this.held = this.held.subarray(taken);
    if (this.request !== null) this.request.bodyBytes += taken;
    this.handler.onBody(bytes);
    return true;
  }

  private readLine(use: (line: string) => void): boolean {
    const end = this.held.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.held.toString('latin1', 0, end);
    this.held = this.held.subarray(end + 2);
    use(line);
    return true;
  }

  private startChunk(line: string): void {
    const size = Number.parseInt(line, 16);
    if (!Number.isSafeInteger(size)) {
      this.fail('Bad Chunk');
      return;
    }
    this.bytesLeft = size;
    this.part = size === 0 ? 'trailers' : 'chunk-body';
  }

  private finish(): void {
    const { request } = this;
    if (this.part !== 'tunnel') this.part = 'head';
    this.request = null;
    if (request !== null) this.handler.onRequest(request);
  }

  private fail(why: BadRequest): false {
    this.part = 'broken';
    this.handler.onBad(why);
    return false;
  }
}
