/**
 * Who is at the other end of a runtime socket: user and process of a unix socket, as the kernel knows them (SO_PEERCRED, unix(7)), or the
 * address. For the list of events; nothing is allowed or refused by it.
 */
import type { Socket } from 'node:net';
import { libcFunction } from '../base/libc.ts';

const levelSocket = 1;
const optionPeerCredentials = 17;
/** struct ucred: pid, uid, gid. */
const credentialBytes = 12;

let getsockopt: ((...args: unknown[]) => number) | undefined;

/** Field of both runtimes' sockets. */
const handleField = '_handle';

function descriptorOf(socket: Socket): number {
  const handle = (socket as Socket & Partial<Record<typeof handleField, { readonly fd?: number } | null>>)[handleField];
  return handle?.fd ?? -1;
}

function credentials(descriptor: number): string {
  try {
    getsockopt ??= libcFunction('int getsockopt(int fd, int level, int option, void *value, uint32_t *length)');
    const value = Buffer.alloc(credentialBytes);
    const length = new Uint32Array([credentialBytes]);
    if (descriptor < 0 || getsockopt(descriptor, levelSocket, optionPeerCredentials, value, length) !== 0) return 'a local user';
    return `uid ${value.readUInt32LE(4)} pid ${value.readInt32LE(0)}`;
  } catch {
    return 'a local user';
  }
}

export function peerText(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined || remoteAddress === '' ? credentials(descriptorOf(socket)) : `${remoteAddress}:${remotePort ?? 0}`;
}
