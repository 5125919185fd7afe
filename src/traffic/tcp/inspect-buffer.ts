/** Bytes held back for content inspection, as they came. Bounded by its reader: when full, the transport is paused. */
export class InspectBuffer {
  private readonly bytesMax: number;
  private chunks: Uint8Array[] = [];
  size = 0;
  /** Bytes that ever came in. */
  received = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get full(): boolean {
    return this.size >= this.bytesMax;
  }

  push(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    this.received += chunk.length;
  }

  /** All bytes in one piece. */
  bytes(): Uint8Array {
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0] ?? new Uint8Array(0);
  }

  /** Gives the chunks away. */
  take(): Uint8Array[] {
    const { chunks } = this;
    this.chunks = [];
    this.size = 0;
    return chunks;
  }
}
