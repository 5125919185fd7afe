/** `-sf` and `-st`: ends the processes that this one takes over from, once it serves. Used by master.ts and run-balancer.ts. */
import type { Notices } from './notices.ts';

export interface Predecessors {
  readonly pids: readonly number[];
  readonly signal: 'SIGUSR1' | 'SIGTERM';
}

export function signalPredecessors({ pids, signal }: Predecessors, notices: Notices): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // Already gone is what was wanted.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') notices.warning(`cannot send ${signal} to process ${pid}: ${String(error)}`);
    }
  }
}
