/**
 * Holds back new connections without refusing them: the kernel drops what would open one at every TCP listener of this process, so that the
 * client's system asks again a second later, when the other node has the address. Connections that are open go on. Used by
 * process/run-balancer.ts just before the virtual addresses are handed over. Linux only.
 */
import { libcFunction, nativeBlock } from '../base/libc.ts';
import { AF_UNIX } from '../base/socket-address.ts';
import { ownListeners } from '../control/take-over/own-listeners.ts';

const [socketLevel, attachFilter] = [1, 26];
/** Classic BPF over the TCP header: load the byte of the flags; drop it when SYN is set, else take all of it. Code, jump if true, jump if false, value. */
const filter: readonly (readonly [number, number, number, number])[] = [[0x30, 0, 0, 13], [0x45, 0, 1, 0x02], [0x06, 0, 0, 0], [0x06, 0, 0, 0xffffffff]];
const instructionBytes = 8;
const programBytes = 16;

/** Gives how many listeners hold back; there is no way back, the process ends soon. */
export function holdConnections(): number {
  const setsockopt = libcFunction('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)');
  const { address, bytes } = nativeBlock(programBytes + filter.length * instructionBytes);
  bytes.writeUInt16LE(filter.length, 0);
  bytes.writeBigUInt64LE(address + BigInt(programBytes), 8);
  filter.forEach(([code, ifTrue, ifFalse, value], index) => {
    const at = programBytes + index * instructionBytes;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(ifTrue, at + 2);
    bytes.writeUInt8(ifFalse, at + 3);
    bytes.writeUInt32LE(value, at + 4);
  });
  const program = bytes.subarray(0, programBytes);
  let held = 0;
  for (const { descriptor, address: local } of ownListeners()) {
    if (local.readUInt16LE(0) !== AF_UNIX && setsockopt(descriptor, socketLevel, attachFilter, program, program.length) === 0) held += 1;
  }
  return held;
}
