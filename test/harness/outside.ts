/**
 * Runs clients of Exchange that nobody here wrote (test/harness/clients and programs of Debian), used by
 * test/system/exchange/outside-*.test.ts. Accounts are those of exchange-stage.ts.
 */
import { join } from 'node:path';
import type { Accounts } from '../../src/exchange-sim/authentication.ts';
import { leftOut, outputOf, passwords } from './exchange-stage.ts';
import { projectFolder } from './program.ts';
import type { Site } from './site.ts';

export const accounts: Accounts = { passwords, domain: 'lab.local' };

/** Debian's packages are not for other Pythons that stand earlier on the PATH. */
const python = '/usr/bin/python3';

/** What a script of test/harness/clients saw; it fails with all that the script printed. */
export async function clientSees(script: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const told = await outputOf(python, [join(projectFolder, 'test/harness/clients', script), ...args]);
  try {
    return JSON.parse(told) as Record<string, unknown>;
  } catch {
    const missing = /No module named '(\w+)'/.exec(told)?.[1];
    throw new Error(missing === undefined ? `${script}: ${told}` : leftOut(`python3-${missing}`));
  }
}

/** `address:port` of a bind. */
export const placeOf = (site: Site, bind: string): string => `${site.place.address}:${site.port(bind)}`;
