/**
 * The kernel calls of VRRP: raw, packet and netlink sockets and poll(2), by libc. The only file of vrrp/ that calls libc.
 * Every call that fails throws a KernelFault with the words of the system, which the caller turns into a FAULT of the instance.
 * Used by vrrp/sockets.ts, vrrp/links.ts and vrrp/loop.ts. Linux only.
 */
import { lastError, libcFunction, nativeBlock } from '../base/libc.ts';
import { getSystemErrorMap } from 'node:util';

export const families = { inet: 2, inet6: 10, netlink: 16, packet: 17 } as const;
const rawType = 3;
/** SOCK_NONBLOCK | SOCK_CLOEXEC */
const typeFlags = 0o4000 | 0o2000000;
/** F_SETFL, O_NONBLOCK */
const [setFlags, nonBlocking] = [4, 0o4000];
const again = 11;
const interrupted = 4;
const pollIn = 1;
const receiveBytes = 65536;
const controlBytes = 256;
const msghdrBytes = 56;

export class KernelFault extends Error {
  readonly code: string;
  constructor(call: string, errno: number) {
    const [code = `errno ${errno}`, words = ''] = getSystemErrorMap().get(-errno) ?? [];
    super(`${call}: ${words === '' ? code : words}`);
    this.code = code;
  }
}

const calls = {
  socket: libcFunction('int socket(int domain, int type, int protocol)'),
  close: libcFunction('int close(int fd)'),
  bind: libcFunction('int bind(int fd, const uint8_t *address, uint32_t length)'),
  setsockopt: libcFunction('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)'),
  sendto: libcFunction('int64_t sendto(int fd, const uint8_t *bytes, size_t length, int flags, const uint8_t *address, uint32_t address_length)'),
  recvmsg: libcFunction('int64_t recvmsg(int fd, uint8_t *message, int flags)'),
  fcntl: libcFunction('int fcntl(int fd, int command, int value)'),
  poll: libcFunction('int poll(uint8_t *fds, unsigned long count, int timeout)'),
};

function checked(call: string, result: number): number {
  if (result < 0) throw new KernelFault(call, lastError());
  return result;
}

export function openRaw(family: number, protocol: number): number {
  return checked('socket', calls.socket(family, rawType | typeFlags, protocol));
}

export function closeSocket(fd: number): void {
  calls.close(fd);
}

export function bindSocket(fd: number, address: Uint8Array): void {
  checked('bind', calls.bind(fd, address, address.length));
}

/** Reads and writes of an inherited descriptor come back at once. */
export function neverBlock(fd: number): void {
  checked('fcntl', calls.fcntl(fd, setFlags, nonBlocking));
}

export function setOption(fd: number, level: number, name: number, value: Uint8Array | number): void {
  let bytes = value as Uint8Array;
  if (typeof value === 'number') {
    bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, value, true);
  }
  checked('setsockopt', calls.setsockopt(fd, level, name, bytes, bytes.length));
}

export function sendTo(fd: number, bytes: Uint8Array, address: Uint8Array): void {
  checked('sendto', Number(calls.sendto(fd, bytes, bytes.length, 0, address, address.length)));
}

/** One datagram with the sender's socket address and its ancillary data (struct cmsghdr after struct cmsghdr). The bytes are good until the next call. */
interface Received { readonly bytes: Buffer; readonly from: Buffer; readonly control: Buffer }

const block = nativeBlock(msghdrBytes + 16 + 128 + controlBytes + receiveBytes);
const at = { vector: msghdrBytes, name: msghdrBytes + 16, control: msghdrBytes + 16 + 128, data: msghdrBytes + 16 + 128 + controlBytes };

/** Undefined when nothing waits. */
export function receive(fd: number): Received | undefined {
  const { address, bytes } = block;
  bytes.fill(0, 0, at.vector);
  bytes.writeBigUInt64LE(address + BigInt(at.name), 0);
  bytes.writeUInt32LE(128, 8);
  bytes.writeBigUInt64LE(address + BigInt(at.vector), 16);
  bytes.writeBigUInt64LE(1n, 24);
  bytes.writeBigUInt64LE(address + BigInt(at.control), 32);
  bytes.writeBigUInt64LE(BigInt(controlBytes), 40);
  bytes.writeBigUInt64LE(address + BigInt(at.data), at.vector);
  bytes.writeBigUInt64LE(BigInt(receiveBytes), at.vector + 8);
  const length = Number(calls.recvmsg(fd, bytes, 0));
  if (length < 0) {
    const errno = lastError();
    if (errno === again || errno === interrupted) return undefined;
    throw new KernelFault('recvmsg', errno);
  }
  return {
    bytes: bytes.subarray(at.data, at.data + length),
    from: bytes.subarray(at.name, at.name + bytes.readUInt32LE(8)),
    control: bytes.subarray(at.control, at.control + Number(bytes.readBigUInt64LE(40))),
  };
}

/** Sleeps until one of `fds` can be read or `timeoutMs` has passed (-1: for ever); gives those that can, or have failed. */
export function waitForInput(fds: readonly number[], timeoutMs: number): Set<number> {
  const list = Buffer.alloc(8 * fds.length);
  fds.forEach((fd, index) => {
    list.writeInt32LE(fd, 8 * index);
    list.writeInt16LE(pollIn, 8 * index + 4);
  });
  const count = calls.poll(list, fds.length, timeoutMs);
  const ready = new Set<number>();
  if (count < 0 && lastError() !== interrupted) throw new KernelFault('poll', lastError());
  if (count > 0) fds.forEach((fd, index) => { if (list.readInt16LE(8 * index + 6) !== 0) ready.add(fd); });
  return ready;
}
