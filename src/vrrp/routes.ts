/**
 * virtual_routes: set when an instance has become MASTER, taken off when it no longer is, by ip(8), whose words keepalived.conf uses. Used by
 * vrrp/instance-runner.ts. Never by a shell; waits for ip, which takes milliseconds, and not for long.
 */
import { spawnSync } from 'node:child_process';
import type { VirtualRoute } from '../model/keepalived.ts';

const ipMsMax = 1000;
/** Where ip(8) is when the PATH of a service does not say. */
const usualFolders = '/usr/sbin:/sbin:/usr/bin:/bin';

/** Undefined when done; else what ip(8) said. */
export function changeRoute(change: 'replace' | 'del', route: VirtualRoute): string | undefined {
  const family = route.words.some((word) => word.includes(':')) ? '-6' : '-4';
  const { status, stderr, error } = spawnSync('ip', [family, 'route', change, ...route.words], {
    timeout: ipMsMax, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:${usualFolders}` },
  });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim().split('\n')[0] ?? `ip ended with ${status ?? 'a signal'}`;
}
