/**
 * The server's side of NTLM (MS-NLMP 2.2, 3.3.2): the challenge (type 2) and the check of an NTLMv2 answer (type 3), bare or
 * inside SPNEGO (RFC 4178). Used by authentication.ts. No NTLMv1, no session keys, no signing: nothing here needs them.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { md4 } from './md4.ts';

const signature = Buffer.from('NTLMSSP\0', 'latin1');
/** Unicode, target, NTLM, always sign, domain target, extended session security, target info, version, 128, 56 (MS-NLMP 2.2.2.5). */
const challengeFlags = 0xa2898205;
/** Sign, seal, key exchange: granted to who asks. Nothing is signed over HTTP, but SPNEGO clients insist on being able to. */
const grantedFlags = 0x40000030;
const avPair = { end: 0, computer: 1, domain: 2, dnsComputer: 3, dnsDomain: 4, timestamp: 7, channelBindings: 10 } as const;
const ntlmMechanism = Buffer.from('060a2b06010401823702020a', 'hex');
/** 100-ns intervals from 1601 to 1970. */
const epochDifference = 116_444_736_000_000_000n;

interface NtlmAnswer {
  readonly user: string;
  readonly domain: string;
  readonly proof: Buffer;
  readonly blob: Buffer;
  /** MD5 of the channel binding that the client saw (MS-NLMP 2.2.2.1); null when it sent none. */
  readonly channelBindings: Buffer | null;
}

/** Flags of a type 1, 0 when it has none. */
export function flagsAsked(message: Buffer): number {
  return message.length >= 16 ? message.readUInt32LE(12) : 0;
}

/** Where the NTLM message begins in a token (0 when bare), -1 when there is none. */
export function ntlmStart(token: Buffer): number {
  return token.indexOf(signature);
}

/** 1 to 3, or 0 for a message too short or not of NTLM. */
export function ntlmType(message: Buffer): number {
  return message.length >= 12 && message.subarray(0, 8).equals(signature) ? message.readUInt32LE(8) : 0;
}

function avItem(id: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(value.length, 2);
  return Buffer.concat([head, value]);
}

function wide(value: string): Buffer {
  return Buffer.from(value, 'utf16le');
}

/** `asked`: the flags of the client's type 1. */
export function challengeMessage(challenge: Buffer, asked: number, server: string, domain: string, nowMilliseconds: number): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64LE(BigInt(Math.trunc(nowMilliseconds)) * 10_000n + epochDifference);
  const short = (domain.split('.')[0] ?? '').toUpperCase();
  const target = wide(short);
  const info = Buffer.concat([
    avItem(avPair.domain, target), avItem(avPair.computer, wide(server.toUpperCase())), avItem(avPair.dnsDomain, wide(domain)),
    avItem(avPair.dnsComputer, wide(`${server.toLowerCase()}.${domain}`)), avItem(avPair.timestamp, time), avItem(avPair.end, Buffer.alloc(0)),
  ]);
  const head = Buffer.alloc(56);
  signature.copy(head);
  head.writeUInt32LE(2, 8);
  const field = (at: number, length: number, offset: number): void => {
    head.writeUInt16LE(length, at);
    head.writeUInt16LE(length, at + 2);
    head.writeUInt32LE(offset, at + 4);
  };
  field(12, target.length, 56);
  head.writeUInt32LE((challengeFlags | (asked & grantedFlags)) >>> 0, 20);
  challenge.copy(head, 24, 0, 8);
  field(40, info.length, 56 + target.length);
  // Version: 6.3 build 9600, NTLM revision 15.
  Buffer.from('060380250000000f', 'hex').copy(head, 48);
  return Buffer.concat([head, target, info]);
}

function fieldOf(message: Buffer, at: number): Buffer | null {
  const length = message.readUInt16LE(at);
  const offset = message.readUInt32LE(at + 4);
  return offset + length <= message.length ? message.subarray(offset, offset + length) : null;
}

function bindingsIn(blob: Buffer): Buffer | null {
  // The pairs begin after version, time, client challenge and padding.
  for (let at = 28; at + 4 <= blob.length;) {
    const id = blob.readUInt16LE(at);
    const length = blob.readUInt16LE(at + 2);
    if (id === avPair.end || at + 4 + length > blob.length) return null;
    const value = blob.subarray(at + 4, at + 4 + length);
    // Sixteen zero bytes mean that the client has no binding.
    if (id === avPair.channelBindings) return length === 16 && value.some((byte) => byte !== 0) ? value : null;
    at += 4 + length;
  }
  return null;
}

/** Null: malformed, or not NTLMv2. */
export function readAnswer(message: Buffer): NtlmAnswer | null {
  if (ntlmType(message) !== 3 || message.length < 64) return null;
  const [nt, domain, user] = [fieldOf(message, 20), fieldOf(message, 28), fieldOf(message, 36)];
  if (nt === null || domain === null || user === null || nt.length < 16 + 28) return null;
  const unicode = (message.readUInt32LE(60) & 1) !== 0;
  const encoding = unicode ? 'utf16le' : 'latin1';
  const blob = nt.subarray(16);
  return { user: user.toString(encoding), domain: domain.toString(encoding), proof: nt.subarray(0, 16), blob, channelBindings: bindingsIn(blob) };
}

export function answerIsRight(answer: NtlmAnswer, challenge: Buffer, password: string): boolean {
  const key = createHmac('md5', md4(Buffer.from(password, 'utf16le'))).update(Buffer.from(answer.user.toUpperCase() + answer.domain, 'utf16le')).digest();
  const proof = createHmac('md5', key).update(challenge).update(answer.blob).digest();
  return timingSafeEqual(proof, answer.proof);
}

/** What a client that saw this certificate (DER) puts into its answer: tls-server-end-point (RFC 5929 section 4.1), SHA-256. */
export function channelBindingsOf(certificate: Uint8Array): Buffer {
  const data = Buffer.concat([Buffer.from('tls-server-end-point:', 'latin1'), createHash('sha256').update(certificate).digest()]);
  // gss_channel_bindings_struct: four empty address fields, then the length of the application data.
  const head = Buffer.alloc(20);
  head.writeUInt32LE(data.length, 16);
  return createHash('md5').update(head).update(data).digest();
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

/** SPNEGO's NegTokenResp: more to come with this NTLM message, or (null) all is well. */
export function negotiateReply(message: Buffer | null): Buffer {
  const state = der(0xa0, der(0x0a, Buffer.from([message === null ? 0 : 1])));
  const parts = message === null ? [state] : [state, der(0xa1, ntlmMechanism), der(0xa2, der(0x04, message))];
  return der(0xa1, der(0x30, Buffer.concat(parts)));
}

/** Whether a SPNEGO token without an NTLM message offers NTLM among its mechanisms. */
export function offersNtlm(token: Buffer): boolean {
  return token.includes(ntlmMechanism);
}
