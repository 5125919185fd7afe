/**
 * Tries every address of the configuration before a thread is started: the threads listen with SO_REUSEPORT and would share an
 * address with a stranger that does the same. Used by process/balancer.ts. Leaves nothing behind.
 */
import { createServer } from 'node:net';
import type { ListenOptions } from 'node:net';
import type { Bind } from '../model/model.ts';

/** What the system's error codes mean, as strerror words them. */
const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Address already in use', EACCES: 'Permission denied', EPERM: 'Operation not permitted', EADDRNOTAVAIL: 'Cannot assign requested address',
  EINVAL: 'Invalid argument', ENOENT: 'No such file or directory', EAFNOSUPPORT: 'Address family not supported by protocol', EMFILE: 'Too many open files',
};

export function bindReason(code: string): string {
  return reasons[code] ?? code;
}

function tryListen(options: ListenOptions): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(options, () => {
      server.close(() => resolve(''));
    });
  });
}

/** The first port of a bind that cannot be had. */
export interface BindProblem {
  readonly bind: Bind;
  readonly port: number;
  /** Error code of the system. */
  readonly code: string;
}

/** Unix sockets and inherited descriptors are left to the threads: they are taken over, not shared. */
export async function probeBinds(binds: readonly Bind[]): Promise<BindProblem[]> {
  const problems: BindProblem[] = [];
  for (const bind of binds) {
    const { address } = bind;
    if (address.kind !== 'inet' || address.port === 0) continue;
    for (let port = address.port; port <= address.portLast; port += 1) {
      const code = await tryListen({ host: address.host, port, ipv6Only: address.family === 6 && !bind.v4v6, exclusive: true });
      if (code !== '') problems.push({ bind, port, code });
    }
  }
  return problems;
}
