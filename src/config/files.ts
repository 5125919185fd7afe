/**
 * How the configuration readers reach files: one small interface, so that tests read from memory. Called by load.ts and by
 * everything that names a file in a configuration. Never throws: a file that cannot be read gives a reason in words.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

type FileKind = 'file' | 'folder' | 'none';

export interface ConfigFiles {
  /** The bytes, or why not (`no such file`, `permission denied`). */
  read(path: string): Uint8Array | string;
  kind(path: string): FileKind;
  /** Names in a folder, sorted by their bytes. */
  list(path: string): readonly string[];
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file', EACCES: 'permission denied', EISDIR: 'is a folder', ENOTDIR: 'no such file', EPERM: 'permission denied',
};

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return reasons[code] ?? (code === '' ? String(error) : code);
}

/** The file system; relative paths start at `base`. */
export function diskFiles(base: string): ConfigFiles {
  return {
    read(path) {
      try {
        return readFileSync(resolve(base, path));
      } catch (error) {
        return reason(error);
      }
    },
    kind(path) {
      try {
        return statSync(resolve(base, path)).isDirectory() ? 'folder' : 'file';
      } catch {
        return 'none';
      }
    },
    list(path) {
      try {
        return readdirSync(resolve(base, path)).sort();
      } catch {
        return [];
      }
    },
  };
}

/** Files held in memory, for tests and generated configurations. */
export function memoryFiles(texts: Readonly<Record<string, string | Uint8Array>>): ConfigFiles {
  const encoder = new TextEncoder();
  const within = (folder: string): string[] => {
    const prefix = folder.endsWith('/') ? folder : `${folder}/`;
    return Object.keys(texts).filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  };
  return {
    read(path) {
      const text = texts[path];
      if (text === undefined) return 'no such file';
      return typeof text === 'string' ? encoder.encode(text) : text;
    },
    kind(path) {
      if (texts[path] !== undefined) return 'file';
      return within(path).length > 0 ? 'folder' : 'none';
    },
    list(path) {
      return [...new Set(within(path).map((name) => name.split('/')[0] ?? name))].sort();
    },
  };
}
