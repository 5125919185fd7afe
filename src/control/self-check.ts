/**
 * Does this process still do its work? Looks, once a second, at what a user would meet: every HTTP bind is asked a real request (TLS and
 * PROXY header included) on a path that only this process knows; binds of mode tcp are looked up in the kernel's list of listeners, where a
 * queue of connections that nobody accepts shows; every traffic thread has to move; a vital frontend needs a server. Used by process/ when a keepalived.conf makes the
 * virtual address depend on it. Never opens a connection to a server.
 */
import { readKept } from '../base/kept-files.ts';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { G } from '../model/counters.ts';
import { limits } from '../model/limits.ts';
import type { Bind, Model } from '../model/model.ts';
import { P, type Segments } from '../shared/segments.ts';

interface Place { readonly bind: Bind; readonly host: string; readonly port: number; readonly path: string }

export const selfCheckPeriodMs = 1000;
const answerMsMax = 1500;
/** Looks in a row that must fail before a bind is told: a lost look is not an outage. */
const failuresMin = 3;
const threadStillMsMax = 2000;
/** `broken` is asked twice a second: when it was not, this process was stopped, and its threads with it. */
const notAskedMsMax = 1000;
const listenState = '0A';
/** Where the kernel tells how many connections wait. */
export const queueFiles = ['/proc/net/tcp', '/proc/net/tcp6'];

export class SelfCheck {
  readonly #model: Model;
  readonly #segments: Segments;
  readonly #failures = new Map<Bind, number>();
  readonly #asked = new Set<Bind>();
  readonly #reasons = new Map<Bind, string>();
  readonly #usable: (server: number) => boolean;
  readonly #takesUp: () => boolean;
  /** Heartbeat of each thread as last seen, and when it last changed by the clock that cannot jump. */
  readonly #beats: { value: number; changedMs: number }[];
  #askedMs: number | undefined;
  /** Connections that waited to be accepted at the last look. */
  readonly #waited = new Map<Bind, number>();

  /** `usable`: whether a server may take traffic now. `takesUp`: whether another configuration is being taken up, which keeps the threads busy. */
  constructor(model: Model, segments: Segments, usable: (server: number) => boolean, takesUp: () => boolean) {
    this.#model = model;
    this.#segments = segments;
    this.#usable = usable;
    this.#takesUp = takesUp;
    this.#beats = Array.from({ length: segments.threads }, () => ({ value: 0, changedMs: 0 }));
  }

  /** Starts one look at every bind; the results are in `why` from the next call on. */
  look(): void {
    const own = once(ownAddresses);
    const queues = once(acceptQueues);
    for (const bind of this.#model.binds) {
      const proxy = this.#model.proxies[bind.proxy];
      const place = placeOf(bind, own);
      if (proxy === undefined || proxy.disabled || place === undefined) continue;
      // A client certificate is wanted that nobody has here: what the kernel knows of the listener has to do.
      if (proxy.mode === 'http' && bind.tls?.verify !== 'required') this.#ask(place);
      else if (bind.address.kind === 'inet') this.#lookAtQueue(bind, queues()?.get(place.port) ?? 0);
    }
  }

  /** What of this process does not work; empty: all does. `nowMs` is of a clock that cannot jump. Asked once a round. */
  broken(nowMs: number): string {
    const pauseMs = Math.max(0, nowMs - (this.#askedMs ?? nowMs) - notAskedMsMax);
    this.#askedMs = nowMs;
    for (const beat of this.#beats) if (beat.changedMs !== 0) beat.changedMs += pauseMs;
    const stillMsMax = this.#takesUp() ? limits.takeUpMsMax : threadStillMsMax;
    for (const [thread, beat] of this.#beats.entries()) {
      const value = this.#segments.process(thread)[P.heartbeat_ms] ?? 0;
      if (value !== beat.value || beat.changedMs === 0) [beat.value, beat.changedMs] = [value, nowMs];
      else if (nowMs - beat.changedMs > stillMsMax) return `traffic thread ${thread + 1} has not moved for ${Math.round((nowMs - beat.changedMs) / 1000)} s`;
    }
    if (this.#takesUp()) return '';
    for (const [bind, why] of this.#reasons) if (why !== '') return `bind ${bind.text} of ${this.#model.proxies[bind.proxy]?.name ?? ''}: ${why}`;
    return '';
  }

  /** Why there is nowhere to send requests to; empty: there is. */
  unserved(): string {
    for (const index of this.#model.poise.vital) {
      if (!this.#serversBehind(index).some(this.#usable)) return `no server behind the vital frontend ${this.#model.proxies[index]?.name ?? ''} can be used`;
    }
    return '';
  }

  /** Servers that requests of a frontend may go to; those of every backend when a rule computes the name. */
  #serversBehind(index: number): readonly number[] {
    const front = this.#model.proxies[index];
    if (front === undefined) return [];
    const computed = front.useBackend.some((rule) => rule.dynamic !== null);
    const targets = computed ? this.#model.proxies.map((proxy) => proxy.index) : [index, front.defaultBackend, ...front.useBackend.map((rule) => rule.target)];
    return targets.flatMap((target) => this.#model.proxies[target]?.servers ?? []);
  }

  /** A queue that only grows is one that nobody accepts from. */
  #lookAtQueue(bind: Bind, waiting: number): void {
    const grows = waiting > 0 && waiting >= (this.#waited.get(bind) ?? 0);
    this.#waited.set(bind, waiting);
    this.#result(bind, grows && !this.#isFull(bind) ? `${waiting} connections wait to be accepted` : '');
  }

  /** Over a maxconn connections are kept waiting on purpose: a full node is no dead one. */
  #isFull(bind: Bind): boolean {
    const { global, proxies } = this.#model;
    const proxy = proxies[bind.proxy];
    const sessions = (object: number): number => Atomics.load(this.#segments.gauges(object), G.scur);
    let connections = 0;
    for (let thread = 0; thread < this.#segments.threads; thread++) connections += this.#segments.process(thread)[P.current_connections] ?? 0;
    return global.maxconn > 0 && connections >= global.maxconn
      || proxy !== undefined && proxy.maxconn > 0 && sessions(this.#segments.frontendObject(proxy.index)) >= proxy.maxconn
      || bind.maxconn > 0 && sessions(this.#segments.listenerObject(bind.index)) >= bind.maxconn;
  }

  #result(bind: Bind, why: string): void {
    const failures = why === '' ? 0 : (this.#failures.get(bind) ?? 0) + 1;
    this.#failures.set(bind, failures);
    this.#reasons.set(bind, failures >= failuresMin ? why : '');
  }

  /** A name that the bind has a certificate for: with strict-sni nothing else is answered. */
  #serverName(bind: Bind): { servername?: string } {
    const first = this.#model.certificates[bind.tls?.certificates[0]?.certificate ?? -1];
    const name = first?.names.find((one) => isIP(one) === 0)?.replace('*', 'poise');
    return name === undefined ? {} : { servername: name };
  }

  #ask(place: Place): void {
    const { bind } = place;
    if (this.#asked.has(bind)) return;
    this.#asked.add(bind);
    const raw = connectPlain(place.path === '' ? { host: place.host, port: place.port } : { path: place.path });
    let socket: Socket = raw;
    let ended = false;
    const end = (why: string): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      socket.destroy();
      raw.destroy();
      this.#asked.delete(bind);
      this.#result(bind, why);
    };
    const timer = setTimeout(() => { end(this.#isFull(bind) || this.#takesUp() ? '' : `no answer within ${answerMsMax} ms`); }, answerMsMax);
    const request = (): void => { socket.write(`GET ${this.#model.global.selfCheckUri} HTTP/1.1\r\nHost: poise\r\nConnection: close\r\n\r\n`); };
    const watch = (): void => {
      // Any answer shows that somebody is there, a refusal by a rule or an alert of TLS too.
      socket.on('data', () => { end(''); });
      socket.on('end', () => { end(''); });
    };
    raw.on('error', (error: NodeJS.ErrnoException) => { end(error.code === 'ECONNRESET' ? '' : `it cannot be connected to: ${error.code ?? error.message}`); });
    raw.on('connect', () => {
      if (bind.acceptProxy) raw.write('PROXY UNKNOWN\r\n');
      if (bind.tls === null) {
        watch();
        request();
        return;
      }
      socket = connectTls({ socket: raw, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'], ...this.#serverName(bind) });
      socket.on('error', () => { end(''); });
      socket.on('secureConnect', request);
      watch();
    });
  }
}

/** Asks when it is first needed: the kernel may take its time to list what it has, and most binds need neither list. */
function once<T>(ask: () => T): () => T {
  let answer: { readonly value: T } | undefined;
  return () => (answer ??= { value: ask() }).value;
}

function ownAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((list) => list ?? []).map((one) => one.address));
}

/** Where this process can reach the bind; undefined when the address is not on this machine, as the virtual one of a backup node. */
function placeOf(bind: Bind, own: () => ReadonlySet<string>): Place | undefined {
  const { address } = bind;
  if (address.kind === 'unix') return { bind, host: '', port: 0, path: address.abstract ? `\0${address.path}` : address.path };
  if (address.kind !== 'inet' || bind.interface !== '') return undefined;
  const host = address.host === '0.0.0.0' || address.host === '' || address.host === '*' ? '127.0.0.1' : address.host === '::' ? '::1' : address.host;
  if (!host.startsWith('127.') && host !== '::1' && !own().has(host)) return undefined;
  return { bind, host, port: address.port, path: '' };
}

/** Connections that wait in the accept queue of each listening port; undefined when the kernel does not tell. */
function acceptQueues(): Map<number, number> | undefined {
  const found = new Map<number, number>();
  for (const file of queueFiles) {
    let text: string;
    try {
      text = readKept(file);
    } catch {
      continue;
    }
    for (const line of text.split('\n')) {
      const [, local = '', , state, queues = ''] = line.trim().split(/\s+/);
      if (state !== listenState) continue;
      const port = Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16);
      found.set(port, (found.get(port) ?? 0) + Number.parseInt(queues.slice(queues.indexOf(':') + 1), 16));
    }
  }
  return found.size > 0 ? found : undefined;
}
