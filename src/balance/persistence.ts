/**
 * Which server a request must go to (use-server, cookie, stick rules) and what to remember or tell the client afterwards.
 * One Persistence per backend and traffic thread, called by traffic/: choose() before balancing, then connected() in mode tcp or
 * answered() in mode http. Never balances; never opens connections.
 */
import type { Model, Proxy } from '../model/model.ts';
import type { Compiler } from '../rules/compile.ts';
import type { Subject } from '../rules/subject.ts';
import type { Segments } from '../shared/segments.ts';
import type { StickTables } from '../shared/stick-table.ts';

/** What one exchange remembers between choose() and answered(). Embedded in the exchange, reset between requests. */
export class PersistenceMemo {
  /** Server that choose() gave, -1 = none. */
  server = -1;

  reset(): void {
    this.server = -1;
  }
}

export class Persistence {
  /** False: this backend has neither cookie nor rules; callers may skip every call. */
  readonly active: boolean;

  constructor(proxy: Proxy, model: Model, segments: Segments, compiler: Compiler, tables: StickTables) {
    void proxy; void model; void segments; void compiler; void tables;
    this.active = false;
  }

  /**
   * After the request rules, before balancing. Gives the server to use (it is up, or `option persist`/force-persist asks for it
   * anyway) or -1. Sets facts.cookieFound, facts.cookieSet and edits the request's Cookie lines (indirect, prefix).
   */
  choose(subject: Subject, memo: PersistenceMemo): number {
    void subject; void memo;
    return -1;
  }

  /** Mode tcp: the connection to `server` is there. */
  connected(subject: Subject, memo: PersistenceMemo, server: number): void {
    void subject; void memo; void server;
  }

  /** Mode http: the final answer head came, http-response rules have run. Adds Set-Cookie and Cache-control, sets facts.cookieSet. */
  answered(subject: Subject, memo: PersistenceMemo, server: number): void {
    void subject; void memo; void server;
  }
}
