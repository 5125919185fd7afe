/** The client's side of RPC over HTTP: its two channels and their PDUs (MS-RPCH), written apart from the simulated server's. */
import { randomBytes } from 'node:crypto';
import type { Client } from './client.ts';

const rtsType = 20;
const pingFlag = 1;

function pduOf(type: number, body: Buffer): Buffer {
  const pdu = Buffer.concat([Buffer.from([5, 0, type, 3, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), body]);
  pdu.writeUInt16LE(pdu.length, 8);
  return pdu;
}

function word(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeUInt32LE(value, at * 4);
  return bytes;
}

const cookie = (bytes: Buffer): Buffer => Buffer.concat([word(3), bytes]);

function rts(flags: number, ...commands: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(flags, 0);
  head.writeUInt16LE(commands.length, 2);
  return pduOf(rtsType, Buffer.concat([head, ...commands]));
}

const version = word(6, 1);
export const connA1 = (virtual: Buffer): Buffer => rts(0, version, cookie(virtual), cookie(randomBytes(16)), word(0, 65_536));
export const connB1 = (virtual: Buffer): Buffer => rts(0, version, cookie(virtual), cookie(randomBytes(16)), word(4, 1_073_741_824), word(5, 300_000), Buffer.concat([word(12), randomBytes(16)]));
/** The first PDU of a successor of the IN channel. */
export const inR1A1 = (virtual: Buffer): Buffer => rts(4, version, cookie(virtual), cookie(randomBytes(16)), cookie(randomBytes(16)));
export const requestPdu = (text: string): Buffer => pduOf(0, Buffer.from(text, 'latin1'));

export const channelHead = (method: string, bytes: number): string =>
  [`${method} /rpc/rpcproxy.dll?0f8fad5b@lab.local:6001 HTTP/1.1`, 'Host: mail.lab.local', 'User-Agent: MSRPC', 'Accept: application/rpc', `Content-Length: ${bytes}`, '', ''].join('\r\n');

/** Takes the next PDU that is no keep-alive ping from what an OUT channel got. */
export async function nextPdu(client: Client, timeoutMs = 5000): Promise<Buffer> {
  for (;;) {
    const head = await client.bytes(16, timeoutMs);
    const length = Buffer.from(head, 'latin1').readUInt16LE(8);
    const pdu = Buffer.from(head + await client.bytes(length - head.length, timeoutMs), 'latin1');
    if (pdu[2] !== rtsType || pdu.readUInt16LE(16) !== pingFlag) return pdu;
  }
}
