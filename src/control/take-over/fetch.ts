/**
 * Asks a process that is to be replaced for its listening sockets: one of Poise by its process id, or one of HAProxy or Poise by its runtime
 * socket (`-x`). Called once while a balancer starts, by process/run-balancer.ts. Blocks for at most a few seconds.
 */
import { readFileSync } from 'node:fs';
import { closeDescriptor, connectBlocking, receiveDescriptors, sendDescriptors, socketOption } from '../../base/descriptors.ts';
import { listenerAcknowledgement, listenerCountBytes, listenerRequest, readListenerWords } from '../../wire/listener-list.ts';
import { unixAddress } from '../../base/socket-address.ts';
import { ownNamePrefix } from './own-listeners.ts';
import type { ReceivedListeners } from './received.ts';

const secondsMax = 2;
const answerBytesMax = 262_144;
const listenersMax = 65_536;
const [solSocket, peerCredentials] = [1, 17];

/** Abstract name under which the balancer process with this id hands its sockets over. */
export function handOverName(pid: number): string {
  return `${ownNamePrefix}take-over-${pid}`;
}

/** '' or why nothing came. */
export function fetchFromSocket(path: string, into: ReceivedListeners): string {
  // HAProxy's packages name it when there is nothing to take.
  if (path === '/dev/null') return '';
  let connection = -1;
  try {
    connection = connectBlocking(unixAddress(path, false), secondsMax);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return connection < 0 ? `Failed to connect to the old process socket '${path}'` : receiveAll(connection, into);
}

/** Processes without listeners, of other programs, or gone have nothing to give; that is no error. */
export function fetchFromProcesses(pids: readonly number[], into: ReceivedListeners): void {
  for (const pid of handOverPids(pids)) {
    const connection = connectBlocking(unixAddress(handOverName(pid), true), secondsMax);
    if (connection < 0) continue;
    // Anybody may have taken the name.
    if (socketOption(connection, solSocket, peerCredentials)?.readInt32LE(0) === pid) receiveAll(connection, into);
    else closeDescriptor(connection);
  }
}

/** Balancer processes among these and among their children: of a master, the process id of the master is known. */
function handOverPids(wanted: readonly number[]): number[] {
  if (wanted.length === 0) return [];
  const names = readFileSync('/proc/net/unix', 'latin1').matchAll(new RegExp(`@${handOverName(0).slice(0, -1)}(\\d+)`, 'g'));
  const pids = [...new Set([...names].map((name) => Number(name[1])))];
  return pids.filter((pid) => wanted.includes(pid) || wanted.includes(parentOf(pid)));
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function receiveAll(connection: number, into: ReceivedListeners): string {
  try {
    if (!sendDescriptors(connection, Buffer.from(listenerRequest, 'latin1'), [])) return 'Failed to ask the old process for its sockets';
    const count = receiveDescriptors(connection, listenerCountBytes)?.bytes;
    if (count?.length !== listenerCountBytes) return 'Failed to get the number of sockets to be transferred';
    const expected = count.readInt32LE(0);
    if (expected < 0 || expected > listenersMax) return `The old process announces ${expected} sockets`;
    for (let got = 0; got < expected;) {
      const message = receiveDescriptors(connection, answerBytesMax);
      if (message === null || message.descriptors.length === 0) return `Failed to get the sockets: ${got} of ${expected} came`;
      const words = readListenerWords(message.bytes, message.descriptors.length);
      message.descriptors.forEach((descriptor, index) => into.add(descriptor, words?.[index] ?? { namespace: '?', interface: '' }));
      if (words === null) return 'The old process describes its sockets in a way that is not understood';
      got += message.descriptors.length;
      if (got < expected) sendDescriptors(connection, listenerAcknowledgement, []);
    }
    return '';
  } finally {
    closeDescriptor(connection);
  }
}
