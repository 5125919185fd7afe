/**
 * PDUs of RPC over HTTP (MS-RPCH 2.2.3, C706 chapter 12) as far as the channels need them: where one ends, and the cookies of
 * RTS PDUs; and the answer to a bind. Used by rpc.ts. Little-endian only, which every Windows client is. No I/O.
 */
const headerBytes = 16;
const lengthAt = 8;
const authLengthAt = 10;
const rtsType = 20;
const rtsHeaderBytes = 20;
const bindType = 11;
const bindAckType = 12;
/** Of a bind: head, fragment sizes, group; then its contexts (C706 12.6.4.3). */
const contextsAt = 28;
const contextBytes = 24;
const syntaxBytes = 20;
/** First and last fragment. */
const wholePdu = 0x03;

/** MS-RPCH 2.2.3.6.1 */
export const rtsFlags = { none: 0, ping: 0x01, recycle: 0x04, echo: 0x40 } as const;

/** Bytes after the command's own four (MS-RPCH 2.2.3.5); 8 and 11 tell their length themselves. */
const commandBytes: readonly number[] = [4, 24, 4, 16, 4, 4, 4, 0, -1, 0, 0, -1, 16, 4, 4];
const cookieCommand = 3;
const paddingCommand = 8;

export class PduReader {
  private held: Buffer = Buffer.alloc(0);

  /** Hands on whole PDUs. False: what came is none, and nothing more is read. */
  feed(bytes: Buffer, use: (pdu: Buffer) => void): boolean {
    this.held = this.held.length === 0 ? bytes : Buffer.concat([this.held, bytes]);
    while (this.held.length >= headerBytes) {
      const length = this.held.readUInt16LE(lengthAt);
      if (this.held[0] !== 5 || length < headerBytes) return false;
      if (this.held.length < length) return true;
      const pdu = this.held.subarray(0, length);
      this.held = this.held.subarray(length);
      use(pdu);
    }
    return true;
  }
}

function paddingBytes(pdu: Buffer, at: number): number {
  return at + 4 <= pdu.length ? 4 + pdu.readUInt32LE(at) : 4;
}

function addressBytes(pdu: Buffer, at: number): number {
  const isIpv4 = at + 4 <= pdu.length && pdu.readUInt32LE(at) === 0;
  return 4 + (isIpv4 ? 4 : 16) + 12;
}

/** Null: not an RTS PDU. Cookies in hexadecimal, in their order; commands behind an unknown one are not read. */
export function readRts(pdu: Buffer): { readonly flags: number; readonly cookies: readonly string[] } | null {
  if (pdu[2] !== rtsType || pdu.length < rtsHeaderBytes) return null;
  const cookies: string[] = [];
  let at = rtsHeaderBytes;
  for (let left = pdu.readUInt16LE(18); left > 0 && at + 4 <= pdu.length; left -= 1) {
    const command = pdu.readUInt32LE(at);
    const told = commandBytes[command];
    at += 4;
    if (told === undefined) break;
    const bytes = told >= 0 ? told : command === paddingCommand ? paddingBytes(pdu, at) : addressBytes(pdu, at);
    if (command === cookieCommand && at + bytes <= pdu.length) cookies.push(pdu.toString('hex', at, at + bytes));
    at += bytes;
  }
  return { flags: pdu.readUInt16LE(16), cookies };
}

/** Each command is its number and 32-bit values. */
export function rtsPdu(flags: number, ...commands: readonly (readonly number[])[]): Buffer {
  const words = commands.flat();
  const pdu = Buffer.alloc(rtsHeaderBytes + words.length * 4);
  pdu.set([5, 0, rtsType, wholePdu, 0x10]);
  pdu.writeUInt16LE(pdu.length, lengthAt);
  pdu.writeUInt16LE(flags, 16);
  pdu.writeUInt16LE(commands.length, 18);
  for (const [at, word] of words.entries()) pdu.writeUInt32LE(word, rtsHeaderBytes + at * 4);
  return pdu;
}

/** The answer that takes the first transfer syntax of every context (C706 12.6.4.4); null when the PDU is no bind. */
export function bindAck(pdu: Buffer): Buffer | null {
  if (pdu[2] !== bindType || pdu.length < contextsAt) return null;
  const results: Buffer[] = [];
  let at = contextsAt;
  for (let left = pdu.readUInt8(24); left > 0 && at + contextBytes + syntaxBytes <= pdu.length; left -= 1) {
    results.push(Buffer.alloc(4), pdu.subarray(at + contextBytes, at + contextBytes + syntaxBytes));
    at += contextBytes + syntaxBytes * pdu.readUInt8(at + 2);
  }
  // Sizes and group as asked, no secondary address, filled up to a multiple of 4.
  const body = Buffer.concat([pdu.subarray(headerBytes, headerBytes + 8), Buffer.alloc(4), Buffer.from([results.length / 2, 0, 0, 0]), ...results]);
  const answer = Buffer.concat([pdu.subarray(0, headerBytes), body]);
  answer[2] = bindAckType;
  answer.writeUInt16LE(answer.length, lengthAt);
  answer.writeUInt16LE(0, authLengthAt);
  return answer;
}
