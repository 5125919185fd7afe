/**
 * Between index and slot, at the border of the control thread: inside a thread objects are named by the index of its configuration, in
 * messages by slot, which means the same before and after a reload. −1 stays −1; a slot that is no longer configured becomes −1.
 */
import type { LoginSighting, MissedRouteSighting, ToControl, ToTraffic } from '../model/messages.ts';
import type { Segments } from './segments.ts';

/** A message of the control thread, ready to be sent. */
export function toSlots(message: ToTraffic, segments: Segments): ToTraffic {
  return mapped(message, (proxy) => segments.proxySlot(proxy), (server) => segments.serverSlot(server));
}

/** A message of a traffic thread, as the control thread understands it. */
export function fromSlots(message: ToControl, segments: Segments): ToControl {
  const proxy = (slot: number): number => segments.proxyAt(slot);
  const server = (slot: number): number => segments.serverAt(slot);
  if (message.type === 'sightings') {
    const logins = message.logins.map((one): LoginSighting => ({ ...one, backend: proxy(one.backend), server: server(one.server) }));
    const missedRoutes = message.missedRoutes.map((one): MissedRouteSighting => ({ ...one, frontend: proxy(one.frontend), target: proxy(one.target) }));
    return { ...message, logins, missedRoutes };
  }
  return mapped(message, proxy, server);
}

function mapped<M extends object>(message: M, proxyOf: (proxy: number) => number, serverOf: (server: number) => number): M {
  const { proxy, server } = message as { readonly proxy?: unknown; readonly server?: unknown };
  if (typeof proxy !== 'number' && typeof server !== 'number') return message;
  return {
    ...message,
    ...(typeof proxy === 'number' ? { proxy: proxy < 0 ? proxy : proxyOf(proxy) } : {}),
    ...(typeof server === 'number' ? { server: server < 0 ? server : serverOf(server) } : {}),
  };
}
