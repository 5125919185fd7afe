/**
 * The runtime sockets (`stats socket`, `-S`): listens on unix and TCP addresses and hands each connection to command-connection.ts with
 * the level of its socket. Made by admin.ts, and by the master for its own. At most `stats maxconn` connections run at once, some more wait for their turn. A socket of the
 * process before is taken over; the file of one that somebody else has taken is left alone.
 */
import { chmodSync, chownSync, renameSync, statSync, unlinkSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { handOutListeners } from '../control/take-over/hand-out.ts';
import type { ReceivedListeners } from '../control/take-over/received.ts';
import { limits } from '../model/limits.ts';
import type { Global, StatsSocket } from '../model/model.ts';
import type { LineRunner } from './command-connection.ts';
import { serveLines } from './command-connection.ts';

/** What answers a new connection. */
type MakeRunner = (handOut: LineRunner['handOut']) => LineRunner;

export class RuntimeSockets {
  private readonly settings: () => Pick<Global, 'statsSockets' | 'statsMaxconn' | 'statsTimeoutMs'>;
  private readonly makeRunner: MakeRunner;
  private readonly servers: Server[] = [];
  /** Files of unix sockets with their inode numbers. */
  private readonly files = new Map<string, number>();
  /** Those that the process before made; they stay its own until this one serves. */
  private readonly inheritedFiles = new Map<string, number>();
  private readonly open = new Set<Socket>();
  private readonly waiting: (() => void)[] = [];
  private running = 0;
  private left = false;
  private taken: () => void = () => {};

  /** `settings` may change with a reload; sockets do not. */
  constructor(settings: () => Pick<Global, 'statsSockets' | 'statsMaxconn' | 'statsTimeoutMs'>, makeRunner: MakeRunner) {
    this.settings = settings;
    this.makeRunner = makeRunner;
  }

  /** Opens every socket of the configuration; `taken` is told when somebody takes the listening sockets. Gives '' or one line per socket that could not be opened. */
  async listen(received: ReceivedListeners, taken: () => void): Promise<string> {
    this.taken = taken;
    const problems: string[] = [];
    for (const socket of this.settings().statsSockets) {
      const problem = await this.listenOne(socket, received);
      if (problem !== '') problems.push(`[${socket.place.file}:${socket.place.line}] stats socket: ${problem}`);
    }
    return problems.join('\n');
  }

  private async listenOne(socket: StatsSocket, received: ReceivedListeners): Promise<string> {
    const server = createServer({ allowHalfOpen: true }, connection => this.accept(connection, socket));
    const { address } = socket;
    const previousMask = socket.mode === null ? null : process.umask(0o777 & ~socket.mode);
    try {
      const inherited = inheritedSocket(socket, received);
      const file = address.kind === 'unix' && !address.abstract ? address.path : '';
      // A file that is there already is replaced in one step, never missing in between.
      const made = inherited < 0 && file !== '' ? `${file}.${process.pid}.tmp` : file;
      await listening(server, socket, inherited, made);
      if (file !== '') {
        if (socket.mode !== null) chmodSync(made, socket.mode);
        if (socket.uid >= 0 || socket.gid >= 0) chownSync(made, socket.uid >= 0 ? socket.uid : process.getuid?.() ?? 0, socket.gid >= 0 ? socket.gid : process.getgid?.() ?? 0);
        if (made !== file) replaceSocket(made, file);
        (inherited < 0 ? this.files : this.inheritedFiles).set(file, inode(file));
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
    const { statsMaxconn, statsTimeoutMs } = this.settings();
    let started = false;
    const runner = this.makeRunner(socket.exposeFdListeners ? () => {
      this.taken();
      handOutListeners(connection);
    } : null);
    const serve = serveLines(connection, runner, socket.level, statsTimeoutMs);
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

  /** This process serves, so the files are its own. */
  adopt(): void {
    for (const [file, made] of this.inheritedFiles) this.files.set(file, made);
  }

  /** Another process has these sockets too and answers on them from now on; connections that are open go on. */
  leave(): void {
    this.left = true;
    for (const server of this.servers.splice(0)) server.close();
  }

  close(): void {
    if (!this.left) for (const [file, made] of this.files) removeOwn(file, made);
    for (const server of this.servers) server.close();
    for (const connection of this.open) connection.destroy();
  }
}

/** 0 = there is no such file. */
function inode(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}

/** Unless a process that took over has made it anew. */
function removeOwn(path: string, made: number): void {
  try {
    if (inode(path) === made) unlinkSync(path);
  } catch {
    // Not there, or not ours to remove.
  }
}

/** A file that is no socket is nobody's to replace. */
function replaceSocket(made: string, path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() === false) {
    unlinkSync(made);
    throw new Error(`${path} exists and is no socket`);
  }
  renameSync(made, path);
}

/** -1 = the process before had none there. */
function inheritedSocket({ address }: StatsSocket, received: ReceivedListeners): number {
  switch (address.kind) {
    case 'unix': return received.takeUnix(address.path, address.abstract);
    case 'inet': return received.takeOneInet(address.host, address.port);
    case 'fd': return -1;
  }
}

/** `file`: where a unix socket is made. */
function listening(server: Server, { address }: StatsSocket, inherited: number, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.removeListener('error', reject);
      resolve();
    });
    if (inherited >= 0) {
      server.listen({ fd: inherited });
      return;
    }
    switch (address.kind) {
      case 'unix':
        server.listen(address.abstract ? `\0${address.path}` : file);
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
