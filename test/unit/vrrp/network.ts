/**
 * A simulated network of VRRP nodes: seeded, event by event, in its own time. Loss, delay, duplication, partitions, pauses, restarts, and a clock in
 * every node that may jump. While it is watched it measures what the two promises of a pair are about: how long two nodes that hear each
 * other were both MASTER, and for how much longer than it may a healthy node had no MASTER on its side of the network.
 */
import { parseIp } from '../../../src/base/ip.ts';
import type { VrrpState } from '../../../src/model/vrrp-messages.ts';
import type { VrrpInstance } from '../../../src/model/keepalived.ts';
import { VrrpMachine, type Advert, type TwoMasters, type VrrpEvent } from '../../../src/vrrp/machine.ts';

/** mulberry32: small, seeded, the same on every runtime. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    let value = Math.imul(state ^ state >>> 15, state | 1);
    value = value + Math.imul(value ^ value >>> 7, value | 61) ^ value;
    return ((value ^ value >>> 14) >>> 0) / 4294967296;
  };
}

export function instanceWith(options: Partial<VrrpInstance>): VrrpInstance {
  const place = { file: 'keepalived.conf', line: 1 };
  const none = { master: undefined, backup: undefined, fault: undefined, stop: undefined, any: undefined, masterHeardLower: undefined, priorityChanges: false, smtpAlert: false };
  return {
    name: 'VI_1', place, version: 2, family: 4, initialState: 'BACKUP', interface: 'eth0', virtualRouterId: 51, priority: 100, advertMs: 1000, downTimerAdverts: 3,
    preempt: true, preemptDelayMs: 0, sourceAddress: undefined, unicastPeers: [], unicastTtl: 255, checkUnicastSource: false, trackSourceAddress: false, multicastGroup: parseIp('224.0.0.18') as never, password: '',
    addresses: [], routes: [], trackScripts: [], trackInterfaces: [], trackProcesses: [], trackFiles: [], trackPrimary: true, notify: none,
    garp: { delayMs: 5000, repeat: 5, refreshMs: 0, refreshRepeat: 1, lowerPriorityDelayMs: 5000, lowerPriorityRepeat: 5 },
    lowerPriorityNoAdvert: false, higherPrioritySendAdvert: false, ...options,
  };
}

interface Waiting { readonly atMs: number; readonly order: number; readonly run: () => void }

const heldMax = 64;

export class SimulatedNode {
  readonly index: number;
  readonly network: SimulatedNetwork;
  readonly instance: VrrpInstance;
  machine: VrrpMachine;
  up = true;
  /** Since when it is stopped, by the network's time; undefined: it runs. */
  pausedAtMs: number | undefined;
  /** What came while it was paused: read before its timers when it goes on, as a socket's buffer is. */
  held: VrrpEvent[] = [];
  partition = 0;
  found: TwoMasters[] = [];
  announcedAtMs = -1;
  wakeAtMs = Number.POSITIVE_INFINITY;
  ready: boolean;
  /** Its own clock less the network's time. */
  clockMs = 0;
  /** Lowest priority that it has had: what its longest skew follows from. */
  lowestPriority: number;
  /** Since when it is healthy and nobody on its side is MASTER; undefined: somebody is. */
  bereftSinceMs: number | undefined;

  constructor(network: SimulatedNetwork, index: number, instance: VrrpInstance, ready: boolean) {
    this.network = network;
    this.index = index;
    this.instance = instance;
    this.ready = ready;
    this.lowestPriority = instance.priority;
    this.machine = this.fresh();
  }

  fresh(): VrrpMachine {
    return new VrrpMachine(this.instance, {
      sendAdvert: (priority) => { this.network.send(this, priority); },
      takeAddresses: () => { /* seen in the state */ },
      releaseAddresses: () => { /* seen in the state */ },
      announce: () => { this.announcedAtMs = this.network.nowMs; },
      changed: (change) => { this.network.moves.push(`${this.network.nowMs} node${this.index} ${change.from} → ${change.to}`); },
      twoMasters: (found) => { this.found.push(found); },
      heardLowerPriority: () => { /* not of interest here */ },
    }, this.ready);
  }

  get state(): VrrpState { return this.machine.state; }
  get paused(): boolean { return this.pausedAtMs !== undefined; }
  /** Alive and able to send. */
  get isMaster(): boolean { return this.up && !this.paused && this.machine.state === 'MASTER'; }
  get isHealthy(): boolean { return this.up && !this.paused && (this.machine.state === 'MASTER' || this.machine.state === 'BACKUP'); }
  get localMs(): number { return this.network.nowMs + this.clockMs; }

  /** Three adverts and the skew (of its lowest priority), in the worst case of the network's delay. */
  bereftMsMax(): number {
    const { version, advertMs, downTimerAdverts } = this.instance;
    return downTimerAdverts * advertMs + (256 - this.lowestPriority) / 256 * (version === 2 ? 1000 : advertMs) + this.network.delayMs;
  }

  give(event: VrrpEvent): void {
    if (!this.up) return;
    if (this.paused) { if (this.held.length < heldMax) this.held.push(event); return; }
    if (event.kind === 'priority') this.lowestPriority = Math.min(this.lowestPriority, event.priority);
    this.machine.handle(event, this.localMs);
    this.network.changed();
    this.plan();
  }

  plan(): void {
    const next = this.machine.nextMs();
    if (!this.up || this.paused || next === Number.POSITIVE_INFINITY || next === this.wakeAtMs) return;
    this.wakeAtMs = next;
    const planned = this.clockMs;
    this.network.at(Math.max(next - this.clockMs, this.network.nowMs), () => {
      // One that was planned by the clock before it jumped, or for another deadline.
      if (this.wakeAtMs !== next || this.clockMs !== planned) return;
      this.wakeAtMs = Number.POSITIVE_INFINITY;
      // `next` has come, whatever the sum of two fractions of a millisecond gives.
      if (this.up && !this.paused && this.machine.nextMs() <= next) this.machine.handle({ kind: 'timer' }, Math.max(this.localMs, next));
      this.network.changed();
      this.plan();
    });
  }

  planAgain(): void {
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    this.plan();
  }

  /** Power-off: nothing is sent. */
  crash(): void { this.up = false; this.held = []; this.network.changed(); }
  restart(): void {
    this.machine = this.fresh();
    this.up = true;
    this.pausedAtMs = undefined;
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    this.give({ kind: 'start' });
  }

  /** VM stun. */
  pause(): void { this.pausedAtMs ??= this.network.nowMs; this.network.changed(); }

  /** `clockStood`: a suspended machine's clock may go on where it was. `lost`: what came meanwhile was dropped, as when it is moved to another host. */
  resume(clockStood = false, lost = false): void {
    if (clockStood) this.clockMs -= this.network.nowMs - (this.pausedAtMs ?? this.network.nowMs);
    this.pausedAtMs = undefined;
    const held = this.held.splice(0);
    // One that was MASTER is it again, until it has read what came meanwhile.
    this.network.changed();
    if (!lost) for (const event of held) this.give(event);
    this.network.changed();
    this.planAgain();
  }

  /** Its clock goes on from a later time, as that of a machine that was suspended for that long. */
  jump(ms: number): void {
    this.clockMs += ms;
    this.planAgain();
  }

  /** A node joins another part of the network. */
  move(partition: number): void {
    this.partition = partition;
    this.network.changed();
  }
}

export class SimulatedNetwork {
  nowMs = 0;
  readonly nodes: SimulatedNode[] = [];
  readonly random: () => number;
  loss = 0;
  duplication = 0;
  delayMs = 1;
  /** Longest time in which two nodes that can hear each other were both MASTER, since `watch`. */
  longestTwoMs = 0;
  /** By how much a healthy node has waited too long for a MASTER, at most; not above 0 when none has. */
  bereftOverMs = Number.NEGATIVE_INFINITY;
  /** Every change of a state, with its time. */
  readonly moves: string[] = [];
  /** Since when two nodes (`low * nodes + high`) are both MASTER and can hear each other. */
  readonly #pairs = new Map<number, number>();
  #queue: Waiting[] = [];
  #order = 0;
  #watching = false;

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  add(options: Partial<VrrpInstance>, ready = true): SimulatedNode {
    const node = new SimulatedNode(this, this.nodes.length, instanceWith(options), ready);
    this.nodes.push(node);
    return node;
  }

  at(atMs: number, run: () => void): void {
    // Binary heap by time, then by order of arrival.
    const entry = { atMs, order: this.#order++, run };
    const queue = this.#queue;
    let index = queue.push(entry) - 1;
    while (index > 0) {
      const parent = index - 1 >> 1;
      if (before(queue[parent] as Waiting, entry)) break;
      queue[index] = queue[parent] as Waiting;
      index = parent;
    }
    queue[index] = entry;
  }

  runUntil(untilMs: number): void {
    for (let next = this.#queue[0]; next !== undefined && next.atMs <= untilMs; next = this.#queue[0]) {
      this.#takeFirst();
      this.nowMs = next.atMs;
      next.run();
    }
    this.nowMs = untilMs;
    this.changed();
  }

  #takeFirst(): void {
    const queue = this.#queue;
    const last = queue.pop() as Waiting;
    if (queue.length === 0) return;
    let index = 0;
    for (let child = 1; child < queue.length; child = 2 * index + 1) {
      if (child + 1 < queue.length && before(queue[child + 1] as Waiting, queue[child] as Waiting)) child += 1;
      if (before(last, queue[child] as Waiting)) break;
      queue[index] = queue[child] as Waiting;
      index = child;
    }
    queue[index] = last;
  }

  send(from: SimulatedNode, priority: number): void {
    const sentAsMaster = from.machine.sentAsMaster;
    for (const to of this.nodes) {
      if (to === from || to.partition !== from.partition) continue;
      const copies = this.random() < this.duplication ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        if (this.random() < this.loss) continue;
        const advert: Advert = { priority, advertMs: from.instance.advertMs, from: `node${from.index}`, senderIsHigher: from.index > to.index, sentAsMaster };
        this.at(this.nowMs + this.random() * this.delayMs, () => { if (to.partition === from.partition) to.give({ kind: 'advert', advert }); });
      }
    }
  }

  /** From now on the longest spans are measured. */
  watch(): void {
    this.#watching = true;
    this.longestTwoMs = 0;
    this.bereftOverMs = Number.NEGATIVE_INFINITY;
    this.#pairs.clear();
    for (const node of this.nodes) node.bereftSinceMs = undefined;
    this.changed();
  }

  /** Somebody's state or place may have changed. */
  changed(): void {
    if (!this.#watching) return;
    const { nodes, nowMs } = this;
    for (const node of nodes) {
      // A span is judged while it lasts, with its end.
      if (node.bereftSinceMs !== undefined) this.bereftOverMs = Math.max(this.bereftOverMs, nowMs - node.bereftSinceMs - node.bereftMsMax());
      if (!node.isHealthy || nodes.some((other) => other.isMaster && other.partition === node.partition)) node.bereftSinceMs = undefined;
      else node.bereftSinceMs ??= nowMs;
      for (let index = node.index + 1; index < nodes.length; index++) this.#comparePair(node, nodes[index] as SimulatedNode);
    }
  }

  #comparePair(one: SimulatedNode, other: SimulatedNode): void {
    const key = one.index * this.nodes.length + other.index;
    const since = this.#pairs.get(key);
    if (since !== undefined) this.longestTwoMs = Math.max(this.longestTwoMs, this.nowMs - since);
    if (!one.isMaster || !other.isMaster || one.partition !== other.partition) this.#pairs.delete(key);
    else if (since === undefined) this.#pairs.set(key, this.nowMs);
  }
}

function before(a: Waiting, b: Waiting): boolean {
  return a.atMs < b.atMs || a.atMs === b.atMs && a.order < b.order;
}
