/**
 * The administrative side of the control thread in one object: runtime sockets and the internal HTTP server. process/balancer.ts
 * makes it, starts it before privileges are dropped, passes messages of the traffic threads on, and closes it at the end.
 */
import type { ReceivedListeners } from '../control/take-over/received.ts';
import type { ToControl } from '../model/messages.ts';
import type { AdminContext, AdminParts } from './context.ts';
import { runLine } from './commands.ts';
import { createAdminContext } from './context.ts';
import { InternalServer } from './internal-server.ts';
import { RuntimeSockets } from './socket.ts';

export class Admin {
  readonly context: AdminContext;
  private readonly sockets: RuntimeSockets;
  private readonly internal: InternalServer;

  /** `internalKey`: what the traffic threads send in x-poise-key. */
  constructor(parts: AdminParts, internalKey: string) {
    this.context = createAdminContext(parts);
    const { context } = this;
    this.sockets = new RuntimeSockets(() => context.model.global, (handOut) => ({ run: (session, line, payload) => runLine(context, session, line, payload), stays: false, handOut }));
    this.internal = new InternalServer(this.context, internalKey);
  }

  /** The internal server first: traffic threads may already ask for pages. Gives '' or what could not be opened, line by line. */
  async start(internalPath: string, received: ReceivedListeners, taken: () => void): Promise<string> {
    const problem = await this.internal.listen(internalPath);
    if (problem !== '') return `internal statistics socket: ${problem}`;
    return this.sockets.listen(received, taken);
  }

  /** A reload: open connections go on, their next command meets the new configuration. Nobody holds parts of the context over a wait. */
  follow(parts: AdminParts, isEdit: boolean): void {
    Object.assign(this.context, createAdminContext(parts, { ...this.context }, isEdit));
  }

  receive(message: ToControl): void {
    this.context.receive(message);
  }

  /** The process has started: what it took over is its own. */
  adoptSockets(): void {
    this.sockets.adopt();
  }

  /** Runtime sockets are somebody else's too, who is to answer on them alone from now on. */
  leaveSockets(): void {
    this.sockets.leave();
  }

  close(): void {
    this.sockets.close();
    this.internal.close();
  }
}
