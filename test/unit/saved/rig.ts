/** A process as far as the state folder is concerned: a configuration, its shared memory, server states, and what is set by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Counting } from '../../../src/control/counting.ts';
import { SavedDatabase } from '../../../src/control/saved/database.ts';
import { SavedState } from '../../../src/control/saved/saved-state.ts';
import type { ServerStates } from '../../../src/control/server-states.ts';
import { C, type CounterField } from '../../../src/model/counters.ts';
import type { Model } from '../../../src/model/model.ts';
import type { Segments } from '../../../src/shared/segments.ts';
import type { SharedStickTable } from '../../../src/shared/stick-table.ts';
import { StickTables } from '../../../src/shared/stick-table.ts';
import { HandTime, makeWorld } from '../health/rig.ts';

export interface Process {
  readonly model: Model;
  readonly segments: Segments;
  readonly states: ServerStates;
  readonly counting: Counting;
  readonly time: HandTime;
  readonly saved: SavedState;
  readonly database: SavedDatabase;
  readonly warnings: string[];
  /** Set by hand of frontends, by index, and of the process. */
  readonly settings: Map<number | 'process', Record<string, number>>;
  server(name: string): number;
  table(proxy: string): SharedStickTable;
  count(object: number, values: Partial<Record<CounterField, number>>): void;
}

export function folder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'poise-saved-'));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

/** Starts on the folder; undefined when nothing can be kept there. */
export function start(path: string, configuration: string, nowMs: number, warnings: string[] = []): Process | undefined {
  const time = new HandTime();
  time.now = nowMs - 1_700_000_000_000;
  const { model, segments, states, server } = makeWorld(configuration, time);
  const counting = new Counting(nowMs);
  const settings = new Map<number | 'process', Record<string, number>>();
  const database = SavedDatabase.open(path, nowMs, { uid: 0, gid: 0 }, (text) => warnings.push(text));
  if (database === undefined) return undefined;
  const saved = new SavedState(database, { model, segments, states }, {
    clock: time, counting, warn: (text) => warnings.push(text), settings: {
      frontend: (proxy) => settings.get(proxy) ?? {}, restoreFrontend: (proxy, { paused }) => { if (paused !== undefined) settings.set(proxy, { paused }); },
      process: () => settings.get('process') ?? {}, restoreProcess: ({ maxconn }) => { if (maxconn !== undefined) settings.set('process', { maxconn }); },
    },
  });
  saved.restore();
  const tables = new StickTables(model, segments.handles, time);
  return {
    model, segments, states, counting, time, saved, database, warnings, settings, server,
    table: (proxy) => tables.table(model.proxies.find(({ name }) => name === proxy)?.index ?? -1) as SharedStickTable,
    count: (object, values) => {
      for (const [field, value] of Object.entries(values)) segments.counters(object, 0)[C[field as CounterField]] = value;
    },
  };
}
