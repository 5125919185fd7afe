/**
 * Counts check results into health, and keeps the last result of every server for reports. Used by server-states.ts only; moves no
 * server.
 */
import type { Clock } from '../base/clock.ts';
import type { Server } from '../model/model.ts';
import { S, checkStatuses } from '../model/server-state.ts';
import type { CheckInfo, CheckResult } from './check-result.ts';
import type { ServerTable } from './server-table.ts';

interface Counted {
  /** 0..rise+fall-1: below rise the server is down, at the end it is sure to be up. */
  readonly health: number;
  /** The result is of another kind than the last one, or health moved: worth a line. */
  readonly news: boolean;
}

export class CheckLedger {
  private readonly table: ServerTable;
  private readonly clock: Clock;
  private readonly infos: CheckInfo[];

  constructor(table: ServerTable, clock: Clock) {
    this.table = table;
    this.clock = clock;
    this.infos = table.model.servers.map(newInfo);
  }

  /** After a reload: what the checks of this server found goes on. */
  adopt(index: number, former: CheckInfo): void {
    const { configured, enabled, paused } = this.info(index);
    this.infos[index] = { ...former, running: false, configured, enabled: former.configured === configured ? former.enabled : enabled, paused: configured && (former.configured ? former.paused : paused) };
    this.table.store(index, S.check_running, 0);
  }

  info(index: number): CheckInfo {
    return this.infos[index] as CheckInfo;
  }

  setRunning(index: number, running: boolean): void {
    this.info(index).running = running;
    this.table.store(index, S.check_running, running ? 1 : 0);
  }

  count(index: number, result: CheckResult): Counted {
    const { table } = this;
    const { rise, fall } = table.thresholds(index);
    const before = table.load(index, S.health);
    let health = before;
    if (result.outcome === 'failed') {
      if (before > 0) {
        table.store(index, S.chkfail, table.load(index, S.chkfail) + 1);
        health = before - 1 < rise ? 0 : before - 1;
      }
    } else if (before < rise + fall - 1) {
      health = before + 1 >= rise ? rise + fall - 1 : before + 1;
    }
    table.store(index, S.health, health);
    const news = health !== before || this.info(index).status !== result.status;
    this.keep(index, result);
    return { health, news };
  }

  private keep(index: number, result: CheckResult): void {
    const info = this.info(index);
    info.status = result.status;
    info.code = result.code;
    info.durationMs = result.durationMs;
    info.description = result.description;
    info.endedAtMs = this.clock.dateMs();
    info.result = result.outcome === 'failed' ? 2 : result.outcome === 'passed' ? 3 : 4;
    this.table.store(index, S.check_status, checkStatuses.indexOf(result.status));
    this.table.store(index, S.check_code, result.code);
    this.table.store(index, S.check_duration_ms, result.durationMs);
  }
}

function newInfo(server: Server): CheckInfo {
  const configured = server.check !== null && server.track < 0;
  return {
    status: 'INI', code: 0, durationMs: -1, description: '', endedAtMs: 0, result: 0, configured, enabled: configured,
    paused: false, running: false, host: '', port: 0, observedErrors: 0,
  };
}
