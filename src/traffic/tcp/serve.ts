/**
 * The door of the TCP room: listen/ calls serveTcp once for each accepted client connection of a frontend in mode tcp. `upgrade` takes
 * connections over whose backend is in mode http.
 */
import type { ClientSession } from '../session.ts';
import type { ThreadContext } from '../thread-context.ts';
import type { SocketTransport } from '../transport.ts';
import { TcpStream, type Upgrade } from './stream.ts';

export function serveTcp(transport: SocketTransport, session: ClientSession, context: ThreadContext, upgrade: Upgrade): void {
  new TcpStream(transport, session, context, upgrade).start();
}
