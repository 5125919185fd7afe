/**
 * Name and key of the socket over which the traffic threads reach the control thread's HTTP server. Made by process/balancer.ts. The
 * name is in Linux' abstract namespace: no file, so nothing to hand over when privileges are dropped and nothing that a
 * crash could leave behind. Any local user can connect to it, so every request has to show the key.
 */
import { randomBytes } from 'node:crypto';
import { ownNamePrefix } from '../control/take-over/own-listeners.ts';

interface InternalSocket {
  readonly path: string;
  readonly key: string;
}

export function makeInternalSocket(): InternalSocket {
  return { path: `\0${ownNamePrefix}${process.pid}-${randomBytes(8).toString('hex')}`, key: randomBytes(24).toString('hex') };
}
