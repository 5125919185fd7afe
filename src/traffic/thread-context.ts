/**
 * What every room of the data plane shares inside one traffic thread: clock, timers, plan, counters, log, the list of live
 * client sessions and the way to the control thread. Made once by thread.ts; has no behaviour of its own beyond bookkeeping.
 */
import type { Clock } from '../base/clock.ts';
import { TimerWheel } from '../base/timer-wheel.ts';
import type { ToControl, TrafficStart } from '../model/messages.ts';
import { Segments } from '../shared/segments.ts';
import { internalServer } from './dispatch/internal-server.ts';
import { LogQueue } from './log-queue.ts';
import { SightingQueue } from './sighting-queue.ts';
import { Plan, type ServerPlan } from './plan.ts';
import { SharedWorld } from './world.ts';

export class ThreadContext {
  readonly start: TrafficStart;
  readonly threadIndex: number;
  readonly segments: Segments;
  /** This thread's array of the process segment. */
  readonly process: Float64Array;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly world: SharedWorld;
  readonly logs: LogQueue;
  readonly sightings: SightingQueue;
  readonly post: (message: ToControl) => void;
  /** The plan for what starts now. Keep your own reference for a request that is under way. */
  plan: Plan;
  /** The control thread's HTTP server, for Dispatch.startInternal(). */
  readonly internal: ServerPlan;
  /** True once the thread stops: no keep-alive after the answer under way. */
  draining = false;

  constructor(start: TrafficStart, clock: Clock, post: (message: ToControl) => void) {
    const segments = new Segments(start.shared, start.model);
    this.start = start;
    this.threadIndex = start.threadIndex;
    this.segments = segments;
    this.process = segments.process(start.threadIndex);
    this.clock = clock;
    this.wheel = new TimerWheel(clock);
    this.post = post;
    this.plan = new Plan(start.model, { segments, thread: start.threadIndex, clock, wheel: this.wheel });
    this.internal = internalServer(start.internalSocket, this.plan.compiler, this.wheel);
    this.logs = new LogQueue(post, this.wheel, this.process, segments.logRing(start.threadIndex), start.threadIndex);
    this.sightings = new SightingQueue(post, this.wheel, start.shared.suspects);
    this.world = new SharedWorld(start, segments, this.plan, clock, post);
  }
}
