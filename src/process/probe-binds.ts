/**
 * Tries every address of the configuration before a thread is started: the threads listen with SO_REUSEPORT and would share an
 * address with a stranger that does the same. Binds only and never listens, so that no client is let in and dropped again.
 * Used by process/balancer.ts. Leaves nothing behind.
 */
import { errorName, lastError, libcFunction } from '../base/libc.ts';
import { AF_INET, AF_INET6, inetAddress } from '../base/socket-address.ts';
import type { Bind, Model } from '../model/model.ts';

/** SOCK_STREAM | SOCK_CLOEXEC, and option numbers of Linux. */
const streamType = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IP = 0;
const IP_FREEBIND = 15;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** What the system's error codes mean, as strerror words them. */
const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Address already in use', EACCES: 'Permission denied', EPERM: 'Operation not permitted', EADDRNOTAVAIL: 'Cannot assign requested address',
  EINVAL: 'Invalid argument', ENOENT: 'No such file or directory', EAFNOSUPPORT: 'Address family not supported by protocol', EMFILE: 'Too many open files',
};

/** A bind that did not succeed in a traffic thread: an error code, or a message that says it all. */
export interface BindFailure {
  /** Index into Model.binds, −1 = it is something else. */
  readonly bind: number;
  readonly code: string;
  readonly message: string;
}

/** `Binding [lb.cfg:12] for frontend fe: cannot bind socket (Address already in use) for [127.0.0.1:80]`. `port`: of a range; 0 = the first. */
export function bindText({ bind: index, code, message }: BindFailure, model: Model, port = 0): string {
  const bind = model.binds[index];
  if (bind === undefined) return message;
  const proxy = model.proxies[bind.proxy];
  const { address } = bind;
  const text = address.kind === 'inet' ? `${address.host}:${port === 0 ? address.port : port}` : bind.text;
  const what = code === '' ? message : `cannot bind socket (${reasons[code] ?? code}) for [${text}]`;
  return `Binding [${bind.place.file}:${bind.place.line}] for ${proxy?.kind === 'listen' ? 'proxy' : 'frontend'} ${proxy?.name ?? ''}: ${what}`;
}

interface Calls {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly setsockopt: (fd: number, level: number, name: number, value: Uint8Array, length: number) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly close: (fd: number) => number;
}

function loadCalls(): Calls {
  return {
    socket: libcFunction('int socket(int domain, int type, int protocol)'),
    setsockopt: libcFunction('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)'),
    bind: libcFunction('int bind(int fd, const uint8_t *address, uint32_t length)'),
    close: libcFunction('int close(int fd)'),
  };
}

/** '' or the error code. */
function tryBind(calls: Calls, bind: Bind, family: 4 | 6, host: string, port: number): string {
  const on = new Uint8Array(new Int32Array([1]).buffer);
  const fd = calls.socket(family === 6 ? AF_INET6 : AF_INET, streamType, 0);
  if (fd < 0) return errorName(lastError());
  calls.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, on, on.length);
  if (bind.transparent) calls.setsockopt(fd, IPPROTO_IP, IP_FREEBIND, on, on.length);
  if (family === 6 && !bind.v4v6) calls.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, on, on.length);
  const address = inetAddress(host, port);
  const code = calls.bind(fd, address, address.length) === 0 ? '' : errorName(lastError());
  calls.close(fd);
  return code;
}

/** The first port of a bind that cannot be had. */
interface BindProblem {
  readonly bind: Bind;
  readonly port: number;
  /** Error code of the system. */
  readonly code: string;
}

/** Unix sockets and inherited descriptors are left to the threads: they are taken over, not shared. */
export function probeBinds(binds: readonly Bind[]): BindProblem[] {
  const problems: BindProblem[] = [];
  const calls = loadCalls();
  for (const bind of binds) {
    const { address } = bind;
    if (address.kind !== 'inet' || address.port === 0) continue;
    for (let port = address.port; port <= address.portLast; port += 1) {
      const code = tryBind(calls, bind, address.family, address.host, port);
      if (code !== '') problems.push({ bind, port, code });
    }
  }
  return problems;
}
