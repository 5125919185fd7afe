/**
 * The shape of a Snapshot: rows of cells by column offset. Made by report/snapshot.ts, read by every printer. Holds no logic
 * beyond finding a cell by its column name.
 */
import type { Bind, Model, Proxy, Server } from '../model/model.ts';
import type { InfoValues } from '../model/process-statistics.ts';
import type { ObjectKind } from '../model/statistics.ts';
import type { InstanceStatus } from '../model/vrrp-messages.ts';
import { columnIndex } from '../model/statistics.ts';

/** Null is printed empty: the column has no meaning for the object. */
export type Cell = string | number | null;

/** Cells by column name, as the parts of a row are worked out. */
export type Cells = Readonly<Record<string, Cell>>;

/** Servers of a backend by state and by last check, for the columns and metrics that add them up. */
export interface Aggregate {
  readonly states: ReadonlyMap<string, number>;
  readonly checks: ReadonlyMap<string, number>;
}

export interface Row {
  readonly kind: ObjectKind;
  readonly proxy: Proxy;
  readonly server: Server | null;
  readonly bind: Bind | null;
  /** By column offset. */
  readonly cells: readonly Cell[];
  /** By offset in lastingColumns; empty without a state folder. */
  readonly lasting: readonly Cell[];
  /** Date.now() of when its counters began. */
  readonly sinceMs: number;
  /** Backends with servers only. */
  readonly aggregate: Aggregate | null;
}

export interface Snapshot {
  readonly model: Model;
  readonly atMs: number;
  readonly rows: readonly Row[];
  readonly process: InfoValues;
  /** Empty on a node without virtual addresses. */
  readonly virtualAddresses: readonly InstanceStatus[];
}

export function cell(row: Row, name: string): Cell {
  return row.cells[columnIndex.get(name) ?? -1] ?? null;
}

/** The figure of a cell, 0 when it is empty or text. */
export function figure(row: Row, name: string): number {
  const value = cell(row, name);
  return typeof value === 'number' ? value : 0;
}

/** The text of a cell, '' when it is empty. */
export function text(row: Row, name: string): string {
  const value = cell(row, name);
  return value === null ? '' : String(value);
}
