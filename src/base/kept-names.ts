/**
 * Addresses of host names, for a process that locks itself into a folder where no resolver is set up (`chroot`). Looked up before, or by the master
 * that reads the files of a reload. Used by whoever connects to a name: checks of servers, mail.
 */
import { lookup } from 'node:dns/promises';

interface KnownAddress {
  readonly address: string;
  readonly family: number;
}

export type KnownNames = Readonly<Record<string, readonly KnownAddress[]>>;

const kept = new Map<string, readonly KnownAddress[]>();
/** A name server that does not answer must not hold a start or a reload for long. */
const lookUpMsMax = 5000;

/** In the resolver's order; names without an answer are left out. */
export async function lookUpNames(names: readonly string[]): Promise<KnownNames> {
  const found: Record<string, readonly KnownAddress[]> = {};
  const late = new Promise<void>((resolve) => { setTimeout(resolve, lookUpMsMax).unref(); });
  const all = names.map(async (name) => {
    try {
      found[name] = await lookup(name, { all: true, order: 'verbatim' });
    } catch {
      // Nobody knows it, as before.
    }
  });
  await Promise.race([Promise.all(all), late]);
  return { ...found };
}

export function keepNames(names: KnownNames): void {
  for (const [name, addresses] of Object.entries(names)) kept.set(name, addresses);
}

/** Empty in a process that can ask for itself. `family` 0 = any. */
export function keptAddresses(name: string, family: 0 | 4 | 6 = 0): readonly KnownAddress[] {
  const known = kept.get(name) ?? [];
  return family === 0 ? known : known.filter((one) => one.family === family);
}
