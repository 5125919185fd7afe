/** What the process may use of the machine: file descriptors, and the number of connections that follows. Used by process/balancer.ts. */
import { readFileSync } from 'node:fs';
import { libcFunction } from '../base/libc.ts';
import type { Model } from '../model/model.ts';

/** Descriptors that the runtime, its threads, logs and sockets take for themselves. */
const ownDescriptors = 30;
const ownDescriptorsPerThread = 12;
const descriptorsUnknown = 1024;
const RLIMIT_NOFILE = 7;

/** Limit of open files; the runtimes raise it to the hard limit when they start. */
export function descriptorsMax(limitsFile = '/proc/self/limits'): number {
  try {
    const soft = /^Max open files +(\d+|unlimited)/m.exec(readFileSync(limitsFile, 'latin1'))?.[1];
    return soft === 'unlimited' ? 1_048_576 : Number(soft ?? descriptorsUnknown);
  } catch {
    return descriptorsUnknown;
  }
}

/** `ulimit-n`. '' when set or nothing was wanted, otherwise why not, in HAProxy's words. Only root can go above the hard limit. */
export function limitOpenFiles(wanted: number): string {
  if (wanted === 0) return '';
  const [, , hard = '0'] = /^Max open files +(\S+) +(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
  const most = hard === 'unlimited' ? 0xffffffffffffffffn : BigInt(hard);
  const limits = new BigUint64Array([BigInt(wanted), most > BigInt(wanted) ? most : BigInt(wanted)]);
  const failed = libcFunction('int setrlimit(int resource, const uint8_t *limits)')(RLIMIT_NOFILE, new Uint8Array(limits.buffer)) !== 0;
  return failed ? `Cannot raise FD limit to ${wanted}, limit is ${hard}.` : '';
}

/** The configuration's maxconn, or what the descriptors are good for: two for each client connection, as HAProxy reckons. */
export function maxconnInForce(model: Model, descriptors: number): number {
  if (model.global.maxconn > 0) return model.global.maxconn;
  const threads = model.global.nbthread;
  const checks = model.servers.filter((server) => server.check !== null).length;
  const reserved = ownDescriptors + threads * (ownDescriptorsPerThread + model.binds.length) + checks;
  return Math.max(1, Math.floor((descriptors - reserved) / 2));
}
