/** Sites that grow: many ACLs, many servers, many entries in a stick table. Used by the workload of sizes. */
import { manyServers, originPorts } from '../machine/origin.ts';
import { globalAndDefaults, statisticsSection } from './exchange.ts';
import { ports, type Shape, type Site } from './shape.ts';

const maxconn = 2000;
/** Backends of the site with many rules; rules beyond share them. */
const backendsMax = 100;

function shape(site: Site, what: string, body: string): Shape {
  return { what, configuration: `${globalAndDefaults(site, 1, maxconn)}${body}${statisticsSection(site)}`, ports: [ports.clear], threads: 1, exchange: null };
}

function frontend(site: Site, rules: string, backend: string): string {
  return `
frontend fe
    bind ${site.address}:${ports.clear}
    option forwardfor
${rules}    default_backend ${backend}
`;
}

function checkedBackend(name: string, servers: string, more = ''): string {
  return `
backend ${name}
    balance roundrobin
    option httpchk GET /healthcheck.htm
    http-check expect status 200
${more}${servers}`;
}

/** The request that meets rule number `index`: `path host`. Every second rule looks at the host, the others at the path. */
export function requestOfRule(index: number): string {
  return index % 2 === 0 ? `/application${index}/bench www.bench.local` : `/bench site${index}.bench.local`;
}

export function manyAcls(site: Site, count: number): Shape {
  const backends = Math.min(count, backendsMax);
  const indexes = Array.from({ length: count }, (_, index) => index);
  const acls = indexes.map((index) => (index % 2 === 0 ? `    acl rule${index} path_beg -i /application${index}/\n` : `    acl rule${index} hdr(host) -i site${index}.bench.local\n`));
  const uses = indexes.map((index) => `    use_backend be_${index % backends} if rule${index}\n`);
  const servers = `    server s1 ${site.address}:${originPorts.clear[0]} check inter 10s\n`;
  const sections = Array.from({ length: backends }, (_, index) => checkedBackend(`be_${index}`, servers));
  return shape(site, `${count} ACLs`, `${frontend(site, acls.join('') + uses.join(''), 'be_rest')}${sections.join('')}${checkedBackend('be_rest', servers)}`);
}

export function manyServersShape(site: Site, count: number): Shape {
  const servers = Array.from({ length: count }, (_, index) => `    server s${index} ${site.address}:${manyServers.firstPort + index} check inter 10s\n`);
  return shape(site, `${count} servers`, frontend(site, '', 'be') + checkedBackend('be', servers.join('')));
}

export function stickTable(site: Site, entries: number): Shape {
  const servers = originPorts.clear.map((port, index) => `    server s${index} ${site.address}:${port} check inter 10s\n`).join('');
  const table = `    stick-table type string len 32 size ${entries} expire 1h\n    stick on req.hdr(X-User)\n`;
  return shape(site, `stick table of ${entries} entries`, frontend(site, '', 'be') + checkedBackend('be', servers, table));
}
