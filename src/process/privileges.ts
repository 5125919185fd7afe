/**
 * Gives up root once the listeners are bound: the rest of the file system (`chroot`), supplementary groups, group, then user. Used by
 * process/balancer.ts once. Never gives privileges back.
 */
import { keepCapabilities, keepOnly } from '../base/capabilities.ts';
import { libcFunction } from '../base/libc.ts';

/** From the global section (`user`, `group`, `uid`, `gid`); 0: stay as it is. */
interface Identity {
  readonly uid: number;
  readonly gid: number;
}

const PR_SET_NO_NEW_PRIVS = 38;

/**
 * No program that this process starts gets more rights than it has, whatever its file says. Holds for the calling thread and those that it
 * starts: call before the traffic threads are started. False: the kernel refused.
 */
export function refuseNewPrivileges(): boolean {
  return libcFunction('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)')(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) === 0;
}

/**
 * `chroot`: from here on the whole process, all of its threads, sees nothing but this folder. '' when done or not wanted, otherwise why not, in
 * HAProxy's words. Only root can do it. What is needed from outside later has to be open (base/kept-files.ts) or known by now.
 */
export function lockIn(folder: string): string {
  if (folder === '') return '';
  const done = libcFunction('int chroot(const char *path)')(folder) === 0 && libcFunction('int chdir(const char *path)')('/') === 0;
  return done ? '' : `Cannot chroot(${folder}).`;
}

/** '' when `change` went well, otherwise `failure`. */
function attempt(change: () => void, failure: string): string {
  try {
    change();
    return '';
  } catch {
    return failure;
  }
}

/**
 * '' when done or nothing was wanted, otherwise why not, in HAProxy's words. Somebody else than root may only become who he is already.
 * `kept`: names of the capabilities that this thread, and those that it starts later, still have then.
 */
export function dropPrivileges({ uid, gid }: Identity, kept: readonly string[]): string {
  const isRoot = process.getuid?.() === 0;
  const keeps = isRoot && kept.length > 0 && uid > 0;
  if (keeps) keepCapabilities();
  const failure = (isRoot && (gid > 0 || uid > 0) ? attempt(() => process.setgroups?.([gid]), 'Cannot drop supplementary groups.') : '')
    || (gid > 0 ? attempt(() => process.setgid?.(gid), `Cannot set gid ${gid}.`) : '')
    || (uid > 0 ? attempt(() => process.setuid?.(uid), `Cannot set uid ${uid}.`) : '');
  if (failure === '' && keeps) keepOnly(kept);
  return failure;
}
