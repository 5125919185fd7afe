/**
 * What happens to servers, backends and checks, as events: one per change, with the log line HAProxy writes for it. Emitted by
 * server-states.ts and health/; heard by the log writer, the list of events and mail. Never writes anything itself.
 */

/** Syslog severities that events use. */
export const eventLevel = { emerg: 0, alert: 1, crit: 2, err: 3, warning: 4, notice: 5, info: 6 } as const;

export interface ControlEvent {
  readonly kind: 'server-state' | 'server-admin' | 'server-weight' | 'server-address' | 'backend-down' | 'health-check' | 'advice';
  readonly atMs: number;
  /** Index into Model.proxies: the log targets to use. */
  readonly proxy: number;
  /** Index into Model.servers, -1 for events of the backend. */
  readonly server: number;
  /** Syslog severity. */
  readonly level: number;
  /** Log line without date, tag and line end. */
  readonly text: string;
  /** Severity that `email-alert level` is compared with; absent when HAProxy sends no mail of it. */
  readonly mailLevel?: number;
}

type EventListener = (event: ControlEvent) => void;

export class Events {
  private readonly listeners: EventListener[] = [];

  /** Gives what ends the listening. */
  listen(listener: EventListener): () => void {
    this.listeners.push(listener);
    return () => {
      const at = this.listeners.indexOf(listener);
      if (at >= 0) this.listeners.splice(at, 1);
    };
  }

  emit(event: ControlEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}
