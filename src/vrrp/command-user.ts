/** Who a script of keepalived.conf runs as: its own user, script_user, keepalived_script when that exists, else whoever runs Poise. Used by vrrp/scripts.ts and vrrp/notify.ts. */
import { readFileSync } from 'node:fs';
import type { Command } from '../model/keepalived.ts';

/** For node:child_process; empty: stay who we are. */
export interface CommandUser { readonly uid?: number; readonly gid?: number }

const usualUser = 'keepalived_script';

function entry(file: '/etc/passwd' | '/etc/group', name: string): readonly string[] | undefined {
  try {
    return readFileSync(file, 'utf8').split('\n').map((line) => line.split(':')).find((fields) => fields[0] === name);
  } catch {
    return undefined;
  }
}

/** Only root can be somebody else. A user that does not exist is an error of the configuration, which check tells; here it is nobody's. */
export function commandUser(command: Command): CommandUser {
  if (process.getuid?.() !== 0) return {};
  const user = entry('/etc/passwd', command.user === '' ? usualUser : command.user);
  if (user === undefined) return {};
  const group = command.group === '' ? undefined : entry('/etc/group', command.group);
  return { uid: Number(user[2]), gid: Number(group?.[2] ?? user[3]) };
}
