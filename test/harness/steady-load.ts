/**
 * Clients that never stop asking, and count what goes wrong: on connections that they keep and on a new one for each request. For take-overs
 * and reloads under load. A kept connection may only end after an answer that said so.
 */
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { sleep } from './place.ts';

export interface LoadTarget {
  readonly name: string;
  readonly to: NetConnectOpts;
  readonly tls?: boolean;
  /** Connections that are kept, and loops that open one per request. */
  readonly kept: number;
  readonly fresh: number;
  /** Where nobody announces the end of a connection (mode tcp) the client ends it itself after so many requests. */
  readonly requestsPerConnection?: number;
}

export interface LoadCounts { requests: number; connections: number; readonly failures: string[]; slowestMs: number }

const answerMsMax = 20_000;

/** One answer with a Content-Length; rejects with what happened instead. */
function ask(socket: Socket, close: boolean): Promise<{ readonly ends: boolean }> {
  return new Promise((resolve, reject) => {
    let text = '';
    const done = (): void => {
      clearTimeout(timer);
      socket.removeListener('data', onData);
      socket.removeListener('close', onClose);
      socket.removeListener('error', onError);
    };
    const fail = (why: string): void => {
      done();
      reject(new Error(why));
    };
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = text.slice(0, end);
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? -1);
      if (!head.startsWith('HTTP/1.1 200')) fail(`answer ${head.split('\r\n')[0] ?? ''}`);
      else if (text.length >= end + 4 + length) {
        done();
        resolve({ ends: close || /^connection: close/im.test(head) });
      }
    };
    const onClose = (): void => fail(`closed after ${text.length} bytes of the answer`);
    const onError = (error: NodeJS.ErrnoException): void => fail(`${error.code ?? error.message} after ${text.length} bytes of the answer`);
    const timer = setTimeout(() => fail('no answer in time'), answerMsMax);
    if (socket.destroyed || socket.readableEnded) {
      fail('closed between two requests without a word');
      return;
    }
    socket.on('data', onData);
    socket.on('close', onClose);
    socket.on('error', onError);
    socket.write(`GET / HTTP/1.1\r\nHost: load.example\r\n${close ? 'Connection: close\r\n' : ''}\r\n`);
  });
}

function opened(target: LoadTarget): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = target.tls === true ? connectTls({ ...target.to, rejectUnauthorized: false }) : connect(target.to);
    const event = target.tls === true ? 'secureConnect' : 'connect';
    const onError = (error: NodeJS.ErrnoException): void => reject(new Error(`${error.code ?? error.message} while connecting`));
    socket.once('error', onError);
    socket.once(event, () => {
      socket.removeListener('error', onError);
      // Between two requests only the end of the connection may come; the next request finds it.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

export class SteadyLoad {
  readonly counts = new Map<string, LoadCounts>();
  private stopping = false;
  private readonly loops: Promise<void>[] = [];
  private readonly pauseMs: number;

  /** `pauseMs`: between two requests of one client. */
  constructor(targets: readonly LoadTarget[], pauseMs: number) {
    this.pauseMs = pauseMs;
    for (const target of targets) {
      const counts: LoadCounts = { requests: 0, connections: 0, failures: [], slowestMs: 0 };
      this.counts.set(target.name, counts);
      for (let client = 0; client < target.kept; client += 1) this.loops.push(this.run(target, counts, target.requestsPerConnection ?? Infinity));
      for (let client = 0; client < target.fresh; client += 1) this.loops.push(this.run(target, counts, 1));
    }
  }

  get requests(): number {
    return [...this.counts.values()].reduce((sum, one) => sum + one.requests, 0);
  }

  get failures(): string[] {
    return [...this.counts].flatMap(([name, one]) => one.failures.map((failure) => `${name}: ${failure}`));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.loops);
  }

  private async run(target: LoadTarget, counts: LoadCounts, perConnection: number): Promise<void> {
    while (!this.stopping) {
      let socket: Socket | null = null;
      try {
        const sinceMs = performance.now();
        socket = await opened(target);
        counts.connections += 1;
        await this.use(socket, counts, perConnection, sinceMs);
      } catch (error) {
        counts.failures.push(`${new Date().toISOString().slice(14)} ${(error as Error).message}`);
      }
      socket?.destroy();
      await sleep(this.pauseMs);
    }
  }

  private async use(socket: Socket, counts: LoadCounts, perConnection: number, connectMs: number): Promise<void> {
    for (let number = 1, sinceMs = connectMs; ; number += 1, sinceMs = performance.now()) {
      const { ends } = await ask(socket, perConnection === 1);
      counts.requests += 1;
      counts.slowestMs = Math.max(counts.slowestMs, performance.now() - sinceMs);
      if (ends || number >= perConnection || this.stopping) return;
      await sleep(this.pauseMs);
    }
  }
}

/** Answers every request head with two bytes, on connections that stay. */
export async function startQuickOrigin(host: string, port: number): Promise<Server> {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const server = createServer((socket) => {
    let rest = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const heads = (rest + chunk.toString('latin1')).split('\r\n\r\n');
      rest = heads.pop() ?? '';
      if (heads.length > 0) socket.write(answer.repeat(heads.length));
    });
  });
  await new Promise<void>((resolve) => { server.listen({ host, port, backlog: 1024 }, resolve); });
  return server;
}
