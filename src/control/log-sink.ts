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
  /** Where messages are put together; may be another buffer after room(). */
  readonly bytes: Buffer;
  /** Where in `bytes` the next message of up to this length goes, -1 = it is refused. */
  room(length: number): number;
  /** The message stands where room() said. */
  added(length: number): void;
  /** Hands over what was added. Gives how many messages were refused since the last time. */
  flush(): number;
  /** Resolves when everything that was taken has been handed to the system, or nobody has read it for a while. */
  close(): Promise<void>;
}

/** One message of its own, latin1. Gives how many were refused. */
export function sendText(sink: LogSink, text: string): number {
  const at = sink.room(text.length);
  if (at >= 0) sink.added(sink.bytes.write(text, at, 'latin1'));
  return sink.flush();
}

/** How long the end waits for a reader that stands still. */
const closeWaitMs = 500;

class DatagramSink implements LogSink {
  private readonly sender: DatagramSender;

  constructor(sender: DatagramSender) {
    this.sender = sender;
  }

  get bytes(): Buffer { return this.sender.bytes; }
  room(length: number): number { return this.sender.room(length); }
  added(length: number): void { this.sender.added(length); }
  flush(): number { return this.sender.flush(); }

  async close(): Promise<void> {
    this.sender.close();
  }
}

const firstBytes = 65536;

/** stdout or stderr: one write at a time in the background, what waits is bounded. */
class DescriptorSink implements LogSink {
  bytes: Buffer = Buffer.allocUnsafe(firstBytes);
  private readonly fd: number;
  private used = 0;
  private lost = 0;
  private writing: Buffer | null = null;
  private idle: (() => void) | null = null;

  constructor(fd: number) {
    this.fd = fd;
  }

  room(length: number): number {
    const wanted = this.used + length;
    if (wanted > limits.logPendingBytesMax) {
      this.lost += 1;
      return -1;
    }
    if (wanted > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(2 * this.bytes.length, wanted), limits.logPendingBytesMax));
      this.bytes.copy(larger, 0, 0, this.used);
      this.bytes = larger;
    }
    return this.used;
  }

  added(length: number): void {
    this.used += length;
  }

  flush(): number {
    if (this.writing === null) this.next();
    const { lost } = this;
    this.lost = 0;
    return lost;
  }

  private next(): void {
    if (this.used === 0) {
      this.writing = null;
      this.idle?.();
      return;
    }
    this.writing = this.bytes.subarray(0, this.used);
    this.bytes = Buffer.allocUnsafe(firstBytes);
    this.used = 0;
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
