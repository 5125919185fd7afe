/**
 * Opens connections to servers: address and source, PROXY header, TLS. Called by Dispatch; the answer comes to the LinkOpener.
 * Chooses nothing and retries nothing.
 */
import { connect as connectTcp, isIP, type NetConnectOpts, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Subject } from '../../rules/subject.ts';
import { wholeText } from '../../rules/values.ts';
import type { ProxyPlan, ServerPlan } from '../plan.ts';
import type { ClientSession } from '../session.ts';
import type { ThreadContext } from '../thread-context.ts';
import { SocketTlsFacts } from '../tls-facts.ts';
import { setsNoDelay, SocketTransport } from '../transport.ts';
import { connectFrom, type Endpoint } from './foreign-connect.ts';
import { proxyHeaderFor } from './proxy-header.ts';
import { ServerLink, type LinkOpener } from './server-link.ts';
import type { ServerTlsContext } from './server-tls.ts';

/** True when connections to this server differ from client to client, so that a key must be made. */
export function tunesOut(server: ServerPlan): boolean {
  const { sendProxy, portMode } = server.server;
  return server.sni !== null || sendProxy !== 'none' || portMode !== 'fixed' || isAnyAddress(server) || server.foreignSource !== null;
}

/** Connections with equal keys are interchangeable. */
export function linkKey(server: ServerPlan, subject: Subject, session: ClientSession): string {
  const sni = sniFor(server, subject);
  const target = `${hostFor(server, session)} ${portFor(server, session)}`;
  const client = server.server.sendProxy === 'none' ? '' : `${session.sourceAddress} ${session.sourcePort} ${session.destinationAddress} ${session.destinationPort}`;
  const from = foreignEndpoint(server, subject, session);
  return `${target}|${sni}|${client}|${from === null ? '' : `${from.host} ${from.port}`}`;
}

/** Starts a connection attempt. The opener hears of it later, never inside this call. */
export function openLink(
  server: ServerPlan, backend: ProxyPlan | null, subject: Subject, session: ClientSession, key: string, opener: LinkOpener,
): ServerLink {
  const options = socketOptions(server, backend, session);
  const { sendProxy } = server.server;
  const { tls } = server;
  const header = sendProxy === 'none' ? null : proxyHeaderFor(server.server, session, subject);
  const from = foreignEndpoint(server, subject, session);
  if (tls !== null) return openTlsLink(server, tls, options, from, header, sniFor(server, subject), key, opener);
  const socket = clearSocket(options, from, () => {
    if (header !== null) socket.write(header);
    link.connected();
  });
  const link = new ServerLink(server, new SocketTransport(socket, null), key, opener);
  return link;
}

/** `from`: null = an address of this machine. */
function clearSocket(options: NetConnectOpts, from: Endpoint | null, connected: () => void): Socket {
  if (from !== null) {
    const { host = '', port } = options as TcpNetConnectOpts;
    return connectFrom(from, { host, port }, connected);
  }
  const socket = connectTcp(options);
  socket.once('connect', connected);
  return socket;
}

function openTlsLink(
  server: ServerPlan, context: ServerTlsContext, options: NetConnectOpts, from: Endpoint | null, header: Uint8Array | null, sni: string, key: string, opener: LinkOpener,
): ServerLink {
  const tlsOptions: ConnectionOptions = context.options(sni);
  const socket = header === null && from === null
    ? connectTls({ ...(options as ConnectionOptions), ...tlsOptions })
    : connectTls({ ...tlsOptions, socket: socketBelow(options, from, header), allowHalfOpen: true } as ConnectionOptions);
  const facts = new SocketTlsFacts(socket, context.certificatePem);
  const link = new ServerLink(server, new SocketTransport(socket, facts), key, opener);
  socket.on('session', (session: Buffer) => context.remember(sni, session));
  socket.once('secureConnect', () => {
    context.secured(socket);
    if (context.keepsFacts) facts.keep();
    link.connected();
  });
  return link;
}

/** A clear connection, that sends the PROXY header before anything else, for TLS to start on. */
function socketBelow(options: NetConnectOpts, from: Endpoint | null, header: Uint8Array | null): Socket {
  const socket = clearSocket(options, from, () => undefined);
  if (header !== null) socket.write(header);
  return socket;
}

function socketOptions(server: ServerPlan, backend: ProxyPlan | null, session: ClientSession): NetConnectOpts {
  if (server.unix) return { path: server.host, allowHalfOpen: true };
  const source = (server.server.source ?? backend?.proxy.source)?.address;
  return {
    host: hostFor(server, session),
    port: portFor(server, session),
    allowHalfOpen: true,
    noDelay: !setsNoDelay,
    keepAlive: backend?.proxy.switches.srvtcpka ?? false,
    // The address is numeric: nothing is looked up, no second family is tried.
    autoSelectFamily: false,
    ...(source?.kind === 'inet' ? { localAddress: source.host, ...(source.port > 0 ? { localPort: source.port } : {}) } : {}),
  };
}

/** `usesrc`: whose address the connection has; null = this machine's. Nobody can be of one family to a server of the other. */
function foreignEndpoint(server: ServerPlan, subject: Subject, session: ClientSession): Endpoint | null {
  const source = server.foreignSource;
  if (source === null || server.unix) return null;
  const host = source.kind === 'address' ? source.host : source.kind === 'header' ? wholeText(server.foreignAddress?.(subject) ?? '') : session.sourceAddress;
  if (isIP(host) === 0 || isIP(host) !== isIP(hostFor(server, session))) return null;
  return { host, port: source.kind === 'address' ? source.port : source.kind === 'client' ? session.sourcePort : 0 };
}

function isAnyAddress(server: ServerPlan): boolean {
  return server.host === '0.0.0.0' || server.host === '::';
}

/** A server without address gets the client's destination (transparent proxying). */
function hostFor(server: ServerPlan, session: ClientSession): string {
  return isAnyAddress(server) ? session.destinationAddress : server.host;
}

function portFor(server: ServerPlan, session: ClientSession): number {
  switch (server.server.portMode) {
    case 'fixed':
      return server.port;
    case 'client':
      return session.destinationPort;
    case 'offset':
      return session.destinationPort + server.server.portOffset;
  }
}

function sniFor(server: ServerPlan, subject: Subject): string {
  const value = server.sni?.(subject);
  return typeof value === 'string' ? value : '';
}

/** Once per server and thread: every connection to it fails. */
export function tellMissingRight(server: ServerPlan, context: ThreadContext): void {
  if (server.foreignSource === null || server.hasToldOfRight) return;
  server.hasToldOfRight = true;
  const backend = context.plan.model.proxies[server.server.proxy]?.name ?? '';
  context.world.warn(`server ${backend}/${server.server.name}: 'usesrc' needs the right cap_net_raw, which this process does not have: start it as root, or give it that right (AmbientCapabilities=CAP_NET_RAW in the unit).`);
}
