/**
 * Sends datagrams, single ones or many by one call, to unix sockets (`/dev/log`, systemd's NOTIFY_SOCKET) and UDP addresses by libc calls:
 * neither runtime has unix datagrams, and plain sendto() or sendmmsg() costs half of what their UDP classes cost on both runtimes.
 * Used by control/log-sink.ts and process/systemd.ts. Never blocks, never queues, never receives. Every datagram names its
 * destination anew, so that a syslog daemon that was restarted is found again without a reconnect; a path that is out of reach (`chroot`) leaves the
 * receiver of the start. Linux only.
 */
import { isIPv6 } from 'node:net';
import { lastError, libcFunction, nativeBlock } from '../base/libc.ts';
import { AF_INET, AF_INET6, AF_UNIX, inetAddress, unixAddress } from '../base/socket-address.ts';

/** SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC */
const datagramType = 2 | 0o4000 | 0o2000000;
/** MSG_DONTWAIT | MSG_NOSIGNAL */
const sendFlags = 0x40 | 0x4000;
/** ENOENT */
const noEntry = 2;

interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  sendto(fd: number, bytes: Uint8Array, length: number, flags: number, address: Uint8Array, addressLength: number): number;
  connect(fd: number, address: Uint8Array, addressLength: number): number;
  sendmmsg(fd: number, messages: Uint8Array, count: number, flags: number): number;
  close(fd: number): number;
}

/** Datagrams, and their bytes, that one sendmmsg() takes. */
const batchMessages = 64;
const batchBytes = 65536;
/** Sizes and offsets of struct mmsghdr and struct iovec on 64-bit Linux. */
const mmsghdr = { size: 64, name: 0, nameLength: 8, vector: 16, vectorLength: 24 } as const;
const iovec = { size: 16, words: 4 } as const;

/** The memory of one batch of messages to one address. */
class Batch {
  readonly text: Buffer;
  readonly messages: Buffer;
  used = 0;
  count = 0;
  isNamed = true;
  /** Address of `text` in two halves, and the vectors as the kernel reads them: base (two words), length (two words). */
  private readonly textLow: number;
  private readonly textHigh: number;
  private readonly vectors: Uint32Array;
  private readonly nameAddress: bigint;
  private readonly nameLength: number;

  constructor(to: Uint8Array) {
    const { address, bytes } = nativeBlock(batchBytes + batchMessages * (mmsghdr.size + iovec.size) + 128);
    const messagesAt = batchBytes;
    const vectorsAt = messagesAt + batchMessages * mmsghdr.size;
    const nameAt = vectorsAt + batchMessages * iovec.size;
    bytes.fill(0, messagesAt);
    bytes.set(to, nameAt);
    this.textLow = Number(address & 0xffffffffn);
    this.textHigh = Number(address >> 32n);
    this.text = bytes.subarray(0, batchBytes);
    this.messages = bytes.subarray(messagesAt, vectorsAt);
    this.vectors = new Uint32Array(bytes.buffer, bytes.byteOffset + vectorsAt, batchMessages * iovec.words);
    this.nameAddress = address + BigInt(nameAt);
    this.nameLength = to.length;
    this.giveName(true);
    for (let index = 0; index < batchMessages; index += 1) {
      const at = index * mmsghdr.size;
      this.messages.writeBigUInt64LE(address + BigInt(vectorsAt + index * iovec.size), at + mmsghdr.vector);
      this.messages.writeBigUInt64LE(1n, at + mmsghdr.vectorLength);
    }
  }

  /** Without name messages go to whom the socket is connected with. */
  giveName(isNamed: boolean): void {
    this.isNamed = isNamed;
    for (let at = 0; at < this.messages.length; at += mmsghdr.size) {
      this.messages.writeBigUInt64LE(isNamed ? this.nameAddress : 0n, at + mmsghdr.name);
      this.messages.writeUInt32LE(isNamed ? this.nameLength : 0, at + mmsghdr.nameLength);
    }
  }

  clear(): void {
    this.count = 0;
    this.used = 0;
  }

  /** The next message stands at `used` in `text`. */
  add(length: number): void {
    const { vectors } = this;
    const at = this.count * iovec.words;
    const low = this.textLow + this.used;
    vectors[at] = low;
    vectors[at + 1] = this.textHigh + (low > 0xffffffff ? 1 : 0);
    vectors[at + 2] = length;
    this.used += length;
    this.count += 1;
  }
}

let libc: Libc | undefined;

/** Throws when koffi or libc cannot be loaded. */
function loadLibc(): Libc {
  libc ??= {
    socket: libcFunction('int socket(int domain, int type, int protocol)'),
    sendto: libcFunction('int64_t sendto(int fd, const uint8_t *bytes, size_t length, int flags, const uint8_t *address, uint32_t address_length)'),
    connect: libcFunction('int connect(int fd, const uint8_t *address, uint32_t address_length)'),
    sendmmsg: libcFunction('int sendmmsg(int fd, uint8_t *messages, unsigned int count, int flags)'),
    close: libcFunction('int close(int fd)'),
  };
  return libc;
}

export class DatagramSender {
  private readonly calls: Libc;
  private readonly address: Uint8Array;
  private fd: number;
  /** Made with the first message. */
  private batch: Batch | null = null;
  private lost = 0;
  /** There was a receiver at the start, to fall back to when its path is out of reach. */
  private readonly connected: boolean;

  private constructor(domain: number, address: Uint8Array) {
    this.address = address;
    this.calls = loadLibc();
    this.fd = this.calls.socket(domain, datagramType, 0);
    if (this.fd < 0) throw new Error('the system gave no datagram socket');
    this.connected = domain === AF_UNIX && this.calls.connect(this.fd, address, address.length) === 0;
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

  /** Where messages are put together before they are sent. */
  get bytes(): Buffer {
    return this.memory().text;
  }

  /** Where in `bytes` the next message of up to this length goes; added() or another room() follows. -1: too long, and lost. */
  room(length: number): number {
    const batch = this.memory();
    if (this.fd < 0 || length > batchBytes) {
      this.lost += 1;
      return -1;
    }
    if (batch.count === batchMessages || batch.used + length > batchBytes) this.sendBatch(batch);
    return batch.used;
  }

  /** The message stands where room() said. */
  added(length: number): void {
    this.memory().add(length);
  }

  /** Sends what was added. Gives how many since the last time the receiver did not take; each is tried once. */
  flush(): number {
    if (this.batch !== null && this.batch.count > 0) this.sendBatch(this.batch);
    const { lost } = this;
    this.lost = 0;
    return lost;
  }

  private memory(): Batch {
    this.batch ??= new Batch(this.address);
    return this.batch;
  }

  private sendBatch(batch: Batch): void {
    for (let next = 0; next < batch.count;) {
      // The call stops at the first message that is refused, and says why when it is the first of a call.
      const sent = this.calls.sendmmsg(this.fd, next === 0 ? batch.messages : batch.messages.subarray(next * mmsghdr.size), batch.count - next, sendFlags);
      if (sent > 0) next += sent;
      else if (this.connected && batch.isNamed && lastError() === noEntry) batch.giveName(false);
      else {
        this.lost += 1;
        next += 1;
      }
    }
    batch.clear();
    // The path may be there again next time: a daemon that was restarted.
    if (!batch.isNamed) batch.giveName(true);
  }

  close(): void {
    if (this.fd >= 0) this.calls.close(this.fd);
    this.fd = -1;
  }
}
