/**
 * One request's (or stream's) way to a server: persistence, balance, queue, connection, retries. Embedded in its owner and used
 * again for the next request. http/ and tcp/ call start(), then exactly one of onServer and onDispatchFailed comes back (at
 * once or later), then finish(). Fills the facts about queue, connection, retries and names.
 */
import type { DispatchClient, ServerConnection } from '../contract.ts';
import type { ProxyPlan, ServerPlan } from '../plan.ts';
import type { Subject } from '../../rules/subject.ts';
import type { ClientSession } from '../session.ts';
import type { ThreadContext } from '../thread-context.ts';

export class Dispatch {
  readonly context: ThreadContext;
  readonly subject: Subject;
  readonly client: DispatchClient;
  /** The connection in use, from onServer until finish(). */
  connection: ServerConnection | null = null;
  /** Server in use, also while it is being connected. */
  target: ServerPlan | null = null;

  constructor(context: ThreadContext, exchange: Subject & DispatchClient) {
    this.context = context;
    this.subject = exchange;
    this.client = exchange;
  }

  /** Finds a server of `backend` and connects. subject.backend must be set and its rules have run. */
  start(session: ClientSession, backend: ProxyPlan): void {
    void session;
    void backend;
  }

  /** The client went away or ran out of time before onServer: leaves the queue, cuts the attempt. Nobody is called back. */
  cancel(): void {
    this.finish(false);
  }

  /**
   * The connection of onServer failed before the first byte of an answer, and the request can be sent again from its start.
   * True: another onServer or onDispatchFailed follows. False: no retry is left, the server slot is given back; answer the client.
   */
  retry(): boolean {
    return false;
  }

  /** http/ tells every answer's status as it comes, for `observe layer7`. 0 = the answer was broken or missing. */
  observeAnswer(status: number): void {
    void status;
  }

  /**
   * The exchange is over. `keep`: the connection is between two messages and may carry another request; else it is destroyed.
   * Set connection.private before this when the client authenticated on it. Gives the server slot to the next in the queue.
   */
  finish(keep: boolean): void {
    if (this.connection !== null && !keep) this.connection.transport.destroy();
    this.connection = null;
    this.target = null;
  }
}
