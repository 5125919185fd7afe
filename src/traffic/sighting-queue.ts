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

type Sighting = { -readonly [field in keyof LoginSighting]: LoginSighting[field] };

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
  private readonly logins: Sighting[] = [];
  /** The last of each client and backend. */
  private readonly latest = new Map<string, Sighting>();
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
  accepted(session: ClientSession, backend: number, server: number): void {
    // The mark stays when there is no room for the news: the next good answer is told then.
    if (this.tell(session, backend, server, 'accepted', 'none')) this.suspects.clear(session.sourceHash, backend);
  }

  /** 401. */
  refused(session: ClientSession, backend: number, server: number, scheme: LoginScheme): void {
    this.suspects.set(session.sourceHash, backend);
    this.tell(session, backend, server, 'refused', scheme);
  }

  /** OWA's form was sent and taken. */
  loggedIn(session: ClientSession, backend: number, server: number): void {
    this.suspects.set(session.sourceHash, backend);
    this.tell(session, backend, server, 'logged-in', 'none');
  }

  /** To OWA's logon page. */
  sentBack(session: ClientSession, backend: number, server: number): void {
    // The first visit of a browser is no news.
    if (this.suspected(session, backend)) this.tell(session, backend, server, 'sent-back', 'none');
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
    const logins = this.logins.splice(0);
    this.latest.clear();
    this.post({ type: 'sightings', logins, missedRoutes });
  }

  /** What happens again and again is told in one. Logins and ways back are not: what lies between them may be another thread's. False: too much at once. */
  private tell(session: ClientSession, backend: number, server: number, kind: LoginSighting['kind'], scheme: LoginScheme): boolean {
    const client = session.sourceAddress;
    const key = `${client} ${backend}`;
    const order = this.suspects.nextOrder();
    const last = this.latest.get(key);
    if (last?.kind === kind && (kind === 'refused' || kind === 'accepted')) {
      Object.assign(last, { order, server, scheme, times: last.times + 1 });
      return true;
    }
    if (this.logins.length >= limits.sightingsMax) return false;
    const sighting: Sighting = { client, backend, order, kind, server, scheme, times: 1 };
    this.logins.push(sighting);
    this.latest.set(key, sighting);
    this.soon();
    return true;
  }

  private soon(): void {
    if (!this.timer.armed) this.wheel.arm(this.timer, flushAfterMs);
  }
}
