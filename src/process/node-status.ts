/**
 * Where a running node tells the state of its instances: a unix socket that `poise vrrp status` asks, and keepalived's files on SIGUSR1
 * and SIGUSR2. One socket per keepalived.conf, named after its path. Used by cli/vrrp.ts and process/high-availability.ts.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { KeepalivedModel } from '../model/keepalived.ts';
import type { InstanceStatus } from '../model/vrrp-messages.ts';
import { keepalivedData, keepalivedJson, keepalivedStats } from '../vrrp/status-text.ts';

const answerMsMax = 3000;
const rootFolder = '/run/poise';
const files = { data: 'keepalived.data', stats: 'keepalived.stats', json: 'keepalived.json' } as const;

/** `/run/poise/vrrp-1f2e3d4c.sock`; in the temporary folder for those who may not write there. */
function socketPath(configuration: string): string {
  const name = `vrrp-${createHash('sha256').update(resolve(configuration)).digest('hex').slice(0, 8)}.sock`;
  return join(process.getuid?.() === 0 ? rootFolder : tmpdir(), name);
}

export class NodeStatus {
  readonly #path: string;
  readonly #server: Server;

  /** `log` hears why the socket cannot be had; the node runs without it then. */
  constructor(configuration: string, status: () => Promise<readonly InstanceStatus[]>, log: (text: string) => void) {
    this.#path = socketPath(configuration);
    this.#server = createServer((socket) => {
      socket.on('error', () => { /* whoever asked has left */ });
      void status().then((instances) => { socket.end(JSON.stringify(instances)); });
    });
    this.#server.on('error', (error) => { log(`poise vrrp status will not find this node: ${error.message}`); });
    try {
      if (process.getuid?.() === 0) mkdirSync(rootFolder, { recursive: true, mode: 0o755 });
      rmSync(this.#path, { force: true });
    } catch (error) {
      log(`poise vrrp status will not find this node: ${(error as Error).message}`);
      return;
    }
    this.#server.listen(this.#path);
    this.#server.unref();
  }

  close(): void {
    this.#server.close();
    rmSync(this.#path, { force: true });
  }
}

/** The instances of the node that runs with this keepalived.conf, or why it cannot be asked. */
export function askNode(configuration: string): Promise<readonly InstanceStatus[] | string> {
  const { promise, resolve: answer } = Promise.withResolvers<readonly InstanceStatus[] | string>();
  const socket = connect(socketPath(configuration));
  let text = '';
  socket.setTimeout(answerMsMax, () => { answer('the node does not answer'); socket.destroy(); });
  socket.on('data', (chunk: Buffer) => { text += chunk.toString(); });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    answer(error.code === 'ENOENT' || error.code === 'ECONNREFUSED' ? `no node runs with ${configuration} on this machine` : error.message);
  });
  socket.on('end', () => { answer(text === '' ? 'the node does not answer' : JSON.parse(text) as readonly InstanceStatus[]); });
  return promise;
}

function write(name: string, text: string): void {
  const path = join(tmpdir(), name);
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
}

/** keepalived's files in the temporary folder; readable by their owner only, as keepalived makes them. */
export function writeKeepalivedFiles(which: 'data' | 'stats', instances: readonly InstanceStatus[], model: KeepalivedModel): void {
  if (which === 'data') write(files.data, keepalivedData(instances, model));
  else write(files.stats, keepalivedStats(instances));
  write(files.json, keepalivedJson(instances, model));
}
