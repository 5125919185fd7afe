/**
 * Who a script of keepalived.conf runs as: its own user, script_user, keepalived_script when that exists, else whoever runs Poise; and whether
 * somebody else could change it (enable_script_security). Used by vrrp/scripts.ts and vrrp/notify.ts.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from '../model/keepalived.ts';

/** For node:child_process; empty: stay who we are. */
interface CommandUser { readonly uid?: number; readonly gid?: number }

const usualUser = 'keepalived_script';
const writableByOthers = 0o022;
const sticky = 0o1000;

function entry(file: '/etc/passwd' | '/etc/group', name: string): readonly string[] | undefined {
  try {
    return readFileSync(file, 'utf8').split('\n').map((line) => line.split(':')).find((fields) => fields[0] === name);
  } catch {
    return undefined;
  }
}

/** Only root can be somebody else. */
export function commandUser(command: Command): CommandUser {
  if (process.getuid?.() !== 0) return {};
  const user = entry('/etc/passwd', command.user === '' ? usualUser : command.user);
  if (user === undefined) return {};
  const group = command.group === '' ? undefined : entry('/etc/group', command.group);
  return { uid: Number(user[2]), gid: Number(group?.[2] ?? user[3]) };
}

/** Why a script that would run as root must not: a part of its path can be changed by another user. Empty: it may. */
export function insecure(command: Command): string {
  if (process.getuid?.() !== 0 || (commandUser(command).uid ?? 0) !== 0) return '';
  let path = command.words[0] ?? '';
  if (!path.startsWith('/')) return 'its path does not begin with /';
  for (;;) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return `there is no ${path}`;
    if (found.uid !== 0 || (found.mode & writableByOthers) !== 0 && (found.mode & sticky) === 0) return `enable_script_security is set, and ${path} can be changed by others than root`;
    if (path === '/') return '';
    path = dirname(path);
  }
}
