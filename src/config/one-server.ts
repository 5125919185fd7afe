/**
 * Reads one `server` line by itself, for `add server`: no defaults, no default-server, other servers of the backend by name only (for
 * `track`). Called by admin/dynamic-servers.ts.
 */
import type { Certificate, Proxy, Server } from '../model/model.ts';
import { diskFiles } from './files.ts';
import { loadConfiguration } from './load.ts';

/** A file that only exists here, so that the one reader of such lines reads it. */
const virtualFile = 'add server';

interface OneServer {
  readonly server: Server;
  /** Its own certificate, null = none. */
  readonly certificate: Certificate | null;
  /** Name of the server whose state it follows, '' = none. */
  readonly tracked: string;
}

/** `words` follow the name. Gives the server, or what is wrong with the line. */
export function readOneServer(backend: Proxy, others: readonly string[], name: string, words: readonly string[]): OneServer | string {
  const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  const text = [
    `backend ${backend.name}`, `    mode ${backend.mode}`, '    timeout connect 1s', '    timeout server 1s', ...others.map((other) => `    server ${other} 127.0.0.1:1 check`),
    `    server ${name} ${quoted}`, '',
  ].join('\n');
  const disk = diskFiles(process.cwd());
  const bytes = Buffer.from(text, 'latin1');
  const { model, problems } = loadConfiguration([virtualFile], {
    files: {
      read: (path) => (path === virtualFile ? bytes : disk.read(path)),
      kind: (path) => (path === virtualFile ? 'file' : disk.kind(path)),
      list: (path) => disk.list(path),
    },
  });
  const wrong = problems.find(({ severity }) => severity === 'error' || severity === 'unsupported');
  if (model === undefined || wrong !== undefined) {
    const unknown = /^unknown word ('.*') on/.exec(wrong?.message ?? '')?.[1];
    return unknown === undefined ? wrong?.message ?? 'the line cannot be read' : `unknown keyword ${unknown}.`;
  }
  const server = model.servers.at(-1);
  if (server === undefined || model.patterns.length > 0) return 'its expressions cannot be added at run time';
  return { server, certificate: model.certificates[server.tls?.certificate ?? -1] ?? null, tracked: model.servers[server.track]?.name ?? '' };
}
