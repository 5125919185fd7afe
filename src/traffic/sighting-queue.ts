/**
 * What live traffic of Exchange frontends shows, on its way to the control thread: refused and taken logins by client and backend,
 * requests that missed their rule because of its case. Gathered for a moment, then one message; bounded, what does not fit is left
 * out. Filled by http/watched-answers.ts and missed-routes.ts. Judges nothing.
 */
import { TimerNode, type TimerOwner, type TimerWheel } from '../base/timer-wheel.ts';
import { limits } from '../model/limits.ts';
import type { LoginScheme, LoginSighting, MissedRouteSighting, ToControl } from '../model/messages.ts';
import { Suspects } from '../shared/suspects.ts';
import type { ClientSession } from './session.ts';

const flushAfterMs = 200;

type Record = { -readonly [field in keyof LoginSighting]: LoginSighting[field] };

/** Requests that missed a rule since the last message. */
export interface MissedRoute {
  readonly frontend: number;
  readonly target: number;
  readonly pattern: string;
  path: string;
  client: string;
  count: number;
}

export class SightingQueue implements TimerOwner {
  private readonly post: (message: ToControl) => void;
  private readonly wheel: TimerWheel;
  private suspects: Suspects;
  private readonly timer = new TimerNode(this, 0);
  private readonly logins = new Map<string, Record>();
  private readonly missed: MissedRoute[] = [];

  constructor(post: (message: ToControl) => void, wheel: TimerWheel, suspects: SharedArrayBuffer) {
    this.post = post;
    this.wheel = wheel;
    this.suspects = new Suspects(suspects);
  }

  /** A reload: a configuration that watches nobody has no marks, the next one may. */
  follow(suspects: SharedArrayBuffer): void {
    this.suspects = new Suspects(suspects);
  }

  /** False for nearly every client: that it was let in is no news then. */
  suspected(session: ClientSession, backend: number): boolean {
    return this.suspects.has(session.sourceHash, backend);
  }

  /** An answer that only a client gets that may come in. */
  accepted(session: ClientSession, backend: number): void {
    const record = this.recordOf(session, backend);
    if (record === null) return;
    this.suspects.clear(session.sourceHash, backend);
    Object.assign(record, { accepted: true, refused: 0, sentBackFirst: false, bounces: 0, loginOpen: false });
  }

  /** 401. */
  refused(session: ClientSession, backend: number, server: number, scheme: LoginScheme): void {
    const record = this.suspect(session, backend);
    if (record === null) return;
    record.refused += 1;
    record.refusedBy = server;
    record.scheme = scheme;
  }

  /** OWA's form was sent and taken. */
  loggedIn(session: ClientSession, backend: number, server: number): void {
    const record = this.suspect(session, backend);
    if (record === null) return;
    record.loginOpen = true;
    record.loginServer = server;
  }

  /** To OWA's logon page. */
  sentBack(session: ClientSession, backend: number, server: number): void {
    // The first visit of a browser is no news.
    if (!this.suspected(session, backend)) return;
    const record = this.recordOf(session, backend);
    if (record === null) return;
    if (record.loginOpen) record.bounces += 1;
    else if (record.bounces === 0) record.sentBackFirst = true;
    record.loginOpen = false;
    record.bounceServer = server;
  }

  missedRoute(route: MissedRoute, path: string, client: string): void {
    route.path = path;
    route.client = client;
    route.count += 1;
    if (route.count > 1) return;
    this.missed.push(route);
    this.soon();
  }

  onTimer(): void {
    const missedRoutes = this.missed.splice(0).map((route): MissedRouteSighting => {
      const told = { ...route };
      route.count = 0;
      return told;
    });
    const logins = [...this.logins.values()];
    this.logins.clear();
    this.post({ type: 'sightings', logins, missedRoutes });
  }

  private suspect(session: ClientSession, backend: number): Record | null {
    const record = this.recordOf(session, backend);
    if (record !== null) this.suspects.set(session.sourceHash, backend);
    return record;
  }

  /** Null: too many clients at once. */
  private recordOf(session: ClientSession, backend: number): Record | null {
    const client = session.sourceAddress;
    const key = `${client} ${backend}`;
    const known = this.logins.get(key);
    if (known !== undefined) return known;
    if (this.logins.size >= limits.sightingClientsMax) return null;
    const record: Record = {
      client, backend, accepted: false, refused: 0, scheme: 'none', refusedBy: -1, sentBackFirst: false, bounces: 0, loginOpen: false, loginServer: -1, bounceServer: -1,
    };
    this.logins.set(key, record);
    this.soon();
    return record;
  }

  private soon(): void {
    if (!this.timer.armed) this.wheel.arm(this.timer, flushAfterMs);
  }
}
