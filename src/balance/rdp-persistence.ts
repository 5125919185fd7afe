/**
 * `persist rdp-cookie`: the cookie of the remote desktop protocol holds the address of the server that has the user's session, as
 * `<address>.<port>.<reserved>` in decimal, both read in the wrong byte order. Used by persistence.ts.
 */
import type { Model, Proxy } from '../model/model.ts';
import type { SampleFn } from '../rules/compile.ts';
import type { Subject } from '../rules/subject.ts';

/** `10.0.0.1:3389` of a cookie, '' when it is not of that form. */
export function rdpAddress(cookie: string): string {
  const match = /^(\d{1,10})\.(\d{1,5})\./.exec(cookie);
  if (match === null) return '';
  const address = Number(match[1]);
  const port = Number(match[2]);
  if (address > 0xffffffff || port > 0xffff) return '';
  const host = [address, address >>> 8, address >>> 16, address >>> 24].map((byte) => byte & 255).join('.');
  return `${host}:${((port & 255) << 8) | (port >> 8)}`;
}

export class RdpPersistence {
  private readonly cookie: SampleFn;
  private readonly servers = new Map<string, number>();

  constructor(proxy: Proxy, model: Model, cookie: SampleFn) {
    this.cookie = cookie;
    for (const index of proxy.servers) {
      const server = model.servers[index];
      if (server?.address.kind === 'inet' && server.address.family === 4) this.servers.set(`${server.address.host}:${server.address.port}`, index);
    }
  }

  /** Index into Model.servers, -1 = no cookie or no such server. */
  choose(subject: Subject): number {
    const cookie = this.cookie(subject);
    return typeof cookie === 'string' ? this.servers.get(rdpAddress(cookie)) ?? -1 : -1;
  }
}
