/** What the process may use of the machine: file descriptors, and the number of connections that follows. Used by process/balancer.ts. */
import { readFileSync } from 'node:fs';
import type { Model } from '../model/model.ts';

/** Descriptors that the runtime, its threads, logs and sockets take for themselves. */
const ownDescriptors = 30;
const ownDescriptorsPerThread = 12;
const descriptorsUnknown = 1024;

/** Limit of open files; the runtimes raise it to the hard limit when they start. */
export function descriptorsMax(limitsFile = '/proc/self/limits'): number {
  try {
    const soft = /^Max open files +(\d+|unlimited)/m.exec(readFileSync(limitsFile, 'latin1'))?.[1];
    return soft === 'unlimited' ? 1_048_576 : Number(soft ?? descriptorsUnknown);
  } catch {
    return descriptorsUnknown;
  }
}

/** The configuration's maxconn, or what the descriptors are good for: two for each client connection, as HAProxy reckons. */
export function maxconnInForce(model: Model, descriptors: number): number {
  if (model.global.maxconn > 0) return model.global.maxconn;
  const threads = model.global.nbthread;
  const checks = model.servers.filter((server) => server.check !== null).length;
  const reserved = ownDescriptors + threads * (ownDescriptorsPerThread + model.binds.length) + checks;
  return Math.max(1, Math.floor((descriptors - reserved) / 2));
}
