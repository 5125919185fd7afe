/**
 * Which server a request must go to (use-server, cookie, stick rules) and what to remember or tell the client afterwards.
 * One Persistence per backend and traffic thread, called by traffic/: choose() before balancing, then connected() in mode tcp or
 * answered() in mode http. Never balances; never opens connections.
 */
import type { Model, Proxy } from '../model/model.ts';
import { S, op } from '../model/server-state.ts';
import type { Compiler, TestFn } from '../rules/compile.ts';
import type { Subject } from '../rules/subject.ts';
import type { Segments } from '../shared/segments.ts';
import type { StickTables } from '../shared/stick-table.ts';
import { CookiePersistence } from './cookie-persistence.ts';
import { PerServer } from './per-server.ts';
import { PersistenceMemo } from './persistence-memo.ts';
import { RdpPersistence } from './rdp-persistence.ts';
import { StickRules } from './stick-rules.ts';

export { PersistenceMemo };

export class Persistence {
  /** False: this backend has neither cookie nor rules; callers may skip every call. */
  readonly active: boolean;
  private readonly useServer: readonly ((subject: Subject) => number)[];
  private readonly cookie: CookiePersistence | null;
  private readonly stick: StickRules;
  private readonly rdp: RdpPersistence | null;
  private readonly persistRules: readonly { readonly force: boolean; readonly applies: TestFn }[];
  private readonly optionPersist: boolean;
  /** Stick tables of other backends may name other servers: those have no state here. */
  private readonly states: PerServer<Int32Array>;
  /** force-persist applies to the request under way. */
  private forcing = false;
  private readonly up = (server: number): boolean => {
    const state = this.states.get(server);
    return state !== undefined && Atomics.load(state, S.op) !== op.stopped;
  };
  private readonly usable = (server: number): boolean => this.up(server) || ((this.forcing || this.optionPersist) && this.states.get(server) !== undefined);

  constructor(proxy: Proxy, model: Model, segments: Segments, compiler: Compiler, tables: StickTables) {
    this.states = new PerServer(proxy.servers);
    for (const index of proxy.servers) this.states.set(index, segments.serverState(index));
    // One closure per rule: a rule whose server is down gives way to the next.
    this.useServer = proxy.useServer.map((rule) => compiler.serverRules([rule], proxy));
    this.cookie = proxy.cookie === null || proxy.mode !== 'http' ? null : new CookiePersistence(proxy.cookie, proxy, model);
    this.stick = new StickRules(proxy, model, compiler, tables);
    this.rdp = proxy.rdpPersist === null ? null : new RdpPersistence(proxy, model, compiler.sample(proxy.rdpPersist));
    this.persistRules = proxy.persistRules.map((rule) => ({ force: rule.kind === 'force', applies: compiler.condition(rule.condition) }));
    this.optionPersist = proxy.switches.persist;
    this.active = this.useServer.length > 0 || this.cookie !== null || this.stick.length > 0 || this.rdp !== null;
  }

  /**
   * After the request rules, before balancing. Gives the server to use (it is up, or `option persist`/force-persist asks for it
   * anyway) or -1. Sets facts.cookieFound, facts.cookieSet and edits the request's Cookie lines (indirect, prefix).
   */
  choose(subject: Subject, memo: PersistenceMemo): number {
    this.applyPersistRules(subject, memo);
    let server = this.ruleServer(subject);
    if (this.cookie !== null) {
      const asked = this.cookie.request(subject, memo, server >= 0 || memo.ignored, this.up, this.usable);
      if (server < 0) server = asked;
    }
    if (this.rdp !== null && server < 0 && !memo.ignored) {
      const asked = this.rdp.choose(subject);
      if (asked >= 0 && this.usable(asked)) server = asked;
    }
    if (this.stick.length > 0 && !memo.ignored) {
      const stuck = this.stick.request(subject, memo, server >= 0, this.usable);
      if (server < 0) server = stuck;
    }
    memo.server = server;
    memo.forced = server >= 0 && this.forcing;
    return server;
  }

  /** Mode tcp: the connection to `server` is there. answered() may follow when the server's first bytes have come. */
  connected(subject: Subject, memo: PersistenceMemo, server: number): void {
    if (this.stick.length > 0) this.stick.store(subject, memo, server, false);
  }

  /** Mode http: the final answer head came, http-response rules have run. Adds Set-Cookie and Cache-control, sets facts.cookieSet. */
  answered(subject: Subject, memo: PersistenceMemo, server: number): void {
    if (this.stick.length > 0) this.stick.store(subject, memo, server, true);
    this.cookie?.answer(subject, memo, server, memo.server >= 0 && memo.server === server);
  }

  /** The first of force-persist and ignore-persist whose condition holds decides. */
  private applyPersistRules(subject: Subject, memo: PersistenceMemo): void {
    this.forcing = false;
    memo.ignored = false;
    for (const rule of this.persistRules) {
      if (!rule.applies(subject)) continue;
      if (rule.force) this.forcing = true;
      else memo.ignored = true;
      return;
    }
  }

  private ruleServer(subject: Subject): number {
    for (const rule of this.useServer) {
      const server = rule(subject);
      if (server >= 0 && this.usable(server)) return server;
    }
    return -1;
  }
}
