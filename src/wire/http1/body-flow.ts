/**
 * The body of one message as it passes: where it ends, and which bytes to send on. One per direction of an exchange, begun by
 * traffic/http after each head. Never keeps bytes.
 */
import { ChunkedReader } from './chunked.ts';
import { body } from './framing.ts';

export class BodyFlow {
  kind: number = body.none;
  done = true;
  bad = false;
  /** What to send for the last take(): null = bytes[from..rawEnd), else these pieces. */
  pieces: Uint8Array[] | null = null;
  rawEnd = 0;
  private left = 0;
  private chunks: ChunkedReader | null = null;

  /** Once `bad`: what is wrong, in words. */
  get broken(): string { return this.chunks?.broken ?? ''; }

  begin(kind: number, length: number): void {
    this.kind = kind;
    this.left = length;
    this.done = kind === body.none;
    this.bad = false;
    this.pieces = null;
    this.rawEnd = 0;
    if (kind !== body.chunked) return;
    this.chunks ??= new ChunkedReader();
    this.chunks.reset();
  }

  /** Where a chunked body goes without its framing, for content inspection; null ends that. */
  collect(data: Uint8Array[] | null): void {
    if (this.chunks !== null) this.chunks.data = data;
  }

  /** Takes bytes[from..to) as far as they belong to the body; gives the first position that does not. */
  take(bytes: Buffer, from: number, to: number): number {
    if (this.kind === body.length) {
      const end = Math.min(to, from + this.left);
      this.left -= end - from;
      this.done = this.left === 0;
      this.rawEnd = end;
      return end;
    }
    if (this.kind === body.chunked && this.chunks !== null) {
      const end = this.chunks.read(bytes, from, to);
      this.pieces = this.chunks.pieces;
      this.rawEnd = this.chunks.rawEnd;
      this.done = this.chunks.done;
      this.bad = this.chunks.bad;
      return end;
    }
    this.rawEnd = this.kind === body.none ? from : to;
    return this.rawEnd;
  }
}
