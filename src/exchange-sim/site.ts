/**
 * A simulated Exchange site: several servers with their mail ports, mailboxes that they share, and a small HTTP control port that sets their component states, the counterpart of
 * Set-ServerComponentState. Used by main.ts and by tests.
 *
 *   GET  /components                       states of all servers, JSON
 *   POST /components {"server","component","requester","state"}
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { componentByName, requesterByName, stateByName } from './components.ts';
import type { ComponentName, ComponentStates } from './components.ts';
import { MailServer } from './mail/mail-server.ts';
import type { MailProtocol } from './mail/mail-server.ts';
import { Mailboxes } from './mail/mailboxes.ts';
import { ExchangeServer } from './server.ts';
import type { ExchangeServerOptions } from './server.ts';

const orderBytesMax = 4096;

/** A protocol is up while all of its components are Active. */
const mailComponents: Readonly<Record<MailProtocol, readonly ComponentName[]>> = {
  smtp: ['FrontendTransport', 'HubTransport'], submission: ['FrontendTransport', 'HubTransport'],
  imap: ['ImapProxy'], imaps: ['ImapProxy'], pop: ['PopProxy'], pops: ['PopProxy'],
};

function mailServer(options: ExchangeServerOptions, mailboxes: Mailboxes, states: ComponentStates | undefined): MailServer {
  return new MailServer({
    fqdn: options.fqdn, host: options.host, ports: options.mailPorts ?? {}, certPem: options.certPem, keyPem: options.keyPem, mailboxes,
    isActive: (protocol) => mailComponents[protocol].every((component) => states?.effective(component) === 'Active'),
  });
}

export class ExchangeSite {
  readonly servers: readonly ExchangeServer[];
  /** The mail ports of each server, in the order of `servers`. */
  readonly mail: readonly MailServer[];
  private readonly control: Server;

  constructor(servers: readonly ExchangeServerOptions[]) {
    this.servers = servers.map((options) => new ExchangeServer(options));
    const mailboxes = new Mailboxes([...servers[0]?.accounts?.passwords ?? []]);
    this.mail = servers.map((options, at) => mailServer(options, mailboxes, this.servers[at]?.states));
    this.control = createServer((request, response) => this.order(request, response));
  }

  /** Rejects with one sentence when an address is taken. Gives the control port. */
  async listen(controlHost: string, controlPort: number): Promise<number> {
    for (const server of this.servers) await server.listen();
    for (const mail of this.mail) await mail.listen();
    await new Promise<void>((resolve, reject) => {
      this.control.once('error', reject);
      this.control.listen(controlPort, controlHost, resolve);
    });
    const address = this.control.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    for (const mail of this.mail) mail.close();
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
