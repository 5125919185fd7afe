/**
 * Gives up root after the listeners are bound: group, supplementary groups, then user. Used by process/balancer.ts once. The
 * names were given in the global section; numbers (`uid`, `gid`) win. Never gives privileges back.
 */
import { readFileSync } from 'node:fs';
import type { Global } from '../model/model.ts';
import { keepCapabilities, keepOnlyBindRight } from './capabilities.ts';

/** Id of a name in /etc/passwd or /etc/group; undefined when it is not there. */
export function idByName(file: string, name: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
  for (const line of text.split('\n')) {
    const [entry, , id] = line.split(':');
    if (entry === name && id !== undefined) return Number(id);
  }
  return undefined;
}

export interface Identity {
  /** 0: stay as it is. */
  readonly uid: number;
  readonly gid: number;
  /** Names that nobody has, as a sentence each. */
  readonly problems: readonly string[];
}

/** Who the process shall be after binding. `passwd` and `group` are the system's files, or a test's. */
export function wantedIdentity(global: Global, passwd = '/etc/passwd', group = '/etc/group'): Identity {
  const problems: string[] = [];
  const find = (name: string, id: number, file: string, what: string): number => {
    if (id > 0 || name === '') return id;
    const found = idByName(file, name);
    if (found === undefined) problems.push(`cannot find ${what} '${name}': the process keeps its own`);
    return found ?? 0;
  };
  const uid = find(global.user, global.uid, passwd, 'user');
  const gid = find(global.group, global.gid, group, 'group');
  return { uid, gid, problems };
}

/**
 * '' when done or nothing was wanted, otherwise why not. Only root can change who it is; HAProxy ignores the wish of others too.
 * `keepLowPorts`: threads that are started again later must be able to bind ports below 1024.
 */
export function dropPrivileges(identity: Identity, keepLowPorts: boolean): string {
  if (process.getuid?.() !== 0) return '';
  try {
    if (keepLowPorts && identity.uid > 0) keepCapabilities();
    if (identity.gid > 0) {
      process.setgroups?.([identity.gid]);
      process.setgid?.(identity.gid);
    }
    if (identity.uid > 0) {
      if (identity.gid === 0) process.setgroups?.([0]);
      process.setuid?.(identity.uid);
      if (keepLowPorts) keepOnlyBindRight();
    }
    return '';
  } catch (error) {
    return `cannot change to uid ${identity.uid}, gid ${identity.gid}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
