/**
 * The sockets on which this process listens, as the system knows them: whichever thread opened them. For hand-out.ts, which passes them to
 * a process that takes over, and process/hold-connections.ts. Changes nothing.
 */
import { openDescriptors, socketAddress, socketOption } from '../../base/descriptors.ts';
import { AF_UNIX } from '../../base/socket-address.ts';

const solSocket = 1;
const [acceptConnections, boundToDevice] = [30, 25];

/** Sockets between the parts of one process have abstract names that begin so; they are nobody else's. */
export const ownNamePrefix = 'poise/';

export interface ListeningSocket {
  readonly descriptor: number;
  /** struct sockaddr */
  readonly address: Buffer;
  readonly interface: string;
}

function isOwn(address: Buffer): boolean {
  return address.readUInt16LE(0) === AF_UNIX && address.toString('latin1', 2, 3 + ownNamePrefix.length) === `\0${ownNamePrefix}`;
}

/** True for a stream socket that listens. */
export function isListening(descriptor: number): boolean {
  return socketOption(descriptor, solSocket, acceptConnections)?.readInt32LE(0) === 1;
}

export function ownListeners(): ListeningSocket[] {
  const found: ListeningSocket[] = [];
  for (const descriptor of openDescriptors()) {
    const address = isListening(descriptor) ? socketAddress(descriptor) : null;
    if (address === null || isOwn(address)) continue;
    const device = socketOption(descriptor, solSocket, boundToDevice)?.toString('latin1') ?? '';
    found.push({ descriptor, address, interface: device.replace(/\0.*$/s, '') });
  }
  return found;
}
