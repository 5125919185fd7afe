/** Frames of RFC 6455 for the server's side: reading masked ones, writing plain ones. Used by websocket.ts. No I/O. */
import { createHash } from 'node:crypto';

export interface Frame {
  readonly isLast: boolean;
  /** 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
  readonly opcode: number;
  /** Without its mask. */
  readonly payload: Buffer;
}

const payloadBytesMax = 1_048_576;
const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** RFC 6455 section 4.2.2 */
export function acceptValue(key: string): string {
  return createHash('sha1').update(`${key}${magic}`).digest('base64');
}

export function frameBytes(frame: Frame): Buffer {
  const { length } = frame.payload;
  const first = (frame.isLast ? 0x80 : 0) | frame.opcode;
  if (length < 126) return Buffer.concat([Buffer.from([first, length]), frame.payload]);
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = first;
  head[1] = length < 65_536 ? 126 : 127;
  if (length < 65_536) head.writeUInt16BE(length, 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, frame.payload]);
}

export class FrameReader {
  private held: Buffer = Buffer.alloc(0);

  /** Hands on whole frames; gives 0, or the close code of the fault (RFC 6455 section 7.4.1) after which nothing is read. */
  feed(bytes: Buffer, use: (frame: Frame) => void): number {
    this.held = Buffer.concat([this.held, bytes]);
    while (this.held.length >= 2) {
      const first = this.held[0] ?? 0;
      const second = this.held[1] ?? 0;
      if ((second & 0x80) === 0 || (first & 0x70) !== 0) return 1002;
      const short = second & 0x7f;
      const headBytes = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (this.held.length < headBytes + 4) return 0;
      const length = short === 127 ? Number(this.held.readBigUInt64BE(2)) : short === 126 ? this.held.readUInt16BE(2) : short;
      if (length > payloadBytesMax) return 1009;
      const end = headBytes + 4 + length;
      if (this.held.length < end) return 0;
      const mask = this.held.subarray(headBytes, headBytes + 4);
      const payload = Buffer.from(this.held.subarray(headBytes + 4, end));
      for (let at = 0; at < length; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
      this.held = this.held.subarray(end);
      use({ isLast: (first & 0x80) !== 0, opcode: first & 0x0f, payload });
    }
    return 0;
  }
}
