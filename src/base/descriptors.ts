/**
 * Open files passed between processes over a unix socket (sendmsg(2), recvmsg(2), SCM_RIGHTS), and what the system says of a socket. Used by
 * control/take-over/ and process/hold-connections.ts. 64-bit Linux, little endian. Nothing here waits unless the socket itself blocks.
 */
import { readdirSync } from 'node:fs';
import { libcFunction, nativeBlock } from './libc.ts';

type Call = (...args: unknown[]) => number;

const [solSocket, scmRights] = [1, 1];
/** MSG_NOSIGNAL, MSG_CMSG_CLOEXEC */
const [noSignal, closeOnExec] = [0x4000, 0x40000000];
/** SCM_MAX_FD of Linux is 253; HAProxy sends one less at a time. */
export const descriptorsPerMessageMax = 252;
/** F_DUPFD_CLOEXEC */
const duplicateCloseOnExec = 1030;
const dataBytesMax = 262_144;
/** struct msghdr, struct iovec, struct cmsghdr. */
const [messageBytes, vectorBytes, controlHeadBytes] = [56, 16, 16];
const controlBytes = controlHeadBytes + 4 * (descriptorsPerMessageMax + 1);
const at = { vector: messageBytes, control: messageBytes + vectorBytes, data: 2048 } as const;

interface Calls {
  readonly memory: Buffer;
  readonly address: bigint;
  /** The struct msghdr at the start of the memory. */
  readonly message: Buffer;
  readonly sendmsg: Call;
  readonly recvmsg: Call;
  readonly getsockname: Call;
  readonly getsockopt: Call;
  readonly setsockopt: Call;
  readonly socket: Call;
  readonly connect: Call;
  readonly fcntl: Call;
  readonly close: Call;
  readonly poll: Call;
}

let loaded: Calls | undefined;

function calls(): Calls {
  if (loaded !== undefined) return loaded;
  const { address, bytes: memory } = nativeBlock(at.data + dataBytesMax);
  loaded = {
    memory, address, message: memory.subarray(0, messageBytes),
    sendmsg: libcFunction('long sendmsg(int fd, const uint8_t *message, int flags)'),
    recvmsg: libcFunction('long recvmsg(int fd, uint8_t *message, int flags)'),
    getsockname: libcFunction('int getsockname(int fd, uint8_t *address, uint8_t *length)'),
    getsockopt: libcFunction('int getsockopt(int fd, int level, int name, uint8_t *value, uint8_t *length)'),
    setsockopt: libcFunction('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)'),
    socket: libcFunction('int socket(int domain, int type, int protocol)'),
    connect: libcFunction('int connect(int fd, const uint8_t *address, uint32_t length)'),
    fcntl: libcFunction('int fcntl(int fd, int command, int argument)'),
    close: libcFunction('int close(int fd)'),
    poll: libcFunction('int poll(uint8_t *descriptors, unsigned long count, int timeout)'),
  };
  return loaded;
}

/** One message of one part with room for control data. */
function prepare({ memory, address }: Calls, dataLength: number, controlLength: number): void {
  memory.fill(0, 0, at.control);
  memory.writeBigUInt64LE(address + BigInt(at.vector), 16);
  memory.writeBigUInt64LE(1n, 24);
  memory.writeBigUInt64LE(controlLength === 0 ? 0n : address + BigInt(at.control), 32);
  memory.writeBigUInt64LE(BigInt(controlLength), 40);
  memory.writeBigUInt64LE(address + BigInt(at.data), at.vector);
  memory.writeBigUInt64LE(BigInt(dataLength), at.vector + 8);
}

/** At most descriptorsPerMessageMax of them. False when the system did not take the whole message. */
export function sendDescriptors(socket: number, bytes: Uint8Array, descriptors: readonly number[]): boolean {
  const its = calls();
  const controlLength = descriptors.length === 0 ? 0 : controlHeadBytes + 4 * descriptors.length;
  // The last part is filled up to a multiple of 8 (CMSG_SPACE).
  prepare(its, bytes.length, Math.ceil(controlLength / 8) * 8);
  const { memory } = its;
  memory.writeBigUInt64LE(BigInt(controlLength), at.control);
  memory.writeInt32LE(solSocket, at.control + 8);
  memory.writeInt32LE(scmRights, at.control + 12);
  descriptors.forEach((descriptor, index) => memory.writeInt32LE(descriptor, at.control + controlHeadBytes + 4 * index));
  memory.set(bytes, at.data);
  return Number(its.sendmsg(socket, its.message, noSignal)) === bytes.length;
}

interface Received {
  readonly bytes: Buffer;
  readonly descriptors: number[];
}

/** One message of at most so many bytes; null at the end and after an error or the socket's time limit. */
export function receiveDescriptors(socket: number, bytesMax: number): Received | null {
  const its = calls();
  prepare(its, Math.min(bytesMax, dataBytesMax), controlBytes);
  const { memory } = its;
  const length = Number(its.recvmsg(socket, its.message, closeOnExec));
  if (length <= 0) return null;
  const descriptors: number[] = [];
  const controlLength = Number(memory.readBigUInt64LE(40));
  for (let offset = 0; offset + controlHeadBytes <= controlLength;) {
    const start = at.control + offset;
    const size = Number(memory.readBigUInt64LE(start));
    if (size < controlHeadBytes) break;
    if (memory.readInt32LE(start + 8) === solSocket && memory.readInt32LE(start + 12) === scmRights) {
      for (let one = controlHeadBytes; one + 4 <= size; one += 4) descriptors.push(memory.readInt32LE(start + one));
    }
    offset += Math.ceil(size / 8) * 8;
  }
  return { bytes: Buffer.from(memory.subarray(at.data, at.data + length)), descriptors };
}

/** struct sockaddr of a socket's own address; null when it is no socket. */
export function socketAddress(socket: number): Buffer | null {
  const address = Buffer.alloc(128);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(address.length);
  return calls().getsockname(socket, address, length) === 0 ? address.subarray(0, Math.min(address.length, length.readUInt32LE())) : null;
}

/** Value of an option as it lies in memory; null when the socket has none. */
export function socketOption(socket: number, level: number, name: number): Buffer | null {
  const value = Buffer.alloc(64);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  return calls().getsockopt(socket, level, name, value, length) === 0 ? value.subarray(0, length.readUInt32LE()) : null;
}

const [familyUnix, stream, receiveLimit, sendLimit] = [1, 1 | 0o2000000, 20, 21];

/** A connection to a unix socket that blocks, for at most so many seconds at a time; -1 when there is none. */
export function connectBlocking(address: Uint8Array, seconds: number): number {
  const its = calls();
  const socket = its.socket(familyUnix, stream, 0);
  if (socket < 0) return -1;
  const time = Buffer.alloc(16);
  time.writeBigUInt64LE(BigInt(seconds));
  for (const limit of [receiveLimit, sendLimit]) its.setsockopt(socket, solSocket, limit, time, time.length);
  if (its.connect(socket, address, address.length) === 0) return socket;
  its.close(socket);
  return -1;
}

/** fs.nr_open of a Linux that nobody has set otherwise. */
const descriptorsLookedAt = 1_048_576;
/** poll(2) refuses more than the limit of open files. */
const pollBatch = 64;
const [pollfdBytes, invalid] = [8, 0x20];

/** Without /proc; takes tens of milliseconds. */
function polledDescriptors(): number[] {
  const { poll } = calls();
  const asked = Buffer.alloc(pollBatch * pollfdBytes);
  const found: number[] = [];
  for (let first = 0; first < descriptorsLookedAt; first += pollBatch) {
    for (let index = 0; index < pollBatch; index += 1) asked.writeInt32LE(first + index, index * pollfdBytes);
    poll(asked, pollBatch, 0);
    for (let index = 0; index < pollBatch; index += 1) if ((asked.readUInt16LE(index * pollfdBytes + 6) & invalid) === 0) found.push(first + index);
  }
  return found;
}

/** Numbers of all files that this process has open. */
export function openDescriptors(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return polledDescriptors();
  }
}

/** Another number for the same open file; -1 when there is no room for it. */
export function duplicateDescriptor(descriptor: number): number {
  return calls().fcntl(descriptor, duplicateCloseOnExec, 3);
}

export function closeDescriptor(descriptor: number): void {
  calls().close(descriptor);
}
