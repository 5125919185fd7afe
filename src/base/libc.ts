/**
 * libc functions through koffi, for the few calls that neither runtime has. Used by control/datagram.ts, vrrp/, the process floor and at start.
 * Loaded on first use. Linux only.
 */
import { createRequire } from 'node:module';
import { getSystemErrorMap } from 'node:util';

type LibcFunction = (...args: unknown[]) => number;

interface Library {
  func(prototype: string): LibcFunction;
}

interface Koffi {
  load(name: string): Library;
  errno(): number;
  alloc(type: string, length: number): unknown;
  address(pointer: unknown): bigint;
  view(pointer: unknown, length: number): ArrayBuffer;
}

/** Memory that does not move, for structures with pointers in them. Never given back. */
interface NativeBlock {
  readonly address: bigint;
  readonly bytes: Buffer;
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

/** Why libc cannot be called at all; '' = it can. The executable loads its native module from a file in the folder for temporary files. */
export function libcProblem(): string {
  try {
    load();
    return '';
  } catch (error) {
    return `The native module cannot be loaded (${error instanceof Error ? error.message.split('\n')[0] : String(error)}): it needs libstdc++, and a folder for temporary files (TMPDIR) that is not mounted noexec.`;
  }
}

/** The function of a C prototype. Throws when koffi or libc cannot be loaded. */
export function libcFunction(prototype: string): LibcFunction {
  return load().func(prototype);
}

export function nativeBlock(length: number): NativeBlock {
  load();
  const pointer = koffi?.alloc('uint8_t', length);
  return { address: koffi?.address(pointer) ?? 0n, bytes: Buffer.from(koffi?.view(pointer, length) ?? new ArrayBuffer(length)) };
}

/** Error number of the call that has just failed. */
export function lastError(): number {
  return koffi?.errno() ?? 0;
}

/** `EADDRINUSE`; a number that has no name: `errno 999`. */
export function errorName(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`;
}
