/** What the project wants to reach on Bun: highest cost of a unit of work as a ratio to HAProxy in the same run. Lower is better. */
export const ratioMax = {
  W1: 1.0,
  W2: 0.95,
  'W3 full': 0.9,
  'W3 resumed': 0.75,
  'W4 clear': 1.2,
  'W4 bridged': 1.0,
  W5: 1.05,
  'W6 memory': 0.9,
  'W7 10,000 ACLs': 0.1,
  W9: 1.2,
} as const;

/** Highest cost as a ratio to other proxies on Bun; of several the cheapest counts. */
export const peerRatioMax = [
  { workload: 'W1', peers: ['nginx'], max: 1 },
  { workload: 'W2', peers: ['nginx'], max: 1 },
  { workload: 'W3', peers: ['nginx'], max: 1 },
  { workload: 'W1', peers: ['fast-proxy', 'http-proxy-3', 'fastify-http-proxy'], max: 1 / 3 },
] as const;
