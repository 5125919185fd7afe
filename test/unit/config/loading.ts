/** What the tests of this folder share: loading text from memory, and short forms of what came out. */
import { memoryFiles } from '../../../src/config/files.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import type { Loaded, LoadOptions } from '../../../src/config/load.ts';
import type { Model, Proxy, Server } from '../../../src/model/model.ts';
import type { Severity } from '../../../src/model/problem.ts';

export const accounts = { '/etc/passwd': 'root:x:0:0::/:/bin/sh\nlb:x:901:902::/:/bin/false\n', '/etc/group': 'root:x:0:\nlb:x:902:\n', '/etc/hosts': '127.0.0.1 localhost\n' };

export function load(text: string, files: Record<string, string | Uint8Array> = {}, options: LoadOptions = {}): Loaded {
  return loadConfiguration(['/lb.cfg'], { environment: {}, cpus: 2, files: memoryFiles({ ...accounts, ...files, '/lb.cfg': text }), ...options });
}

/** `severity line message` of the problems of these severities. */
export function told(loaded: Loaded, ...severities: Severity[]): string[] {
  return loaded.problems.filter((problem) => severities.length === 0 || severities.includes(problem.severity)).map((problem) => `${problem.place.line} ${problem.message}`);
}

export function model(loaded: Loaded): Model {
  if (loaded.model === undefined) throw new Error(`no model: ${told(loaded, 'error', 'unsupported').join('; ')}`);
  return loaded.model;
}

/** Defaults with timeouts, so that tests see only their own warnings. */
export const base = 'defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n';

export function proxy(loaded: Loaded, name: string): Proxy {
  const found = model(loaded).proxies.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no proxy ${name}`);
  return found;
}

export function server(loaded: Loaded, name: string): Server {
  const found = model(loaded).servers.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no server ${name}`);
  return found;
}
