/**
 * What every Node library proxy of the bench needs around it to do the work of the others: services by path, two servers in
 * turn, checks of the servers, statistics, one syslog line per answer. Used by the wrappers beside it, each a process of its own:
 * `wrapper.ts {json}`.
 */
import { createSocket } from 'node:dgram';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';

interface Settings {
  readonly address: string;
  readonly port: number;
  readonly statisticsPath: string;
  readonly logPort: number;
  readonly servers: readonly string[];
  readonly services: Readonly<Record<string, string>>;
}

export const settings = JSON.parse(process.argv[2] ?? '{}') as Settings;
const checkEveryMs = 2000;
const services = Object.entries(settings.services).map(([name, path]) => ({ name, prefix: path.toLowerCase(), requests: 0, turn: 0 }));
const rest = { name: 'rest', prefix: '', requests: 0, turn: 0 };
const up = settings.servers.map(() => true);
const log = createSocket('udp4');
log.connect(settings.logPort, settings.address);

setInterval(() => {
  settings.servers.forEach((server, index) => {
    for (const service of services) get(`${server}${service.prefix}/healthcheck.htm`, (answer) => { up[index] = answer.statusCode === 200; answer.resume(); }).on('error', () => { up[index] = false; });
  });
}, checkEveryMs);

/** Index of the server for a request; counts it and writes its line when the answer is out. */
export function choose(request: IncomingMessage, response: ServerResponse): number {
  const url = (request.url ?? '').toLowerCase();
  const service = services.find((one) => url.startsWith(one.prefix)) ?? rest;
  service.requests += 1;
  service.turn = (service.turn + 1) % settings.servers.length;
  const chosen = up[service.turn] === true ? service.turn : (service.turn + 1) % settings.servers.length;
  const startedAt = performance.now();
  const { remoteAddress, remotePort } = request.socket;
  response.once('finish', () => {
    log.send(`<134>${new Date().toISOString()} proxy: ${remoteAddress}:${remotePort} fe be_${service.name}/s${chosen} ${Math.round(performance.now() - startedAt)} ${response.statusCode} "${request.method} ${request.url} HTTP/1.1"`);
  });
  return chosen;
}

/** Headers that the other subjects add too. */
export function forwarded(request: IncomingMessage): Record<string, string> {
  const client = request.socket.remoteAddress ?? '';
  return { 'x-forwarded-for': client, 'x-client-ip': client };
}

/** The statistics page, when it was asked for. */
export function answeredStatistics(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.url !== settings.statisticsPath) return false;
  response.end(JSON.stringify(services.map(({ name, requests }) => ({ name, requests }))));
  return true;
}
