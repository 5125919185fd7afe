/**
 * Resolves the host names of servers once at start, as libc would (`init-addr`). Until then, and when no way gives an address, the
 * server is in maintenance for want of an address. Called by checker.ts.
 */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Model, Server } from '../../model/model.ts';
import type { ServerStates } from '../server-states.ts';

export function resolveNames(model: Model, states: ServerStates, log: (text: string) => void): void {
  for (const server of model.servers) {
    if (server.address.kind === 'name') resolve(server, `${model.proxies[server.proxy]?.name ?? ''}/${server.name}`, states, log);
  }
}

function resolve(server: Server, fullName: string, states: ServerStates, log: (text: string) => void): void {
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
  lookup(address.name, { family: address.family, all: true, verbatim: true }, (error, found) => {
    const chosen = error === null ? found.find((one) => one.family === prefer) ?? found[0] : undefined;
    if (chosen === undefined) giveUp();
    else states.resolved(server.index, chosen.address);
  });
}
