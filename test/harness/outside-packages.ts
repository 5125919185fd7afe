/**
 * Packages of which a test needs a few files and not the installation (with a monitoring daemon, or 250 MB): fetched with apt-get
 * and npm and unpacked, unchanged, under node_modules/.cache. Called by test/run.ts, which fetches, and by
 * test/system/outside-plugins.test.ts, which runs what is there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../../node_modules/.cache/outside-packages');
const fetchMsMax = 120_000;

const python = 'usr/lib/python3/dist-packages';
/** Debian package → what is unpacked of it. */
const debian = {
  'munin-common': 'usr/share/perl5/Munin', 'munin-plugins-extra': 'usr/share/munin/plugins/haproxy_ng', 'netdata-plugins-python': 'usr/lib/netdata',
  'ansible-core': `${python}/ansible`, ansible: `${python}/ansible_collections/community/general/plugins/modules/haproxy.py`,
} as const;
const npm = { name: 'haproxy', version: '0.3.0' };

export const outsidePaths = {
  muninPerl: join(folder, 'usr/share/perl5'),
  muninPlugin: join(folder, debian['munin-plugins-extra']),
  netdata: join(folder, debian['netdata-plugins-python']),
  ansiblePython: join(folder, python),
  ansibleModule: join(folder, debian.ansible),
  npmModule: join(folder, 'node_modules', npm.name),
};

function run(command: string, args: readonly string[], input?: Buffer): Buffer | null {
  const { status, stdout } = spawnSync(command, args, { cwd: folder, timeout: fetchMsMax, maxBuffer: 400_000_000, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'ignore'], ...(input === undefined ? {} : { input }) });
  return status === 0 ? stdout : null;
}

function unpack(name: string, path: string): void {
  if (run('apt-get', ['-qq', 'download', name]) === null) return;
  const file = readdirSync(folder).find((one) => one.startsWith(`${name}_`) && one.endsWith('.deb'));
  const archive = file === undefined ? null : run('dpkg-deb', ['--fsys-tarfile', file]);
  if (archive !== null) run('tar', ['-x', `./${path}`], archive);
}

/** Fetches what is missing; gives the names of what is not to be had. */
export function fetchOutsidePackages(): { readonly had: number; readonly missing: string[] } {
  mkdirSync(folder, { recursive: true });
  const missing: string[] = [];
  for (const [name, path] of Object.entries(debian)) {
    if (!existsSync(join(folder, path))) unpack(name, path);
    if (!existsSync(join(folder, path))) missing.push(name);
  }
  if (!existsSync(outsidePaths.npmModule)) run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', `${npm.name}@${npm.version}`]);
  if (!existsSync(outsidePaths.npmModule)) missing.push(`${npm.name} of npm`);
  return { had: Object.keys(debian).length + 1 - missing.length, missing };
}
