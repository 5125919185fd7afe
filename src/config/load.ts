/**
 * The door of the configuration floor: paths in, a checked Model or the list of everything that is wrong out. Called by cli/
 * and process/ (start, `-c`, reload). Synchronous, keeps no state, never throws for anything a configuration can contain.
 */
import type { Model } from '../model/model.ts';
import type { Problem } from '../model/problem.ts';
import type { ConfigFiles } from './files.ts';

export interface LoadOptions {
  /** Environment for `"${VAR}"` and `.if defined()`; the process's when left out. Never changed: `setenv` works on a copy. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly files?: ConfigFiles;
  /** `-L`: local peer name, also HAPROXY_LOCALPEER. */
  readonly localPeer?: string;
  /** `-n`: process-wide maxconn that wins over the configuration's. */
  readonly maxconn?: number;
  /** `-W`. */
  readonly masterWorker?: boolean;
  /** `-dD`: print `.diag` messages. */
  readonly diagnostics?: boolean;
  /** CPUs of this machine, the default of nbthread. */
  readonly cpus?: number;
}

export interface Loaded {
  /** Undefined when any problem is an `error` or `unsupported`. */
  readonly model: Model | undefined;
  readonly problems: readonly Problem[];
}

/** Reads the files and folders in order, as several `-f` do. */
export function loadConfiguration(paths: readonly string[], options: LoadOptions = {}): Loaded {
  const problems: Problem[] = paths.map((path) => ({
    severity: 'error', place: { file: path, line: 0 }, word: path, message: 'is not read yet', remedy: options.localPeer ?? '',
  }));
  return { model: undefined, problems };
}
