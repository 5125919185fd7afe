/**
 * The clock of an open loop: calls back once per planned request, in ticks of 4 ms, whatever the answers do. Used by the open-loop
 * and handshake loads. Latency is counted from the planned time, so a late tick or a slow subject shows in it.
 */

const tickMs = 4;
/** Timers are up to this late, so the last part of a tick is spent asking the clock. */
const timerLatenessMs = 1.5;

export interface Plan {
  readonly ratePerSecond: number;
  readonly seconds: number;
  /** `planned`: performance.now() when the request should start. */
  readonly send: (planned: number) => void;
  readonly done: () => void;
}

/** Requests due by the tick with this number, the first tick being 1. */
export function dueBy(tick: number, ratePerSecond: number): number {
  return Math.floor(tick * tickMs * ratePerSecond / 1000);
}

/** Gives how many requests are planned. */
export function runPlan(plan: Plan): number {
  const total = Math.floor(plan.ratePerSecond * plan.seconds);
  const startedAt = performance.now();
  let tick = 1;
  let sent = 0;
  const step = (): void => {
    const planned = startedAt + tick * tickMs;
    const left = planned - performance.now();
    if (left > timerLatenessMs) { setTimeout(step, Math.floor(left - timerLatenessMs)); return; }
    if (left > 0) { setImmediate(step); return; }
    const due = Math.min(total, dueBy(tick, plan.ratePerSecond));
    while (sent < due) { sent += 1; plan.send(planned); }
    tick += 1;
    if (sent < total) setImmediate(step);
    else plan.done();
  };
  step();
  return total;
}
