/**
 * `npm run package:deb`: makes dist/poise_VERSION_ARCH.deb from dist/poise with Debian's own tools (dpkg-dev, debhelper). Everything is
 * laid out in dist/deb first; no root is needed.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { poiseVersion, releaseDate } from '../src/model/process-statistics.ts';
import { manualPage } from './man.ts';

const home = fileURLToPath(new URL('..', import.meta.url));
const outFolder = join(home, 'dist');
const executable = join(outFolder, 'poise');

function changelog(): string {
  const date = new Date(`${releaseDate.replaceAll('/', '-')}T00:00:00Z`).toUTCString().replace('GMT', '+0000');
  return `poise (${poiseVersion}) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- Poise maintainers <maintainers@poise.invalid>  ${date}\n`;
}

/** Files of the package's tree by where they come from. */
const copied: readonly (readonly [from: string, to: string])[] = [
  ['packaging/debian', 'debian'], ['packaging/systemd/poise.service', 'debian/poise.service'], ['packaging/etc/logrotate', 'debian/poise.logrotate'],
  ['packaging/etc/default', 'debian/poise.default'], ['packaging/etc/haproxy.cfg', 'etc/haproxy.cfg'], ['packaging/etc/poise.cfg', 'etc/poise.cfg'],
  ['packaging/etc/rsyslog.conf', 'etc/rsyslog/49-poise.conf'], ['examples', 'examples'], ['docs', 'docs'], ['README.md', 'README.md'], ['CHANGELOG.md', 'CHANGELOG.md'],
];

function main(): number {
  if (!existsSync(executable)) {
    console.error('there is no dist/poise: npm run build');
    return 1;
  }
  if (!existsSync('/usr/bin/dpkg-buildpackage') || !existsSync('/usr/bin/dh')) {
    console.error('Debian\'s tools are missing: apt-get install dpkg-dev debhelper');
    return 1;
  }
  const top = join(outFolder, 'deb');
  const tree = join(top, 'poise');
  rmSync(top, { recursive: true, force: true });
  for (const [from, to] of copied) {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    cpSync(join(home, from), join(tree, to), { recursive: true });
  }
  linkSync(executable, join(tree, 'poise'));
  writeFileSync(join(tree, 'poise.1'), manualPage());
  writeFileSync(join(tree, 'debian/changelog'), changelog());
  const { status } = spawnSync('dpkg-buildpackage', ['--build=binary', '--no-sign', '--no-check-builddeps'], { cwd: tree, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) return 1;
  for (const name of readdirSync(top).filter((one) => one.endsWith('.deb'))) {
    renameSync(join(top, name), join(outFolder, name));
    console.log(join(outFolder, name));
  }
  rmSync(top, { recursive: true });
  return 0;
}

process.exit(main());
