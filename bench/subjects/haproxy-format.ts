/** HAProxy, and Poise on both runtimes: the three that read the same haproxy.cfg. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../test/harness/program.ts';
import { bun, node, start, versionOf } from '../machine/programs.ts';
import type { Subject } from './subject.ts';

function configurationFile(folder: string, configuration: string): string {
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, configuration);
  return file;
}

export const haproxy: Subject = {
  name: 'haproxy',
  title: 'HAProxy',
  version: () => /version (\S+)/.exec(versionOf('haproxy', ['-v']))?.[1],
  cannot: () => '',
  listens: (shape) => shape.ports,
  start: (site, shape, cores) => start(cores, 'haproxy', ['-f', configurationFile(site.folder, shape.configuration), '-db']),
};

function poiseVersion(): string {
  return (JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as { version: string }).version;
}

function poise(runtime: 'bun' | 'node', title: string, runtimeVersion: () => string): Subject {
  return {
    name: `poise-${runtime}`,
    title,
    version: () => (runtimeVersion() === '' ? undefined : `${poiseVersion()} on ${runtimeVersion()}`),
    cannot: () => '',
    listens: (shape) => shape.ports,
    start: (site, shape, cores) => start(cores, join(projectFolder, 'bin/poise'), ['-f', configurationFile(site.folder, shape.configuration), '-db'], { POISE_RUNTIME: runtime }),
  };
}

export const poiseOnBun = poise('bun', 'Poise (Bun)', () => { const version = versionOf(bun, ['--version']); return version === '' ? '' : `Bun ${version}`; });
export const poiseOnNode = poise('node', 'Poise (Node)', () => `Node ${versionOf(node, ['--version'])}`);
