/**
 * Deadlines of a thread's connections: arm and disarm in constant time, without memory. The traffic thread owns one wheel and
 * embeds `TimerNode`s in its connection objects. A deadline is met late by at most one tick and never early. One interval
 * drives the wheel and stops when nothing is armed. Never calls an owner from inside arm() or disarm().
 */
import type { Clock } from './clock.ts';

export interface TimerOwner {
  /** The node is disarmed before the call and may be armed again inside it. */
  onTimer(node: TimerNode): void;
}

/** One deadline of one owner, made once with it. `kind` tells an owner's nodes apart. */
export class TimerNode {
  readonly owner: TimerOwner;
  readonly kind: number;
  /** monoMs of the deadline; 0 = not armed. */
  deadlineMs = 0;
  /** Tick at which the wheel looks at this node next; at or before the deadline's tick. Wheel's own, as are the links. */
  visitTick = 0;
  previous: TimerNode | null = null;
  next: TimerNode | null = null;

  constructor(owner: TimerOwner, kind: number) {
    this.owner = owner;
    this.kind = kind;
  }

  get armed(): boolean {
    return this.deadlineMs !== 0;
  }
}

/** What drives a wheel: setInterval of the runtime, or a test's own. */
export interface TickSource {
  start(everyMs: number, tick: () => void): void;
  stop(): void;
}

class IntervalSource implements TickSource {
  private handle: ReturnType<typeof setInterval> | null = null;

  start(everyMs: number, tick: () => void): void {
    this.handle = setInterval(tick, everyMs);
  }

  stop(): void {
    if (this.handle !== null) clearInterval(this.handle);
    this.handle = null;
  }
}

const neverOwner: TimerOwner = { onTimer: () => undefined };

export class TimerWheel {
  private readonly clock: Clock;
  private readonly source: TickSource;
  private readonly tickMs: number;
  private readonly slotCount: number;
  /** Heads of circular lists. */
  private readonly slots: TimerNode[] = [];
  private armedCount = 0;
  private running = false;
  /** Last tick that was looked at. */
  private currentTick = 0;
  private readonly onTick = (): void => this.advance();

  constructor(clock: Clock, tickMs = 16, slotCount = 1024, source: TickSource = new IntervalSource()) {
    this.clock = clock;
    this.source = source;
    this.tickMs = tickMs;
    this.slotCount = slotCount;
    for (let index = 0; index < slotCount; index += 1) this.slots.push(loop(new TimerNode(neverOwner, 0)));
  }

  get armed(): number {
    return this.armedCount;
  }

  /** Sets the deadline, now + delayMs. A later deadline than the one in force only changes a number. */
  arm(node: TimerNode, delayMs: number): void {
    const deadlineMs = this.clock.monoMs() + Math.max(delayMs, 1);
    const tick = Math.ceil(deadlineMs / this.tickMs);
    if (node.deadlineMs !== 0) {
      node.deadlineMs = deadlineMs;
      if (tick >= node.visitTick) return;
      unlink(node);
    } else {
      node.deadlineMs = deadlineMs;
      this.armedCount += 1;
      if (!this.running) this.start();
    }
    this.place(node, tick);
  }

  disarm(node: TimerNode): void {
    if (node.deadlineMs === 0) return;
    node.deadlineMs = 0;
    this.armedCount -= 1;
    unlink(node);
  }

  /** Looks at every slot up to now. Called by the interval; tests call it after moving their clock. */
  advance(): void {
    const nowTick = Math.floor(this.clock.monoMs() / this.tickMs);
    // After a long stop one round over all slots sees every node.
    const first = Math.max(this.currentTick + 1, nowTick - this.slotCount + 1);
    for (let tick = first; tick <= nowTick; tick += 1) {
      this.currentTick = tick;
      this.runSlot(this.slots[tick % this.slotCount] as TimerNode, nowTick);
    }
    if (this.armedCount === 0 && this.running) {
      this.running = false;
      this.source.stop();
    }
  }

  private runSlot(head: TimerNode, nowTick: number): void {
    if (head.next === head) return;
    // The slot's list moves to a head of its own, so that what owners arm meanwhile is not seen twice.
    const batch = new TimerNode(neverOwner, 0);
    batch.next = head.next;
    batch.previous = head.previous;
    (head.next as TimerNode).previous = batch;
    (head.previous as TimerNode).next = batch;
    loop(head);
    for (let node = batch.next as TimerNode; node !== batch; node = batch.next as TimerNode) {
      unlink(node);
      const tick = Math.ceil(node.deadlineMs / this.tickMs);
      if (tick > nowTick) {
        this.place(node, tick);
      } else {
        node.deadlineMs = 0;
        this.armedCount -= 1;
        node.owner.onTimer(node);
      }
    }
  }

  private place(node: TimerNode, tick: number): void {
    const visit = Math.min(Math.max(tick, this.currentTick + 1), this.currentTick + this.slotCount - 1);
    node.visitTick = visit;
    const head = this.slots[visit % this.slotCount] as TimerNode;
    const last = head.previous as TimerNode;
    node.previous = last;
    node.next = head;
    last.next = node;
    head.previous = node;
  }

  private start(): void {
    this.running = true;
    this.currentTick = Math.floor(this.clock.monoMs() / this.tickMs);
    this.source.start(this.tickMs, this.onTick);
  }
}

function loop(head: TimerNode): TimerNode {
  head.next = head;
  head.previous = head;
  return head;
}

function unlink(node: TimerNode): void {
  (node.previous as TimerNode).next = node.next;
  (node.next as TimerNode).previous = node.previous;
  node.previous = null;
  node.next = null;
}
