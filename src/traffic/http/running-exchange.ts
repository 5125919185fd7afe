/**
 * Connects an exchange to its events: the server connection, dispatch, timers, the end of a tunnel. Taken from the thread's pool by
 * HttpConnection for the first byte of a request, given back after the log line. Decides nothing.
 */
import type { TimerNode } from '../../base/timer-wheel.ts';
import type { Fault } from '../../model/fault.ts';
import type { Server } from '../../model/model.ts';
import type { ServerConnection } from '../contract.ts';
import type { ThreadContext } from '../thread-context.ts';
import { redirected } from './answer.ts';
import { dispatchFailed, serverKilled } from './faults.ts';
import { serverData, serverEnded, serverTimedOut } from './from-server.ts';
import { HttpExchange, stage, timerKind } from './http-exchange.ts';
import { bodyArrived, waitOver } from './request-steps.ts';
import { serverDrained, serverReady } from './to-server.ts';
import { tunnelEnded } from './upgrade.ts';

export class RunningExchange extends HttpExchange {
  exchangeRedirected(server: Server): boolean { return redirected(this, server); }
  exchangeServer(connection: ServerConnection, reused: boolean): void { serverReady(this, connection, reused); }
  exchangeFailed(fault: Fault): void { dispatchFailed(this, fault); }
  exchangeKilled(fault: Fault): void { serverKilled(this, fault); }

  onData(chunk: Buffer): void { serverData(this, chunk); }
  onDrain(): void { serverDrained(this); }
  onEnd(): void { serverEnded(this, ''); }
  onClose(code: string): void { serverEnded(this, code === '' ? 'closed' : code); }

  onTimer(node: TimerNode): void {
    if (this.stage === stage.over) return;
    if (node.kind === timerKind.server) serverTimedOut(this);
    else waitOver(this);
  }

  onTunnelEnd(fault: Fault | null): void { tunnelEnded(this, fault); }
  bodyArrived(): void { bodyArrived(this); }
}

const pools = new WeakMap<ThreadContext, HttpExchange[]>();

/** The exchanges of a thread that wait for their next request. */
export function exchangePool(context: ThreadContext): HttpExchange[] {
  let pool = pools.get(context);
  if (pool === undefined) {
    pool = [];
    pools.set(context, pool);
  }
  return pool;
}
