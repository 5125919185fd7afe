/**
 * Who is at the other end of a runtime socket: user and process of a unix socket, as the kernel knows them (SO_PEERCRED, unix(7)), or the
 * address. For the list of events; nothing is allowed or refused by it.
 */
import type { Socket } from 'node:net';
import { socketOption } from '../base/descriptors.ts';
import { descriptorOf } from '../control/take-over/hand-out.ts';

const levelSocket = 1;
const optionPeerCredentials = 17;

/** struct ucred: pid, uid, gid. */
function credentials(descriptor: number): string {
  try {
    const value = descriptor < 0 ? null : socketOption(descriptor, levelSocket, optionPeerCredentials);
    return value === null ? 'a local user' : `uid ${value.readUInt32LE(4)} pid ${value.readInt32LE(0)}`;
  } catch {
    return 'a local user';
  }
}

export function peerText(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined || remoteAddress === '' ? credentials(descriptorOf(socket)) : `${remoteAddress}:${remotePort ?? 0}`;
}
