/**
 * `silent-drop`: the client must not notice that its connection is gone. Without a way to forget a connection in the kernel it
 * is kept open and unread until the client gives up or timeout client passes, for a bounded number of connections; beyond
 * that it is reset. Called by rooms whose rules gave that verdict.
 */
import { TimerNode, type TimerOwner } from '../../base/timer-wheel.ts';
import { limits } from '../../model/limits.ts';
import type { TransportHandler } from '../contract.ts';
import type { ClientSession } from '../session.ts';
import type { SocketTransport } from '../transport.ts';

const defaultHoldMs = 60_000;
let dropped = 0;

class DroppedConnection implements TransportHandler, TimerOwner {
  private readonly session: ClientSession;
  private readonly transport: SocketTransport;
  private readonly timer = new TimerNode(this, 0);

  constructor(session: ClientSession, transport: SocketTransport) {
    this.session = session;
    this.transport = transport;
    session.context.wheel.arm(this.timer, session.frontend.timeouts.clientMs || defaultHoldMs);
    session.user = { onStop: () => transport.destroy(), onKill: () => transport.destroy(), onOwnConnectionLost: () => undefined, onReload: () => undefined, whereNow: () => ['', ''] };
  }

  onData(): void {}
  onDrain(): void {}
  onEnd(): void { this.transport.destroy(); }
  onTimer(): void { this.transport.destroy(); }

  onClose(): void {
    dropped -= 1;
    this.session.context.wheel.disarm(this.timer);
  }
}

export function dropSilently(session: ClientSession): void {
  const { transport } = session;
  if (transport === null || transport.closed) return;
  if (dropped >= limits.silentDropsMax) {
    transport.destroy(true);
    return;
  }
  dropped += 1;
  transport.pause();
  transport.handler = new DroppedConnection(session, transport);
}
