/** An NTLMv2 answer (type 3) made by hand, as a client makes it. */
import { createHmac } from 'node:crypto';
import { md4 } from '../../src/exchange-sim/md4.ts';

export function typeThree(user: string, domain: string, password: string, challenge: Buffer, bindings: Buffer | null): Buffer {
  const wide = (text: string): Buffer => Buffer.from(text, 'utf16le');
  const pair = bindings === null ? Buffer.alloc(0) : Buffer.concat([Buffer.from([10, 0, 16, 0]), bindings]);
  const blob = Buffer.concat([Buffer.from([1, 1, 0, 0, 0, 0, 0, 0]), Buffer.alloc(8), Buffer.alloc(8, 9), Buffer.alloc(4), pair, Buffer.alloc(8)]);
  const key = createHmac('md5', md4(wide(password))).update(wide(user.toUpperCase() + domain)).digest();
  const nt = Buffer.concat([createHmac('md5', key).update(challenge).update(blob).digest(), blob]);
  const parts = [Buffer.alloc(24), nt, wide(domain), wide(user), wide('WS'), Buffer.alloc(0)];
  const head = Buffer.alloc(64);
  head.write('NTLMSSP\0', 'latin1');
  head.writeUInt32LE(3, 8);
  let offset = 64;
  // The payload lies in an order in which the answer itself comes last, so that every cut is felt.
  const fields = [2, 3, 4, 5, 0, 1];
  for (const at of fields) {
    const length = parts[at]?.length ?? 0;
    head.writeUInt16LE(length, 12 + at * 8);
    head.writeUInt16LE(length, 14 + at * 8);
    head.writeUInt32LE(offset, 16 + at * 8);
    offset += length;
  }
  head.writeUInt32LE(0xa2888205, 60);
  return Buffer.concat([head, ...fields.map((at) => parts[at] ?? Buffer.alloc(0))]);
}
