/** A UDP syslog server that keeps the datagrams it gets. */
import { createSocket, type Socket } from 'node:dgram';
import { eventually } from './place.ts';

export class SyslogSink {
  readonly lines: string[] = [];
  private socket: Socket | null = null;

  listen(address: string, port: number): Promise<void> {
    const socket = createSocket('udp4');
    this.socket = socket;
    socket.on('message', (datagram) => { this.lines.push(datagram.toString('latin1').replace(/\n$/, '')); });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, address, () => resolve());
    });
  }

  /** The first `count` lines that match, waiting for them; throws with what came instead. */
  async matching(pattern: RegExp, count = 1, timeoutMs = 4000): Promise<string[]> {
    const found = (): string[] => this.lines.filter((line) => pattern.test(line)).slice(0, count);
    await eventually(`${count} log line(s) matching ${pattern}`, () => found().length === count, timeoutMs).catch((error: unknown) => {
      throw new Error(`${String(error)}; log has ${JSON.stringify(this.lines.slice(-10), null, 1)}`);
    });
    return found();
  }

  close(): Promise<void> {
    const socket = this.socket;
    this.socket = null;
    return new Promise((resolve) => { if (socket === null) resolve(); else socket.close(() => resolve()); });
  }
}
