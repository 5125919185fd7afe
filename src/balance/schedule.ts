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
 * A position's next turn is due total/weight slots after its last one. Whoever is due goes first, the most overdue and then the
 * heaviest; when nobody is due, the heaviest that never had a turn starts. The same order as HAProxy's.
 */
export function spreadTurns(weights: readonly number[]): Int32Array {
  const shares = scaledDown(weights);
  let total = 0;
  for (const share of shares) total += share;
  const turns = new Int32Array(total);
  const waiting = shares.map((_, position) => position).sort((a, b) => share(shares, b) - share(shares, a) || a - b);
  const started = new DueHeap(shares);
  // Rounding could give one position a turn too many in one round; who has had all its turns drops out.
  const left = Int32Array.from(shares);
  let next = 0;
  for (let slot = 0; slot < total; slot += 1) {
    let position: number;
    let due: number;
    if (next < waiting.length && !started.dueBy(slot)) {
      position = waiting[next] as number;
      next += 1;
      due = slot;
    } else {
      due = started.firstDue();
      position = started.pop();
    }
    turns[slot] = position;
    left[position] = (left[position] as number) - 1;
    if ((left[position] as number) > 0) started.push(position, due + total / share(shares, position));
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

/** Positions by due slot, then weight, then place. */
class DueHeap {
  private readonly shares: readonly number[];
  private readonly positions: number[] = [];
  private readonly dues: Float64Array;

  constructor(shares: readonly number[]) {
    this.shares = shares;
    this.dues = new Float64Array(shares.length);
  }

  firstDue(): number {
    return this.dues[this.positions[0] as number] as number;
  }

  dueBy(slot: number): boolean {
    return this.positions.length > 0 && Math.floor(this.firstDue() + 1e-9) <= slot;
  }

  push(position: number, due: number): void {
    this.dues[position] = due;
    const heap = this.positions;
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
    const heap = this.positions;
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

  private before(a: number, b: number): boolean {
    const difference = (this.dues[a] as number) - (this.dues[b] as number);
    if (Math.abs(difference) > 1e-9) return difference < 0;
    return (this.shares[b] as number) - (this.shares[a] as number) < 0 || (share(this.shares, a) === share(this.shares, b) && a < b);
  }
}
