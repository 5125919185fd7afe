/** What is measured. Each workload gives a cost of one proxy; the bench compares the costs of Poise and HAProxy. */
import { sleep } from '../test/harness/place.ts';
import { cpuMicroseconds, memoryBytes } from './measure.ts';
import type { ProxyUnderLoad } from './stage.ts';

export interface Scale {
  /** Seconds of load that count, after a warm-up. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly idleConnections: number;
}

export interface Workload {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  /** Highest ratio to HAProxy that the project accepts. */
  readonly ratioMax: number;
  readonly cost: (proxy: ProxyUnderLoad, scale: Scale) => Promise<number>;
}

const connections = 64;

/** CPU of the proxy per request, user and system, over all its threads. */
function cpuPerRequest(scheme: 'http' | 'https') {
  return async (proxy: ProxyUnderLoad, scale: Scale): Promise<number> => {
    await proxy.load(scheme, connections, scale.warmUpSeconds);
    const before = cpuMicroseconds(proxy.pid);
    const requests = await proxy.load(scheme, connections, scale.seconds);
    return (cpuMicroseconds(proxy.pid) - before) / requests;
  };
}

async function memoryPerIdleConnection(proxy: ProxyUnderLoad, scale: Scale): Promise<number> {
  // Code and buffers that the first connections bring in belong to the process, not to a connection.
  const closeFirst = await proxy.idle(Math.ceil(scale.idleConnections / 20));
  await sleep(1000);
  const before = memoryBytes(proxy.pid);
  const close = await proxy.idle(scale.idleConnections);
  await sleep(3000);
  const cost = (memoryBytes(proxy.pid) - before) / scale.idleConnections / 1024;
  await close();
  await closeFirst();
  return cost;
}

export const workloads: readonly Workload[] = [
  { name: 'W1', what: 'CPU per keep-alive request, clear', unit: 'µs', ratioMax: 1.5, cost: cpuPerRequest('http') },
  { name: 'W2', what: 'CPU per keep-alive request, TLS to the client', unit: 'µs', ratioMax: 1.5, cost: cpuPerRequest('https') },
  { name: 'W3', what: 'memory per idle TLS connection', unit: 'KiB', ratioMax: 1.5, cost: memoryPerIdleConnection },
];
