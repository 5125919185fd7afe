/**
 * Starts and runs the health checks of all servers. Called once by the control thread at start. Results go through the one door
 * in server-states.ts. Never changes shared memory itself.
 */
import type { Clock } from '../../base/clock.ts';
import type { Model } from '../../model/model.ts';
import type { ServerStates } from '../server-states.ts';

export interface HealthOptions {
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Operator messages that are no events (unresolvable names …). */
  readonly log: (text: string) => void;
}

export interface Health {
  /** An observed-errors message came from a traffic thread. */
  observed(server: number, layer: 4 | 7, why: string): void;
  /** Ends all checks. */
  stop(): void;
}

export function startHealth(model: Model, states: ServerStates, options: HealthOptions): Health {
  void model; void states; void options;
  return { observed: () => undefined, stop: () => undefined };
}
