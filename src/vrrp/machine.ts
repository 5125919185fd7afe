/**
 * The state machine of one VRRP instance (RFC 3768 6.4, RFC 5798 6.4, RFC 9568 6.4, with keepalived's preempt_delay, sync groups and tracking)
 * as one table: state × event → what to do. Time and packets come in as arguments, effects go out through `VrrpEffects`; it holds no
 * timer and opens no socket. The driver calls `handle` for every event and again with `timer` when `deadlineMs` has come.
 * Used by vrrp/engine.ts and by the simulation in test/unit/vrrp.
 */
import type { VrrpInstance } from '../model/keepalived.ts';
import { limits } from '../model/limits.ts';
import type { VrrpState } from '../model/vrrp-messages.ts';

/** An advert that passed every check of vrrp/receive.ts. */
export interface Advert {
  readonly priority: number;
  readonly advertMs: number;
  /** The sender, as text for messages. */
  readonly from: string;
  /** Sender's address compared with ours, as unsigned bytes: decides between equal priorities. */
  readonly senderIsHigher: boolean;
  /** Adverts that the sender has sent since it became MASTER; undefined when it does not say. */
  readonly sentAsMaster: number | undefined;
}

export type VrrpEvent =
  | { readonly kind: 'start' }
  | { readonly kind: 'timer' }
  | { readonly kind: 'advert'; readonly advert: Advert }
  /** Tracking has given another priority: 1 … 254, or 255 for the owner. */
  | { readonly kind: 'priority'; readonly priority: number }
  | { readonly kind: 'fault'; readonly why: string }
  | { readonly kind: 'recovered' }
  /** The balancer's checks have run once: a lower master may be preempted. */
  | { readonly kind: 'ready' }
  /** The sync group has moved. */
  | { readonly kind: 'group'; readonly to: 'MASTER' | 'BACKUP' }
  | { readonly kind: 'stop' };

interface StateChange { readonly from: VrrpState; readonly to: VrrpState; readonly priority: number; readonly why: string }

/** Two nodes were MASTER at once: a split of the network, a stopped machine, a filter between them. */
export interface TwoMasters { readonly peer: string; readonly peerPriority: number; readonly outcome: 'stayed master' | 'yielded' }

interface VrrpEffects {
  sendAdvert(priority: number): void;
  takeAddresses(): void;
  releaseAddresses(): void;
  /** Gratuitous ARP or unsolicited neighbour advertisements for every address, `times` times. */
  announce(times: number): void;
  changed(change: StateChange): void;
  twoMasters(found: TwoMasters): void;
  heardLowerPriority(advert: Advert): void;
}

type Handler<K extends VrrpEvent['kind']> = (machine: VrrpMachine, event: Extract<VrrpEvent, { kind: K }>, nowMs: number) => void;
type Row = { readonly [K in VrrpEvent['kind']]: Handler<K> };

const never = Number.POSITIVE_INFINITY;
/** Version 2 reckons the skew in parts of one second whatever the advert interval (RFC 3768 6.1). */
const skewUnitV2Ms = 1000;
/** Answers to other nodes go out at once, and two of them at least such a part of an interval apart: a network that repeats packets must not make a storm of them. */
const answerPart = 0.5;
/** A master that was preempted may still send what it had begun: only adverts after this are a second master. */
const handoverGraceMs = 200;
/** How late a busy node may take its addresses off after another one has taken them. */
const yieldsWithinMs = 3000;

export class VrrpMachine {
  readonly instance: VrrpInstance;
  readonly effects: VrrpEffects;
  state: VrrpState = 'INIT';
  priority: number;
  /** Since when it is in this state. */
  sinceMs = 0;
  /** When `timer` wants to be handled; Infinity: never. */
  deadlineMs = never;
  /** Master's advert interval: our own until a version 3 master says another. */
  masterAdvertMs: number;
  masterFrom = '';
  masterPriority = 0;
  adverts = { sent: 0, received: 0, prioritiesZeroSent: 0, prioritiesZeroReceived: 0, becameMaster: 0, releasedMaster: 0 };
  sentAsMaster = 0;
  /** When another node's advert was answered last. */
  answeredMs = Number.NEGATIVE_INFINITY;
  /** From `start` until `ready`; a lower master is left alone meanwhile. */
  ready: boolean;
  /** When preempt_delay has passed for the lower master that is heard; Infinity: none is heard. */
  preemptAtMs = never;
  /** BACKUP came to its timer much too late, and listens once more before it takes the addresses. */
  listening = false;
  /** Times of announcements to come while MASTER. */
  announceAtMs = never;
  refreshAtMs = never;

  constructor(instance: VrrpInstance, effects: VrrpEffects, ready: boolean) {
    this.instance = instance;
    this.effects = effects;
    this.priority = instance.priority;
    this.masterAdvertMs = instance.advertMs;
    this.ready = ready;
  }

  handle(event: VrrpEvent, nowMs: number): void {
    const handler = table[this.state][event.kind] as Handler<typeof event.kind>;
    (handler as (machine: VrrpMachine, event: VrrpEvent, nowMs: number) => void)(this, event, nowMs);
  }

  /** Earliest moment at which something of this instance is due. */
  nextMs(): number {
    return Math.min(this.deadlineMs, this.announceAtMs, this.refreshAtMs);
  }

  skewMs(): number {
    return (256 - this.priority) / 256 * (this.instance.version === 2 ? skewUnitV2Ms : this.masterAdvertMs);
  }

  masterDownMs(): number {
    return this.instance.downTimerAdverts * this.masterAdvertMs + this.skewMs();
  }
}

// ---- moves between states; the only places that set `state`

function enter(machine: VrrpMachine, to: VrrpState, why: string, nowMs: number): void {
  const from = machine.state;
  if (from === 'MASTER') {
    machine.effects.releaseAddresses();
    machine.adverts.releasedMaster += 1;
  }
  machine.state = to;
  machine.sinceMs = nowMs;
  machine.preemptAtMs = never;
  machine.listening = false;
  machine.announceAtMs = never;
  machine.refreshAtMs = never;
  machine.deadlineMs = to === 'BACKUP' ? nowMs + machine.masterDownMs() : never;
  machine.effects.changed({ from, to, priority: machine.priority, why });
}

function becomeMaster(machine: VrrpMachine, why: string, nowMs: number): void {
  const { garp, advertMs } = machine.instance;
  machine.masterAdvertMs = advertMs;
  enter(machine, 'MASTER', why, nowMs);
  machine.sentAsMaster = 0;
  machine.adverts.becameMaster += 1;
  sendAdvert(machine, machine.priority);
  machine.effects.takeAddresses();
  machine.effects.announce(garp.repeat);
  machine.deadlineMs = nowMs + advertMs;
  machine.announceAtMs = garp.delayMs > 0 ? nowMs + garp.delayMs : never;
  machine.refreshAtMs = garp.refreshMs > 0 ? nowMs + garp.refreshMs : never;
}

function becomeBackup(machine: VrrpMachine, why: string, nowMs: number): void {
  machine.masterAdvertMs = machine.instance.advertMs;
  enter(machine, 'BACKUP', why, nowMs);
}

function sendAdvert(machine: VrrpMachine, priority: number): void {
  machine.sentAsMaster += 1;
  machine.adverts.sent += 1;
  if (priority === 0) machine.adverts.prioritiesZeroSent += 1;
  machine.effects.sendAdvert(priority);
}

/** RFC 9568 6.4.3 (110): a master that ends says so, and the next one waits for its skew only. */
function giveUp(machine: VrrpMachine, to: 'FAULT' | 'STOP' | 'BACKUP', why: string, nowMs: number): void {
  sendAdvert(machine, 0);
  if (to === 'BACKUP') becomeBackup(machine, why, nowMs);
  else enter(machine, to, why, nowMs);
}

// ---- BACKUP

function backupHears(machine: VrrpMachine, advert: Advert, nowMs: number): void {
  machine.listening = false;
  if (advert.priority === 0) {
    machine.adverts.prioritiesZeroReceived += 1;
    machine.deadlineMs = nowMs + machine.skewMs();
    return;
  }
  machine.masterFrom = advert.from;
  machine.masterPriority = advert.priority;
  if (machine.instance.version === 3) machine.masterAdvertMs = advert.advertMs;
  if (advert.priority >= machine.priority) machine.preemptAtMs = never;
  else if (mayPreempt(machine, nowMs)) return;
  machine.deadlineMs = nowMs + machine.masterDownMs();
}

function backupTimer(machine: VrrpMachine, nowMs: number): void {
  if (nowMs < machine.deadlineMs) return;
  // A machine that was stopped has heard nothing because it did not listen: the master has one advert to show itself.
  if (nowMs - machine.deadlineMs > limits.ownPauseMs && !machine.listening) {
    machine.listening = true;
    machine.deadlineMs = nowMs + machine.masterAdvertMs + machine.skewMs();
    return;
  }
  becomeMaster(machine, machine.masterFrom === '' ? 'no other master is heard' : `nothing heard from ${machine.masterFrom} that has a higher priority`, nowMs);
}

/** A lower master is heard. True: let the timer run out, which makes this node MASTER. */
function mayPreempt(machine: VrrpMachine, nowMs: number): boolean {
  const { preempt, preemptDelayMs } = machine.instance;
  if (!preempt && machine.priority !== 255) return false;
  if (machine.preemptAtMs === never) machine.preemptAtMs = nowMs + preemptDelayMs;
  return machine.ready && nowMs >= machine.preemptAtMs;
}

// ---- MASTER

function wins(machine: VrrpMachine, advert: Advert): boolean {
  return advert.priority > machine.priority || advert.priority === machine.priority && advert.senderIsHigher;
}

function masterHears(machine: VrrpMachine, advert: Advert, nowMs: number): void {
  if (advert.priority === 0) {
    machine.adverts.prioritiesZeroReceived += 1;
    if (mayAnswer(machine, nowMs)) advertise(machine, nowMs);
    return;
  }
  if (wins(machine, advert)) yieldTo(machine, advert, nowMs);
  else assertAgainst(machine, advert, nowMs);
}

function mayAnswer(machine: VrrpMachine, nowMs: number): boolean {
  if (nowMs - machine.answeredMs < machine.instance.advertMs * answerPart) return false;
  machine.answeredMs = nowMs;
  return true;
}

function settled(machine: VrrpMachine, nowMs: number): boolean {
  return nowMs - machine.sinceMs > machine.instance.advertMs + handoverGraceMs;
}

function yieldTo(machine: VrrpMachine, advert: Advert, nowMs: number): void {
  // A node that has just preempted has sent one advert or two; one that has sent more was MASTER beside us.
  const long = settled(machine, nowMs);
  const split = long && (advert.sentAsMaster ?? 0) > 2;
  // A last advert lets the other one know of us, and announce itself again; one that does not say how long it has been MASTER gets it too.
  // A machine that was stopped reads what is old: the other one may be gone, and nodes that wait for its end must not wait anew.
  const tell = split || long && advert.sentAsMaster === undefined || machine.instance.higherPrioritySendAdvert;
  if (tell && nowMs - machine.deadlineMs <= limits.ownPauseMs) sendAdvert(machine, machine.priority);
  machine.masterFrom = advert.from;
  machine.masterPriority = advert.priority;
  const why = advert.priority > machine.priority ? `${advert.from} has the higher priority ${advert.priority}` : `${advert.from} has the same priority ${advert.priority} and the higher address`;
  becomeBackup(machine, why, nowMs);
  if (machine.instance.version === 3) machine.masterAdvertMs = advert.advertMs;
  machine.deadlineMs = nowMs + machine.masterDownMs();
  if (split) machine.effects.twoMasters({ peer: advert.from, peerPriority: advert.priority, outcome: 'yielded' });
}

function assertAgainst(machine: VrrpMachine, advert: Advert, nowMs: number): void {
  if (settled(machine, nowMs)) machine.effects.twoMasters({ peer: advert.from, peerPriority: advert.priority, outcome: 'stayed master' });
  if (!mayAnswer(machine, nowMs)) return;
  if (!machine.instance.lowerPriorityNoAdvert) advertise(machine, nowMs);
  // Switches and neighbours may have learnt the other one's address.
  const { lowerPriorityDelayMs, lowerPriorityRepeat } = machine.instance.garp;
  machine.effects.announce(lowerPriorityRepeat);
  if (lowerPriorityDelayMs > 0) machine.announceAtMs = nowMs + lowerPriorityDelayMs;
  machine.effects.heardLowerPriority(advert);
}

function advertise(machine: VrrpMachine, nowMs: number): void {
  sendAdvert(machine, machine.priority);
  machine.deadlineMs = nowMs + machine.instance.advertMs;
}

function masterTimer(machine: VrrpMachine, nowMs: number): void {
  const { garp } = machine.instance;
  if (nowMs >= machine.deadlineMs) {
    advertise(machine, nowMs);
    // Until the one before has yielded it has answered for the addresses as well: who asked it is told again.
    if (garp.repeat > 0 && nowMs - machine.sinceMs <= yieldsWithinMs) machine.effects.announce(1);
  }
  if (nowMs >= machine.announceAtMs) {
    machine.announceAtMs = never;
    machine.effects.announce(garp.repeat);
  }
  if (nowMs >= machine.refreshAtMs) {
    machine.refreshAtMs = nowMs + garp.refreshMs;
    machine.effects.announce(garp.refreshRepeat);
  }
}

// ---- the table

const nothing = (): void => { /* this event changes nothing in this state */ };
const setReady = (machine: VrrpMachine): void => { machine.ready = true; };
const setPriority: Handler<'priority'> = (machine, event) => {
  machine.priority = event.priority;
  // The answers so far said another one.
  machine.answeredMs = Number.NEGATIVE_INFINITY;
};
const toFault: Handler<'fault'> = (machine, event, nowMs) => { enter(machine, 'FAULT', event.why, nowMs); };
const toStop = (machine: VrrpMachine, _event: unknown, nowMs: number): void => { enter(machine, 'STOP', 'stopped', nowMs); };

function start(machine: VrrpMachine, _event: unknown, nowMs: number): void {
  if (machine.priority === 255) becomeMaster(machine, 'owner of the addresses', nowMs);
  else becomeBackup(machine, 'start', nowMs);
}

function count(handler: (machine: VrrpMachine, advert: Advert, nowMs: number) => void): Handler<'advert'> {
  return (machine, event, nowMs) => {
    machine.adverts.received += 1;
    handler(machine, event.advert, nowMs);
  };
}

const table: { readonly [S in VrrpState]: Row } = {
  INIT: { start, timer: nothing, advert: nothing, priority: setPriority, fault: toFault, recovered: nothing, ready: setReady, group: nothing, stop: toStop },
  BACKUP: {
    start: nothing,
    timer: (machine, _event, nowMs) => { backupTimer(machine, nowMs); },
    advert: count(backupHears),
    priority: setPriority,
    fault: toFault,
    recovered: nothing,
    ready: setReady,
    group: (machine, event, nowMs) => { if (event.to === 'MASTER') becomeMaster(machine, 'its sync group is master', nowMs); },
    stop: toStop,
  },
  MASTER: {
    start: nothing,
    timer: (machine, _event, nowMs) => { masterTimer(machine, nowMs); },
    advert: count(masterHears),
    priority: setPriority,
    fault: (machine, event, nowMs) => { giveUp(machine, 'FAULT', event.why, nowMs); },
    recovered: nothing,
    ready: setReady,
    group: (machine, event, nowMs) => { if (event.to === 'BACKUP') giveUp(machine, 'BACKUP', 'its sync group is backup', nowMs); },
    stop: (machine, _event, nowMs) => { giveUp(machine, 'STOP', 'stopped', nowMs); },
  },
  FAULT: {
    start: nothing, timer: nothing, advert: nothing, priority: setPriority, fault: nothing, ready: setReady, group: nothing,
    recovered: (machine, _event, nowMs) => {
      if (machine.priority === 255) becomeMaster(machine, 'owner of the addresses is well again', nowMs);
      else becomeBackup(machine, 'the fault is gone', nowMs);
    },
    stop: toStop,
  },
  STOP: { start, timer: nothing, advert: nothing, priority: setPriority, fault: nothing, recovered: nothing, ready: setReady, group: nothing, stop: nothing },
};
