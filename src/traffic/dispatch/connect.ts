/**
 * Opens connections to servers: address and source, PROXY header, TLS. Called by Dispatch; the answer comes to the LinkOpener.
 * Chooses nothing and retries nothing.
 */
import { connect as connectTcp, type NetConnectOpts, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Subject } from '../../rules/subject.ts';
import type { ProxyPlan, ServerPlan } from '../plan.ts';
import type { ClientSession } from '../session.ts';
import { SocketTlsFacts } from '../tls-facts.ts';
import { setsNoDelay, SocketTransport } from '../transport.ts';
import { proxyHeaderFor } from './proxy-header.ts';
import { ServerLink, type LinkOpener } from './server-link.ts';
import type { ServerTlsContext } from './server-tls.ts';

/** True when connections to this server differ from client to client, so that a key must be made. */
export function tunesOut(server: ServerPlan, backend: ProxyPlan | null): boolean {
  const { sendProxy, portMode } = server.server;
  return server.sni !== null || sendProxy !== 'none' || portMode !== 'fixed' || isAnyAddress(server) || (backend?.proxy.source?.usesrc ?? '') !== '';
}

/** Connections with equal keys are interchangeable. */
export function linkKey(server: ServerPlan, subject: Subject, session: ClientSession): string {
  const sni = sniFor(server, subject);
  const target = `${hostFor(server, session)} ${portFor(server, session)}`;
  const client = server.server.sendProxy === 'none' ? '' : `${session.sourceAddress} ${session.sourcePort} ${session.destinationAddress} ${session.destinationPort}`;
  return `${target}|${sni}|${client}`;
}

/** Starts a connection attempt. The opener hears of it later, never inside this call. */
export function openLink(
  server: ServerPlan, backend: ProxyPlan | null, subject: Subject, session: ClientSession, key: string, opener: LinkOpener,
): ServerLink {
  const options = socketOptions(server, backend, session);
  const { sendProxy } = server.server;
  const { tls } = server;
  const header = sendProxy === 'none' ? null : proxyHeaderFor(server.server, session, subject);
  if (tls === null) {
    const socket = connectTcp(options);
    const link = new ServerLink(server, new SocketTransport(socket, null), key, opener);
    socket.once('connect', () => {
      if (header !== null) socket.write(header);
      link.connected();
    });
    return link;
  }
  return openTlsLink(server, tls, options, header, sniFor(server, subject), key, opener);
}

function openTlsLink(
  server: ServerPlan, context: ServerTlsContext, options: NetConnectOpts, header: Uint8Array | null, sni: string, key: string, opener: LinkOpener,
): ServerLink {
  const tlsOptions: ConnectionOptions = context.options(sni);
  const socket = header === null
    ? connectTls({ ...(options as ConnectionOptions), ...tlsOptions })
    : connectTls({ ...tlsOptions, socket: headed(options, header), allowHalfOpen: true } as ConnectionOptions);
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

/** A clear connection that sends the PROXY header before anything else, for TLS to start on. */
function headed(options: NetConnectOpts, header: Uint8Array): Socket {
  const socket = connectTcp(options);
  socket.write(header);
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
