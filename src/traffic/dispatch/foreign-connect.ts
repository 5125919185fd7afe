/**
 * Connections to servers from an address that is not this machine's (`source … usesrc`, transparent proxying): the socket is opened, bound and
 * connected by libc calls with IP_TRANSPARENT, which neither runtime has, and then wrapped. Needs the right cap_net_raw, and routes that
 * bring the answers back to this machine. Used by connect.ts. Linux only: ip(7), ipv6(7).
 */
import { isIPv6, Socket } from 'node:net';
import { useKept } from '../../base/capabilities.ts';
import { errorName, lastError, libcFunction } from '../../base/libc.ts';
import { AF_INET, AF_INET6, inetAddress } from '../../base/socket-address.ts';
import { foreignRight } from '../../model/rights.ts';

export interface Endpoint {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
}

interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  poll(fds: Uint8Array, count: number, timeoutMs: number): number;
  close(fd: number): number;
}

/** SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC */
const streamType = 1 | 0o4000 | 0o2000000;
/** Level and option. */
const IP_TRANSPARENT = [0, 19] as const;
const IPV6_TRANSPARENT = [41, 75] as const;
/** The port is chosen by connect(), which knows the other end: the same port serves for another one (ip(7)). */
const IP_BIND_ADDRESS_NO_PORT = [0, 24] as const;
const SO_ERROR = [1, 4] as const;
const SO_REUSEADDR = [1, 2] as const;
const TCP_NODELAY = [6, 1] as const;
const POLLOUT = 4;
const EINPROGRESS = 115;
/** Between two looks at a connection that is being made. */
const lookMs = 1;

let made: Libc | undefined;

function libc(): Libc {
  made ??= {
    socket: libcFunction('int socket(int domain, int type, int protocol)'),
    setsockopt: libcFunction('int setsockopt(int fd, int level, int option, const uint8_t *value, uint32_t length)'),
    getsockopt: libcFunction('int getsockopt(int fd, int level, int option, _Out_ uint8_t *value, _Inout_ uint8_t *length)'),
    bind: libcFunction('int bind(int fd, const uint8_t *address, uint32_t length)'),
    connect: libcFunction('int connect(int fd, const uint8_t *address, uint32_t length)'),
    poll: libcFunction('int poll(_Inout_ uint8_t *fds, unsigned long count, int timeout)'),
    close: libcFunction('int close(int fd)'),
  };
  return made;
}

function named(errno: number): NodeJS.ErrnoException {
  const code = errorName(errno);
  return Object.assign(new Error(`connection from a foreign address: ${code}`), { code });
}

/** 0: under way. Otherwise the error's number, and nothing is open. */
function begin(fd: number, from: Endpoint, to: Endpoint): number {
  const calls = libc();
  const on = new Uint8Array([1, 0, 0, 0]);
  const set = ([level, option]: readonly [number, number]): number => calls.setsockopt(fd, level, option, on, on.length);
  const source = inetAddress(from.host, from.port);
  const target = inetAddress(to.host, to.port);
  const transparent = isIPv6(from.host) ? IPV6_TRANSPARENT : IP_TRANSPARENT;
  let failed = set(transparent);
  // Root was given up a moment ago, and this thread has not been told yet.
  if (failed !== 0 && useKept(foreignRight)) failed = set(transparent);
  if (failed === 0 && from.port === 0) failed = set(IP_BIND_ADDRESS_NO_PORT);
  if (failed === 0) failed = set(SO_REUSEADDR) || set(TCP_NODELAY) || calls.bind(fd, source, source.length);
  if (failed === 0 && calls.connect(fd, target, target.length) !== 0 && lastError() !== EINPROGRESS) failed = -1;
  if (failed === 0) return 0;
  const number = lastError();
  calls.close(fd);
  return number;
}

/** Like connect() of node:net; `connected` is called in place of its event. Fails with an 'error' event, never inside this call. */
export function connectFrom(from: Endpoint, to: Endpoint, connected: () => void): Socket {
  const fd = libc().socket(isIPv6(to.host) ? AF_INET6 : AF_INET, streamType, 0);
  const failure = fd < 0 ? lastError() : begin(fd, from, to);
  if (failure !== 0) {
    const socket = new Socket({ allowHalfOpen: true });
    setImmediate(() => socket.destroy(named(failure)));
    return socket;
  }
  const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  // Bun takes the descriptor up here, Node above.
  if (process.versions['bun'] !== undefined) (socket as unknown as { connect(options: { fd: number }): void }).connect({ fd });
  setImmediate(() => look(socket, fd, connected));
  return socket;
}

function look(socket: Socket, fd: number, connected: () => void): void {
  if (socket.destroyed) return;
  // struct pollfd: descriptor, events asked for, events that are there.
  const polled = new Uint8Array(8);
  const view = new DataView(polled.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLOUT, true);
  if (libc().poll(polled, 1, 0) === 0) {
    setTimeout(() => look(socket, fd, connected), lookMs);
    return;
  }
  const value = new Uint8Array(4);
  libc().getsockopt(fd, ...SO_ERROR, value, new Uint8Array([4, 0, 0, 0]));
  const error = new DataView(value.buffer).getInt32(0, true);
  if (error === 0) connected();
  else socket.destroy(named(error));
}
