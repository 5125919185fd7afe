/**
 * The virtual directories of Exchange's front end ("Default Web Site") and the component that stands behind each. Paths are
 * matched without regard to case, as IIS does. A table, no behaviour beyond the look-up.
 */
import type { ComponentName } from './components.ts';

/** `windows`: NTLM and Negotiate. `forms`: cookies of the logon page. */
type Scheme = 'anonymous' | 'basic' | 'windows' | 'forms';

/** Extended Protection: whether Windows logins must prove which certificate the client saw. */
export type Protection = 'off' | 'allow' | 'require';

export interface VirtualDirectory {
  /** Spelled as IIS shows it, without closing slash. */
  readonly path: string;
  /** Null: nothing decides about it, and it has no healthcheck.htm. */
  readonly component: ComponentName | null;
  readonly contentType: string;
  /** Ways in, as Exchange 2016 and 2019 set them up. With `anonymous` nobody is asked, but who sends credentials is checked. */
  readonly schemes: readonly Scheme[];
  readonly protection: Protection;
}

/** A directory inside another one stands before it. */
const virtualDirectories: readonly VirtualDirectory[] = [
  { path: '/owa', component: 'OwaProxy', contentType: 'text/html; charset=utf-8', schemes: ['forms', 'basic'], protection: 'require' },
  { path: '/ecp', component: 'EcpProxy', contentType: 'text/html; charset=utf-8', schemes: ['forms', 'basic'], protection: 'require' },
  { path: '/EWS', component: 'EwsProxy', contentType: 'text/xml; charset=utf-8', schemes: ['windows'], protection: 'allow' },
  { path: '/mapi', component: 'MapiProxy', contentType: 'application/mapi-http', schemes: ['windows'], protection: 'require' },
  { path: '/rpc', component: 'RpcProxy', contentType: 'application/rpc', schemes: ['windows', 'basic'], protection: 'require' },
  { path: '/Microsoft-Server-ActiveSync', component: 'ActiveSyncProxy', contentType: 'application/vnd.ms-sync.wbxml', schemes: ['basic'], protection: 'allow' },
  { path: '/OAB', component: 'OabProxy', contentType: 'application/xml', schemes: ['windows'], protection: 'allow' },
  { path: '/Autodiscover/autodiscover.json', component: null, contentType: 'application/json; charset=utf-8', schemes: ['anonymous'], protection: 'off' },
  { path: '/Autodiscover', component: 'AutoDiscoverProxy', contentType: 'text/xml; charset=utf-8', schemes: ['windows', 'basic'], protection: 'off' },
  { path: '/PowerShell', component: 'RpsProxy', contentType: 'application/soap+xml;charset=UTF-8', schemes: ['windows'], protection: 'require' },
  { path: '/API', component: null, contentType: 'application/json; charset=utf-8', schemes: ['windows'], protection: 'require' },
  { path: '/aspnet_client', component: null, contentType: 'text/html', schemes: ['anonymous'], protection: 'off' },
  { path: '/PushNotifications', component: null, contentType: 'application/json', schemes: ['anonymous'], protection: 'off' },
];

/** The directory that a path (without query) lies in. */
export function directoryOf(path: string): VirtualDirectory | undefined {
  const lower = path.toLowerCase();
  return virtualDirectories.find((directory) => {
    const own = directory.path.toLowerCase();
    return lower === own || lower.startsWith(`${own}/`);
  });
}
