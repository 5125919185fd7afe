/**
 * Orders of turns, made when a balancer rebuilds: the spread-out order of `roundrobin` and the table of the static algorithms
 * and map-based hashes. Pure functions over weights; used by balancer.ts.
 */
import { limits } from '../model/limits.ts';

/** Greatest common divisor of the weights above 0; 1 when there is none. */
export function commonDivisor(weights: readonly number[]): number {
  let divisor = 0;
  for (const weight of weights) {
    let rest = weight;
    while (rest > 0) [divisor, rest] = [rest, divisor % rest];
  }
  return Math.max(divisor, 1);
}

/**
 * Positions (0..weights.length-1) in the order they take turns; each as often as its weight (all above 0) over their divisor.
 * A position's next turn is due total/weight slots after its last one. Whoever is due goes first; when nobody is due, the heaviest
 * that never had a turn starts. The same order as HAProxy's: whole slots count, then the weight less what the last division left.
 */
export function spreadTurns(weights: readonly number[]): Int32Array {
  const shares = scaledDown(weights);
  let turnCount = 0;
  for (const one of shares) turnCount += one;
  const divisor = commonDivisor(weights);
  // When the order was shortened the shares stand for the weights, otherwise the weights themselves decide over ties.
  const exact = share(weights, 0) === share(shares, 0) * divisor;
  const started = new DueHeap(exact ? weights : shares);
  const turns = new Int32Array(turnCount);
  const waiting = shares.map((_, position) => position).sort((one, other) => share(weights, other) - share(weights, one) || one - other);
  // Rounding could give one position a turn too many in one round; who has had all its turns drops out.
  const left = Int32Array.from(shares);
  let next = 0;
  for (let slot = 0; slot < turnCount; slot += 1) {
    const starts = next < waiting.length && !started.dueBy(slot);
    const position = starts ? (waiting[next] as number) : started.pop();
    if (starts) {
      next += 1;
      started.begin(position, slot);
    }
    turns[slot] = position;
    left[position] = (left[position] as number) - 1;
    if ((left[position] as number) > 0) started.push(position);
  }
  return turns;
}

/**
 * The table that map-based hashes index and static-rr walks: one entry per unit of weight. Every unit each position gains its
 * weight; the first with the most (in whole totals) takes it. Order and ties decide where hashes land, so they are HAProxy's.
 */
export function weightMap(weights: readonly number[]): Int32Array {
  let total = 0;
  for (const weight of weights) total += weight;
  const map = new Int32Array(total);
  const scores = new Float64Array(weights.length);
  for (let unit = 0; unit < total; unit += 1) {
    let best = -1;
    let most = -1;
    for (let position = 0; position < weights.length; position += 1) {
      scores[position] = (scores[position] as number) + share(weights, position);
      const whole = Math.floor(((scores[position] as number) + total) / total);
      if (whole > most) {
        most = whole;
        best = position;
      }
    }
    map[unit] = best;
    scores[best] = (scores[best] as number) - total;
  }
  return map;
}

function share(shares: readonly number[], position: number): number {
  return shares[position] as number;
}

/** Weights over their divisor, and smaller yet (never 0) when the order would get too long. */
function scaledDown(weights: readonly number[]): number[] {
  const divisor = commonDivisor(weights);
  const shares = weights.map((weight) => weight / divisor);
  let total = 0;
  for (const one of shares) total += one;
  if (total <= limits.balanceTurnsMax) return shares;
  return shares.map((one) => Math.max(1, Math.round((one * limits.balanceTurnsMax) / total)));
}

/** Granularity of the second part of a due key. */
const keyScale = 16;

/** Positions by the slot in which they are due, then by weight less remainder, then by the time they were put in. */
class DueHeap {
  private readonly weights: readonly number[];
  private readonly total: number;
  private readonly heap: number[] = [];
  /** Per position: slot of the last turn and from push() on of the next, remainder of the divisions so far, keys for ties. */
  private readonly slots: Float64Array;
  private readonly remainders: Float64Array;
  private readonly keys: Float64Array;
  private readonly orders: Float64Array;
  private pushes = 0;

  constructor(weights: readonly number[]) {
    this.weights = weights;
    let total = 0;
    for (const weight of weights) total += weight;
    this.total = total;
    this.slots = new Float64Array(weights.length);
    this.remainders = new Float64Array(weights.length);
    this.keys = new Float64Array(weights.length);
    this.orders = new Float64Array(weights.length);
  }

  dueBy(slot: number): boolean {
    const first = this.heap[0];
    return first !== undefined && (this.slots[first] as number) <= slot;
  }

  /** The position has its first turn in this slot. */
  begin(position: number, slot: number): void {
    this.slots[position] = slot;
  }

  /** Puts the position in for its next turn. */
  push(position: number): void {
    const weight = share(this.weights, position);
    let remainder = (this.remainders[position] as number) + (this.total % weight);
    let slot = (this.slots[position] as number) + Math.floor(this.total / weight);
    if (remainder >= weight) {
      remainder -= weight;
      slot += 1;
    }
    this.remainders[position] = remainder;
    this.slots[position] = slot;
    this.keys[position] = Math.floor((remainder - weight) / keyScale);
    this.orders[position] = this.pushes;
    this.pushes += 1;
    this.rise(position);
  }

  private rise(position: number): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(position);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.before(position, heap[parent] as number)) break;
      heap[at] = heap[parent] as number;
      at = parent;
    }
    heap[at] = position;
  }

  pop(): number {
    const { heap } = this;
    const first = heap[0] as number;
    const last = heap.pop() as number;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.before(heap[child + 1] as number, heap[child] as number)) child += 1;
      if (!this.before(heap[child] as number, last)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = last;
    return first;
  }

  private before(one: number, other: number): boolean {
    return ((this.slots[one] as number) - (this.slots[other] as number)
      || (this.keys[one] as number) - (this.keys[other] as number)
      || (this.orders[one] as number) - (this.orders[other] as number)) < 0;
  }
}
