/**
 * Starts the traffic threads, waits until they listen, passes messages both ways, and restarts a thread that died or no longer
 * moves. Used by process/balancer.ts in the control thread. Looks into no message but those about the threads themselves.
 */
import { Worker } from 'node:worker_threads';
import { projectFile } from '../base/program.ts';
import { limits } from '../model/limits.ts';
import type { InheritedListener, SharedHandles, SharedModel, SharedSlots, ToControl, ToTraffic, TrafficStart } from '../model/messages.ts';
import type { Segments } from '../shared/segments.ts';
import { P } from '../shared/segments.ts';
import type { BindFailure } from './probe-binds.ts';

/** What a thread begins with. Its Model is written when a thread needs it whole: not for a reload. */
interface Beginning extends Omit<TrafficStart, 'threadIndex' | 'inherited' | 'model'> {
  readonly model: () => SharedModel;
}

interface TrafficThreadsOptions {
  readonly count: number;
  readonly start: Beginning;
  readonly segments: Segments;
  readonly receive: (message: ToControl) => void;
  /** A thread ended that should not have. It is started again by itself. */
  readonly died: (thread: number, why: string) => void;
  readonly restarted: (thread: number) => void;
  /** What a thread that is started again listens on, beside what it opens itself. */
  readonly inherits?: () => InheritedListener[];
  /** Module of the threads and pace of the watch over them; tests have their own. */
  readonly entry?: URL;
  readonly watchPeriodMs?: number;
}

/** Why a start did not succeed: binds (each told once, whichever thread found it), or a thread that could not run at all. */
type StartFailure = { readonly kind: 'bind'; readonly failures: readonly BindFailure[] } | { readonly kind: 'thread'; readonly why: string };

interface Slot {
  readonly index: number;
  worker: Worker | null;
  ready: boolean;
  /** Of the configuration that it works with, or is told to take up. */
  shared: SharedHandles;
  /** It has been asked for a plan of the next one. */
  prepared: boolean;
  drained: boolean;
  startedAtMs: number;
  /** Delay before the next restart; grows while the thread keeps dying. */
  delayMs: number;
  lastHeartbeat: number;
  /** Looks in a row at which the heartbeat had not moved. */
  missedBeats: number;
}

const delayFirstMs = 100;
const delayMaxMs = 30_000;
/** After a bind failed, for the other failures of the same start to come in. */
const collectMs = 100;
const watchPeriodDefaultMs = 1000;
const trafficEntry = projectFile('src/traffic/thread.ts');

export class TrafficThreads {
  private readonly options: TrafficThreadsOptions;
  private readonly watchPeriodMs: number;
  private readonly slots: Slot[];
  /** What a restarted thread has to be told again, by what it is about. */
  private readonly standing = new Map<string, ToTraffic>();
  private watch: NodeJS.Timeout | null = null;
  private stopping = false;
  private readonly bindFailures = new Map<string, BindFailure>();
  private settle: ((failure: StartFailure | null) => void) | null = null;
  private onDrained: (() => void) | null = null;
  /** Null: the thread has died. */
  private onAnswer: ((thread: number, answer: ToControl | null) => void) | null = null;
  private begin: Beginning;
  private segments: Segments;

  constructor(options: TrafficThreadsOptions) {
    this.options = options;
    this.begin = options.start;
    this.segments = options.segments;
    this.watchPeriodMs = options.watchPeriodMs ?? watchPeriodDefaultMs;
    this.slots = Array.from({ length: options.count }, (_, index) => ({
      index, worker: null, ready: false, shared: options.start.shared, prepared: false, drained: false, startedAtMs: 0, delayMs: delayFirstMs, lastHeartbeat: 0, missedBeats: 0,
    }));
  }

  /** Null when every thread listens on every bind. `inherited`: sockets of the process before, by thread; a thread that is started again has those of `inherits`. */
  start(inherited: readonly (readonly InheritedListener[])[] = []): Promise<StartFailure | null> {
    return new Promise((resolve) => {
      this.settle = (failure) => {
        this.settle = null;
        if (failure !== null) this.stopping = true;
        else this.watch = setInterval(() => this.lookAtHeartbeats(), this.watchPeriodMs);
        resolve(failure);
      };
      for (const slot of this.slots) this.launch(slot, inherited[slot.index] ?? []);
    });
  }

  /**
   * A reload: every thread makes a plan of the message's model. Gives what does not work, each once; then nothing has changed. Otherwise
   * commit() has to follow.
   */
  async prepare(message: Extract<ToTraffic, { type: 'reload' }>): Promise<readonly BindFailure[]> {
    const failures = new Map<string, BindFailure>();
    for (const slot of this.slots) slot.prepared = slot.ready;
    const asked = this.slots.filter((slot) => slot.prepared);
    // Half of the threads at a time: processors are left for the requests, and for the other half of the threads.
    const half = Math.ceil(asked.length / 2);
    for (const some of [asked.slice(0, half), asked.slice(half)]) {
      // One may have died meanwhile: it takes the new configuration up when it has started.
      const there = some.filter(({ ready, prepared }) => ready && prepared);
      await this.answers(there, 'reload-prepared', message, (answer) => {
        for (const failure of answer.failures) failures.set(`${failure.bind} ${failure.message}`, failure);
      });
    }
    const told = failures.size > 0 ? asked.filter((slot) => slot.prepared) : [];
    for (const slot of told) slot.worker?.postMessage({ type: 'reload-abort' } satisfies ToTraffic);
    return [...failures.values()];
  }

  /** Resolves when every thread has gone over. Threads that are started from now on begin with it. */
  async commit(model: () => SharedModel, segments: Segments): Promise<void> {
    const shared = segments.handles;
    this.begin = { ...this.begin, model, shared };
    this.segments = segments;
    // Patterns and certificates were read from their files again, and TLS is as the server lines say.
    for (const key of this.standing.keys()) if (/^(?:patterns|certificates|tls)/.test(key)) this.standing.delete(key);
    const over = this.slots.filter(({ ready, prepared }) => ready && prepared);
    for (const slot of over) slot.shared = shared;
    // One that has become ready meanwhile did so with the configuration before.
    for (const slot of this.slots) if (slot.ready && slot.shared !== shared) this.catchUp(slot);
    await this.answers(over, 'reload-done', { type: 'reload-commit' }, () => undefined);
  }

  /** A thread that started while a reload took place takes it up on its own, and is ready then. */
  private catchUp(slot: Slot): void {
    const { model, shared } = this.begin;
    slot.ready = false;
    slot.shared = shared;
    slot.worker?.postMessage({ type: 'reload', model: model(), shared } satisfies ToTraffic);
  }

  private caughtUp(slot: Slot, message: Extract<ToControl, { type: 'reload-prepared' | 'reload-done' }>): void {
    if (message.type === 'reload-done') this.becameReady(slot);
    else if (message.failures.length === 0) slot.worker?.postMessage({ type: 'reload-commit' } satisfies ToTraffic);
    // Started anew it meets the same obstacle as any start, and says so.
    else void slot.worker?.terminate();
  }

  private becameReady(slot: Slot): void {
    if (slot.shared !== this.begin.shared) {
      this.catchUp(slot);
      return;
    }
    slot.ready = true;
    for (const standing of this.standing.values()) slot.worker?.postMessage(standing);
    if (this.settle === null) this.options.restarted(slot.index);
    else if (this.slots.every((one) => one.ready)) this.settle(null);
  }

  /** A removed object's slot may be another's soon. */
  forget(kind: keyof SharedSlots, slot: number): void {
    for (const word of kind === 'servers' ? ['address', 'tls'] : kind === 'proxies' ? ['maxconn', 'frontend'] : []) this.standing.delete(`${word} ${slot}`);
  }

  /** Sends to these threads and waits for an answer of each. One that dies meanwhile gives none. */
  private answers<T extends 'reload-prepared' | 'reload-done'>(slots: readonly Slot[], type: T, message: ToTraffic, take: (answer: Extract<ToControl, { type: T }>) => void): Promise<void> {
    const waiting = new Set(slots.map((slot) => slot.index));
    return new Promise((resolve) => {
      const got = (thread: number, answer: ToControl | null): void => {
        if (answer !== null && answer.type !== type) return;
        if (thread >= 0 && !waiting.delete(thread)) return;
        if (answer !== null) take(answer as Extract<ToControl, { type: T }>);
        if (waiting.size > 0) return;
        this.onAnswer = null;
        resolve();
      };
      this.onAnswer = got;
      for (const slot of slots) slot.worker?.postMessage(message);
      if (waiting.size === 0) got(-1, null);
    });
  }

  /** Sends to all threads. */
  post(message: ToTraffic): void {
    const key = standingKey(message);
    if (key !== '') this.standing.set(key, message);
    for (const slot of this.slots) slot.worker?.postMessage(message);
  }

  /** Sends to all threads but one: the others of the thread that reported something. */
  postOthers(thread: number, message: ToTraffic): void {
    for (const slot of this.slots) if (slot.index !== thread) slot.worker?.postMessage(message);
  }

  /** Resolves when every thread has finished what it was doing; connections older than `hardStopMs` are cut. */
  drain(hardStopMs: number | null): Promise<void> {
    this.stopping = true;
    if (this.watch !== null) clearInterval(this.watch);
    return new Promise((resolve) => {
      this.onDrained = resolve;
      this.post({ type: 'drain', hardStopMs });
      this.checkDrained();
    });
  }

  async terminate(): Promise<void> {
    this.stopping = true;
    if (this.watch !== null) clearInterval(this.watch);
    const workers = this.slots.map((slot) => slot.worker);
    for (const slot of this.slots) slot.worker = null;
    await Promise.all(workers.map((worker) => worker?.terminate()));
  }

  private launch(slot: Slot, inherited: readonly InheritedListener[]): void {
    const worker = new Worker(this.options.entry ?? trafficEntry, { workerData: { ...this.begin, model: this.begin.model(), threadIndex: slot.index, inherited } satisfies TrafficStart });
    slot.worker = worker;
    slot.ready = false;
    slot.shared = this.begin.shared;
    slot.prepared = false;
    slot.startedAtMs = Date.now();
    slot.missedBeats = 0;
    let why = '';
    worker.on('message', (message: ToControl) => this.take(slot, message));
    worker.on('error', (error: unknown) => {
      why = error instanceof Error ? error.stack ?? error.message : String(error);
    });
    worker.on('exit', (code: number) => {
      if (slot.worker === worker) this.ended(slot, why === '' ? `it exited with code ${code}` : why);
    });
  }

  private take(slot: Slot, message: ToControl): void {
    if (message.type === 'ready') {
      this.becameReady(slot);
      return;
    }
    if (message.type === 'drained') {
      slot.drained = true;
      this.checkDrained();
      return;
    }
    if (message.type === 'reload-prepared' || message.type === 'reload-done') {
      if (slot.ready) this.onAnswer?.(slot.index, message);
      else this.caughtUp(slot, message);
      return;
    }
    if (message.type === 'bind-failed' && (this.settle !== null || this.stopping)) {
      this.collect({ bind: message.bind, code: message.code, message: message.message });
      return;
    }
    this.options.receive(message);
  }

  private collect(failure: BindFailure): void {
    if (this.bindFailures.size === 0) {
      setTimeout(() => this.settle?.({ kind: 'bind', failures: [...this.bindFailures.values()] }), collectMs);
    }
    this.bindFailures.set(`${failure.bind} ${failure.message}`, failure);
  }

  private ended(slot: Slot, why: string): void {
    slot.worker = null;
    slot.ready = false;
    slot.drained = true;
    this.onAnswer?.(slot.index, null);
    if (this.settle !== null) {
      this.settle({ kind: 'thread', why });
      return;
    }
    if (this.stopping) {
      this.checkDrained();
      return;
    }
    this.options.died(slot.index, why);
    slot.delayMs = Date.now() - slot.startedAtMs > delayMaxMs ? delayFirstMs : Math.min(delayMaxMs, slot.delayMs * 2);
    setTimeout(() => {
      slot.drained = false;
      if (!this.stopping) this.launch(slot, this.options.inherits?.() ?? []);
    }, slot.delayMs);
  }

  private checkDrained(): void {
    if (this.onDrained !== null && this.slots.every((slot) => slot.drained || slot.worker === null)) this.onDrained();
  }

  /** Counts looks and not time, so that a suspended machine does not make every thread look dead. */
  private lookAtHeartbeats(): void {
    for (const slot of this.slots) {
      if (slot.worker === null || !slot.ready) continue;
      const beat = this.segments.process(slot.index)[P.heartbeat_ms] ?? 0;
      slot.missedBeats = beat === slot.lastHeartbeat ? slot.missedBeats + 1 : 0;
      slot.lastHeartbeat = beat;
      if (slot.missedBeats < limits.threadMissedBeatsMax) continue;
      const stuck = slot.worker;
      slot.worker = null;
      stuck.terminate().catch(() => {});
      this.ended(slot, `it did not move for ${slot.missedBeats * this.watchPeriodMs / 1000} seconds`);
    }
  }
}

/** Same text for messages of which only the last counts for a new thread; '' for those that concern the moment. */
function standingKey(message: ToTraffic): string {
  switch (message.type) {
    case 'server-address': return `address ${message.server}`;
    case 'server-tls': return `tls ${message.server}`;
    case 'certificates': return 'certificates';
    case 'patterns': return `patterns ${message.id}`;
    case 'set-maxconn': return `maxconn ${message.proxy}`;
    case 'set-rate-limit': return `rate ${message.which}`;
    case 'set-frontend': return `frontend ${message.proxy}`;
    default: return '';
  }
}
