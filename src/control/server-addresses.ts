/**
 * Addresses of servers in force: those of the configuration until a command or the start-up resolution changes them. Traffic
 * threads learn of changes by message. Used by server-states.ts only.
 */
import { parseIp } from '../base/ip.ts';
import type { ToTraffic } from '../model/messages.ts';
import type { Model, Server } from '../model/model.ts';
import { S } from '../model/server-state.ts';

interface Place {
  host: string;
  port: number;
  byHand: boolean;
}

export class ServerAddresses {
  private readonly places: Place[];
  private readonly states: readonly Int32Array[];
  private readonly post: (message: ToTraffic) => void;

  constructor(model: Model, states: readonly Int32Array[], post: (message: ToTraffic) => void) {
    this.places = model.servers.map(configured);
    this.states = states;
    this.post = post;
  }

  /** After a reload: an address that was resolved or set by hand stays. */
  adopt(server: number, former: ServerAddresses, formerIndex: number): void {
    this.places[server] = { ...former.place(formerIndex) };
  }

  current(server: number): { host: string; port: number } {
    const { host, port } = this.place(server);
    return { host, port };
  }

  isByHand(server: number): boolean {
    return this.place(server).byHand;
  }

  resolved(server: number, host: string): void {
    this.apply(server, host, this.place(server).port);
  }

  /** Gives the answer of the runtime socket. */
  change(server: number, host: string | null, port: number | null, by: string): string {
    const place = this.place(server);
    const words: string[] = [];
    let newHost = place.host;
    let newPort = place.port;
    if (host !== null) {
      if (parseIp(host) === undefined) return `Invalid addr '${host}' by '${by}'`;
      if (host === place.host) {
        words.push('no need to change the addr');
      } else {
        words.push(`IP changed from '${place.host}' to '${host}'`);
        newHost = host;
      }
    }
    if (port !== null) {
      if (port === place.port) {
        words.push('no need to change the port');
      } else {
        words.push(`port changed from '${place.port}' to '${port}'`);
        newPort = port;
      }
    }
    if (newHost !== place.host || newPort !== place.port) {
      place.byHand = true;
      this.apply(server, newHost, newPort);
    }
    return `${words.join(', ')} by '${by}'`;
  }

  private apply(server: number, host: string, port: number): void {
    const place = this.place(server);
    place.host = host;
    place.port = port;
    const state = this.states[server];
    if (state !== undefined) Atomics.add(state, S.addr_version, 1);
    this.post({ type: 'server-address', server, host, port });
  }

  private place(server: number): Place {
    return this.places[server] as Place;
  }
}

function configured(server: Server): Place {
  const { address } = server;
  if (address.kind === 'inet') return { host: address.host, port: address.port, byHand: false };
  return { host: address.kind === 'unix' ? address.path : '', port: address.kind === 'name' ? address.port : 0, byHand: false };
}
