/** What is measured: a proxy that can be started on a shape. Implemented by the other files of this folder. */
import type { Shape, Site } from '../configurations/shape.ts';
import type { Started } from '../machine/programs.ts';

export type SubjectName = 'haproxy' | 'poise-bun' | 'poise-node' | 'nginx' | 'fast-proxy' | 'http-proxy-3' | 'fastify-http-proxy';

export interface Subject {
  readonly name: SubjectName;
  /** Its name in tables. */
  readonly title: string;
  /** Undefined: it is not there. */
  version(): string | undefined;
  /** Empty: it can run the shape; otherwise why not. */
  cannot(shape: Shape): string;
  /** Those of the shape's ports that it listens on. */
  listens(shape: Shape): readonly number[];
  start(site: Site, shape: Shape, cores: string): Started;
}
