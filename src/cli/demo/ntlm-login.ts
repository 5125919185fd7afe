/**
 * The client's side of NTLM (MS-NLMP 3.1.5.1), as Outlook does it: type 1, and the type 3 that answers a challenge and names the
 * certificate that the client sees (Extended Protection). Used by web-client.ts.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { md4 } from '../../exchange-sim/md4.ts';
import { channelBindingsOf } from '../../exchange-sim/ntlm.ts';

/** Unicode, target, NTLM, always sign, extended session security, target info, version, 128, 56 (MS-NLMP 2.2.2.5). */
const flags = 0xa2888205;
const domain = 'LAB';
const challengeAt = 24;
const targetInfoAt = 40;
const headBytes = 64;
const bindingsId = 10;

const wide = (text: string): Buffer => Buffer.from(text, 'utf16le');

function message(type: number, bytes: number): Buffer {
  const made = Buffer.alloc(bytes);
  made.write('NTLMSSP\0', 'latin1');
  made.writeUInt32LE(type, 8);
  return made;
}

/** In Base64, as in the Authorization header. */
export function typeOne(): string {
  const made = message(1, 32);
  made.writeUInt32LE(flags, 12);
  return made.toString('base64');
}

/** The server's pairs without their end, and the binding to the certificate (DER). */
function pairs(challenge: Buffer, certificate: Buffer): Buffer {
  const at = challenge.readUInt32LE(targetInfoAt + 4);
  const info = challenge.subarray(at, at + challenge.readUInt16LE(targetInfoAt) - 4);
  return Buffer.concat([info, Buffer.from([bindingsId, 0, 16, 0]), channelBindingsOf(certificate), Buffer.alloc(4)]);
}

/** Answer to the challenge that came in Base64; in Base64 too. */
export function typeThree(user: string, password: string, challengeText: string, certificate: Buffer): string {
  const challenge = Buffer.from(challengeText, 'base64');
  // Version and reserved bytes, time, client challenge, reserved bytes, pairs (MS-NLMP 2.2.2.7).
  const blob = Buffer.concat([Buffer.from([1, 1, 0, 0, 0, 0, 0, 0]), Buffer.alloc(8), randomBytes(8), Buffer.alloc(4), pairs(challenge, certificate), Buffer.alloc(4)]);
  const key = createHmac('md5', md4(wide(password))).update(wide(user.toUpperCase() + domain)).digest();
  const proof = createHmac('md5', key).update(challenge.subarray(challengeAt, challengeAt + 8)).update(blob).digest();
  // In the order of their fields in the head.
  const parts = [Buffer.alloc(24), Buffer.concat([proof, blob]), wide(domain), wide(user), wide('OUTLOOK'), Buffer.alloc(0)];
  const head = message(3, headBytes);
  let offset = headBytes;
  for (const [at, part] of parts.entries()) {
    head.writeUInt16LE(part.length, 12 + at * 8);
    head.writeUInt16LE(part.length, 14 + at * 8);
    head.writeUInt32LE(offset, 16 + at * 8);
    offset += part.length;
  }
  head.writeUInt32LE(flags, 60);
  return Buffer.concat([head, ...parts]).toString('base64');
}
