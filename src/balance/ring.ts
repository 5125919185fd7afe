/**
 * The circle of a consistent hash: every server stands on it as often as its weight × 16 says, at places that depend only on its
 * id, so that other servers' coming and going moves few keys. Built by balancer.ts at a rebuild; places are HAProxy's.
 */
import { avalanche } from '../base/hash.ts';

/** Places reserved per server: weight 256 × 16. */
const placesPerServer = 4096;
/** Factor that packs a key and a server index into one exact double for sorting. */
const packFactor = 2 ** 20;

export class HashRing {
  readonly keys: Uint32Array;
  /** Index in Model.servers for each key. */
  readonly servers: Int32Array;

  /** `sids` are HAProxy's server ids, `weights` the weights in force × 16. */
  constructor(servers: readonly number[], sids: readonly number[], weights: readonly number[]) {
    let total = 0;
    for (const weight of weights) total += Math.min(weight, placesPerServer);
    const packed = new Float64Array(total);
    let at = 0;
    for (let position = 0; position < servers.length; position += 1) {
      const count = Math.min(weights[position] as number, placesPerServer);
      const base = (sids[position] as number) * placesPerServer;
      for (let place = 0; place < count; place += 1) {
        packed[at] = avalanche((base + place) >>> 0) * packFactor + position;
        at += 1;
      }
    }
    packed.sort();
    this.keys = new Uint32Array(total);
    this.servers = new Int32Array(total);
    for (let index = 0; index < total; index += 1) {
      const value = packed[index] as number;
      const key = Math.floor(value / packFactor);
      this.keys[index] = key;
      this.servers[index] = servers[value - key * packFactor] as number;
    }
  }

  get size(): number {
    return this.keys.length;
  }

  /** Index of the place nearest to the hash; the one before wins a tie. The ring must not be empty. */
  nearest(hash: number): number {
    const keys = this.keys;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] as number) < hash) low = middle + 1;
      else high = middle;
    }
    const next = low === keys.length ? 0 : low;
    const previous = next === 0 ? keys.length - 1 : next - 1;
    const before = (hash - (keys[previous] as number)) >>> 0;
    const after = ((keys[next] as number) - hash) >>> 0;
    return before <= after ? previous : next;
  }
}
