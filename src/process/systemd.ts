/**
 * Tells systemd about the state of the service (sd_notify(3)): one datagram to the socket named in NOTIFY_SOCKET. Used by the
 * master with -Ws. Without that variable it does nothing.
 */
import { DatagramSender } from '../control/datagram.ts';

/** '' when sent or nobody asked, otherwise why not. `state`: `READY=1`, `STOPPING=1`, `STATUS=…`, lines separated by '\n'. */
export function notifySystemd(state: string): string {
  const path = process.env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return '';
  try {
    const sender = path.startsWith('@') ? DatagramSender.toUnix(path.slice(1), true) : DatagramSender.toUnix(path, false);
    const sent = sender.send(Buffer.from(state, 'utf8'));
    sender.close();
    return sent ? '' : `systemd does not take notifications at ${path}`;
  } catch (error) {
    return `cannot notify systemd: ${error instanceof Error ? error.message : String(error)}`;
  }
}
