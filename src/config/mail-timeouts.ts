/**
 * Names every timeout that is shorter than the silence a mail protocol keeps by design, for proxies in mode tcp whose servers listen on its
 * ports: clients of Exchange and of others alike. Called by load.ts after verify. Only notices: they never change whether a file is accepted, also not with zero-warning.
 */
import type { Context } from './context.ts';
import type { ProxyDraft } from './draft.ts';
import { tellShort } from './exchange-timeouts.ts';

interface MailProtocol {
  readonly ports: readonly number[];
  readonly clientSeconds: number;
  readonly serverSeconds: number;
  readonly why: string;
}

const protocols: readonly MailProtocol[] = [
  { ports: [143, 993], clientSeconds: 1740, serverSeconds: 1740, why: 'an IMAP client that waits for mail (IDLE) is silent for up to 29 minutes' },
  { ports: [110, 995], clientSeconds: 600, serverSeconds: 600, why: 'a POP session may be silent for 10 minutes' },
  { ports: [25, 587], clientSeconds: 300, serverSeconds: 600, why: 'an SMTP server may take 10 minutes for a letter, and waits 5 for a client' },
];

/** By the port of its servers, which all speak the same. */
function protocolOf(context: Context, proxy: ProxyDraft): MailProtocol | undefined {
  const ports = proxy.servers.map((index) => {
    const address = context.draft.servers[index]?.address;
    return address && 'port' in address ? address.port : 0;
  });
  return ports.length === 0 ? undefined : protocols.find((protocol) => ports.every((port) => protocol.ports.includes(port)));
}

export function adviseMail(context: Context): void {
  const { proxies } = context.draft;
  for (const proxy of proxies) {
    const { settings } = proxy;
    const protocol = settings.disabled || settings.mode !== 'tcp' ? undefined : protocolOf(context, proxy);
    if (protocol === undefined) continue;
    const { why, clientSeconds, serverSeconds } = protocol;
    // Once both sides are connected it counts instead of the other two.
    if (settings.timeouts.tunnelMs) {
      tellShort(context, proxy, 'tunnel', Math.max(clientSeconds, serverSeconds), why);
      continue;
    }
    tellShort(context, proxy, 'server', serverSeconds, why);
    const fronts = proxy.kind === 'listen' ? [proxy] : proxies.filter((one) => one.kind === 'frontend' && !one.settings.disabled && one.settings.defaultBackend?.text === proxy.name);
    for (const front of fronts) tellShort(context, front, 'client', clientSeconds, why);
  }
}
