/**
 * nginx as a proxy for the Exchange site: connections to the servers kept alive, one syslog line per request, status page, the
 * eight services as locations. It has no active health checks; max_fails takes their place.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { services } from '../configurations/exchange.ts';
import { ports, type Site } from '../configurations/shape.ts';
import { originPorts } from '../machine/origin.ts';
import { start, versionOf } from '../machine/programs.ts';
import type { Subject } from './subject.ts';

const keptConnections = 512;

function upstream(site: Site, name: string, bridged: boolean): string {
  const servers = (bridged ? originPorts.tls : originPorts.clear).map((port) => `server ${site.address}:${port} max_fails=3 fail_timeout=2s;`);
  return `  upstream be_${name} { ${servers.join(' ')} keepalive ${keptConnections}; keepalive_requests 1000000000; }\n`;
}

function location(name: string, path: string, bridged: boolean): string {
  return `    location ${path} { proxy_pass ${bridged ? 'https' : 'http'}://be_${name}; }\n`;
}

function configuration(site: Site, bridged: boolean): string {
  const { folder, address, crt } = site;
  const names = Object.entries(services);
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}worker_processes 1; daemon off; pid ${folder}/proxy.pid; error_log stderr crit;
events { worker_connections 20000; }
http {
  log_format line '$remote_addr:$remote_port [$time_local] $server_name $upstream_addr $request_time/$upstream_connect_time/$upstream_header_time/$upstream_response_time $status $bytes_sent $connection $connection_requests "$request"';
  access_log syslog:server=${address}:${ports.log},facility=local0,severity=info,nohostname line;
  keepalive_requests 1000000000; keepalive_timeout 5m;
  client_body_temp_path ${folder}/n1; proxy_temp_path ${folder}/n2; fastcgi_temp_path ${folder}/n3; uwsgi_temp_path ${folder}/n4; scgi_temp_path ${folder}/n5;
  ssl_session_cache shared:proxy:20m; ssl_protocols TLSv1.2 TLSv1.3;
${names.map(([name]) => upstream(site, name, bridged)).join('')}${upstream(site, 'rest', bridged)}
  server {
    listen ${address}:${ports.clear} backlog=4096;
    listen ${address}:${ports.tls} ssl backlog=4096;
    ssl_certificate ${crt['P-256'].certificate}; ssl_certificate_key ${crt['P-256'].key};
    include ${folder}/proxy-locations.conf;
  }
  server {
    listen ${address}:${ports.rsa} ssl backlog=4096;
    ssl_certificate ${crt['RSA-2048'].certificate}; ssl_certificate_key ${crt['RSA-2048'].key};
    include ${folder}/proxy-locations.conf;
  }
  server { listen ${address}:${ports.statistics}; location / { stub_status; access_log off; } }
}
`;
}

function locations(bridged: boolean): string {
  return `    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; proxy_ssl_verify off;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Client-IP $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
${Object.entries(services).map(([name, path]) => location(name, `~* ^${path}`, bridged)).join('')}${location('rest', '/', bridged)}`;
}

export const nginx: Subject = {
  name: 'nginx',
  title: 'nginx',
  version: () => /nginx\/(\S+)/.exec(versionOf('nginx', ['-v']))?.[1],
  cannot: (shape) => (shape.exchange === null ? 'plays only the Exchange site with one thread' : ''),
  listens: () => [ports.clear, ports.tls, ports.rsa],
  start: (site, shape, cores) => {
    const file = join(site.folder, 'proxy.conf');
    writeFileSync(join(site.folder, 'proxy-locations.conf'), locations(shape.exchange === 'bridged'));
    writeFileSync(file, configuration(site, shape.exchange === 'bridged'));
    return start(cores, 'nginx', ['-p', site.folder, '-c', file]);
  },
};
