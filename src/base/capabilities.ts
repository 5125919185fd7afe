/**
 * Keeps single rights of root when the process gives root up: to bind ports below 1024, so that a traffic thread that died can be started again,
 * and to open connections from the addresses of clients (`usesrc`). Linux gives rights to threads: each that is to keep some calls both functions,
 * and threads that it starts later inherit what it has. Used by process/privileges.ts and traffic/. capabilities(7), prctl(2).
 */
import { libcFunction } from './libc.ts';

/** By the names that `setcap` takes. */
export const capabilityNumbers: Readonly<Record<string, number>> = { cap_net_bind_service: 10, cap_net_admin: 12, cap_net_raw: 13 };

const PR_SET_KEEPCAPS = 8;
/** struct __user_cap_header_struct: _LINUX_CAPABILITY_VERSION_3, the calling thread. */
const header = new Uint8Array(new Uint32Array([0x20080522, 0]).buffer);

/** `data`: two words each of effective, permitted, inheritable; the second half is for capabilities above 31. */
interface Libc {
  capget(header: Uint8Array, data: Uint8Array): number;
  capset(header: Uint8Array, data: Uint8Array): number;
}

let made: Libc | undefined;

/** Made once: a thread without the right asks with every connection. */
function libc(): Libc {
  made ??= {
    capget: libcFunction('int capget(const uint8_t *header, _Out_ uint8_t *data)'),
    capset: libcFunction('int capset(const uint8_t *header, const uint8_t *data)'),
  };
  return made;
}

function bitOf(name: string): number {
  return 1 << (capabilityNumbers[name] ?? 0);
}

/** Call before the user is changed. */
export function keepCapabilities(): void {
  libcFunction('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)')(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

/** Call after the user is changed: everything but these is given up. False: the kernel refused. */
export function keepOnly(names: readonly string[]): boolean {
  const rights = names.reduce((bits, name) => bits | bitOf(name), 0);
  return libc().capset(header, new Uint8Array(new Uint32Array([rights, rights, 0, 0, 0, 0]).buffer)) === 0;
}

/** Takes a right into use that this thread has kept: a change of the user leaves it unused until keepOnly(). False: it has not kept it. */
export function useKept(name: string): boolean {
  const words = new Uint32Array(6);
  const bytes = new Uint8Array(words.buffer);
  if (libc().capget(header, bytes) !== 0) return false;
  const [effective = 0, permitted = 0] = words;
  if ((permitted & bitOf(name)) === 0) return false;
  words[0] = effective | bitOf(name);
  return libc().capset(header, bytes) === 0;
}
