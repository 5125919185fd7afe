/**
 * libc functions through koffi, for the few calls that neither runtime has. Used by control/datagram.ts, process/probe-binds.ts and
 * process/capabilities.ts. Loaded on first use. Linux only.
 */
import { createRequire } from 'node:module';

type LibcFunction = (...args: unknown[]) => number;

interface Library {
  func(prototype: string): LibcFunction;
}

interface Koffi {
  load(name: string): Library;
  errno(): number;
}

let koffi: Koffi | undefined;
let library: Library | undefined;

function load(): Library {
  if (library !== undefined) return library;
  koffi = createRequire(import.meta.url)('koffi') as Koffi;
  try {
    library = koffi.load('libc.so.6');
  } catch {
    library = koffi.load('libc.so');
  }
  return library;
}

/** The function of a C prototype. Throws when koffi or libc cannot be loaded. */
export function libcFunction(prototype: string): LibcFunction {
  return load().func(prototype);
}

/** Error number of the call that has just failed. */
export function lastError(): number {
  return koffi?.errno() ?? 0;
}
