/** Fetches of the client connection, the proxies, the listener and the server connection's addresses. */
import { networkInterfaces } from 'node:os';
import { parseIp } from '../../base/ip.ts';
import type { Sample, Subject } from '../subject.ts';
import { fetch, intArg, plain, type FetchTable, type SampleFn } from '../types.ts';

/** Addresses of this host, read again after this long. */
const localAddressesMs = 60_000;
const local = { addresses: new Set<string>(), readAtMs: -Infinity };

function isLocal(s: Subject, address: string): boolean {
  if (address.startsWith('127.')) return true;
  const now = s.world.nowMs();
  if (now - local.readAtMs > localAddressesMs) {
    local.readAtMs = now;
    local.addresses = new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((each) => each.address)));
  }
  return local.addresses.has(address);
}

function port(value: number): Sample {
  return value > 0 ? value : undefined;
}

const source: SampleFn = (s) => s.session.sourceIp();
const destination: SampleFn = (s) => s.session.destinationIp();
const sourcePort: SampleFn = (s) => (s.session.sourceAddress === '' ? undefined : s.session.sourcePort);
const destinationPort: SampleFn = (s) => (s.session.destinationAddress === '' ? undefined : s.session.destinationPort);
const sourceIsLocal: SampleFn = (s) => isLocal(s, s.session.sourceAddress);
const destinationIsLocal: SampleFn = (s) => isLocal(s, s.session.destinationAddress);

function text(value: string): Sample {
  return value === '' ? undefined : value;
}

function slot(values: (string | undefined)[] | null, index: number): Sample {
  return values?.[index];
}

export const connectionFetches: FetchTable = {
  src: plain(source), fc_src: plain(source), src_port: plain(sourcePort), fc_src_port: plain(sourcePort),
  dst: plain(destination), fc_dst: plain(destination), dst_port: plain(destinationPort), fc_dst_port: plain(destinationPort),
  src_is_local: plain(sourceIsLocal), fc_src_is_local: plain(sourceIsLocal), dst_is_local: plain(destinationIsLocal), fc_dst_is_local: plain(destinationIsLocal),
  dst_conn: plain((s) => s.world.frontendConnections(s.session.frontend.index)),
  // Only a connection without error carries requests; failed ones are logged by the listener.
  fc_err: plain(() => 0),
  fc_http_major: plain((s) => (s.request === null ? undefined : 1)),
  fc_pp_authority: plain((s) => text(s.session.proxyAuthority)),
  fc_pp_unique_id: plain((s) => text(s.session.proxyUniqueId)),
  fc_rcvd_proxy: plain((s) => s.session.expectsProxy),
  fe_id: plain((s) => s.frontend.iid),
  fe_name: plain((s) => s.frontend.name),
  fe_client_timeout: plain((s) => s.frontend.timeouts.clientMs ?? 0),
  fe_defbe: plain((s) => s.world.model.proxies[s.frontend.defaultBackend]?.name),
  so_id: plain((s) => s.session.bind.luid),
  so_name: plain((s) => s.session.bind.name),
  be_id: plain((s) => s.backend?.iid),
  be_name: plain((s) => s.backend?.name),
  be_server_timeout: plain((s) => s.backend?.timeouts.serverMs ?? undefined),
  be_tunnel_timeout: plain((s) => s.backend?.timeouts.tunnelMs ?? undefined),
  cur_server_timeout: plain((s) => s.serverTimeoutMs ?? s.backend?.timeouts.serverMs ?? undefined),
  cur_tunnel_timeout: plain((s) => s.tunnelTimeoutMs ?? s.backend?.timeouts.tunnelMs ?? undefined),
  srv_id: plain((s) => s.server?.sid),
  srv_name: plain((s) => s.server?.name),
  bc_dst: plain((s) => parseIp(s.facts.serverAddress)),
  bc_dst_port: plain((s) => port(s.facts.serverPort)),
  bc_src: plain((s) => parseIp(s.facts.ownAddress)),
  bc_src_port: plain((s) => port(s.facts.ownPort)),
  bc_http_major: plain((s) => (s.response === null ? undefined : 1)),
  prio_class: plain((s) => s.priorityClass),
  prio_offset: plain((s) => s.priorityOffset),
  'capture.req.hdr': fetch((args) => {
    const index = intArg(args, 0, 0);
    return (s) => slot(s.requestCaptures, index);
  }),
  'capture.res.hdr': fetch((args) => {
    const index = intArg(args, 0, 0);
    return (s) => slot(s.responseCaptures, index);
  }),
};
