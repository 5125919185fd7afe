/**
 * Sends single datagrams to unix sockets (`/dev/log`, systemd's NOTIFY_SOCKET) and UDP addresses by libc calls:
 * neither runtime has unix datagrams, and one plain sendto() costs half of what their UDP classes cost on both runtimes.
 * Used by control/log-sink.ts and process/systemd.ts. Never blocks, never queues, never receives. Every datagram names its
 * destination anew, so that a syslog daemon that was restarted is found again without a reconnect. Linux only.
 */
import { isIPv6 } from 'node:net';
import { libcFunction } from './libc.ts';
import { AF_INET, AF_INET6, AF_UNIX, inetAddress, unixAddress } from './socket-address.ts';

/** SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC */
const datagramType = 2 | 0o4000 | 0o2000000;
/** MSG_DONTWAIT | MSG_NOSIGNAL */
const sendFlags = 0x40 | 0x4000;

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
