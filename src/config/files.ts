/**
 * How the configuration readers reach files: one small interface, so that tests read from memory. Called by load.ts and by
 * everything that names a file in a configuration. Never throws: a file that cannot be read gives a reason in words.
 */
import { closeSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { limits } from '../model/limits.ts';

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

/** Why a path cannot be read as a text, '' when it can: a device never ends, a named pipe may never begin. */
function unreadable(path: string): string {
  const found = statSync(path);
  if (found.isDirectory()) return 'is a folder';
  if (found.isSocket()) return 'is a socket, not a file';
  if (found.isBlockDevice() || (found.isCharacterDevice() && path !== '/dev/null')) return 'is a device, not a file';
  // What the shell hands over as /dev/fd/N or /dev/stdin has its writer already.
  if (found.isFIFO() && !/^\/(dev|proc)\//.test(path)) return 'is a named pipe, not a file';
  return found.size > limits.configFileBytesMax ? tooLarge : '';
}

const tooLarge = `is larger than ${limits.configFileBytesMax / 1024 / 1024} MiB`;

/** Reads to the end or to the limit, whatever the file said of its size. */
function readBounded(path: string): Uint8Array | string {
  const why = unreadable(path);
  if (why !== '') return why;
  const descriptor = openSync(path, 'r');
  try {
    const parts: Buffer[] = [];
    let length = 0;
    for (;;) {
      const part = Buffer.allocUnsafe(limits.configReadBytes);
      const got = readSync(descriptor, part, 0, part.length, null);
      if (got === 0) return new Uint8Array(Buffer.concat(parts, length));
      parts.push(part.subarray(0, got));
      length += got;
      if (length > limits.configFileBytesMax) return tooLarge;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The file system; relative paths start at `base`. */
export function diskFiles(base: string): ConfigFiles {
  return {
    read(path) {
      try {
        return readBounded(resolve(base, path));
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
