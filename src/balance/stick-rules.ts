/**
 * `stick on|match|store-request|store-response`: looks servers up in stick tables and remembers which to write. One per backend and
 * thread, used by persistence.ts.
 */
import type { Model, Proxy } from '../model/model.ts';
import type { Compiler, SampleFn, TestFn } from '../rules/compile.ts';
import type { Subject } from '../rules/subject.ts';
import type { SharedStickTable, StickTables } from '../shared/stick-table.ts';
import type { PersistenceMemo } from './persistence-memo.ts';

/** HAProxy remembers at most so many keys per request. */
const storesMax = 8;

interface CompiledRule {
  readonly matches: boolean;
  readonly stores: boolean;
  readonly proxy: number;
  readonly table: SharedStickTable;
  readonly key: SampleFn;
  readonly applies: TestFn;
}

export class StickRules {
  private readonly onRequest: readonly CompiledRule[];
  private readonly onResponse: readonly CompiledRule[];
  private readonly tables: StickTables;
  private readonly model: Model;

  constructor(proxy: Proxy, model: Model, compiler: Compiler, tables: StickTables) {
    this.tables = tables;
    this.model = model;
    const request: CompiledRule[] = [];
    const response: CompiledRule[] = [];
    for (const rule of proxy.stickRules) {
      const table = tables.table(rule.table);
      if (table === undefined) continue;
      const compiled = {
        matches: rule.kind === 'on' || rule.kind === 'match', stores: rule.kind !== 'match', proxy: rule.table, table,
        key: compiler.sample(rule.expr), applies: compiler.condition(rule.condition),
      };
      (rule.kind === 'store-response' ? response : request).push(compiled);
    }
    this.onRequest = request;
    this.onResponse = response;
  }

  get length(): number {
    return this.onRequest.length + this.onResponse.length;
  }

  /** Gives the server found, -1 = none. `assigned`: a server is chosen already; only keys to store are gathered. */
  request(subject: Subject, memo: PersistenceMemo, assigned: boolean, usable: (server: number) => boolean): number {
    let found = -1;
    for (const rule of this.onRequest) {
      // The first store rule of a table is applied, later ones of the same table are not.
      if (!rule.matches && this.pending(memo, rule.proxy)) continue;
      if (!rule.applies(subject)) continue;
      const key = rule.key(subject);
      if (key === undefined) continue;
      if (rule.matches && found < 0 && !assigned) {
        const server = rule.table.lookup(key, true);
        if (server >= 0 && usable(server)) found = server;
      }
      if (rule.stores && !this.pending(memo, rule.proxy)) this.remember(memo, rule.proxy, key);
    }
    return found;
  }

  /** The server answered or is connected: writes what was gathered, and what an answer says. */
  store(subject: Subject, memo: PersistenceMemo, server: number, answered: boolean): void {
    if (this.model.servers[server]?.nonStick === true) return;
    if (answered) {
      for (const rule of this.onResponse) {
        if (this.pending(memo, rule.proxy) || !rule.applies(subject)) continue;
        const key = rule.key(subject);
        if (key !== undefined) this.remember(memo, rule.proxy, key);
      }
    }
    for (const { table, key } of memo.stores ?? []) this.tables.table(table)?.store(key, server);
    memo.stores = null;
  }

  private pending(memo: PersistenceMemo, table: number): boolean {
    return memo.stores?.some((store) => store.table === table) ?? false;
  }

  private remember(memo: PersistenceMemo, table: number, key: NonNullable<ReturnType<SampleFn>>): void {
    memo.stores ??= [];
    if (memo.stores.length < storesMax) memo.stores.push({ table, key });
  }
}
