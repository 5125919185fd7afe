/**
 * The runtime sockets (`stats socket`): listens on unix and TCP addresses and hands each connection to command-connection.ts with
 * the level of its socket. Made by admin.ts. At most `stats maxconn` connections run at once, some more wait for their turn.
 */
import { chmodSync, chownSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { limits } from '../model/limits.ts';
import type { StatsSocket } from '../model/model.ts';
import { serveCommands } from './command-connection.ts';
import type { AdminContext } from './context.ts';

export class RuntimeSockets {
  private readonly context: AdminContext;
  private readonly servers: Server[] = [];
  private readonly paths: string[] = [];
  private readonly open = new Set<Socket>();
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  constructor(context: AdminContext) {
    this.context = context;
  }

  /** Opens every socket of the configuration. Gives '' or one line per socket that could not be opened. */
  async listen(): Promise<string> {
    const problems: string[] = [];
    for (const socket of this.context.model.global.statsSockets) {
      const problem = await this.listenOne(socket);
      if (problem !== '') problems.push(`[${socket.place.file}:${socket.place.line}] stats socket: ${problem}`);
    }
    return problems.join('\n');
  }

  private async listenOne(socket: StatsSocket): Promise<string> {
    const server = createServer({ allowHalfOpen: true }, connection => this.accept(connection, socket));
    const { address } = socket;
    const previousMask = socket.mode === null ? null : process.umask(0o777 & ~socket.mode);
    try {
      if (address.kind === 'unix' && !address.abstract) removeStale(address.path);
      await listening(server, socket);
      if (address.kind === 'unix' && !address.abstract) {
        this.paths.push(address.path);
        if (socket.mode !== null) chmodSync(address.path, socket.mode);
        if (socket.uid >= 0 || socket.gid >= 0) chownSync(address.path, socket.uid >= 0 ? socket.uid : process.getuid?.() ?? 0, socket.gid >= 0 ? socket.gid : process.getgid?.() ?? 0);
      }
      server.on('error', () => {});
      this.servers.push(server);
      return '';
    } catch (error) {
      server.close();
      return error instanceof Error ? error.message : String(error);
    } finally {
      if (previousMask !== null) process.umask(previousMask);
    }
  }

  private accept(connection: Socket, socket: StatsSocket): void {
    this.open.add(connection);
    const { statsMaxconn, statsTimeoutMs } = this.context.model.global;
    let started = false;
    const serve = serveCommands(connection, this.context, socket.level, statsTimeoutMs);
    const start = (): void => {
      started = true;
      this.running += 1;
      serve();
    };
    connection.on('error', () => connection.destroy());
    connection.on('close', () => {
      this.open.delete(connection);
      const place = this.waiting.indexOf(start);
      if (place >= 0) this.waiting.splice(place, 1);
      if (!started) return;
      this.running -= 1;
      this.waiting.shift()?.();
    });
    if (this.running < statsMaxconn) start();
    else if (this.waiting.length < limits.adminWaitingConnectionsMax) this.waiting.push(start);
    else connection.destroy();
  }

  close(): void {
    for (const server of this.servers) server.close();
    for (const connection of this.open) connection.destroy();
    for (const path of this.paths) removeStale(path);
  }
}

/** A socket file that an earlier process left (or that this one made); anything else is not touched. */
function removeStale(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch {
    // Not there, or not ours to remove: listen() says so.
  }
}

function listening(server: Server, { address }: StatsSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.removeListener('error', reject);
      resolve();
    });
    switch (address.kind) {
      case 'unix':
        server.listen(address.abstract ? `\0${address.path}` : address.path);
        break;
      case 'fd':
        server.listen({ fd: address.fd });
        break;
      case 'inet':
        server.listen(address.port, address.host);
        break;
    }
  });
}
