/**
 * Addresses as `bind`, `server`, `log`, `source`, `addr` and `stats socket` write them (configuration manual 4.2 "bind", 5.2,
 * 11): families by prefix, `*`, empty host, IPv6 with the port after the last colon, ranges, offsets. Called by the keyword
 * readers; resolves nothing but /etc/hosts names for binds.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { FdAddress, InetAddress, NameAddress, UnixAddress } from '../model/address.ts';

export interface AddressRules {
  /** `bind` and `stats socket` need one, servers may leave it out, `source` and `addr` need none. */
  readonly port: 'required' | 'optional';
  readonly range: boolean;
  readonly offset: boolean;
  readonly fd: boolean;
  readonly datagram: boolean;
  readonly stream: boolean;
  readonly names: boolean;
  /** Numeric address of a host name that must not stay a name, undefined = unknown. */
  readonly lookup?: (name: string, family: 0 | 4 | 6) => string | undefined;
}

export type ParsedAddress =
  | { readonly fault: ''; readonly address: InetAddress | UnixAddress | FdAddress | NameAddress; readonly portMode: 'fixed' | 'client' | 'offset';
      readonly portOffset: number; readonly transport: 'stream' | 'datagram' | '' }
  | { readonly fault: string; readonly address: null };

interface Family {
  readonly kind: 'inet' | 'unix' | 'abstract' | 'fd' | 'refused';
  readonly family: 0 | 4 | 6;
  readonly transport: 'stream' | 'datagram' | '';
}

const prefixes: Readonly<Record<string, Family>> = {
  'ipv4@': { kind: 'inet', family: 4, transport: '' },
  'ipv6@': { kind: 'inet', family: 6, transport: '' },
  'tcp@': { kind: 'inet', family: 0, transport: 'stream' },
  'tcp4@': { kind: 'inet', family: 4, transport: 'stream' },
  'tcp6@': { kind: 'inet', family: 6, transport: 'stream' },
  'udp@': { kind: 'inet', family: 0, transport: 'datagram' },
  'udp4@': { kind: 'inet', family: 4, transport: 'datagram' },
  'udp6@': { kind: 'inet', family: 6, transport: 'datagram' },
  'unix@': { kind: 'unix', family: 0, transport: '' },
  'uxst@': { kind: 'unix', family: 0, transport: 'stream' },
  'uxdg@': { kind: 'unix', family: 0, transport: 'datagram' },
  'abns@': { kind: 'abstract', family: 0, transport: '' },
  'abnsz@': { kind: 'abstract', family: 0, transport: '' },
  'fd@': { kind: 'fd', family: 0, transport: '' },
  'sockpair@': { kind: 'refused', family: 0, transport: '' },
  'quic4@': { kind: 'refused', family: 4, transport: '' },
  'quic6@': { kind: 'refused', family: 6, transport: '' },
  'mptcp@': { kind: 'refused', family: 0, transport: 'stream' },
  'mptcp4@': { kind: 'refused', family: 4, transport: 'stream' },
  'mptcp6@': { kind: 'refused', family: 6, transport: 'stream' },
  'rhttp@': { kind: 'refused', family: 0, transport: '' },
  'rev@': { kind: 'refused', family: 0, transport: '' },
};

/** `10.1` → `10.0.0.1`, as the C library reads short IPv4 addresses. */
function shortIpv4(text: string): string | undefined {
  const parts = text.split('.').map(Number);
  if (!/^\d+(?:\.\d+){0,3}$/.test(text) || parts.some((part) => !Number.isSafeInteger(part))) return undefined;
  const last = parts.pop() ?? 0;
  const room = 4 - parts.length;
  if (parts.some((part) => part > 255) || last >= 256 ** room) return undefined;
  const tail = Array.from({ length: room }, (_, index) => Math.floor(last / 256 ** (room - 1 - index)) % 256);
  return [...parts, ...tail].join('.');
}

const fault = (message: string): ParsedAddress => ({ fault: message, address: null });

interface Port {
  readonly fault: string;
  readonly low: number;
  readonly high: number;
  readonly mode: 'fixed' | 'client' | 'offset';
  readonly offset: number;
}

const refusePort = (message: string): Port => ({ fault: message, low: 0, high: 0, mode: 'fixed', offset: 0 });
const madePort = (low: number, high: number, mode: Port['mode'], offset: number): Port => ({ fault: '', low, high, mode, offset });

function readPort(text: string, whole: string, rules: AddressRules): Port {
  if (text === '') return rules.port === 'required' ? refusePort(`the port is missing in '${whole}'`) : madePort(0, 0, 'client', 0);
  const match = /^(?:(\d+)(?:-(\d+))?|([+-])(\d+))$/.exec(text);
  if (match === null) return refusePort(`'${text}' is not a port number in '${whole}'`);
  if (match[3] !== undefined) {
    if (!rules.offset) return refusePort(`a port offset is not permitted here: '${whole}'`);
    return madePort(0, 0, 'offset', Number(match[4]) * (match[3] === '-' ? -1 : 1));
  }
  const low = Number(match[1]);
  const high = Number(match[2] ?? match[1]);
  if (match[2] !== undefined && !rules.range) return refusePort(`a port range is not permitted here: '${whole}'`);
  if (low > high) return refusePort(`invalid port range '${text}'`);
  if (high > 65535 || (rules.port === 'required' && low < 1)) return refusePort(`port '${text}' is outside of 1 to 65535`);
  return madePort(low, high, low === 0 && rules.offset ? 'client' : 'fixed', 0);
}

function readInet(rest: string, whole: string, family: Family, rules: AddressRules): ParsedAddress {
  const bracket = rest.lastIndexOf(']');
  const colon = rest.lastIndexOf(':');
  const split = colon > bracket ? colon : -1;
  const port = readPort(split < 0 ? '' : rest.slice(split + 1), whole, rules);
  if (port.fault !== '') return fault(port.fault);
  let host = split < 0 ? rest : rest.slice(0, split);
  if (host.startsWith('[') && host.endsWith(']')) host = host.slice(1, -1);
  const done = (made: InetAddress | NameAddress): ParsedAddress => ({
    fault: '', address: made, portMode: port.mode, portOffset: port.offset, transport: family.transport,
  });
  const inet = (of: 4 | 6, text: string): ParsedAddress => done({ kind: 'inet', family: of, host: text, port: port.low, portLast: port.high });
  if (host === '' || host === '*') return family.family === 6 ? inet(6, '::') : inet(4, '0.0.0.0');
  const ipv4 = isIPv4(host) ? host : shortIpv4(host);
  if (ipv4 !== undefined && family.family !== 6) return inet(4, ipv4);
  if (isIPv6(host) && family.family !== 4) return inet(6, host.toLowerCase());
  // Digits and dots that are no address are no name either: no top-level domain is a number (RFC 3696 2).
  if (!/^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(host) || ipv4 !== undefined || /^[\d.]+$/.test(host)) return fault(`'${host}' is not an address in '${whole}'`);
  if (rules.names) return done({ kind: 'name', name: host, family: family.family, port: port.low });
  const found = rules.lookup?.(host, family.family);
  if (found === undefined) return fault(`the name '${host}' cannot be resolved in '${whole}'`);
  return inet(isIPv4(found) ? 4 : 6, found);
}

/** Reads one address; environment variables are expanded already. */
export function parseAddress(text: string, rules: AddressRules): ParsedAddress {
  if (text === '') return fault('the address is empty');
  let rest = text;
  let family: Family = { kind: 'inet', family: 0, transport: '' };
  for (const word of ['stream+', 'dgram+']) {
    if (!rest.startsWith(word)) continue;
    rest = rest.slice(word.length);
    family = { ...family, transport: word === 'stream+' ? 'stream' : 'datagram' };
  }
  const prefix = /^[a-z0-9]+@/.exec(rest)?.[0] ?? '';
  const known = Object.hasOwn(prefixes, prefix) ? prefixes[prefix] : undefined;
  if (known !== undefined) {
    rest = rest.slice(prefix.length);
    family = known.transport === '' ? { ...known, transport: family.transport } : known;
  } else if (rest.startsWith('/')) family = { ...family, kind: 'unix' };
  if (family.kind === 'refused') return fault(`addresses with '${prefix}' cannot stand here: '${text}'`);
  if (family.transport === 'datagram' && !rules.datagram) return fault(`a datagram address is not acceptable here: '${text}'`);
  if (family.transport === 'stream' && !rules.stream) return fault(`a stream address is not acceptable here: '${text}'`);
  if (family.kind === 'fd') {
    if (!rules.fd) return fault(`a file descriptor is not acceptable here: '${text}'`);
    if (!/^\d+$/.test(rest)) return fault(`'${rest}' is not a file descriptor number in '${text}'`);
    return { fault: '', address: { kind: 'fd', fd: Number(rest) }, portMode: 'fixed', portOffset: 0, transport: family.transport };
  }
  if (family.kind === 'inet') return readInet(rest, text, family, rules);
  if (rest === '') return fault(`the socket path is missing in '${text}'`);
  const address: UnixAddress = { kind: 'unix', path: rest, abstract: family.kind === 'abstract' };
  return { fault: '', address, portMode: 'fixed', portOffset: 0, transport: family.transport };
}

/** How messages and the CSV show an address. */
export function addressText(address: InetAddress | UnixAddress | FdAddress | NameAddress): string {
  if (address.kind === 'unix') return address.abstract ? `abns@${address.path}` : `unix@${address.path}`;
  if (address.kind === 'fd') return `fd@${address.fd}`;
  if (address.kind === 'name') return `${address.name}:${address.port}`;
  const host = address.family === 6 ? `[${address.host}]` : address.host;
  return `${host}:${address.port}${address.portLast > address.port ? `-${address.portLast}` : ''}`;
}
