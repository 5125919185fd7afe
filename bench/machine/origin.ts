/**
 * The servers behind every subject: one nginx on the load's core, clear and TLS, with a 100-byte answer for every path, files to
 * fetch under /files/ and a place for uploads under /put/. Used by the stage.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerCertificate } from './certificates.ts';
import { loadCores, start, type Started } from './programs.ts';

export const smallBodyBytes = 100;
export const bodySizes: Readonly<Record<string, number>> = { '1 MB': 1_000_000, '100 MB': 100_000_000 };
/** Two servers of each kind, as an Exchange site has. */
export const originPorts = { clear: [8001, 8006], tls: [8011, 8016] } as const;
/** Ports of the servers of the row with most servers. */
export const manyServers = { firstPort: 20_000, count: 1000 } as const;

export function fileName(size: string): string {
  return size.replace(' ', '');
}

export function startOrigin(address: string, folder: string, certificate: ServerCertificate): Started {
  for (const name of ['files', 'put', 'body']) mkdirSync(join(folder, name), { recursive: true });
  for (const [size, bytes] of Object.entries(bodySizes)) writeFileSync(join(folder, 'files', fileName(size)), Buffer.alloc(bytes, 0x78));
  const listens = [
    ...originPorts.clear.map((port) => `listen ${address}:${port} backlog=4096;`),
    ...originPorts.tls.map((port) => `listen ${address}:${port} ssl backlog=4096;`),
    ...Array.from({ length: manyServers.count }, (_, index) => `listen ${address}:${manyServers.firstPort + index};`),
  ];
  const file = join(folder, 'origin.conf');
  // The workers must reach the folder whoever started nginx.
  writeFileSync(file, `${process.getuid?.() === 0 ? 'user root;\n' : ''}worker_processes 1; daemon off; pid ${folder}/origin.pid; error_log stderr crit;
events { worker_connections 30000; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; sendfile on; tcp_nopush on;
  client_max_body_size 0; client_body_buffer_size 2m; client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3; uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
  ssl_certificate ${certificate.certificate}; ssl_certificate_key ${certificate.key}; ssl_session_cache shared:bench:10m;
  server {
    ${listens.join('\n    ')}
    location / { default_type text/plain; return 200 "${'x'.repeat(smallBodyBytes)}"; }
    location /files/ { root ${folder}; }
    location /put/ { root ${folder}; dav_methods PUT; }
  }
}
`);
  return start(loadCores, 'nginx', ['-p', folder, '-c', file]);
}
