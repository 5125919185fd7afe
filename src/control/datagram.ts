/**
 * Sends datagrams, single ones or many by one call, to unix sockets (`/dev/log`, systemd's NOTIFY_SOCKET) and UDP addresses by libc calls:
 * neither runtime has unix datagrams, and plain sendto() or sendmmsg() costs half of what their UDP classes cost on both runtimes.
 * Used by control/log-sink.ts and process/systemd.ts. Never blocks, never queues, never receives. Every datagram names its
 * destination anew, so that a syslog daemon that was restarted is found again without a reconnect. Linux only.
 */
import { isIPv6 } from 'node:net';
import { libcFunction, nativeBlock } from './libc.ts';
import { AF_INET, AF_INET6, AF_UNIX, inetAddress, unixAddress } from './socket-address.ts';

/** SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC */
const datagramType = 2 | 0o4000 | 0o2000000;
/** MSG_DONTWAIT | MSG_NOSIGNAL */
const sendFlags = 0x40 | 0x4000;

interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  sendto(fd: number, bytes: Uint8Array, length: number, flags: number, address: Uint8Array, addressLength: number): number;
  sendmmsg(fd: number, messages: Uint8Array, count: number, flags: number): number;
  close(fd: number): number;
}

/** Datagrams, and their bytes, that one sendmmsg() takes. */
const batchMessages = 64;
const batchBytes = 65536;
/** Sizes and offsets of struct mmsghdr and struct iovec on 64-bit Linux. */
const mmsghdr = { size: 64, name: 0, nameLength: 8, vector: 16, vectorLength: 24 } as const;
const iovec = { size: 16, base: 0, length: 8 } as const;

/** The memory of one batch, shared by all senders: each call has done with it when it returns. */
class Batch {
  readonly text: Buffer;
  readonly messages: Buffer;
  private readonly vectors: Buffer;
  private readonly name: Buffer;
  private readonly textAddress: bigint;
  private count = 0;
  private used = 0;

  constructor() {
    const { address, bytes } = nativeBlock(batchBytes + batchMessages * (mmsghdr.size + iovec.size) + 128);
    const messagesAt = batchBytes;
    const vectorsAt = messagesAt + batchMessages * mmsghdr.size;
    const nameAt = vectorsAt + batchMessages * iovec.size;
    bytes.fill(0, messagesAt);
    this.textAddress = address;
    this.text = bytes.subarray(0, batchBytes);
    this.messages = bytes.subarray(messagesAt, vectorsAt);
    this.vectors = bytes.subarray(vectorsAt, nameAt);
    this.name = bytes.subarray(nameAt);
    for (let index = 0; index < batchMessages; index += 1) {
      const at = index * mmsghdr.size;
      this.messages.writeBigUInt64LE(address + BigInt(nameAt), at + mmsghdr.name);
      this.messages.writeBigUInt64LE(address + BigInt(vectorsAt + index * iovec.size), at + mmsghdr.vector);
      this.messages.writeBigUInt64LE(1n, at + mmsghdr.vectorLength);
    }
  }

  /** An empty batch to this address. */
  begin(address: Uint8Array): void {
    this.name.set(address);
    for (let index = 0; index < batchMessages; index += 1) this.messages.writeUInt32LE(address.length, index * mmsghdr.size + mmsghdr.nameLength);
    this.clear();
  }

  clear(): void {
    this.count = 0;
    this.used = 0;
  }

  get size(): number { return this.count; }

  /** False: no room, or not in this batch. */
  add(message: string): boolean {
    if (this.count === batchMessages || this.used + message.length > batchBytes) return false;
    this.text.write(message, this.used, 'latin1');
    const at = this.count * iovec.size;
    this.vectors.writeBigUInt64LE(this.textAddress + BigInt(this.used), at + iovec.base);
    this.vectors.writeUInt32LE(message.length, at + iovec.length);
    this.used += message.length;
    this.count += 1;
    return true;
  }
}

let sharedBatch: Batch | undefined;

let libc: Libc | undefined;

/** Throws when koffi or libc cannot be loaded. */
function loadLibc(): Libc {
  libc ??= {
    socket: libcFunction('int socket(int domain, int type, int protocol)'),
    sendto: libcFunction('int64_t sendto(int fd, const uint8_t *bytes, size_t length, int flags, const uint8_t *address, uint32_t address_length)'),
    sendmmsg: libcFunction('int sendmmsg(int fd, uint8_t *messages, unsigned int count, int flags)'),
    close: libcFunction('int close(int fd)'),
  };
  return libc;
}

export class DatagramSender {
  private readonly calls: Libc;
  private readonly address: Uint8Array;
  private fd: number;

  private constructor(domain: number, address: Uint8Array) {
    this.address = address;
    this.calls = loadLibc();
    this.fd = this.calls.socket(domain, datagramType, 0);
    if (this.fd < 0) throw new Error('the system gave no datagram socket');
  }

  /** Throws with one clear sentence when the socket cannot be made. */
  static toUnix(path: string, abstract: boolean): DatagramSender {
    return new DatagramSender(AF_UNIX, unixAddress(path, abstract));
  }

  /** `host` is a numeric IPv4 or IPv6 address. Throws as toUnix does. */
  static toInet(host: string, port: number): DatagramSender {
    return new DatagramSender(isIPv6(host) ? AF_INET6 : AF_INET, inetAddress(host, port));
  }

  /** False: the receiver is absent or full; nothing was sent. */
  send(bytes: Uint8Array): boolean {
    if (this.fd < 0) return false;
    return this.calls.sendto(this.fd, bytes, bytes.length, sendFlags, this.address, this.address.length) === bytes.length;
  }

  /** Texts are latin1. Gives how many the receiver did not take; each is tried once. */
  sendAll(messages: readonly string[]): number {
    if (this.fd < 0) return messages.length;
    sharedBatch ??= new Batch();
    const batch = sharedBatch;
    batch.begin(this.address);
    let lost = 0;
    for (const message of messages) {
      if (batch.add(message)) continue;
      lost += this.sendBatch(batch);
      if (!batch.add(message) && !this.send(Buffer.from(message, 'latin1'))) lost += 1;
    }
    return lost + this.sendBatch(batch);
  }

  private sendBatch(batch: Batch): number {
    let lost = 0;
    for (let next = 0; next < batch.size;) {
      // The call stops at the first message that is refused, and says why when it is the first of a call.
      const sent = this.calls.sendmmsg(this.fd, batch.messages.subarray(next * mmsghdr.size), batch.size - next, sendFlags);
      if (sent > 0) next += sent;
      else {
        lost += 1;
        next += 1;
      }
    }
    batch.clear();
    return lost;
  }

  close(): void {
    if (this.fd >= 0) this.calls.close(this.fd);
    this.fd = -1;
  }
}
