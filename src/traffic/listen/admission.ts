/**
 * Lets accepted connections in: global maxconn, frontend maxconn, bind maxconn, session rate limits. What is over a limit
 * waits unread in a bounded queue, as it would in the kernel's backlog before HAProxy accepts it. Keeps the thread's list of
 * live sessions and the connection counters. Reads no bytes.
 */
import { readFileSync } from 'node:fs';
import { BoundedQueue } from '../../base/bounded-queue.ts';
import { TimerNode, type TimerOwner } from '../../base/timer-wheel.ts';
import { C, G } from '../../model/counters.ts';
import { limits } from '../../model/limits.ts';
import { P } from '../../shared/segments.ts';
import type { Model } from '../../model/model.ts';
import type { ListenerPlan } from '../plan.ts';
import type { ClientSession, SessionGate } from '../session.ts';
import type { Tally } from '../tally.ts';
import type { ThreadContext } from '../thread-context.ts';
import { RateMeter } from './rate-meter.ts';

/** A connection that waits to be let in. */
export interface Candidate {
  readonly listener: ListenerPlan;
  readonly gone: boolean;
  /** Has to wait; stops reading. */
  held(): void;
  /** Let in: goes on with rules, TLS and the session. */
  admit(): void;
  refuse(): void;
}

/** Between two looks at held connections, since other threads' connections count too. */
const holdScanMs = 20;

/** One connection more; false: `maxconn` of them are there (0: no limit). */
function enter(tally: Tally, maxconn: number): boolean {
  if (maxconn > 0) return tally.raiseBelow(G.scur, G.smax, maxconn);
  tally.raise(G.scur, G.smax);
  return true;
}

export class Admission implements SessionGate, TimerOwner {
  private readonly context: ThreadContext;
  private readonly held = new Map<ListenerPlan, BoundedQueue<Candidate>>();
  private readonly timer = new TimerNode(this, 0);
  /** Of the whole process. */
  private maxconn: number;
  private readonly processes: Float64Array[] = [];
  private readonly rates: Readonly<Record<'connections' | 'sessions' | 'ssl-sessions', RateMeter>>;
  private readonly frontendRates = new Map<number, RateMeter>();
  private heldCount = 0;
  private lastSession = 0;
  private head: ClientSession | null = null;

  constructor(context: ThreadContext) {
    this.context = context;
    const { global } = context.plan.model;
    const { threads } = context.segments;
    for (let thread = 0; thread < threads; thread += 1) this.processes.push(context.segments.process(thread));
    this.maxconn = global.maxconn > 0 ? global.maxconn : connectionsForDescriptors();
    this.rates = {
      connections: new RateMeter(global.maxconnrate, threads),
      sessions: new RateMeter(global.maxsessrate, threads),
      'ssl-sessions': new RateMeter(global.maxsslrate, threads),
    };
  }

  /** Runtime `set maxconn global`. */
  setMaxconn(maxconn: number): void {
    this.maxconn = maxconn > 0 ? maxconn : connectionsForDescriptors();
  }

  /** Runtime `set rate-limit`. */
  setRate(which: 'connections' | 'sessions' | 'ssl-sessions', perSecond: number): void {
    this.rates[which].set(perSecond);
  }

  /** A connection was accepted. Admits it now, later, or refuses it when too many wait. */
  arrived(candidate: Candidate): void {
    const queue = this.held.get(candidate.listener);
    if ((queue === undefined || queue.size === 0) && this.take(candidate.listener)) {
      candidate.admit();
      return;
    }
    this.hold(candidate, queue);
  }

  /** A session exists now: it is found by drain and shutdown until its connection closes. */
  opened(session: ClientSession): void {
    this.lastSession += 1;
    session.id = this.lastSession;
    session.next = this.head;
    if (this.head !== null) this.head.previous = session;
    this.head = session;
  }

  sessionClosed(session: ClientSession): void {
    if (session.previous === null) this.head = session.next;
    else session.previous.next = session.next;
    if (session.next !== null) session.next.previous = session.previous;
    session.previous = null;
    session.next = null;
    this.left(session.listener, session.bind.tls !== null);
  }

  /** An admitted connection closed, with or without a session. */
  left(listener: ListenerPlan, isTls: boolean): void {
    listener.proxy.front.lower(G.scur);
    listener.proxy.front.lower(G.conn_cur);
    listener.tally.lower(G.scur);
    this.occupy(isTls, -1);
    if (this.heldCount > 0) this.admitHeld();
  }

  forEachSession(visit: (session: ClientSession) => void): void {
    for (let session = this.head; session !== null;) {
      const { next } = session;
      visit(session);
      session = next;
    }
  }

  get hasSessions(): boolean {
    return this.head !== null;
  }

  /** A reload: `gone` says which listeners are no longer configured; who waits outside them is turned away. */
  follow(before: Model, after: Model, gone: (listener: ListenerPlan) => boolean): void {
    const [was, is] = [before.global, after.global];
    if (was.maxconn !== is.maxconn) this.setMaxconn(is.maxconn);
    if (was.maxconnrate !== is.maxconnrate) this.rates.connections.set(is.maxconnrate);
    if (was.maxsessrate !== is.maxsessrate) this.rates.sessions.set(is.maxsessrate);
    if (was.maxsslrate !== is.maxsslrate) this.rates['ssl-sessions'].set(is.maxsslrate);
    // Made anew, with the limit in force, when the next connection comes.
    this.frontendRates.clear();
    for (const [listener, queue] of this.held) {
      if (!gone(listener)) continue;
      for (let candidate = queue.shift(); candidate !== undefined; candidate = queue.shift()) {
        this.heldCount -= 1;
        candidate.refuse();
      }
      this.held.delete(listener);
    }
  }

  /** Somebody waits outside. */
  get hasHeld(): boolean {
    return this.heldCount > 0;
  }

  /** The thread ends: those who wait outside are turned away. */
  refuseHeld(): void {
    for (const queue of this.held.values()) {
      for (let candidate = queue.shift(); candidate !== undefined; candidate = queue.shift()) candidate.refuse();
    }
    this.heldCount = 0;
    this.context.wheel.disarm(this.timer);
  }

  onTimer(): void {
    this.admitHeld();
  }

  private hold(candidate: Candidate, known: BoundedQueue<Candidate> | undefined): void {
    let queue = known;
    if (queue === undefined) {
      queue = new BoundedQueue<Candidate>(limits.heldConnectionsMax);
      this.held.set(candidate.listener, queue);
    }
    if (!queue.push(candidate)) {
      candidate.refuse();
      return;
    }
    candidate.held();
    this.heldCount += 1;
    if (!this.timer.armed) this.context.wheel.arm(this.timer, holdScanMs);
  }

  private admitHeld(): void {
    for (const [listener, queue] of this.held) {
      for (let first = queue.peek(); first !== undefined; first = queue.peek()) {
        if (!first.gone && !this.take(listener)) break;
        queue.shift();
        this.heldCount -= 1;
        if (!first.gone) first.admit();
      }
      if (queue.size === 0) this.held.delete(listener);
    }
    if (this.heldCount > 0 && !this.timer.armed) this.context.wheel.arm(this.timer, holdScanMs);
  }

  /** Counts the connection in when every limit allows it. */
  private take(listener: ListenerPlan): boolean {
    const { process, clock } = this.context;
    const { proxy, bind } = listener;
    const nowMs = clock.monoMs();
    const isTls = bind.tls !== null;
    if (this.sum(P.current_connections) >= this.maxconn) {
      process[P.maxconn_reached] = (process[P.maxconn_reached] as number) + 1;
      return false;
    }
    const { maxsslconn } = this.context.plan.model.global;
    if (isTls && maxsslconn > 0 && this.sum(P.current_ssl_connections) >= maxsslconn) return false;
    if (!this.rateAllows(listener, nowMs, isTls)) return false;
    // A place is taken first and the sum asked after the gauges' atomic steps: of two threads that let somebody in at once, at least one sees both.
    this.occupy(isTls, 1);
    const inFrontend = enter(proxy.front, proxy.maxconn);
    const inListener = inFrontend && enter(listener.tally, bind.maxconn);
    const tooMany = this.sum(P.current_connections) > this.maxconn || (isTls && maxsslconn > 0 && this.sum(P.current_ssl_connections) > maxsslconn);
    if (!inListener || tooMany) {
      if (inListener) listener.tally.lower(G.scur);
      if (inFrontend) proxy.front.lower(G.scur);
      this.occupy(isTls, -1);
      return false;
    }
    this.countRates(listener, nowMs, isTls);
    proxy.front.move(G.conn_cur, 1);
    proxy.front.count(C.conn_tot);
    listener.tally.count(C.conn_tot);
    process[P.connections] = (process[P.connections] as number) + 1;
    if (isTls) process[P.ssl_connections] = (process[P.ssl_connections] as number) + 1;
    return true;
  }

  /** Connections of this thread that are let in. */
  private occupy(isTls: boolean, change: 1 | -1): void {
    const { process } = this.context;
    process[P.current_connections] = (process[P.current_connections] as number) + change;
    if (isTls) process[P.current_ssl_connections] = (process[P.current_ssl_connections] as number) + change;
  }

  private rateAllows(listener: ListenerPlan, nowMs: number, isTls: boolean): boolean {
    const { connections, sessions, 'ssl-sessions': tls } = this.rates;
    const frontend = this.frontendRate(listener);
    return connections.allows(nowMs) && sessions.allows(nowMs) && (!isTls || tls.allows(nowMs)) && (frontend === null || frontend.allows(nowMs));
  }

  private countRates(listener: ListenerPlan, nowMs: number, isTls: boolean): void {
    this.rates.connections.count(nowMs);
    this.rates.sessions.count(nowMs);
    if (isTls) this.rates['ssl-sessions'].count(nowMs);
    this.frontendRate(listener)?.count(nowMs);
  }

  private frontendRate(listener: ListenerPlan): RateMeter | null {
    const { proxy } = listener.proxy;
    if (proxy.rateLimitSessions <= 0) return null;
    let meter = this.frontendRates.get(listener.proxy.slot);
    if (meter === undefined) {
      meter = new RateMeter(proxy.rateLimitSessions, this.context.segments.threads);
      this.frontendRates.set(listener.proxy.slot, meter);
    }
    return meter;
  }

  private sum(field: number): number {
    let sum = 0;
    for (const one of this.processes) sum += one[field] as number;
    return sum;
  }
}

/** Connections that the descriptor limit allows: two descriptors each, some kept for listeners, checks and files. */
function connectionsForDescriptors(): number {
  const kept = 128;
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return line === null ? Number.MAX_SAFE_INTEGER : Math.max(1, Math.floor((Number(line[1]) - kept) / 2));
  } catch {
    return Number.MAX_SAFE_INTEGER;
  }
}
