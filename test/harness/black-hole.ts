/**
 * A server that never completes a connection: a listener whose accept queue is full and whose process is stopped, so that the
 * kernel drops every further SYN. For connect timeouts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { Origin } from './origin.ts';
import { sleep } from './place.ts';

/** Handshakes that the kernel completes for a backlog of 1 before it drops. */
const queueLength = 2;
const running = new Set<ChildProcess>();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

export class BlackHole extends Origin {
  private child: ChildProcess | null = null;
  private readonly fillers: Socket[] = [];

  constructor() {
    super(() => {});
  }

  override async listen(address: string, port: number): Promise<void> {
    const program = `require('net').createServer().listen({ host: '${address}', port: ${port}, backlog: 1 }, () => console.log('ready'))`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.child = child;
    running.add(child);
    await new Promise((resolve) => { child.stdout?.once('data', resolve); });
    child.kill('SIGSTOP');
    await sleep(20);
    for (let n = 0; n <= queueLength; n++) this.fillers.push(connect({ host: address, port }).on('error', () => {}));
    await sleep(20);
  }

  override close(): Promise<void> {
    for (const filler of this.fillers) filler.destroy();
    if (this.child !== null) {
      this.child.kill('SIGKILL');
      running.delete(this.child);
      this.child = null;
    }
    return Promise.resolve();
  }
}
