/**
 * Keeps single rights of root when the process gives root up: to bind ports below 1024, so that a traffic thread that died can be started again,
 * and to open connections from the addresses of clients (`usesrc`). Linux gives rights to threads: each that is to keep some calls both functions,
 * and threads that it starts later inherit what it has. Used by process/privileges.ts and traffic/. capabilities(7), prctl(2).
 */
import { libcFunction } from './libc.ts';

/** By the names that `setcap` takes. */
export const capabilityNumbers: Readonly<Record<string, number>> = { cap_net_bind_service: 10, cap_net_admin: 12, cap_net_raw: 13 };

const PR_SET_KEEPCAPS = 8;
/** _LINUX_CAPABILITY_VERSION_3 */
const capabilityVersion = 0x20080522;

/** Call before the user is changed. */
export function keepCapabilities(): void {
  libcFunction('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)')(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

/** Call after the user is changed: everything but these is given up. False: the kernel refused. */
export function keepOnly(names: readonly string[]): boolean {
  const header = new Uint32Array([capabilityVersion, 0]);
  const rights = names.reduce((bits, name) => bits | 1 << (capabilityNumbers[name] ?? 0), 0);
  // Two words each of effective, permitted, inheritable; the second half is for capabilities above 31.
  const data = new Uint32Array([rights, rights, 0, 0, 0, 0]);
  const capset = libcFunction('int capset(const uint8_t *header, const uint8_t *data)');
  return capset(new Uint8Array(header.buffer), new Uint8Array(data.buffer)) === 0;
}

/** Takes a right into use that this thread has kept: a change of the user leaves it unused until keepOnly(). False: it has not kept it. */
export function useKept(name: string): boolean {
  const header = new Uint32Array([capabilityVersion, 0]);
  const words = new Uint8Array(24);
  const capget = libcFunction('int capget(const uint8_t *header, _Out_ uint8_t *data)');
  if (capget(new Uint8Array(header.buffer), words) !== 0) return false;
  const data = new Uint32Array(words.buffer);
  const bit = 1 << (capabilityNumbers[name] ?? 0);
  const [effective = 0, permitted = 0] = data;
  if ((permitted & bit) === 0) return false;
  data[0] = effective | bit;
  const capset = libcFunction('int capset(const uint8_t *header, const uint8_t *data)');
  return capset(new Uint8Array(header.buffer), words) === 0;
}
