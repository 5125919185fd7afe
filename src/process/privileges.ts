/**
 * Gives up root after the listeners are bound: supplementary groups, group, then user. Used by process/balancer.ts once. Never
 * gives privileges back.
 */
import { keepCapabilities, keepOnlyBindRight } from './capabilities.ts';

/** From the global section (`user`, `group`, `uid`, `gid`); 0: stay as it is. */
interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/**
 * '' when done or nothing was wanted, otherwise why not. Only root can change who it is; HAProxy ignores the wish of others too.
 * `keepLowPorts`: threads that are started again later must be able to bind ports below 1024.
 */
export function dropPrivileges(identity: Identity, keepLowPorts: boolean): string {
  if (process.getuid?.() !== 0) return '';
  try {
    if (keepLowPorts && identity.uid > 0) keepCapabilities();
    if (identity.gid > 0 || identity.uid > 0) process.setgroups?.([identity.gid]);
    if (identity.gid > 0) process.setgid?.(identity.gid);
    if (identity.uid > 0) {
      process.setuid?.(identity.uid);
      if (keepLowPorts) keepOnlyBindRight();
    }
    return '';
  } catch (error) {
    return `cannot change to uid ${identity.uid}, gid ${identity.gid}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
