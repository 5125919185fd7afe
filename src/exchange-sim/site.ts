/**
 * A simulated Exchange site: several servers and a small HTTP control port that sets their component states, the counterpart of
 * Set-ServerComponentState. Used by main.ts and by tests.
 *
 *   GET  /components                       states of all servers, JSON
 *   POST /components {"server","component","requester","state"}
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { componentByName, requesterByName, stateByName } from './components.ts';
import { ExchangeServer } from './server.ts';
import type { ExchangeServerOptions } from './server.ts';

const orderBytesMax = 4096;

export class ExchangeSite {
  readonly servers: readonly ExchangeServer[];
  private readonly control: Server;

  constructor(servers: readonly ExchangeServerOptions[]) {
    this.servers = servers.map((options) => new ExchangeServer(options));
    this.control = createServer((request, response) => this.order(request, response));
  }

  /** Rejects with one sentence when an address is taken. Gives the control port. */
  async listen(controlHost: string, controlPort: number): Promise<number> {
    for (const server of this.servers) await server.listen();
    await new Promise<void>((resolve, reject) => {
      this.control.once('error', reject);
      this.control.listen(controlPort, controlHost, resolve);
    });
    const address = this.control.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    for (const server of this.servers) await server.close();
    this.control.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.control.close(() => resolve());
    });
  }

  /** '' when done, otherwise what is wrong with the order. */
  setComponent(serverName: string, componentName: string, requesterName: string, stateName: string): string {
    const server = this.servers.find((one) => one.name.toLowerCase() === serverName.toLowerCase());
    const component = componentByName(componentName);
    const requester = requesterByName(requesterName);
    const state = stateByName(stateName);
    if (server === undefined) return `no server '${serverName}'`;
    if (component === undefined) return `no component '${componentName}'`;
    if (requester === undefined) return `no requester '${requesterName}'`;
    if (state === undefined) return `no state '${stateName}'`;
    server.states.set(component, requester, state);
    return '';
  }

  private order(request: IncomingMessage, response: ServerResponse): void {
    if (request.url !== '/components') {
      response.writeHead(404).end('only /components is here\n');
      return;
    }
    if (request.method === 'GET') {
      const states = this.servers.map((server) => ({ server: server.name, requests: server.requests, faults: server.faults, components: server.states.all() }));
      response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(states, null, 2)}\n`);
      return;
    }
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > orderBytesMax) request.destroy();
    });
    request.on('end', () => {
      const wrong = this.applyOrder(text);
      response.writeHead(wrong === '' ? 200 : 400, { 'content-type': 'text/plain' }).end(wrong === '' ? 'done\n' : `${wrong}\n`);
    });
  }

  private applyOrder(text: string): string {
    let order: Record<string, unknown>;
    try {
      order = JSON.parse(text) as Record<string, unknown>;
    } catch {
      return 'the order is not JSON';
    }
    const word = (key: string): string => (typeof order[key] === 'string' ? order[key] : '');
    return this.setComponent(word('server'), word('component'), word('requester'), word('state'));
  }
}
