/** Single words of haproxy.cfg for the writers beside it. Pure. */
import { formatIp } from '../../base/ip.ts';
import type { ExchangeSite, Machine } from './site.ts';

const plain = /^[\w./:@+,=-]+$/;

/** A file name as one word, whatever is in it; a shell reads it alike. */
export function configWord(text: string): string {
  return plain.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

export function bindAddress(site: ExchangeSite, port: number): string {
  const address = formatIp(site.vip);
  return `${site.vip.family === 6 ? `[${address}]` : address}:${port}`;
}

export function serverAddress(server: Machine, port: number): string {
  return `${server.address.includes(':') ? `[${server.address}]` : server.address}:${port}`;
}
