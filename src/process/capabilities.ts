/**
 * Keeps one right of root when the process gives root up: to bind ports below 1024, so that a traffic thread that died can be
 * started again. Only the thread that calls keeps it, and threads that it starts later inherit it; the traffic threads that run
 * already have none. Used by process/privileges.ts. Linux only: capabilities(7), prctl(2).
 */
import { libcFunction } from '../base/libc.ts';

const PR_SET_KEEPCAPS = 8;
const CAP_NET_BIND_SERVICE = 10;
/** _LINUX_CAPABILITY_VERSION_3 */
const capabilityVersion = 0x20080522;

/** Call before the user is changed. */
export function keepCapabilities(): void {
  libcFunction('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)')(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

/** Call after the user is changed: everything but the one right is given up. False: the kernel refused. */
export function keepOnlyBindRight(): boolean {
  const header = new Uint32Array([capabilityVersion, 0]);
  const right = 1 << CAP_NET_BIND_SERVICE;
  // Two words each of effective, permitted, inheritable; the second half is for capabilities above 31.
  const data = new Uint32Array([right, right, 0, 0, 0, 0]);
  const capset = libcFunction('int capset(const uint8_t *header, const uint8_t *data)');
  return capset(new Uint8Array(header.buffer), new Uint8Array(data.buffer)) === 0;
}
