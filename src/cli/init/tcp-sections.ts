/** The web part of haproxy.cfg in mode tcp: TLS goes through to Exchange. Called by haproxy-file.ts. */
import { webProxy } from './site.ts';
import type { ExchangeSite } from './site.ts';
import { bindAddress, configWord, serverAddress } from './words.ts';

export function tcpSections(site: ExchangeSite): string[] {
  const [probed] = site.services;
  const [name] = site.names;
  const verify = site.authority === '' ? 'verify none' : `verify required ca-file ${configWord(site.authority)} verifyhost ${name}`;
  return [
    '',
    '# TLS goes through to Exchange: logins, Extended Protection and client certificates see no balancer. The price: no paths can be',
    '# told apart, so one health check stands for all services, nothing can be hidden from outside (healthcheck.htm, PowerShell: see',
    '# the IP restrictions of IIS), and Exchange logs the balancer\'s address.',
    `listen ${webProxy(site)}`,
    `    bind ${bindAddress(site, 443)}`,
    '    mode tcp',
    '    option tcplog',
    '    # A connection may be an ActiveSync ping, silent in both directions for 59 minutes. Once both sides have spoken, only',
    '    # "timeout tunnel" counts.',
    '    timeout client 61m',
    '    timeout server 61m',
    '    timeout tunnel 61m',
    '    # This service is asked for on behalf of all; --services WORD chooses another.',
    '    option httpchk',
    `    http-check send meth GET uri ${probed?.directory ?? ''}/healthcheck.htm ver HTTP/1.1 hdr Host ${name}`,
    '    http-check expect status 200',
    '    http-check expect string "200 OK"',
    ...site.servers.map((server) => `    server ${server.name} ${serverAddress(server, 443)} check check-ssl check-sni ${name} ${verify}`),
  ];
}
