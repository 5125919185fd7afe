/**
 * Where a running balancer process hands its listening sockets to the one that replaces it: a unix socket with an abstract name that holds the
 * process id, so that `-sf` and the master need no runtime socket for it. Only root and the user of this process are answered, by what the
 * kernel says of them. Made by process/balancer.ts.
 */
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { socketOption } from '../base/descriptors.ts';
import { handOverName } from '../control/take-over/fetch.ts';
import { descriptorOf, handOutListeners } from '../control/take-over/hand-out.ts';
import { listenerRequest } from '../wire/listener-list.ts';

const [solSocket, peerCredentials] = [1, 17];
const requestMsMax = 2000;

export class HandOver {
  private server: Server | null = null;
  private readonly handedOut: () => void;

  /** `handedOut`: another process has the sockets as well from now on. */
  constructor(handedOut: () => void) {
    this.handedOut = handedOut;
  }

  /** '' or why it cannot be asked; the process works without. */
  async listen(): Promise<string> {
    const server = createServer((connection) => this.accepted(connection));
    return new Promise((resolve) => {
      server.once('error', (error) => resolve(error.message));
      server.listen(`\0${handOverName(process.pid)}`, () => {
        this.server = server;
        server.on('error', () => {});
        resolve('');
      });
    });
  }

  close(): void {
    this.server?.close();
    this.server = null;
  }

  private accepted(connection: Socket): void {
    connection.on('error', () => connection.destroy());
    connection.setTimeout(requestMsMax, () => connection.destroy());
    const uid = socketOption(descriptorOf(connection), solSocket, peerCredentials)?.readInt32LE(4) ?? -1;
    if (uid !== 0 && uid !== process.geteuid?.()) {
      connection.destroy();
      return;
    }
    connection.once('data', (bytes: Buffer) => {
      if (bytes.toString('latin1') !== listenerRequest) {
        connection.destroy();
        return;
      }
      this.handedOut();
      handOutListeners(connection);
    });
  }
}
