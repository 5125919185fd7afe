/**
 * The one door for every change of a server's operating state, administrative flags, weight, health and address. Owned by the
 * control thread; called by health/, the runtime commands and start-up. A change reaches shared memory before the call returns,
 * counts the backend's epoch up and emits one event. Never runs checks, never touches traffic counters.
 */
import type { Clock } from '../base/clock.ts';
import type { ToTraffic } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import type { CheckStatus } from '../model/server-state.ts';
import type { Segments } from '../shared/segments.ts';
import type { Events } from './events.ts';

/** Last result of a server's check, for reports. One per server, mutable, owned by ServerStates. */
export interface CheckInfo {
  status: CheckStatus;
  /** Status code of the protocol, 0 = none. */
  code: number;
  /** -1 while none ended. */
  durationMs: number;
  /** Cause in words, '' = none: `Connection refused`. CSV column last_chk. */
  description: string;
  /** Date.now() when the last check ended, 0 = never. */
  endedAtMs: number;
  /** True while checks are enabled (disable health turns it off). */
  enabled: boolean;
  running: boolean;
  /** Errors seen by `observe` that made a check fail (CSV hanafail). */
  observedErrors: number;
}

export interface ServerStatesOptions {
  readonly clock: Clock;
  readonly post: (message: ToTraffic) => void;
  readonly events: Events;
}

export class ServerStates {
  readonly model: Model;

  constructor(model: Model, segments: Segments, options: ServerStatesOptions) {
    this.model = model;
    void segments; void options;
  }

  /** `set server b/s state ready|drain|maint`, `enable/disable server`. */
  setAdmin(server: number, state: 'ready' | 'drain' | 'maint'): void {
    void server; void state;
  }

  /** `set server b/s weight 50` or `50%`. Gives '' or the reason why not, as the runtime socket answers it. */
  setWeight(server: number, text: string): string {
    void server; void text;
    return '';
  }

  /** `set server b/s health up|stopping|down`. Gives '' or the reason why not. */
  setHealth(server: number, state: 'up' | 'stopping' | 'down'): string {
    void server; void state;
    return '';
  }

  /** `enable/disable health b/s`. Gives '' or the reason why not. */
  setHealthEnabled(server: number, enabled: boolean): string {
    void server; void enabled;
    return '';
  }

  /** `set server b/s addr 1.2.3.4 [port 80]`; null keeps what is in force. Gives HAProxy's answer text. */
  setAddress(server: number, host: string | null, port: number | null, by: string): string {
    void server; void host; void port; void by;
    return '';
  }

  /** Address in force. */
  address(server: number): { host: string; port: number } {
    void server;
    return { host: '', port: 0 };
  }

  setMaxconn(server: number, maxconn: number): void {
    void server; void maxconn;
  }

  /** Column `status` of a server: `UP`, `DOWN 1/2`, `MAINT (via b/s)`, `no check` … */
  statusText(server: number): string {
    void server;
    return '';
  }

  checkInfo(server: number): CheckInfo {
    void server;
    return { status: 'UNK', code: 0, durationMs: -1, description: '', endedAtMs: 0, enabled: false, running: false, observedErrors: 0 };
  }

  /** Total seconds down, the current outage included. */
  downtimeSeconds(server: number): number {
    void server;
    return 0;
  }

  backendDowntimeSeconds(proxy: number): number {
    void proxy;
    return 0;
  }
}
