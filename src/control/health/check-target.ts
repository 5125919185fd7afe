/**
 * Where a check connects and how: address and port of the step, the check or the server, TLS options, PROXY header, source
 * address. Called by check-run.ts for each connect step. Pure but for reading the address in force.
 */
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { PeerAddress } from '../../model/address.ts';
import type { Model, Proxy, Server, ServerTls } from '../../model/model.ts';
import { makeProxyV1, makeProxyV2 } from '../../wire/proxy-protocol.ts';
import type { CheckTarget } from './check-socket.ts';
import type { ConnectStep } from './check-step.ts';

interface TargetContext {
  readonly model: Model;
  readonly proxy: Proxy;
  readonly server: Server;
  /** Server's address in force. */
  readonly address: () => { host: string; port: number };
  /** What `set server … check-addr` says of checks; '' and 0 = nothing. */
  readonly checkPlace: () => { readonly host: string; readonly port: number };
}

/** Undefined: no port is known. */
export function checkTarget(step: ConnectStep, context: TargetContext): CheckTarget | undefined {
  const { server, proxy } = context;
  const changed = context.checkPlace();
  const inForce = context.address();
  const place = changed.host !== '' && step.address === null
    ? { host: changed.host, port: inForce.port, path: '' }
    : placeOf(step.address ?? server.check?.address ?? null, server, inForce);
  const port = step.port || changed.port || server.check?.port || place.port;
  if (place.path === '' && port === 0) return undefined;
  const source = (server.source ?? proxy.source)?.address ?? null;
  return {
    host: place.host, port, path: place.path,
    localAddress: source?.kind === 'inet' && source.host !== '0.0.0.0' && source.host !== '::' ? source.host : '',
    tls: usesTls(step, server) ? tlsOptions(step, context) : null,
    verifyHost: optionsOf(server)?.verifyHost || sniOf(step, server),
    header: proxyHeader(step, server),
  };
}

function usesTls(step: ConnectStep, server: Server): boolean {
  return step.tls === 'yes' || (step.tls === 'server' && server.check?.tls === true);
}

function placeOf(special: PeerAddress | null, server: Server, inForce: { host: string; port: number }): { host: string; port: number; path: string } {
  const address = special ?? server.address;
  if (address.kind === 'unix') return { host: '', port: 0, path: address.abstract ? `\0${address.path}` : address.path };
  if (special === null) return { ...inForce, path: '' };
  const port = special.kind === 'inet' || special.kind === 'name' ? special.port : 0;
  const host = special.kind === 'inet' ? special.host : special.kind === 'name' ? special.name : '';
  return { host, port: port || inForce.port, path: '' };
}

function sniOf(step: ConnectStep, server: Server): string {
  return step.sni !== '' ? step.sni : step.tls === 'server' ? server.check?.sni ?? '' : '';
}

/** A `connect ssl` step uses the server's TLS settings even when the other checks do without. */
function optionsOf(server: Server): ServerTls | null {
  return server.check?.tlsOptions ?? server.tls;
}

function tlsOptions(step: ConnectStep, context: TargetContext): ConnectionOptions {
  const { server, model } = context;
  const tls = optionsOf(server);
  const sni = sniOf(step, server);
  const ownAlpn = step.alpn.length > 0 ? step.alpn : server.check?.alpn ?? [];
  const alpn = ownAlpn.length > 0 ? ownAlpn : tls?.alpn ?? [];
  const base: ConnectionOptions = {
    // An address is no server name (RFC 6066 3).
    servername: isIP(sni) === 0 ? sni : '',
    rejectUnauthorized: tls !== null && tls.verify === 'required',
    ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
  };
  if (tls === null) return base;
  const certificate = model.certificates[tls.certificate];
  const ciphers = [tls.ciphersuites, tls.ciphers].filter((part) => part !== '').join(':');
  return {
    ...base,
    minVersion: tls.minVersion,
    maxVersion: tls.maxVersion,
    ...(ciphers === '' ? {} : { ciphers }),
    ...(tls.curves === '' ? {} : { ecdhCurve: tls.curves }),
    ...(tls.caPem === '' ? {} : { ca: tls.caPem }),
    ...(tls.crlPem === '' ? {} : { crl: tls.crlPem }),
    ...(certificate === undefined ? {} : { cert: certificate.certPem, key: certificate.keyPem }),
  };
}

/** Checks come from Poise itself: version 2 says LOCAL, version 1 has no such word and gives the connection's ends. */
function proxyHeader(step: ConnectStep, server: Server): CheckTarget['header'] {
  const wanted = step.sendProxy === 'yes' || (step.sendProxy === 'server' && (server.checkSendProxy || inheritsProxy(server)));
  if (!wanted) return null;
  if (server.sendProxy !== 'none' && server.sendProxy !== 'v1') {
    const checksum = server.proxyV2Options.includes('crc32c');
    return () => makeProxyV2(null, { tls: null, alpn: '', authority: '', uniqueId: '', checksum });
  }
  return (ends) => makeProxyV1({
    sourceAddress: ends.localAddress, sourcePort: ends.localPort, destinationAddress: ends.remoteAddress, destinationPort: ends.remotePort,
  });
}

/** With its own port or address a check talks to something else than the server's traffic port. */
function inheritsProxy(server: Server): boolean {
  return server.sendProxy !== 'none' && server.check !== null && server.check.port === 0 && server.check.address === null;
}
