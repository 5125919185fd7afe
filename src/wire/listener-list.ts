/**
 * What HAProxy and Poise say about listening sockets that they pass to each other (`_getsocks` on a runtime socket with `expose-fd listeners`).
 * The answer is the number of sockets as four bytes, then messages that carry the descriptors and these words about each. Seen with HAProxy 2.6
 * under strace. Used by control/take-over/. Reads and writes bytes only.
 */
import type { Buffer } from 'node:buffer';

export const listenerRequest = '_getsocks\n';
export const listenerCountBytes = 4;
/** What the receiver sends after each message but the last. */
export const listenerAcknowledgement = new Uint8Array(4);
/** Two texts with a byte of length each, and options that nobody reads. */
export const listenerWordBytesMax = 1 + 255 + 1 + 255 + 4;

export interface ListenerWord {
  /** Network namespace and interface that the socket is tied to, '' = none. */
  readonly namespace: string;
  readonly interface: string;
}

export function writeListenerWord(bytes: Buffer, start: number, word: ListenerWord): number {
  let at = start;
  for (const text of [word.namespace, word.interface]) {
    const length = bytes.write(text, at + 1, 255, 'latin1');
    bytes.writeUInt8(length, at);
    at += 1 + length;
  }
  bytes.writeInt32LE(0, at);
  return at + 4;
}

/** As many words as there are descriptors; null when the bytes are not that many. */
export function readListenerWords(bytes: Buffer, count: number): ListenerWord[] | null {
  const words: ListenerWord[] = [];
  let at = 0;
  const text = (): string => {
    const length = bytes[at] ?? 0;
    const value = bytes.toString('latin1', at + 1, at + 1 + length);
    at += 1 + length;
    return value;
  };
  while (words.length < count) {
    const namespace = text();
    words.push({ namespace, interface: text() });
    at += 4;
    if (at > bytes.length) return null;
  }
  return at === bytes.length ? words : null;
}
