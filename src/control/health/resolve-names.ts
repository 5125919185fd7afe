/**
 * Resolves the host names of servers once at start, as libc would (`init-addr`). Until then, and when no way gives an address, the
 * server is in maintenance for want of an address. Called by checker.ts.
 */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { keptAddresses } from '../../base/kept-names.ts';
import type { Model, Server } from '../../model/model.ts';
import type { ServerStates } from '../server-states.ts';

interface FoundAddress {
  readonly address: string;
  readonly family: number;
}

/** Gives the addresses of a name in the resolver's order; none when it is unknown. `family` 0 = any. */
export type NameLookup = (name: string, family: 0 | 4 | 6, found: (addresses: readonly FoundAddress[]) => void) => void;

export const systemLookup: NameLookup = (name, family, found) => {
  const known = keptAddresses(name, family);
  if (known.length > 0) found(known);
  else lookup(name, { family, all: true, order: 'verbatim' }, (error, addresses) => found(error === null ? addresses : []));
};

export function resolveNames(model: Model, states: ServerStates, resolver: NameLookup, log: (text: string) => void): void {
  for (const server of model.servers) {
    if (server.address.kind === 'name' && states.address(server.index).host === '') resolve(server, `${model.proxies[server.proxy]?.name ?? ''}/${server.name}`, states, resolver, log);
  }
}

function resolve(server: Server, fullName: string, states: ServerStates, resolver: NameLookup, log: (text: string) => void): void {
  const { address } = server;
  if (address.kind !== 'name') return;
  const ways = server.initAddr.length > 0 ? server.initAddr : ['last', 'libc'];
  const fixed = ways.find((way) => isIP(way) !== 0);
  const giveUp = (): void => {
    if (fixed !== undefined) states.resolved(server.index, fixed);
    else if (!ways.includes('none')) log(`Server ${fullName} stays in maintenance: could not resolve address '${address.name}'.`);
  };
  const libcAt = ways.indexOf('libc');
  if (libcAt < 0 || (fixed !== undefined && ways.indexOf(fixed) < libcAt)) {
    giveUp();
    return;
  }
  const prefer = server.resolvePrefer === 'ipv4' ? 4 : 6;
  resolver(address.name, address.family, (found) => {
    const chosen = found.find((one) => one.family === prefer) ?? found[0];
    if (chosen === undefined) giveUp();
    else states.resolved(server.index, chosen.address);
  });
}
