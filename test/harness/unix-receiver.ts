/** Datagrams that arrive at a unix socket, received by socat: it plays systemd's notification socket and /dev/log. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { eventually } from './place.ts';

export class UnixReceiver {
  text = '';
  private readonly child: ChildProcess;

  private constructor(path: string) {
    this.child = spawn('socat', ['-u', `UNIX-RECV:${path},unlink-early`, 'STDOUT'], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.child.stdout?.on('data', (chunk: Buffer) => { this.text += chunk.toString('latin1'); });
  }

  static async listen(path: string): Promise<UnixReceiver> {
    const receiver = new UnixReceiver(path);
    await eventually('socat listens', () => existsSync(path));
    return receiver;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => { this.child.once('exit', resolve); });
    this.child.kill('SIGKILL');
    await ended;
  }
}
