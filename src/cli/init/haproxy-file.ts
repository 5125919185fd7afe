/**
 * Writes haproxy.cfg of an Exchange site, mode l7: TLS ends here, one backend and one health check for each service. Valid for
 * HAProxy 2.6 and later too. Called by exchange.ts. What it says in comments is meant for whoever runs the site.
 */
import { formatIp } from '../../base/ip.ts';
import { mailSections } from './mail-sections.ts';
import { allServices, webProxy } from './site.ts';
import type { ExchangeSite, Service } from './site.ts';
import { tcpSections } from './tcp-sections.ts';
import { bindAddress, configWord, serverAddress } from './words.ts';

export function haproxyFile(site: ExchangeSite): string {
  const web = site.mode === 'tcp' ? tcpSections(site) : [...frontend(site), ...site.services.flatMap((service) => backend(site, service)), ...catchAll(site)];
  return [...introduction(site), ...globalSection(site), ...defaults(), ...redirect(site), ...web, ...mailSections(site), ...statistics(), ''].join('\n');
}

function introduction(site: ExchangeSite): string[] {
  const family = site.vip.family === 6 ? 'ipv6' : 'ipv4';
  return [
    `# Exchange as ${site.names[0]} on ${formatIp(site.vip)}: ${site.servers.map((server) => `${server.name} (${server.address})`).join(', ')}.`,
    '# Written by poise init exchange. The same file belongs on both nodes; HAProxy 2.6 and later read it as well.',
    `# Before it is used:  poise check -f haproxy.cfg${site.from === 'haproxy' ? '   and   haproxy -c -f haproxy.cfg' : ' -f poise.cfg'}`,
    '#',
    '# The virtual address is on one node at a time. So that the other node can be ready on it, both need this in /etc/sysctl.d:',
    `#   net.${family}.ip_nonlocal_bind = 1`,
  ];
}

function globalSection(site: ExchangeSite): string[] {
  const moving = site.from === 'haproxy';
  return [
    '',
    'global',
    '    log /dev/log local0 info',
    ...moving ? ['    user haproxy', '    group haproxy', '    stats socket /run/haproxy/admin.sock mode 660 level admin']
      : ['    # Whom the balancer becomes once it listens. On Red Hat the group is called nobody.', '    user nobody', '    group nogroup', '    stats socket /run/poise.sock mode 600 level admin'],
    '    # About ten connections for each user: Outlook alone keeps two to eight.',
    '    maxconn 20000',
    '    # Kerberos tickets of people in many groups come as headers of up to 64 KB; IIS takes as much. The usual 16 KB would',
    '    # turn such people away with status 400, and nobody else.',
    '    tune.bufsize 67584',
    '    ssl-default-bind-options ssl-min-ver TLSv1.2',
    '    ssl-default-server-options ssl-min-ver TLSv1.2',
    ...moving ? ['    # HAProxy writes header names in lower case, which some Outlook 2013 and 2016 do not understand. Poise leaves names alone.', '    h1-case-adjust www-authenticate WWW-Authenticate'] : [],
  ];
}

function defaults(): string[] {
  return [
    '',
    'defaults',
    '    mode http',
    '    log global',
    '    option httplog',
    '    option dontlognull',
    '    option log-health-checks',
    '    timeout connect 5s',
    '    timeout queue 30s',
    '    timeout check 10s',
    '    # The head of a request only: slow uploads are not cut.',
    '    timeout http-request 10s',
    '    # A new connection is a new login (NTLM, Kerberos), so idle ones are worth keeping.',
    '    timeout http-keep-alive 2m',
    '    # Exchange, not the balancer, should be the one to end a silent conversation. Services that are silent for longer have',
    '    # a timeout of their own in their backend.',
    '    timeout client 15m',
    '    timeout server 15m',
    '    timeout tunnel 1h',
    '    # Only connections that could not be made are tried again, the second time on another server. A request that has gone',
    '    # out is never repeated: it may carry a login.',
    '    retries 2',
    '    option redispatch 1',
    '    # A login belongs to a connection: one to a server is never lent to another client, who would read somebody else\'s mail.',
    '    http-reuse never',
    '    # Requests last from milliseconds to hours; the server with fewest open ones is the least loaded.',
    '    balance leastconn',
    '    # A server that returns is not flooded: its share grows for a minute.',
    '    default-server inter 5s fastinter 1s rise 2 fall 3 slowstart 1m',
  ];
}

function redirect(site: ExchangeSite): string[] {
  return [
    '',
    '# Browsers that leave out https, and Outlook, which asks for Autodiscover here and wants to be sent on.',
    'frontend fe_exchange_http',
    `    bind ${bindAddress(site, 80)}`,
    '    http-request redirect scheme https code 301',
  ];
}

function frontend(site: ExchangeSite): string[] {
  const { services } = site;
  return [
    '',
    `frontend ${webProxy(site)}`,
    '    # The certificate must be the very one that the Exchange servers have: Extended Protection compares them and refuses',
    '    # Outlook otherwise. Renew it here and there together. Only http/1.1 is offered: NTLM and Kerberos logins belong to a',
    '    # connection, which HTTP/2 cannot promise.',
    `    bind ${bindAddress(site, 443)} ssl crt ${configWord(site.certificate)} alpn http/1.1`,
    '    # Exchange sees the balancer as its client. IIS can log this header instead; what clients claim is taken out before.',
    '    http-request del-header X-Forwarded-For',
    '    option forwardfor',
    '    # RPC and MAPI send small pieces and wait for the answer: each is forwarded at once.',
    '    option http-no-delay',
    ...site.from === 'haproxy' ? [
      '    option h1-case-adjust-bogus-client',
      '    # A client connection that talks to several services keeps its login at each of them. (Poise has no such limit.)',
      '    max-session-srv-conns 20',
    ] : [],
    ...refusals(site),
    '',
    '    # path_beg -i: clients write /owa, /OWA, /Autodiscover and /autodiscover, and mean the same.',
    ...services.map((service) => `    acl ${service.word} path_beg -i ${service.directory}`),
    ...services.map((service) => `    use_backend be_exchange_${service.word} if ${service.word}`),
    '    default_backend be_exchange',
  ];
}

/** What is not answered for people outside. */
function refusals(site: ExchangeSite): string[] {
  const { inside } = site;
  const outside = inside.length === 0 ? '' : ' !inside';
  const left = allServices.filter((service) => !site.services.includes(service));
  return [
    '',
    ...inside.length === 0 ? [] : [`    acl inside src ${inside.join(' ')}`],
    '    # IIS reads /owa/../x, back slashes and %uXXXX as other paths than the rules below would. No client needs them.',
    '    acl crooked path,url_dec -m sub /../ /./ \\\\',
    "    acl crooked path -m reg -i '%(?![0-9a-f]{2})'",
    '    http-request deny deny_status 403 if crooked',
    '    # Remote PowerShell is for administrators, who reach the servers by their own names. The second rule stops requests that',
    '    # reach it through Autodiscover (ProxyShell and its kin), also when they are encoded twice.',
    '    acl powershell path,url_dec -m sub -i /powershell',
    `    http-request deny deny_status 403 if powershell${outside}`,
    '    acl says_autodiscover url,url_dec,url_dec -m sub -i autodiscover',
    '    acl says_powershell url,url_dec,url_dec -m sub -i powershell',
    '    http-request deny deny_status 403 if says_autodiscover says_powershell',
    '    # The state of the servers is nobody\'s business outside; the health checks below do not come through here.',
    '    acl healthcheck path,url_dec -m sub -i /healthcheck.htm',
    `    http-request deny deny_status 403 if healthcheck${outside}`,
    ...left.length === 0 ? [] : [
      '    # Services that were left out with --services.',
      `    acl not_published path,url_dec -m reg -i ^/+(${left.map((service) => service.directory.slice(1)).join('|')})`,
      '    http-request deny deny_status 403 if not_published',
    ],
    ...inside.length === 0 || !site.services.some((service) => service.word === 'ecp') ? [] : [
      '    # The administration page for inside only. Users outside lose their settings page with it.',
      '    # http-request deny deny_status 403 if { path,url_dec -m reg -i ^/+ecp } !inside',
    ],
  ];
}

function backend(site: ExchangeSite, service: Service): string[] {
  const first = site.services[0] === service;
  return [
    '',
    ...service.why.map((line) => `# ${line}`),
    `backend be_exchange_${service.word}`,
    ...service.timeout === '' ? [] : [`    timeout server ${service.timeout}`],
    ...first ? ['    # The next request of a client connection goes where the one before went: it is logged in there.'] : [],
    '    option prefer-last-server',
    ...first ? ['    # Exchange answers 200 and its own name while this one service is in order and not in maintenance. So each', '    # service leaves a server alone, without the others.'] : [],
    '    option httpchk',
    `    http-check send meth GET uri ${service.directory}/healthcheck.htm ver HTTP/1.1 hdr Host ${site.names[0]}`,
    '    http-check expect status 200',
    '    http-check expect string "200 OK"',
    ...first && site.authority === '' ? [
      '    # Certificates of the servers are not verified. To have them verified, write instead of "verify none":',
      `    #   verify required ca-file /etc/ssl/exchange-ca.pem verifyhost ${site.names[0]}`,
    ] : [],
    ...site.servers.map((server) => `    server ${server.name} ${serverAddress(server, 443)} check ${serverTls(site)}`),
  ];
}

function serverTls(site: ExchangeSite): string {
  const [name] = site.names;
  const verify = site.authority === '' ? 'verify none' : `verify required ca-file ${configWord(site.authority)} verifyhost ${name}`;
  return `ssl ${verify} sni str(${name}) check-sni ${name}`;
}

function catchAll(site: ExchangeSite): string[] {
  const followed = site.services[0]?.word ?? '';
  const [name] = site.names;
  const verify = serverTls(site).replace(` check-sni ${name}`, '');
  return [
    '',
    '# Everything else, such as / (sent on to /owa/ by Exchange), /api, /aspnet_client and /PushNotifications. There is no',
    `# healthcheck.htm for it, so what is known of be_exchange_${followed} decides. Much traffic here means a rule above is wrong.`,
    'backend be_exchange',
    '    option prefer-last-server',
    ...site.servers.map((server) => `    server ${server.name} ${serverAddress(server, 443)} track be_exchange_${followed}/${server.name} ${verify}`),
  ];
}

function statistics(): string[] {
  return [
    '',
    '# Statistics for whoever is on this machine (from afar: ssh -L 8404:127.0.0.1:8404 NODE).',
    '# /alive answers 200 as long as the balancer does; health checks of keepalived ask it.',
    'listen statistics',
    '    bind 127.0.0.1:8404',
    '    monitor-uri /alive',
    '    stats enable',
    '    stats uri /',
    '    stats refresh 10s',
    '    stats hide-version',
  ];
}
