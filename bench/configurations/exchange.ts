/**
 * The Exchange site that most workloads run on: eight services found by their paths, two checked servers in each backend, a
 * catch-all, statistics, one log line per request. Used by the workloads; never writes files.
 */
import { originPorts } from '../machine/origin.ts';
import { ports, type Shape, type Site } from './shape.ts';

/** Services and the path each is found by. */
export const services: Readonly<Record<string, string>> = {
  autodiscover: '/autodiscover', mapi: '/mapi', rpc: '/rpc', owa: '/owa', activesync: '/Microsoft-Server-ActiveSync', ecp: '/ecp', ews: '/ews', oab: '/oab',
};

/** One path for each service, as the load asks for them in turn. */
export const servicePaths: readonly string[] = Object.values(services).map((path) => `${path}/bench`);

export interface ExchangeOptions {
  /** TLS towards the servers too. */
  readonly bridged: boolean;
  readonly threads?: number;
  readonly maxconn?: number;
  /** Lines added to the defaults section. */
  readonly defaults?: string;
}

export function globalAndDefaults(site: Site, threads: number, maxconn: number, more = ''): string {
  return `global
    log ${site.address}:${ports.log} local0 info
    nbthread ${threads}
    maxconn ${maxconn}
    stats socket ${site.folder}/admin.sock mode 600 level admin

defaults
    mode http
    log global
    option httplog
    option dontlognull
    option redispatch
    retries 3
    timeout http-request 10s
    timeout queue 1m
    timeout connect 10s
    timeout client 15m
    timeout server 15m
    timeout http-keep-alive 5m
    timeout check 10s
    maxconn ${maxconn}
${more}`;
}

export function statisticsSection(site: Site): string {
  return `
listen statistics
    bind ${site.address}:${ports.statistics}
    stats enable
    stats hide-version
    stats uri /haproxy
`;
}

function servers(site: Site, bridged: boolean): string {
  const [one, two] = bridged ? originPorts.tls : originPorts.clear;
  const words = `check${bridged ? ' ssl verify none' : ''} inter 2s`;
  return `    server ex01 ${site.address}:${one} ${words}
    server ex02 ${site.address}:${two} ${words}
`;
}

function serviceBackend(site: Site, name: string, path: string, bridged: boolean): string {
  return `
backend be_${name}
    balance roundrobin
    option httpchk GET ${path}/healthcheck.htm
    http-check expect status 200
${servers(site, bridged)}`;
}

function passthrough(site: Site): string {
  return `
frontend fe_tcp
    mode tcp
    option tcplog
    bind ${site.address}:${ports.tcp}
    default_backend be_tcp

backend be_tcp
    mode tcp
    balance roundrobin
${servers(site, false)}`;
}

export function exchangeShape(site: Site, options: ExchangeOptions): Shape {
  const { bridged, threads = 1, maxconn = 4000 } = options;
  const names = Object.entries(services);
  const configuration = `${globalAndDefaults(site, threads, maxconn, options.defaults)}
frontend fe_exchange
    bind ${site.address}:${ports.clear}
    bind ${site.address}:${ports.tls} ssl crt ${site.crt['P-256'].both}
    bind ${site.address}:${ports.rsa} ssl crt ${site.crt['RSA-2048'].both}
    option forwardfor
    http-request set-header X-Client-IP %[src]
    http-request add-header X-Forwarded-Proto https if { ssl_fc }
${names.map(([name, path]) => `    acl ${name} path_beg -i ${path}\n`).join('')}${names.map(([name]) => `    use_backend be_${name} if ${name}\n`).join('')}    default_backend be_rest
${names.map(([name, path]) => serviceBackend(site, name, path, bridged)).join('')}
backend be_rest
    balance roundrobin
${servers(site, bridged)}${bridged ? '' : passthrough(site)}${statisticsSection(site)}`;
  return {
    what: bridged ? 'Exchange site, TLS on both sides' : 'Exchange site, clear towards the servers',
    configuration,
    ports: [ports.clear, ports.tls, ports.rsa, ...(bridged ? [] : [ports.tcp])],
    threads,
    exchange: threads > 1 ? null : bridged ? 'bridged' : 'clear',
  };
}
