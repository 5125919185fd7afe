/**
 * Closes a client connection so that the client sees an end and no reset: what it has sent already is read away first, since
 * the kernel resets a connection that is closed with unread bytes. Takes a few milliseconds; used by TcpStream.
 */
import { TimerNode, type TimerOwner } from '../../base/timer-wheel.ts';
import type { Transport, TransportHandler } from '../contract.ts';
import type { ThreadContext } from '../thread-context.ts';

const readAwayMs = 10;

class Closing implements TransportHandler, TimerOwner {
  private readonly context: ThreadContext;
  private readonly transport: Transport;
  private readonly timer = new TimerNode(this, 0);

  constructor(context: ThreadContext, transport: Transport) {
    this.context = context;
    this.transport = transport;
  }

  start(): void {
    this.transport.handler = this;
    this.transport.end();
    this.transport.resume();
    this.context.wheel.arm(this.timer, readAwayMs);
  }

  onData(): void {}
  onDrain(): void {}
  onEnd(): void { this.transport.destroy(); }
  onTimer(): void { this.transport.destroy(); }
  onClose(): void { this.context.wheel.disarm(this.timer); }
}

export function closeGently(context: ThreadContext, transport: Transport): void {
  if (!transport.closed) new Closing(context, transport).start();
}
