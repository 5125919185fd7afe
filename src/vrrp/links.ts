/**
 * The machine's interfaces and addresses as the kernel tells them through rtnetlink, and the change of addresses. Blocking requests on a
 * socket of their own, changes on another. Used by vrrp/engine.ts and vrrp/loop.ts.
 */
import { type IpValue, ipEquals, maskBytes, networkContains } from '../base/ip.ts';
import { changeGroups, decodeNetlink, encodeAddress, encodeDump, type InterfaceAddress, type NetlinkMessage } from '../wire/netlink.ts';
import { bindSocket, closeSocket, families, KernelFault, openRaw, receive, sendTo, waitForInput } from './kernel.ts';

export interface Link {
  readonly index: number;
  readonly name: string;
  up: boolean;
  hardwareAddress: Uint8Array;
  readonly addresses: { address: IpValue; prefixLength: number; scope: number }[];
}

const netlinkRoute = 0;
const answerMsMax = 2000;
const linkScope = 253;
const errors = { exists: 17, notAvailable: 99 } as const;

function netlinkAddress(groups: number): Uint8Array {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16LE(families.netlink, 0);
  bytes.writeUInt32LE(groups, 8);
  return bytes;
}

/** Whether no router lies between this machine and the address. */
export function onLink(link: Link, address: IpValue): boolean {
  return link.addresses.some((one) => one.address.family === address.family && networkContains({ family: one.address.family, bytes: maskBytes(one.address.bytes, one.prefixLength), bits: one.prefixLength }, address));
}

export class Links {
  /** Can be read when something has changed. */
  readonly fd: number;
  readonly #requests: number;
  readonly #byIndex = new Map<number, Link>();
  #sequence = 1;

  /** Throws KernelFault when the kernel gives no netlink socket. */
  constructor() {
    this.fd = openRaw(families.netlink, netlinkRoute);
    bindSocket(this.fd, netlinkAddress(changeGroups));
    this.#requests = openRaw(families.netlink, netlinkRoute);
    bindSocket(this.#requests, netlinkAddress(0));
    this.#readAll();
  }

  #readAll(): void {
    this.#byIndex.clear();
    for (const what of ['links', 'addresses'] as const) {
      sendTo(this.#requests, encodeDump(what, this.#sequence++), netlinkAddress(0));
      this.#collect((message) => { this.#apply(message); }, 'done');
    }
  }

  close(): void {
    closeSocket(this.fd);
    closeSocket(this.#requests);
  }

  byName(name: string): Link | undefined {
    for (const link of this.#byIndex.values()) if (link.name === name) return link;
    return undefined;
  }

  /** First address of global scope (IPv4) or link-local one (IPv6) that is not one of `except`. */
  primary(link: Link, family: 4 | 6, except: readonly IpValue[]): IpValue | undefined {
    return link.addresses.find((one) => one.address.family === family && (family === 4) === (one.scope !== linkScope) && !except.some((other) => ipEquals(one.address, other)))?.address;
  }

  has(link: Link, address: IpValue): boolean {
    return link.addresses.some((one) => ipEquals(one.address, address));
  }

  hasAnywhere(address: IpValue): boolean {
    return [...this.#byIndex.values()].some((link) => this.has(link, address));
  }

  /** Takes in what the kernel has told since the last call. */
  readChanges(): void {
    try {
      for (let received = receive(this.fd); received !== undefined; received = receive(this.fd)) {
        for (const message of decodeNetlink(received.bytes)) this.#apply(message);
      }
    } catch {
      // The kernel's buffer ran over and changes are lost: everything is read again.
      this.#readAll();
    }
  }

  /** Undefined when done; else why not. An address that is there already, or is gone already, is well. */
  change(change: 'add' | 'remove', address: InterfaceAddress): string | undefined {
    try {
      sendTo(this.#requests, encodeAddress(change, address, this.#sequence++), netlinkAddress(0));
      let error = 0;
      this.#collect((message) => { if (message.kind === 'answer') ({ error } = message); }, 'answer');
      if (error === 0 || change === 'add' && error === errors.exists || change === 'remove' && error === errors.notAvailable) {
        // The kernel tells of an IPv6 address some time after it has set it: until then it would seem to have been taken off.
        this.#apply({ ...address, kind: change === 'add' ? 'address' : 'address gone', scope: 0 });
        return undefined;
      }
      return new KernelFault(change === 'add' ? 'adding the address' : 'removing the address', error).message;
    } catch (fault) {
      return (fault as Error).message;
    }
  }

  #collect(take: (message: NetlinkMessage) => void, until: 'done' | 'answer'): void {
    const deadline = performance.now() + answerMsMax;
    for (;;) {
      const left = deadline - performance.now();
      if (left <= 0) throw new KernelFault('netlink', 110);
      if (waitForInput([this.#requests], Math.ceil(left)).size === 0) continue;
      for (let received = receive(this.#requests); received !== undefined; received = receive(this.#requests)) {
        for (const message of decodeNetlink(received.bytes)) {
          take(message);
          if (message.kind === until || message.kind === 'answer') return;
        }
      }
    }
  }

  #apply(message: NetlinkMessage): void {
    if (message.kind === 'link') {
      const known = this.#byIndex.get(message.index);
      if (known?.name === message.name) {
        known.up = message.up;
        known.hardwareAddress = message.hardwareAddress;
      } else {
        this.#byIndex.set(message.index, { index: message.index, name: message.name, up: message.up, hardwareAddress: message.hardwareAddress, addresses: known?.addresses ?? [] });
      }
    } else if (message.kind === 'link gone') {
      this.#byIndex.delete(message.index);
    } else if (message.kind === 'address' || message.kind === 'address gone') {
      const link = this.#byIndex.get(message.index);
      const index = link?.addresses.findIndex((one) => ipEquals(one.address, message.address)) ?? -1;
      if (message.kind === 'address gone' && index >= 0) link?.addresses.splice(index, 1);
      else if (message.kind === 'address' && index < 0) link?.addresses.push({ address: message.address, prefixLength: message.prefixLength, scope: message.scope });
    }
  }
}
