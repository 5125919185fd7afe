/**
 * Listening sockets that came from a process that is being replaced: whoever is to listen on one of their addresses takes it from here, and
 * with it the connections that wait to be accepted. Filled by fetch.ts; used by admin/ and process/. Opens nothing; what nobody took is closed.
 */
import { lstatSync } from 'node:fs';
import { closeDescriptor, duplicateDescriptor, socketAddress, socketOption } from '../../base/descriptors.ts';
import type { InheritedListener } from '../../model/messages.ts';
import type { Bind, Model } from '../../model/model.ts';
import type { ListenerWord } from '../../wire/listener-list.ts';
import { AF_INET6, AF_UNIX, inetAddress } from '../../base/socket-address.ts';
import { isListening, ownListeners } from './own-listeners.ts';

const solSocket = 1;
const reusePort = 15;
const [levelIp6, onlyIp6] = [41, 26];

interface Entry {
  readonly descriptor: number;
  readonly key: string;
  /** Sockets of other threads may have the same address. */
  readonly shared: boolean;
}

/** Same text for addresses that one socket cannot tell apart. */
function inetKey(host: string, port: number, v6only: boolean): string {
  const address = Buffer.from(inetAddress(host, port));
  return keyOfAddress(address, v6only);
}

function keyOfAddress(address: Buffer, v6only: boolean): string {
  const family = address.readUInt16LE(0);
  if (family === AF_UNIX) return unixKey(address);
  // Flow and scope of an IPv6 address are left out; only of `::` it matters whether IPv4 is meant as well.
  const bytes = family === AF_INET6 ? Buffer.concat([address.subarray(0, 4), address.subarray(8, 24)]) : address.subarray(0, 8);
  const isAny = family === AF_INET6 && address.subarray(8, 24).every((byte) => byte === 0);
  return `${bytes.toString('hex')}${isAny && v6only ? ' only' : ''}`;
}

/** A file keeps the name it was made with, which ends in `.<pid>.tmp`, however it is called since. */
function unixKey(address: Buffer): string {
  const name = address.subarray(2).toString('latin1');
  // HAProxy fills abstract names up with zeroes.
  if (name.startsWith('\0')) return `unix ${name.replace(/\0+$/, '')}`;
  return `unix ${name.replace(/\0.*$/s, '').replace(/\.\d+\.tmp$/, '')}`;
}

export class ReceivedListeners {
  readonly #entries: Entry[] = [];

  get count(): number {
    return this.#entries.length;
  }

  /** Anything but a stream socket that listens, and what is tied to a namespace or an interface, is closed. */
  add(descriptor: number, word: ListenerWord): void {
    const address = isListening(descriptor) ? socketAddress(descriptor) : null;
    if (address === null || word.namespace !== '' || word.interface !== '') {
      closeDescriptor(descriptor);
      return;
    }
    const v6only = address.readUInt16LE(0) === AF_INET6 && socketOption(descriptor, levelIp6, onlyIp6)?.readInt32LE(0) === 1;
    const shared = socketOption(descriptor, solSocket, reusePort)?.readInt32LE(0) === 1;
    this.#entries.push({ descriptor, key: keyOfAddress(address, v6only), shared });
  }

  /** Every socket of a numeric address and port. */
  #takeInet(host: string, port: number, v6only: boolean): Entry[] {
    return this.#take(inetKey(host, port, v6only));
  }

  /** The socket of a path that is still there or of an abstract name, -1 = none. */
  takeUnix(path: string, abstract: boolean): number {
    if (!abstract && lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return -1;
    const [first, ...others] = this.#take(abstract ? `unix \0${path}` : `unix ${path}`);
    for (const other of others) closeDescriptor(other.descriptor);
    return first?.descriptor ?? -1;
  }

  /** For a listener that is not shared by threads. */
  takeOneInet(host: string, port: number): number {
    const [first, ...others] = this.#takeInet(host, port, false);
    for (const other of others) closeDescriptor(other.descriptor);
    return first?.descriptor ?? -1;
  }

  #take(key: string): Entry[] {
    const taken = this.#entries.filter((one) => one.key === key);
    for (const one of taken) this.#entries.splice(this.#entries.indexOf(one), 1);
    return taken;
  }

  /** What each traffic thread starts with. Every socket is used, also where there were more threads before: clients wait in it. */
  distribute(model: Model): InheritedListener[][] {
    const threads: InheritedListener[][] = Array.from({ length: model.global.nbthread }, () => []);
    for (const bind of model.binds) {
      if (model.proxies[bind.proxy]?.disabled === true) continue;
      const { address } = bind;
      if (address.kind === 'unix') {
        const fd = this.takeUnix(address.path, address.abstract);
        if (fd >= 0) threads[0]?.push({ bind: bind.index, port: 0, fd });
      } else if (address.kind === 'inet') {
        for (let port = address.port; port <= Math.max(address.portLast, address.port); port += 1) this.#distributePort(threads, bind, address.host, port);
      }
    }
    return threads;
  }

  #distributePort(threads: readonly InheritedListener[][], bind: Bind, host: string, port: number): void {
    const taken = this.#takeInet(host, port, bind.v6only);
    taken.forEach(({ descriptor: fd }, index) => threads[index % threads.length]?.push({ bind: bind.index, port, fd }));
    const alone = taken.find((one) => !one.shared);
    // No other socket can be opened beside it: the threads that have none accept from it as well.
    if (alone !== undefined) for (const thread of threads.slice(taken.length)) thread.push({ bind: bind.index, port, fd: duplicateDescriptor(alone.descriptor) });
  }

  closeRest(): void {
    for (const { descriptor } of this.#entries.splice(0)) closeDescriptor(descriptor);
  }
}

/**
 * For a thread that is started again in a process that is no longer root: beside the sockets that root has opened nobody else can open one
 * of the same address (SO_REUSEPORT), so that it accepts from another thread's.
 */
export function listenersOfOthers(model: Model): InheritedListener[] {
  const found = new ReceivedListeners();
  const known = new Set<string>();
  for (const { descriptor, address, interface: name } of ownListeners()) {
    const text = address.toString('hex');
    if (address.readUInt16LE(0) === AF_UNIX || name !== '' || known.has(text)) continue;
    known.add(text);
    found.add(duplicateDescriptor(descriptor), { namespace: '', interface: '' });
  }
  const [listeners = []] = found.distribute({ ...model, global: { ...model.global, nbthread: 1 } });
  found.closeRest();
  return listeners;
}
