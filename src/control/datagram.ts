/**
 * Sends single datagrams to unix sockets (`/dev/log`, systemd's NOTIFY_SOCKET) and UDP addresses by libc calls:
 * neither runtime has unix datagrams, and one plain sendto() costs half of what their UDP classes cost on both runtimes.
 * Used by control/log-sink.ts and process/systemd.ts. Never blocks, never queues, never receives. Every datagram names its
 * destination anew, so that a syslog daemon that was restarted is found again without a reconnect. Linux only.
 */
import { isIPv6 } from 'node:net';
import { libcFunction } from './libc.ts';

/** Address families, socket type and flags as Linux numbers them. */
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
/** SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC */
const datagramType = 2 | 0o4000 | 0o2000000;
/** MSG_DONTWAIT | MSG_NOSIGNAL */
const sendFlags = 0x40 | 0x4000;
/** sizeof(sun_path) */
const pathBytesMax = 108;

interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  sendto(fd: number, bytes: Uint8Array, length: number, flags: number, address: Uint8Array, addressLength: number): number;
  close(fd: number): number;
}

let libc: Libc | undefined;

/** Throws when koffi or libc cannot be loaded. */
function loadLibc(): Libc {
  libc ??= {
    socket: libcFunction('int socket(int domain, int type, int protocol)'),
    sendto: libcFunction('int64_t sendto(int fd, const uint8_t *bytes, size_t length, int flags, const uint8_t *address, uint32_t address_length)'),
    close: libcFunction('int close(int fd)'),
  };
  return libc;
}

/** struct sockaddr_un: family, then the path with its closing zero; abstract names start with a zero byte and have no closing one. */
function unixAddress(path: string, abstract: boolean): Uint8Array {
  const name = Buffer.from(path, 'utf8');
  if (name.length === 0 || name.length + 1 > pathBytesMax) throw new Error(`unix socket path '${path}' must have 1 to ${pathBytesMax - 1} bytes`);
  const bytes = new Uint8Array(2 + name.length + 1);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(name, abstract ? 3 : 2);
  return bytes;
}

function readGroups(part: string): number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
}

/** The eight 16-bit groups of a numeric IPv6 address, the `::` filled in and a dotted tail converted. */
function groups6(host: string): number[] {
  const dotted = host.lastIndexOf('.') < 0 ? [] : host.slice(host.lastIndexOf(':') + 1).split('.').map(Number);
  const text = dotted.length === 4
    ? `${host.slice(0, host.lastIndexOf(':') + 1)}${(((dotted[0] ?? 0) << 8) | (dotted[1] ?? 0)).toString(16)}:${(((dotted[2] ?? 0) << 8) | (dotted[3] ?? 0)).toString(16)}`
    : host;
  const [left = '', right] = text.split('::');
  const head = readGroups(left);
  if (right === undefined) return head;
  const tail = readGroups(right);
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

/** struct sockaddr_in or sockaddr_in6 of a numeric address. */
function inetAddress(host: string, port: number): Uint8Array {
  const six = isIPv6(host);
  const bytes = new Uint8Array(six ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, six ? AF_INET6 : AF_INET, true);
  view.setUint16(2, port, false);
  if (six) groups6(host).forEach((group, index) => view.setUint16(8 + 2 * index, group, false));
  else host.split('.').forEach((octet, index) => view.setUint8(4 + index, Number(octet)));
  return bytes;
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

  close(): void {
    if (this.fd >= 0) this.calls.close(this.fd);
    this.fd = -1;
  }
}
