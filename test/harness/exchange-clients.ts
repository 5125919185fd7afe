/** What clients of Exchange send over HTTP, for tests that speak to the bind {https} of layerSeven() (exchange-origin.ts). */
import { randomBytes } from 'node:crypto';
import { frameBytes } from '../../src/exchange-sim/services/websocket-frames.ts';
import type { Client } from './client.ts';
import type { Message } from './http.ts';
import { typeThree } from './ntlm-answer.ts';
import { channelHead, connA1, connB1, nextPdu, requestPdu } from './rpc-channels.ts';
import type { Site } from './site.ts';

export const open = (site: Site): Promise<Client> => site.client('https', { tls: { servername: 'mail.lab.local' } });

export const head = (method: string, uri: string, ...lines: string[]): string => [`${method} ${uri} HTTP/1.1`, 'Host: mail.lab.local', ...lines, '', ''].join('\r\n');
export const whole = (method: string, uri: string, body: string, ...lines: string[]): string => head(method, uri, ...lines, `Content-Length: ${body.length}`) + body;

const typeOne = Buffer.from('4e544c4d5353500001000000078208a200000000000000000000000000000000', 'hex').toString('base64');

/** Logs the connection in with NTLM at `uri`; gives the answer to the login, or the failure of the server that came before. */
export async function ntlmLogin(client: Client, uri: string, user: string, password: string): Promise<Message> {
  const challenged = await client.send(whole('POST', uri, '', `Authorization: NTLM ${typeOne}`)).answer('POST', 15_000);
  if (challenged.status >= 500) return challenged;
  const challenge = Buffer.from(/^NTLM (.+)$/.exec(challenged.header('www-authenticate') ?? '')?.[1] ?? '', 'base64');
  if (challenged.status !== 401 || challenge.length < 32) throw new Error(`no challenge: ${challenged.raw.slice(0, 300)}`);
  return client.send(whole('POST', uri, '<GetItem/>', `Authorization: NTLM ${typeThree(user, 'LAB', password, challenge.subarray(24, 32), null).toString('base64')}`)).answer('POST', 15_000);
}

interface Pair { readonly virtual: Buffer; readonly incoming: Client; readonly outgoing: Client; readonly outHead: string; readonly connected: number[] }

export async function openPair(site: Site): Promise<Pair> {
  const virtual = randomBytes(16);
  const outgoing = await open(site);
  outgoing.send(channelHead('RPC_OUT_DATA', 76)).send(connA1(virtual));
  const outHead = await outgoing.until(/\r\n\r\n/);
  const connected = [(await nextPdu(outgoing)).length];
  const incoming = await open(site);
  incoming.send(channelHead('RPC_IN_DATA', 1_073_741_824)).send(connB1(virtual));
  connected.push((await nextPdu(outgoing)).length);
  return { virtual, incoming, outgoing, outHead, connected };
}

/** Sends a PDU on IN and waits for it on OUT; gives the milliseconds. */
export async function pduEcho(incoming: Client, outgoing: Client, text: string): Promise<number> {
  const began = performance.now();
  incoming.send(requestPdu(text));
  const pdu = await nextPdu(outgoing);
  if (pdu.toString('latin1', 16) !== text) throw new Error(`${pdu.length} bytes came back for ${text.length}`);
  return performance.now() - began;
}

/** What the fastest quarter of 40 echoes takes, in the best of some rounds: a busy machine slows many, whoever holds small writes back slows all. */
export async function echoMs(incoming: Client, outgoing: Client, goodMs: number): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < 8 && best >= goodMs; round += 1) {
    const times: number[] = [];
    for (let n = 0; n < 40; n += 1) times.push(await pduEcho(incoming, outgoing, `small ${n}`));
    best = Math.min(best, times.toSorted((a, b) => a - b)[10] ?? Infinity);
  }
  return best;
}

/** HeartbeatInterval in the bare WBXML that the simulated server reads. */
export const pingBody = (seconds: number): string => `\x03\x01\x6a\x00\x00\x0d\x45\x48\x03${seconds}\x00\x01\x01`;

/** A frame of a WebSocket client; the mask is zero. */
export function masked(opcode: number, text: string): Buffer {
  const plain = frameBytes({ isLast: true, opcode, payload: Buffer.from(text, 'latin1') });
  plain[1] = (plain[1] ?? 0) | 0x80;
  const headBytes = plain.length - text.length;
  return Buffer.concat([plain.subarray(0, headBytes), Buffer.alloc(4), plain.subarray(headBytes)]);
}
