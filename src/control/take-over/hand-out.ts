/**
 * Passes the sockets on which this process listens to one that takes over (wire/listener-list.ts). It goes on listening as well until it is
 * told to stop, so that a process that takes them and then cannot start has changed nothing. Used by admin/ for runtime sockets with
 * `expose-fd listeners`, and by process/hand-over.ts. Decides about nobody's right to ask.
 */
import type { Socket } from 'node:net';
import { descriptorsPerMessageMax, sendDescriptors } from '../../base/descriptors.ts';
import { listenerCountBytes, listenerWordBytesMax, writeListenerWord } from '../../wire/listener-list.ts';
import { ownListeners } from './own-listeners.ts';
import type { ListeningSocket } from './own-listeners.ts';

const answerMsMax = 2000;

/** Field of both runtimes' sockets. */
const handleField = '_handle';
type SocketWithHandle = Socket & { readonly [handleField]?: { readonly fd?: number } | null };

/** Number of the open file behind a connection, -1 when it is closed. */
export function descriptorOf(socket: Socket): number {
  return (socket as SocketWithHandle)[handleField]?.fd ?? -1;
}

/** Answers on a connection to a unix socket and ends it. Whatever is still read from it is taken for an acknowledgement. */
export function handOutListeners(connection: Socket): void {
  const listeners = ownListeners();
  const count = Buffer.alloc(listenerCountBytes);
  count.writeInt32LE(listeners.length);
  let next = 0;
  connection.removeAllListeners('data');
  connection.removeAllListeners('end');
  connection.setTimeout(answerMsMax, () => connection.destroy());
  const send = (): void => {
    const batch = listeners.slice(next, next + descriptorsPerMessageMax);
    next += batch.length;
    if (!sendBatch(connection, batch)) connection.destroy();
    else if (next >= listeners.length) connection.end();
  };
  connection.on('data', () => { if (next < listeners.length) send(); });
  connection.on('end', () => connection.destroy());
  connection.resume();
  if (!sendDescriptors(descriptorOf(connection), count, [])) connection.destroy();
  else if (listeners.length === 0) connection.end();
  else send();
}

function sendBatch(connection: Socket, batch: readonly ListeningSocket[]): boolean {
  const words = Buffer.alloc(batch.length * listenerWordBytesMax);
  let length = 0;
  for (const one of batch) length = writeListenerWord(words, length, { namespace: '', interface: one.interface });
  return sendDescriptors(descriptorOf(connection), words.subarray(0, length), batch.map((one) => one.descriptor));
}
