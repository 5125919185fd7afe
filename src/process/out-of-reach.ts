/** What a balancer process that locks itself in (`chroot`) cannot ask for afterwards: host names and figures of /proc. Used by balancer.ts and master.ts. */
import { isIP } from 'node:net';
import { keepFiles } from '../base/kept-files.ts';
import { keepNames, lookUpNames } from '../base/kept-names.ts';
import { memoryFile } from '../base/memory.ts';
import { queueFiles } from '../control/self-check.ts';
import type { Model } from '../model/model.ts';

/** Host names that a balancer process connects to by itself. */
export function namesOf(model: Model): string[] {
  const servers = model.servers.flatMap(({ address }) => (address.kind === 'name' ? [address.name] : []));
  const relays = [...model.mailers.flatMap((section) => section.relays), ...model.poise.relays].map(({ host }) => host);
  return [...new Set([...servers, ...relays.filter((host) => isIP(host) === 0)])];
}

export async function keepOutOfReach(model: Model): Promise<void> {
  keepNames(await lookUpNames(namesOf(model)));
  keepFiles([memoryFile, ...queueFiles]);
}
