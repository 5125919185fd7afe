/**
 * Where finished log messages go: a datagram address, stdout or stderr. Opened and fed by control/log-writer.ts, which shares one
 * sink among all targets of the same address. A sink never blocks the control thread and never throws: what cannot be taken
 * now is refused, and the writer counts it as dropped.
 */
import { write } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { limits } from '../model/limits.ts';
import type { LogTarget } from '../model/model.ts';
import { DatagramSender } from './datagram.ts';

export interface LogSink {
  /** Gives how many of the messages were not taken. */
  sendAll(messages: readonly string[]): number;
  /** Resolves when everything that was taken has been handed to the system, or nobody has read it for a while. */
  close(): Promise<void>;
}

/** How long the end waits for a reader that stands still. */
const closeWaitMs = 500;

class DatagramSink implements LogSink {
  private readonly sender: DatagramSender;

  constructor(sender: DatagramSender) {
    this.sender = sender;
  }

  sendAll(messages: readonly string[]): number {
    return this.sender.sendAll(messages);
  }

  async close(): Promise<void> {
    this.sender.close();
  }
}

/** stdout or stderr: one write at a time in the background, what waits is bounded. */
class DescriptorSink implements LogSink {
  private readonly fd: number;
  private waiting = '';
  private writing: Buffer | null = null;
  private idle: (() => void) | null = null;

  constructor(fd: number) {
    this.fd = fd;
  }

  sendAll(messages: readonly string[]): number {
    let lost = 0;
    for (const message of messages) {
      if (this.waiting.length + message.length > limits.logPendingBytesMax) lost += 1;
      else this.waiting += message;
    }
    if (this.writing === null) this.next();
    return lost;
  }

  private next(): void {
    if (this.waiting === '') {
      this.writing = null;
      this.idle?.();
      return;
    }
    this.writing = Buffer.from(this.waiting, 'latin1');
    this.waiting = '';
    this.writeFrom(0);
  }

  private writeFrom(offset: number): void {
    const bytes = this.writing;
    if (bytes === null) return;
    write(this.fd, bytes, offset, bytes.length - offset, null, (error, written) => {
      // A pipe that is full right now (EAGAIN) is tried again; a pipe without reader swallows its lines.
      if (error?.code === 'EAGAIN') setTimeout(() => this.writeFrom(offset), 5);
      else if (error === null && offset + written < bytes.length) this.writeFrom(offset + written);
      else this.next();
    });
  }

  async close(): Promise<void> {
    if (this.writing === null) return;
    await new Promise<void>((resolve) => {
      this.idle = resolve;
      setTimeout(resolve, closeWaitMs).unref();
    });
  }
}

/** Standard output (1) or standard error (2). */
export function descriptorSink(fd: 1 | 2): LogSink {
  return new DescriptorSink(fd);
}

/** Same text for targets that can share a sink. */
export function sinkKey(address: LogTarget['address']): string {
  switch (address.kind) {
    case 'inet': return `udp:${address.host}:${address.port}`;
    case 'unix': return `unix:${address.abstract ? '@' : ''}${address.path}`;
    case 'name': return `name:${address.name}:${address.port}`;
    case 'ring': return `ring:${address.name}`;
    default: return address.kind;
  }
}

/** Throws with one clear sentence when the target cannot be opened. Undefined: a ring, which nothing reads yet. */
export async function openSink(address: LogTarget['address']): Promise<LogSink | undefined> {
  switch (address.kind) {
    case 'stdout': return descriptorSink(1);
    case 'stderr': return descriptorSink(2);
    case 'unix': return new DatagramSink(DatagramSender.toUnix(address.path, address.abstract));
    case 'inet': return new DatagramSink(DatagramSender.toInet(address.host, address.port));
    case 'name': return new DatagramSink(DatagramSender.toInet((await lookup(address.name, address.family)).address, address.port));
    case 'ring': return undefined;
  }
}
