/**
 * Connects once to every server that has TLS and hears what it says of itself: its certificate, and the name in healthcheck.htm where
 * its backend's check asks for that. Called by `check --probe`, when no balancer runs. Bounded in time and number; changes nothing.
 */
import type { Format } from '../../model/expression.ts';
import { healthcheckPath } from '../../model/exchange-sites.ts';
import { limits } from '../../model/limits.ts';
import type { Model, Proxy, Server } from '../../model/model.ts';
import { errorText, openCheckSocket } from '../health/check-socket.ts';
import type { CheckTarget } from '../health/check-socket.ts';
import { checkTarget } from '../health/check-target.ts';
import { Sighting } from './sighting.ts';

export interface Probe {
  readonly server: Server;
  /** `10.0.0.21:443` */
  readonly address: string;
  readonly sighting: Sighting;
  /** '' = it did what it was asked; otherwise what went wrong. */
  readonly trouble: string;
}

/** In the order of the configuration. */
export async function probeServers(model: Model): Promise<readonly Probe[]> {
  const servers = model.servers.filter((server) => server.tls !== null && model.proxies[server.proxy]?.disabled === false);
  const probes = new Map<number, Probe>();
  const queue = servers.values();
  const work = async (): Promise<void> => {
    for (const server of queue) probes.set(server.index, await probe(server, model));
  };
  await Promise.all(Array.from({ length: limits.probesMax }, work));
  return servers.flatMap((server) => probes.get(server.index) ?? []);
}

/** Where the server line says; names are resolved by the system. */
export function addressOf(server: Server): { readonly host: string; readonly port: number } {
  const { address } = server;
  if (address.kind === 'unix') return { host: address.path, port: 0 };
  return { host: address.kind === 'name' ? address.name : address.host, port: address.port };
}

function probe(server: Server, model: Model): Promise<Probe> {
  const proxy = model.proxies[server.proxy];
  const { host, port } = addressOf(server);
  const target = proxy === undefined || server.portMode !== 'fixed' ? undefined : targetOf(server, proxy, model);
  const path = proxy === undefined ? '' : healthcheckPath(proxy);
  const sighting = new Sighting();
  const made = (trouble: string): Probe => ({ server, address: `${host}:${port}`, sighting, trouble });
  if (proxy === undefined || target === undefined) return Promise.resolve(made('its port is the one that the client connects to'));
  return new Promise((resolve) => {
    const done = (trouble: string): void => {
      clearTimeout(timer);
      socket.destroy(false);
      resolve(made(trouble));
    };
    const timer = setTimeout(() => done(`no answer within ${limits.probeMsMax / 1000} s`), limits.probeMsMax);
    const socket = openCheckSocket(target, sighting.between({
      onConnected: () => undefined,
      onSecured: () => {
        if (path === '') done('');
        else socket.write(requestFor(proxy, host));
      },
      onData: () => {
        const status = sighting.status();
        if (sighting.answer() !== null) done('');
        else if (status >= 300) done(`GET ${path} is answered with status ${status}`);
      },
      onEnd: () => done(sighting.answer() === null ? 'closes the connection without a whole answer' : ''),
      onError: (code) => done(errorText(code)),
    }));
  });
}

/** As requests of clients go there, not as checks do, which may have another port. */
function targetOf(server: Server, proxy: Proxy, model: Model): CheckTarget | undefined {
  return checkTarget({
    kind: 'connect', implicit: true, port: 0, address: null, tls: 'yes', sni: serverName(server), alpn: [], sendProxy: server.sendProxy === 'none' ? 'no' : 'yes', linger: false,
  }, { model, proxy, server: { ...server, check: null }, address: () => addressOf(server), checkPlace: () => ({ host: '', port: 0 }) });
}

/** A name that depends on the request is not known here. */
function serverName(server: Server): string {
  const fetch = server.tls?.sni?.fetch;
  const [name] = fetch?.name === 'str' ? fetch.args : [];
  return name?.kind === 'str' ? name.value : server.check?.sni ?? '';
}

function requestFor(proxy: Proxy, host: string): Buffer {
  const steps = proxy.check.kind === 'http' ? proxy.check.steps : [];
  const send = steps.find((step) => step.kind === 'http-send');
  const lines = (send?.headers ?? []).filter(({ name }) => !/^(?:connection|content-length|transfer-encoding)$/i.test(name)).map(({ name, value }) => `${name}: ${plain(value)}\r\n`);
  if (!lines.some((line) => /^host:/i.test(line))) lines.push(`Host: ${host}\r\n`);
  return Buffer.from(`GET ${plain(send?.uri ?? [])} HTTP/1.1\r\n${lines.join('')}Connection: close\r\n\r\n`, 'latin1');
}

/** What a format says without a request. */
function plain(format: Format): string {
  return format.map((item) => (item.kind === 'text' ? item.text : '')).join('');
}
