/** Socket addresses as libc wants them (struct sockaddr_un, sockaddr_in, sockaddr_in6 of Linux). Used by control/, process/ and traffic/dispatch. */
import { isIPv6 } from 'node:net';

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
/** sizeof(sun_path) */
const pathBytesMax = 108;

/** struct sockaddr_un: family, then the path with its closing zero; abstract names start with a zero byte and have no closing one. */
export function unixAddress(path: string, abstract: boolean): Uint8Array {
  const name = Buffer.from(path, 'utf8');
  if (name.length === 0 || name.length + 1 > pathBytesMax) throw new Error(`unix socket path '${path}' must have 1 to ${pathBytesMax - 1} bytes`);
  const bytes = new Uint8Array(2 + name.length + 1);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(name, abstract ? 3 : 2);
  return bytes;
}

function readGroups(part: string): number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
}

/** The eight 16-bit groups of a numeric IPv6 address, the `::` filled in and a dotted tail converted. */
function groups6(host: string): number[] {
  const dotted = host.lastIndexOf('.') < 0 ? [] : host.slice(host.lastIndexOf(':') + 1).split('.').map(Number);
  const text = dotted.length === 4
    ? `${host.slice(0, host.lastIndexOf(':') + 1)}${(((dotted[0] ?? 0) << 8) | (dotted[1] ?? 0)).toString(16)}:${(((dotted[2] ?? 0) << 8) | (dotted[3] ?? 0)).toString(16)}`
    : host;
  const [left = '', right] = text.split('::');
  const head = readGroups(left);
  if (right === undefined) return head;
  const tail = readGroups(right);
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

/** struct sockaddr_in or sockaddr_in6 of a numeric address. */
export function inetAddress(host: string, port: number): Uint8Array {
  const six = isIPv6(host);
  const bytes = new Uint8Array(six ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, six ? AF_INET6 : AF_INET, true);
  view.setUint16(2, port, false);
  if (six) groups6(host).forEach((group, index) => view.setUint16(8 + 2 * index, group, false));
  else host.split('.').forEach((octet, index) => view.setUint8(4 + index, Number(octet)));
  return bytes;
}
