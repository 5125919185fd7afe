/**
 * How servers begin: as the configuration says, as they were before a reload, or as a former process knew them. Used by server-states.ts only, and
 * by nobody once a server's checks run. Announces nothing.
 */
import type { Model, Server } from '../model/model.ts';
import { S, admin, checkStatuses, op } from '../model/server-state.ts';
import type { Segments } from '../shared/segments.ts';
import type { CheckLedger } from './check-ledger.ts';
import type { ServerAddresses } from './server-addresses.ts';
import type { ServerTable } from './server-table.ts';
import type { SlowStart } from './slow-start.ts';

/** What ServerStates is made of, as far as a server's beginning is concerned. */
export interface ServerParts {
  readonly model: Model;
  readonly segments: Segments;
  readonly table: ServerTable;
  readonly ledger: CheckLedger;
  readonly addresses: ServerAddresses;
  readonly slowStart: SlowStart;
}

/** What a former process knew of a server by itself, not by command. */
export interface FormerServer {
  /** One of `op`. */
  readonly op: number;
  readonly health: number;
}

export class ServerBeginnings {
  private readonly parts: ServerParts;

  constructor(parts: ServerParts) {
    this.parts = parts;
  }

  /** `former`: before a reload. */
  beginAll(former: ServerParts | undefined, nowSeconds: number): void {
    const { model, segments } = this.parts;
    const before = (server: Server): Server | undefined => former?.model.servers[former.segments.serverAt(segments.serverSlot(server.index))];
    for (const server of model.servers) {
      const formerServer = before(server);
      if (former === undefined || formerServer === undefined) this.initialise(server, nowSeconds);
      else this.adopt(server, former, formerServer);
    }
    for (const server of model.servers) if (server.track >= 0 && before(server) === undefined) this.inheritAtStart(server);
  }

  private initialise(server: Server, nowSeconds: number): void {
    const { index } = server;
    const { table } = this.parts;
    const info = this.parts.ledger.info(index);
    const unresolved = server.address.kind === 'name';
    const flags = (server.disabled ? admin.forcedMaint | admin.configMaint : 0) | (unresolved ? admin.resolutionMaint : 0);
    info.paused = flags !== 0 && info.configured;
    table.store(index, S.admin, flags);
    table.store(index, S.op, flags !== 0 || startsDown(server) ? op.stopped : op.running);
    table.store(index, S.uweight, server.weight);
    table.store(index, S.iweight, server.weight);
    table.store(index, S.health, flags !== 0 ? 0 : initialHealth(server, table.thresholds(index)));
    table.store(index, S.check_status, checkStatuses.indexOf('INI'));
    table.store(index, S.check_duration_ms, -1);
    table.store(index, S.lastchg_s, nowSeconds);
    table.store(index, S.maxconn, server.maxconn);
    table.store(index, S.starting, info.configured && !info.paused ? 1 : 0);
    this.parts.slowStart.applyWeight(server);
  }

  /** What the configuration says anew is taken; what was set by hand or found by checks stays where it says nothing new. */
  private adopt(server: Server, former: ServerParts, before: Server): void {
    const { index } = server;
    const { table, ledger, addresses, slowStart } = this.parts;
    const configuredBefore = former.ledger.info(before.index).configured;
    ledger.adopt(index, former.ledger.info(before.index));
    const moved = before.address !== server.address && JSON.stringify(before.address) !== JSON.stringify(server.address);
    if (!moved) addresses.adopt(index, former.addresses, before.index);
    let flags = table.load(index, S.admin);
    if (before.disabled !== server.disabled) flags = server.disabled ? flags | admin.forcedMaint | admin.configMaint : flags & ~(admin.forcedMaint | admin.configMaint);
    if (server.track < 0) flags &= ~(admin.inheritedMaint | admin.inheritedDrain);
    if (moved) flags = server.address.kind === 'name' ? flags | admin.resolutionMaint : flags & ~admin.resolutionMaint;
    table.store(index, S.admin, flags);
    if (before.weight !== server.weight) table.store(index, S.uweight, server.weight);
    table.store(index, S.iweight, server.weight);
    if (before.maxconn !== server.maxconn) table.store(index, S.maxconn, server.maxconn);
    if ((flags & admin.anyMaint) !== 0) table.store(index, S.op, op.stopped);
    else if (server.check === null || (before.check === null && !startsDown(server))) table.store(index, S.op, table.isStopped(index) ? op.running : table.load(index, S.op));
    const { rise, fall } = table.thresholds(index);
    const health = table.load(index, S.health);
    if (ledger.info(index).configured && !configuredBefore) table.store(index, S.health, initialHealth(server, { rise, fall }));
    else table.store(index, S.health, table.isStopped(index) ? Math.min(health, rise - 1) : Math.max(rise, Math.min(health, rise + fall - 1)));
    slowStart.adopt(server, former.slowStart, before.index);
    slowStart.applyWeight(server);
  }

  /** What is tracked may be in maintenance or start down by configuration. Chains of tracking have no circles. */
  private inheritAtStart(server: Server): void {
    const { table } = this.parts;
    const root = table.root(server.index);
    if ((table.load(root, S.admin) & admin.anyMaint) !== 0) table.store(server.index, S.admin, table.load(server.index, S.admin) | admin.inheritedMaint);
    if (table.load(root, S.op) === op.stopped) table.store(server.index, S.op, op.stopped);
  }

  /** Not in maintenance, and not for who tracks another: it follows that one. */
  recover(index: number, former: FormerServer): void {
    const { table, slowStart } = this.parts;
    const server = table.server(index);
    if (table.inMaintenance(index) || server.track >= 0) return;
    const { rise, fall } = table.thresholds(index);
    const isDown = former.op === op.stopped;
    const state = isDown ? op.stopped : former.op === op.stopping ? op.stopping : op.running;
    if (server.check !== null) table.store(index, S.health, isDown ? Math.max(0, Math.min(former.health, rise - 1)) : Math.max(rise, Math.min(former.health, rise + fall - 1)));
    this.follow(index, state);
    if (!isDown) slowStart.applyWeight(server);
  }

  private follow(index: number, state: number): void {
    const { table } = this.parts;
    if (table.inMaintenance(index)) return;
    table.store(index, S.op, state);
    for (const tracker of table.trackersOf(index)) this.follow(tracker, state);
  }
}

/** `init-state`: by default up, but the first failure brings it down. */
export function initialHealth(server: Server, { rise, fall }: { rise: number; fall: number }): number {
  if (server.initState === 'fully-up') return rise + fall - 1;
  if (server.initState === 'down') return rise - 1;
  return server.initState === 'fully-down' ? 0 : rise;
}

export function startsDown(server: Server): boolean {
  return server.check !== null && (server.initState === 'down' || server.initState === 'fully-down');
}
