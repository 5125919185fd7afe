/** What the tests of the packages share: programs that may be missing, commands with a time limit, and a place to install into. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { temporaryFolder } from '../harness/place.ts';
import { projectFolder } from '../harness/program.ts';

export const executable = join(projectFolder, 'dist/poise');
const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
const commandMsMax = 240_000;

export interface Result { readonly code: number | null; readonly text: string }

/** stdout and stderr together. */
export function run(command: string, args: readonly string[], options: { readonly cwd?: string; readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {}): Result {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: commandMsMax, cwd: options.cwd ?? projectFolder, input: options.input ?? '', env: options.env ?? { ...process.env, PATH: path } });
  return { code: result.status, text: `${result.stdout}${result.stderr}${result.error?.message ?? ''}` };
}

/** Of these programs those that are not installed; empty: the test can run. Also 'root' when it is wanted and we are not. */
export function missing(...programs: readonly string[]): string {
  const folders = path.split(delimiter);
  return programs.filter((program) => (program === 'root' ? process.getuid?.() !== 0 : !folders.some((folder) => existsSync(join(folder, program))))).join(', ');
}

/** Says so when the test cannot run. */
export function leftOut(context: { diagnostic(message: string): void }, ...programs: readonly string[]): boolean {
  const lack = missing(...programs);
  if (lack !== '') context.diagnostic(`left out: ${lack} is missing`);
  return lack !== '';
}

/** Builds dist/poise; '' or what went wrong. */
export function build(): string {
  const { code, text } = run(join(projectFolder, 'node_modules/.bin/bun'), ['packaging/build.ts']);
  return code === 0 ? '' : text;
}

/**
 * Runs a shell script in namespaces of its own: no network but its loopback, and mounts that are gone with it. `$ROOT` is a file system like this machine's
 * whose changes are forgotten; `inside COMMAND` runs a command in it with nothing of the environment.
 */
export function inThrowawaySystem(script: string, moreNamespaces: readonly string[] = []): Result {
  const folder = temporaryFolder();
  for (const name of ['layer', 'root']) mkdirSync(join(folder, name));
  const prepare = `exec 2>&1
set -e
ip link set lo up
mount -t tmpfs tmpfs ${folder}/layer
mkdir ${folder}/layer/upper ${folder}/layer/work
mount -t overlay overlay -o lowerdir=/,upperdir=${folder}/layer/upper,workdir=${folder}/layer/work ${folder}/root
ROOT=${folder}/root
mount -t tmpfs tmpfs $ROOT/run
mount -t tmpfs -o mode=1777 tmpfs $ROOT/tmp
mount --bind /proc $ROOT/proc
mount --bind /dev $ROOT/dev
inside() { chroot $ROOT env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }
set +e
`;
  return run('unshare', [...moreNamespaces, '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-s'], { input: prepare + script });
}

/** Shell lines for a throwaway system: what the package installs, without the package, which takes long to make. */
export const installUnpacked = `
install -D ${executable} $ROOT/usr/sbin/poise
install -D -m 644 ${projectFolder}/packaging/systemd/poise.service $ROOT/lib/systemd/system/poise.service
install -D -m 644 -t $ROOT/etc/poise ${projectFolder}/packaging/etc/haproxy.cfg ${projectFolder}/packaging/etc/poise.cfg
inside adduser --quiet --system --group --no-create-home --home /var/lib/poise poise
`;
