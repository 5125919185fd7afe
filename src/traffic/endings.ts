/** Connections that are ended from outside: by an administrator, by a server that went down, by a time limit. Called by a traffic thread's control side. */
import { faults } from '../model/fault.ts';
import type { Dispatch } from './dispatch/dispatch.ts';
import type { ServerPlan } from './plan.ts';

/** Ends what the server works on; its waiting requests stay and choose again when the queue is served. */
export function shutdownServer(server: ServerPlan | undefined, reason: 'D' | 'K' | 'U'): void {
  if (server === undefined) return;
  const fault = reason === 'K' ? faults.adminKilled : reason === 'U' ? faults.backupKilled : faults.serverKilled;
  for (let dispatch: Dispatch | null = server.work.first; dispatch !== null;) {
    const next: Dispatch | null = dispatch.activeNext;
    dispatch.client.onServerKilled(fault);
    dispatch = next;
  }
  server.pool.closeAll();
}

export function endSession(session: { user: { onKill(fault: typeof faults.adminKilled): void } | null; transport: { destroy(): void } | null }): void {
  session.user?.onKill(faults.adminKilled);
  session.transport?.destroy();
}
