/**
 * What a traffic thread made of a Model: counters, queues, pools and prepared rules by proxy and server. A reload makes a new
 * Plan and swaps it in the ThreadContext; a request goes on with the plan it started with. Built by thread.ts; holds no sockets
 * of clients.
 */
import type { Clock } from '../base/clock.ts';
import type { Bind, Model, Proxy, Server } from '../model/model.ts';
import { Compiler } from '../rules/compile.ts';
import type { Segments } from '../shared/segments.ts';
import { StickTables } from '../shared/stick-table.ts';
import { Tally } from './tally.ts';

/** One proxy: its frontend side, its backend side, or both (listen). */
export class ProxyPlan {
  readonly proxy: Proxy;
  readonly front: Tally;
  readonly back: Tally;
  readonly backendState: Int32Array;
  readonly servers: readonly ServerPlan[];

  constructor(proxy: Proxy, segments: Segments, thread: number, servers: readonly ServerPlan[]) {
    this.proxy = proxy;
    this.front = new Tally(segments, segments.frontendObject(proxy.index), thread);
    this.back = new Tally(segments, segments.backendObject(proxy.index), thread);
    this.backendState = segments.backendState(proxy.index);
    this.servers = servers;
  }
}

export class ServerPlan {
  readonly server: Server;
  readonly tally: Tally;
  readonly state: Int32Array;

  constructor(server: Server, segments: Segments, thread: number) {
    this.server = server;
    this.tally = new Tally(segments, segments.serverObject(server.index), thread);
    this.state = segments.serverState(server.index);
  }
}

export class ListenerPlan {
  readonly bind: Bind;
  readonly proxy: ProxyPlan;
  readonly tally: Tally;

  constructor(bind: Bind, proxy: ProxyPlan, segments: Segments, thread: number) {
    this.bind = bind;
    this.proxy = proxy;
    this.tally = new Tally(segments, segments.listenerObject(bind.index), thread);
  }
}

export class Plan {
  readonly model: Model;
  readonly compiler: Compiler;
  readonly stickTables: StickTables;
  readonly proxies: readonly ProxyPlan[];
  readonly servers: readonly ServerPlan[];
  readonly listeners: readonly ListenerPlan[];

  constructor(model: Model, segments: Segments, thread: number, clock: Clock) {
    this.model = model;
    this.compiler = new Compiler(model);
    this.stickTables = new StickTables(model, segments.handles, clock);
    this.servers = model.servers.map((server) => new ServerPlan(server, segments, thread));
    this.proxies = model.proxies.map((proxy) => new ProxyPlan(proxy, segments, thread, this.servers.filter((one) => one.server.proxy === proxy.index)));
    this.listeners = model.binds.map((bind) => new ListenerPlan(bind, this.proxies[bind.proxy] as ProxyPlan, segments, thread));
  }
}
