/** Services of the simulated site beyond the plain page that names the server. Each is added here; read by connection.ts. */
import { activeSync } from './services/active-sync.ts';
import { autodiscover } from './services/autodiscover.ts';
import { ews } from './services/ews.ts';
import { mapi } from './services/mapi.ts';
import { oab } from './services/oab.ts';
import { owaPoll, owaUpload } from './services/owa.ts';
import { rpc } from './services/rpc.ts';
import { webSocket } from './services/websocket.ts';
import type { ExchangeService } from './service.ts';

const services: readonly ExchangeService[] = [activeSync, autodiscover, ews, mapi, oab, owaPoll, owaUpload, rpc, webSocket];

/** The service with the longest directory that the path lies in. */
export function serviceFor(path: string, among: readonly ExchangeService[] = services): ExchangeService | undefined {
  const lower = path.toLowerCase();
  let best: ExchangeService | undefined;
  for (const service of among) {
    const own = service.directory.toLowerCase();
    if (lower !== own && !lower.startsWith(`${own}/`)) continue;
    if (best === undefined || own.length > best.directory.length) best = service;
  }
  return best;
}
