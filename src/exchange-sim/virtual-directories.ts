/**
 * The virtual directories of Exchange's front end ("Default Web Site") and the component that stands behind each. Paths are
 * matched without regard to case, as IIS does. A table, no behaviour beyond the look-up.
 */
import type { ComponentName } from './components.ts';

interface VirtualDirectory {
  /** Spelled as IIS shows it, without closing slash. */
  readonly path: string;
  /** Null: nothing decides about it, and it has no healthcheck.htm. */
  readonly component: ComponentName | null;
  readonly contentType: string;
}

const virtualDirectories: readonly VirtualDirectory[] = [
  { path: '/owa', component: 'OwaProxy', contentType: 'text/html; charset=utf-8' },
  { path: '/ecp', component: 'EcpProxy', contentType: 'text/html; charset=utf-8' },
  { path: '/EWS', component: 'EwsProxy', contentType: 'text/xml; charset=utf-8' },
  { path: '/mapi', component: 'MapiProxy', contentType: 'application/mapi-http' },
  { path: '/rpc', component: 'RpcProxy', contentType: 'application/rpc' },
  { path: '/Microsoft-Server-ActiveSync', component: 'ActiveSyncProxy', contentType: 'application/vnd.ms-sync.wbxml' },
  { path: '/OAB', component: 'OabProxy', contentType: 'application/xml' },
  { path: '/Autodiscover', component: 'AutoDiscoverProxy', contentType: 'text/xml; charset=utf-8' },
  { path: '/PowerShell', component: 'RpsProxy', contentType: 'application/soap+xml;charset=UTF-8' },
  { path: '/API', component: null, contentType: 'application/json; charset=utf-8' },
  { path: '/aspnet_client', component: null, contentType: 'text/html' },
  { path: '/PushNotifications', component: null, contentType: 'application/json' },
];

/** The directory that a path (without query) lies in. */
export function directoryOf(path: string): VirtualDirectory | undefined {
  const lower = path.toLowerCase();
  return virtualDirectories.find((directory) => {
    const own = directory.path.toLowerCase();
    return lower === own || lower.startsWith(`${own}/`);
  });
}
