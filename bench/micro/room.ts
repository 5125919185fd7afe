/**
 * A traffic thread's insides without sockets, for the micro-bench: a configuration with the eight Exchange ACLs read as any other,
 * clients and servers without sockets, and exchanges under way. Made by parts.ts.
 */
import { systemClock } from '../../src/base/clock.ts';
import { memoryFiles } from '../../src/config/files.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import type { Model } from '../../src/model/model.ts';
import { Segments } from '../../src/shared/segments.ts';
import type { Transport, TransportHandler } from '../../src/traffic/contract.ts';
import { ServerLink } from '../../src/traffic/dispatch/server-link.ts';
import type { HttpExchange } from '../../src/traffic/http/http-exchange.ts';
import { HttpConnection } from '../../src/traffic/http/connection.ts';
import type { ProxyPlan } from '../../src/traffic/plan.ts';
import { ClientSession } from '../../src/traffic/session.ts';
import { ThreadContext } from '../../src/traffic/thread-context.ts';
import { bringUp, makeStart } from '../../test/unit/traffic/make-model.ts';

const paths = ['/owa', '/ecp', '/ews', '/mapi', '/rpc', '/oab', '/autodiscover', '/microsoft-server-activesync'];
const picks = { roundrobin: 'balance roundrobin', leastconn: 'balance leastconn', source: 'balance source', cookie: 'cookie SRV insert indirect nocache' } as const;

const servers = (name: string): string => [1, 2, 3, 4].map((number) => ` server s${number} 192.0.2.${number}:80${name === 'cookie' ? ` cookie s${number}` : ''}`).join('\n');
const configuration = `
global
 log 127.0.0.1:514 local0
defaults
 mode http
 log global
 option httplog
 option forwardfor
 http-reuse always
 timeout connect 1s
 timeout client 50s
 timeout server 50s
frontend fe
 bind 192.0.2.9:80
${paths.map((path) => ` acl p${path.slice(1)} path_beg -i ${path}\n use_backend be${path.slice(1)} if p${path.slice(1)}`).join('\n')}
 default_backend plain
frontend lines
 mode tcp
 option tcplog
 bind 192.0.2.9:81
 default_backend plain
frontend custom
 bind 192.0.2.9:82
 log-format "%ci:%cp [%tr] %ft %b/%s %ST %B %{+Q}r bytes=%U %[src,ipmask(24)]"
 default_backend plain
backend plain
 server only 192.0.2.1:80 pool-low-conn 16
${paths.map((path) => `backend be${path.slice(1)}\n server only 192.0.2.1:80 pool-low-conn 16`).join('\n')}
${Object.entries(picks).map(([name, line]) => `backend ${name}\n ${line}\n${servers(name)}`).join('\n')}
`;

const nobody: TransportHandler = { onData: () => undefined, onDrain: () => undefined, onEnd: () => undefined, onClose: () => undefined };

/** A peer that takes everything and counts it; what it says comes through its handler. */
class Peer implements Transport {
  handler: TransportHandler = nobody;
  watcher: unknown = null;
  readonly tls = null;
  readonly localAddress = '192.0.2.9';
  readonly localPort = 80;
  readonly remoteAddress = '198.51.100.7';
  readonly remotePort = 40711;
  readonly pendingBytes = 0;
  closed = false;
  written = 0;

  write(data: Uint8Array | string): boolean {
    this.written += data.length;
    return true;
  }

  end(): void {}

  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.handler.onClose('');
    (this.watcher as { transportClosed(transport: unknown): void } | null)?.transportClosed(this);
  }

  pause(): void {}
  resume(): void {}
}

function readModel(): Model {
  const { model, problems } = loadConfiguration(['/lb.cfg'], { environment: {}, cpus: 1, files: memoryFiles({ '/lb.cfg': configuration, '/etc/hosts': '' }) });
  if (model === undefined) throw new Error(problems.map((problem) => problem.message).join('; '));
  return model;
}

export class MicroRoom {
  readonly context: ThreadContext;
  readonly segments: Segments;
  private readonly peers: Peer[] = [];

  constructor() {
    const model = readModel();
    this.segments = Segments.allocate(model, 1);
    bringUp(model, this.segments);
    this.context = new ThreadContext(makeStart(model, this.segments), systemClock, () => undefined);
  }

  proxy(name: string): ProxyPlan {
    const found = this.context.plan.proxies.find(({ proxy }) => proxy.name === name);
    if (found === undefined) throw new Error(`no proxy ${name}`);
    return found;
  }

  /** A client of a frontend, and a connection of the backend that its requests will use. */
  pair(frontend: string, backend: string): { client: Peer; server: Peer; connection: HttpConnection } {
    const { context } = this;
    const client = new Peer();
    const server = new Peer();
    const listener = context.plan.listeners.find(({ proxy }) => proxy.proxy.name === frontend);
    const target = this.proxy(backend).servers[0];
    if (listener === undefined || target === undefined) throw new Error('the configuration of the bench has another shape');
    const link = new ServerLink(target, server as never, '', { linkOpened: () => undefined, linkFailed: () => undefined });
    link.connected();
    target.pool.put(link);
    const session = new ClientSession(context, { sessionClosed: () => undefined }, listener, client as never);
    session.attach(client as never);
    const connection = new HttpConnection(client, session, context);
    connection.start();
    this.peers.push(server, client);
    return { client, server, connection };
  }

  /** Everything closes, so that no deadline keeps the process. */
  end(): void {
    for (const peer of this.peers.splice(0)) peer.destroy();
    for (const server of this.context.plan.servers) server.pool.closeAll();
    this.context.logs.flush();
  }

  /** An exchange whose answer head has passed and whose body is half there: everything that its line tells is known. */
  underWay(frontend: string, backend: string, request: Buffer, answer: Buffer): HttpExchange {
    const { client, server, connection } = this.pair(frontend, backend);
    client.handler.onData(Buffer.from(request));
    server.handler.onData(Buffer.concat([answer, Buffer.alloc(50)]));
    const { exchange } = connection;
    if (exchange === null) throw new Error('the exchange ended before its answer');
    return exchange;
  }
}
