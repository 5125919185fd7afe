/** The proxies of the npm registry as subjects, on Node: each is a wrapper under library/. They play W1 only, on the clear site. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../test/harness/program.ts';
import { services } from '../configurations/exchange.ts';
import { ports } from '../configurations/shape.ts';
import { originPorts } from '../machine/origin.ts';
import { node, start } from '../machine/programs.ts';
import type { Subject, SubjectName } from './subject.ts';

function library(name: SubjectName, packageName: string): Subject {
  return {
    name,
    title: packageName,
    version: () => {
      const file = join(projectFolder, 'node_modules', packageName, 'package.json');
      return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : undefined;
    },
    cannot: (shape) => (shape.exchange === 'clear' ? '' : 'plays only the clear Exchange site with one thread'),
    listens: () => [ports.clear],
    start: (site, _shape, cores) => {
      const settings = { address: site.address, port: ports.clear, statisticsPath: '/haproxy', logPort: ports.log, servers: originPorts.clear.map((port) => `http://${site.address}:${port}`), services };
      return start(cores, node, [join(projectFolder, 'bench/subjects/library', `${name}.ts`), JSON.stringify(settings)]);
    },
  };
}

export const libraries: readonly Subject[] = [library('fast-proxy', 'fast-proxy'), library('http-proxy-3', 'http-proxy-3'), library('fastify-http-proxy', '@fastify/http-proxy')];
