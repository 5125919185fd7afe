/**
 * What every room of the data plane shares inside one traffic thread: clock, timers, plan, counters, log, the list of live
 * client sessions and the way to the control thread. Made once by thread.ts; has no behaviour of its own beyond bookkeeping.
 */
import type { Clock } from '../base/clock.ts';
import { TimerWheel } from '../base/timer-wheel.ts';
import type { SharedModel, ToControl, TrafficStart } from '../model/messages.ts';
import { atOnce } from '../base/slices.ts';
import { readModel } from '../shared/model-text.ts';
import { Segments } from '../shared/segments.ts';
import { internalServer } from './dispatch/internal-server.ts';
import { LogQueue } from './log-queue.ts';
import { SightingQueue } from './sighting-queue.ts';
import { Plan, type ServerPlan } from './plan.ts';
import type { SharedWorld, WorldGround } from './world.ts';

export class ThreadContext {
  readonly start: TrafficStart;
  readonly threadIndex: number;
  segments: Segments;
  /** This thread's array of the process segment. */
  readonly process: Float64Array;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly logs: LogQueue;
  readonly sightings: SightingQueue;
  readonly post: (message: ToControl) => void;
  private readonly worldGround: WorldGround;
  /** The plan for what starts now. Keep your own reference for a request that is under way. */
  plan: Plan;
  /** The control thread's HTTP server, for Dispatch.startInternal(). */
  readonly internal: ServerPlan;
  /** True once the thread stops: no keep-alive after the answer under way. */
  draining = false;

  constructor(start: TrafficStart, clock: Clock, post: (message: ToControl) => void) {
    const segments = new Segments(start.shared);
    this.start = start;
    this.threadIndex = start.threadIndex;
    this.segments = segments;
    this.process = segments.process(start.threadIndex);
    this.clock = clock;
    this.wheel = new TimerWheel(clock);
    this.post = post;
    this.worldGround = { startedAtMs: start.startedAtMs, threadIndex: start.threadIndex, processVars: new Map(), clock, post, current: () => this.plan };
    this.plan = atOnce(this.planFor(start.model, segments, null));
    this.internal = internalServer(start.internalSocket, this.plan.compiler, this.wheel);
    this.logs = new LogQueue(post, this.wheel, this.process, segments.logRing(start.threadIndex), start.threadIndex);
    this.sightings = new SightingQueue(post, this.wheel, start.shared.suspects);
  }

  get world(): SharedWorld { return this.plan.world; }

  /** What this thread would make of a configuration. `former` lives on in it. */
  *planFor(shared: SharedModel, segments: Segments, former: Plan | null): Generator<undefined, Plan> {
    const model = yield* readModel(shared, former?.model ?? null);
    return yield* Plan.make(model, { segments, thread: this.threadIndex, clock: this.clock, wheel: this.wheel, former, world: this.worldGround });
  }

  /** A reload: requests that start from now on meet `plan`. */
  use(plan: Plan): void {
    this.plan = plan;
    this.segments = plan.segments;
    this.sightings.follow(plan.segments.handles.suspects);
  }
}
