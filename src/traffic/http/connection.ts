/**
 * One client connection in mode http.
 */
import type { Session } from '../../rules/subject.ts';
import type { Transport, TransportHandler } from '../contract.ts';
import type { ThreadContext } from '../thread-context.ts';

export class HttpConnection implements TransportHandler {
  readonly transport: Transport;
  readonly session: Session;
  readonly thread: ThreadContext;

  constructor(transport: Transport, session: Session, thread: ThreadContext) {
    this.transport = transport;
    this.session = session;
    this.thread = thread;
  }

  start(): void { this.transport.resume(); }
  onData(_chunk: Buffer): void { this.transport.destroy(); }
  onDrain(): void { this.transport.resume(); }
  onEnd(): void { this.transport.end(); }
  onClose(_code: string): void { this.session.vars = null; }
}
