/** Connections from addresses that are not this machine's (`source … usesrc`), and the rights of root that a configuration goes on needing. Read by traffic/ and process/. */
import type { ForeignSource, Model, Server } from './model.ts';

/** What a socket needs to have an address that is not this machine's. */
export const foreignRight = 'cap_net_raw';

/** Of the server itself, or of its backend. */
export function foreignSource(server: Server, model: Model): ForeignSource | null {
  return (server.source ?? model.proxies[server.proxy]?.source)?.usesrc ?? null;
}

/** Names of capabilities(7) that the traffic threads keep when root is given up. */
export function threadRights(model: Model): readonly string[] {
  const foreign = model.servers.some((server) => foreignSource(server, model) !== null);
  return [...model.global.capabilities, ...(foreign ? [foreignRight] : [])];
}

/** The same of the control thread, which starts a traffic thread anew that has died: it must be able to bind its ports. */
export function controlRights(model: Model): readonly string[] {
  const lowPorts = model.binds.some(({ address }) => address.kind === 'inet' && address.port > 0 && address.port < 1024);
  return [...threadRights(model), ...(lowPorts ? ['cap_net_bind_service'] : [])];
}
