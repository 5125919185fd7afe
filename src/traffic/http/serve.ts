/**
 * The door of the HTTP room: listen/ calls serveHttp once for each accepted client connection of a frontend in mode http.
 * From then on the transport's handler is the room's; it logs every request and ends the transport.
 */
import type { Transport } from '../contract.ts';
import type { ClientSession } from '../session.ts';
import type { ThreadContext } from '../thread-context.ts';
import { HttpConnection } from './connection.ts';

export function serveHttp(transport: Transport, session: ClientSession, context: ThreadContext): void {
  new HttpConnection(transport, session, context).start();
}
