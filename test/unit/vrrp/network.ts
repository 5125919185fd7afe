/** A simulated network of VRRP nodes: seeded, event by event, in its own time. Loss, delay, duplication, partitions, pauses, restarts. */
import { parseIp } from '../../../src/base/ip.ts';
import type { VrrpState } from '../../../src/model/vrrp-messages.ts';
import type { VrrpInstance } from '../../../src/model/keepalived.ts';
import { VrrpMachine, type Advert, type TwoMasters, type VrrpEvent, } from '../../../src/vrrp/machine.ts';

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

export class SimulatedNode {
  readonly index: number;
  readonly network: SimulatedNetwork;
  readonly instance: VrrpInstance;
  machine: VrrpMachine;
  up = true;
  paused = false;
  /** What came while it was paused: read before its timers when it goes on, as a socket's buffer is. */
  held: VrrpEvent[] = [];
  partition = 0;
  found: TwoMasters[] = [];
  announcedAtMs = -1;
  wakeAtMs = Number.POSITIVE_INFINITY;
  ready: boolean;

  constructor(network: SimulatedNetwork, index: number, instance: VrrpInstance, ready: boolean) {
    this.network = network;
    this.index = index;
    this.instance = instance;
    this.ready = ready;
    this.machine = this.fresh();
  }

  fresh(): VrrpMachine {
    return new VrrpMachine(this.instance, {
      sendAdvert: (priority) => { this.network.send(this, priority); },
      takeAddresses: () => { /* seen in the state */ },
      releaseAddresses: () => { /* seen in the state */ },
      announce: () => { this.announcedAtMs = this.network.nowMs; },
      changed: () => { this.network.changed(); },
      twoMasters: (found) => { this.found.push(found); },
      heardLowerPriority: () => { /* not of interest here */ },
    }, this.ready);
  }

  get state(): VrrpState { return this.machine.state; }
  /** Alive and able to send. */
  get isMaster(): boolean { return this.up && !this.paused && this.machine.state === 'MASTER'; }

  give(event: VrrpEvent): void {
    if (!this.up) return;
    if (this.paused) { if (this.held.length < 64) this.held.push(event); return; }
    this.machine.handle(event, this.network.nowMs);
    this.plan();
  }

  plan(): void {
    const next = this.machine.nextMs();
    if (!this.up || this.paused || next === Number.POSITIVE_INFINITY || next === this.wakeAtMs) return;
    this.wakeAtMs = next;
    this.network.at(Math.max(next, this.network.nowMs), () => {
      if (this.wakeAtMs === next) this.wakeAtMs = Number.POSITIVE_INFINITY;
      if (this.up && !this.paused && this.machine.nextMs() <= this.network.nowMs) this.machine.handle({ kind: 'timer' }, this.network.nowMs);
      this.plan();
    });
  }

  /** Power-off: nothing is sent. */
  crash(): void { this.up = false; this.held = []; this.network.changed(); }
  restart(): void {
    this.machine = this.fresh();
    this.up = true;
    this.paused = false;
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    this.give({ kind: 'start' });
  }

  resume(): void {
    this.paused = false;
    this.network.changed();
    for (const event of this.held.splice(0)) this.give(event);
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    this.plan();
  }
}

export class SimulatedNetwork {
  nowMs = 0;
  readonly nodes: SimulatedNode[] = [];
  readonly random: () => number;
  loss = 0;
  duplication = 0;
  delayMs = 1;
  /** Spans with another number of masters than one, since `watchFromMs`. */
  longestTwoMs = 0;
  longestNoneMs = 0;
  #queue: Waiting[] = [];
  #order = 0;
  #watching = false;
  #masters = 0;
  #sinceMs = 0;

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
    this.longestTwoMs = this.longestNoneMs = 0;
    this.#masters = this.nodes.filter((node) => node.isMaster).length;
    this.#sinceMs = this.nowMs;
  }

  stopWatching(): void { this.changed(); this.#watching = false; }

  /** Somebody's state may have changed. */
  changed(): void {
    if (!this.#watching) return;
    const lasted = this.nowMs - this.#sinceMs;
    if (this.#masters > 1) this.longestTwoMs = Math.max(this.longestTwoMs, lasted);
    if (this.#masters === 0) this.longestNoneMs = Math.max(this.longestNoneMs, lasted);
    const masters = this.nodes.filter((node) => node.isMaster).length;
    // Two and three masters are one span; so are one master and another single master.
    if (Math.min(masters, 2) !== Math.min(this.#masters, 2)) this.#sinceMs = this.nowMs;
    this.#masters = masters;
  }
}

function before(a: Waiting, b: Waiting): boolean {
  return a.atMs < b.atMs || a.atMs === b.atMs && a.order < b.order;
}
