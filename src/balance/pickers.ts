/**
 * The fast pickers, one class per way to choose. Made by balancer.ts for the servers usable at one epoch and thrown away at the
 * next; pick() allocates nothing. `avoid` is skipped while another server can take the request.
 */
import { G } from '../model/counters.ts';
import type { Subject } from '../rules/subject.ts';
import type { HashKey } from './hash-key.ts';
import { PerServer } from './per-server.ts';
import type { HashRing } from './ring.ts';
import type { ServerLoad } from './server-load.ts';

export interface Picker {
  /** Index in Model.servers; -1 = none is usable, or all that could take it are full. */
  pick(subject: Subject, avoid: number): number;
}

export const nonePicker: Picker = { pick: () => -1 };

/** The only backup server in use: it takes everything, even when full (requests then wait for it). */
export class SinglePicker implements Picker {
  private readonly server: number;

  constructor(server: number) {
    this.server = server;
  }

  pick(): number {
    return this.server;
  }
}

/** Takes turns through an order that all threads share. */
export class TurnPicker implements Picker {
  private readonly turns: Int32Array;
  private readonly gauges: Int32Array;
  private readonly load: ServerLoad;

  constructor(turns: Int32Array, backendGauges: Int32Array, load: ServerLoad) {
    this.turns = turns;
    this.gauges = backendGauges;
    this.load = load;
  }

  pick(_subject: Subject, avoid: number): number {
    const turns = this.turns;
    const length = turns.length;
    let at = (Atomics.add(this.gauges, G.rr_next, 1) >>> 0) % length;
    let avoided = -1;
    for (let seen = 0; seen < length; seen += 1) {
      const server = turns[at] as number;
      if (!this.load.isFull(server)) {
        if (server !== avoid) return server;
        avoided = server;
      }
      at = at + 1 === length ? 0 : at + 1;
    }
    return avoided;
  }
}

/** Fewest requests for its weight; equal ones take turns. */
export class LeastConnPicker implements Picker {
  private readonly servers: Int32Array;
  private readonly weights: Float64Array;
  /** Requests that may wait for each server beyond its maxconn. */
  private readonly maxqueues: Int32Array;
  private readonly gauges: Int32Array;
  private readonly load: ServerLoad;

  constructor(servers: readonly number[], weights: readonly number[], maxqueues: readonly number[], backendGauges: Int32Array, load: ServerLoad) {
    this.servers = Int32Array.from(servers);
    this.weights = Float64Array.from(weights);
    this.maxqueues = Int32Array.from(maxqueues);
    this.gauges = backendGauges;
    this.load = load;
  }

  pick(_subject: Subject, avoid: number): number {
    const count = this.servers.length;
    let at = (Atomics.add(this.gauges, G.rr_next, 1) >>> 0) % count;
    let best = -1;
    let least = Infinity;
    let avoided = -1;
    for (let seen = 0; seen < count; seen += 1) {
      const server = this.servers[at] as number;
      const requests = this.load.served(server) + this.load.queued(server);
      const maxconn = this.load.maxconn(server);
      if (maxconn === 0 || requests < maxconn + (this.maxqueues[at] as number)) {
        // An idle server is better than any weight can make a busy one.
        const cost = requests === 0 ? 0 : (requests + 1) / (this.weights[at] as number);
        if (server === avoid) {
          avoided = server;
        } else if (cost === 0) {
          // Nothing is less: with idle servers left the cost of a pick does not depend on their number.
          return server;
        } else if (cost < least) {
          least = cost;
          best = server;
        }
      }
      at = at + 1 === count ? 0 : at + 1;
    }
    return best >= 0 ? best : avoided;
  }
}

/** The first server by id with a free slot. */
export class FirstPicker implements Picker {
  private readonly servers: readonly number[];
  private readonly load: ServerLoad;

  constructor(serversById: readonly number[], load: ServerLoad) {
    this.servers = serversById;
    this.load = load;
  }

  pick(_subject: Subject, avoid: number): number {
    let avoided = -1;
    for (let at = 0; at < this.servers.length; at += 1) {
      const server = this.servers[at] as number;
      if (this.load.isFull(server)) continue;
      if (server !== avoid) return server;
      avoided = server;
    }
    return avoided;
  }
}

/** hash-type map-based: the hash indexes a table of weight units. Full servers are chosen too: the request waits for them. */
export class MapPicker implements Picker {
  private readonly key: HashKey;
  private readonly map: Int32Array;
  private readonly fallback: Picker;

  constructor(key: HashKey, map: Int32Array, fallback: Picker) {
    this.key = key;
    this.map = map;
    this.fallback = fallback;
  }

  pick(subject: Subject, avoid: number): number {
    const hash = this.key(subject);
    if (hash < 0) return this.fallback.pick(subject, avoid);
    const length = this.map.length;
    let at = hash % length;
    for (let seen = 0; seen < length; seen += 1) {
      const server = this.map[at] as number;
      if (server !== avoid) return server;
      at = at + 1 === length ? 0 : at + 1;
    }
    return avoid;
  }
}

/** hash-type consistent, optionally bounded by hash-balance-factor. */
export class RingPicker implements Picker {
  private readonly key: HashKey;
  private readonly ring: HashRing;
  private readonly bound: LoadBound | null;
  private readonly fallback: Picker;

  constructor(key: HashKey, ring: HashRing, bound: LoadBound | null, fallback: Picker) {
    this.key = key;
    this.ring = ring;
    this.bound = bound;
    this.fallback = fallback;
  }

  pick(subject: Subject, avoid: number): number {
    const hash = this.key(subject);
    return hash < 0 ? this.fallback.pick(subject, avoid) : walkRing(this.ring, hash, avoid, this.bound);
  }
}

/** Draws random places of the ring and takes the least loaded server of them. */
export class RandomPicker implements Picker {
  private readonly ring: HashRing;
  private readonly draws: number;
  private readonly weights: PerServer<number>;
  private readonly bound: LoadBound | null;
  private readonly load: ServerLoad;

  constructor(ring: HashRing, draws: number, weights: PerServer<number>, bound: LoadBound | null, load: ServerLoad) {
    this.ring = ring;
    this.draws = Math.max(1, draws);
    this.weights = weights;
    this.bound = bound;
    this.load = load;
  }

  pick(subject: Subject, avoid: number): number {
    let best = -1;
    for (let draw = 0; draw < this.draws; draw += 1) {
      const server = walkRing(this.ring, Math.floor(subject.world.random() * 2 ** 32), best < 0 ? avoid : best, this.bound);
      if (best < 0 || this.cost(server) < this.cost(best)) best = server;
    }
    return best >= 0 && this.load.isFull(best) ? -1 : best;
  }

  private cost(server: number): number {
    return this.load.served(server) / (this.weights.get(server) ?? 1);
  }
}

/** From the place nearest to the hash onwards: the first server that is not `avoid` and within its bound. */
function walkRing(ring: HashRing, hash: number, avoid: number, bound: LoadBound | null): number {
  const length = ring.size;
  let at = ring.nearest(hash);
  const first = ring.servers[at] as number;
  for (let seen = 0; seen < length; seen += 1) {
    const server = ring.servers[at] as number;
    if (server !== avoid && (bound === null || bound.allows(server))) return server;
    at = at + 1 === length ? 0 : at + 1;
  }
  return first;
}

/**
 * hash-balance-factor: no server works on more than factor % of its weighted share of all requests, the new one included.
 * Whole slots per unit of weight first; what is left is spread by cumulative weight, and nobody has less than one.
 */
export class LoadBound {
  private readonly factorPercent: number;
  private readonly load: ServerLoad;
  private readonly servers: readonly number[];
  private readonly totalWeight: number;
  private readonly weights: PerServer<number>;
  private readonly weightsBefore: PerServer<number>;

  constructor(factorPercent: number, servers: readonly number[], weights: readonly number[], load: ServerLoad) {
    this.factorPercent = factorPercent;
    this.load = load;
    this.servers = servers;
    this.weights = new PerServer(servers);
    this.weightsBefore = new PerServer(servers);
    let before = 0;
    for (let position = 0; position < servers.length; position += 1) {
      const server = servers[position] as number;
      this.weightsBefore.set(server, before);
      this.weights.set(server, weights[position] as number);
      before += weights[position] as number;
    }
    this.totalWeight = before;
  }

  allows(server: number): boolean {
    const weight = this.weights.get(server) ?? 0;
    const before = this.weightsBefore.get(server) ?? 0;
    let served = 1;
    for (let at = 0; at < this.servers.length; at += 1) served += this.load.served(this.servers[at] as number);
    const slots = Math.floor((served * this.factorPercent + 99) / 100);
    const rest = slots % this.totalWeight;
    const own = weight * Math.floor(slots / this.totalWeight)
      + Math.floor(((before + weight) * rest) / this.totalWeight) - Math.floor((before * rest) / this.totalWeight);
    return this.load.served(server) < Math.max(own, 1);
  }
}
