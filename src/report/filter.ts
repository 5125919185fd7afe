/**
 * Which rows of a Snapshot a reader wants and may see: `show stat <iid> <type> <sid>`, `up`, `no-maint`, the page's scope, and
 * whether addresses, cookies and algorithms are shown. Used by every printer of rows.
 */
import { columnIndex } from '../model/statistics.ts';
import type { Cell, Row, Snapshot } from './row.ts';
import { text } from './row.ts';

export interface RowFilter {
  /** Proxy number, -1 = all. */
  readonly iid: number;
  /** 1 frontends, 2 backends, 4 servers, 8 listeners, added up; -1 = all. */
  readonly types: number;
  /** Server number, -1 = all. */
  readonly sid: number;
  /** Hide servers that are down or in maintenance. */
  readonly up: boolean;
  /** Hide servers in maintenance. */
  readonly noMaint: boolean;
  /** Show addresses, cookies and balance algorithms. */
  readonly legends: boolean;
  /** Part of a proxy name that the page's visitor asked for, '' = all. */
  readonly scope: string;
  /** Exact proxy names that `stats scope` allows, empty = all. */
  readonly allowed: readonly string[];
}

export const everything: RowFilter = { iid: -1, types: -1, sid: -1, up: false, noMaint: false, legends: true, scope: '', allowed: [] };

const typeBits = { frontend: 1, backend: 2, server: 4, listener: 8 } as const;
const legendColumns: readonly number[] = ['addr', 'cookie', 'algo'].map(name => columnIndex.get(name) ?? -1);
const statusColumn = columnIndex.get('status') ?? -1;

function isWanted(row: Row, filter: RowFilter): boolean {
  if (filter.iid >= 0 && row.proxy.iid !== filter.iid) return false;
  if (filter.types >= 0 && (typeBits[row.kind] & filter.types) === 0) return false;
  if (filter.allowed.length > 0 && !filter.allowed.includes(row.proxy.name)) return false;
  if (filter.scope !== '' && !row.proxy.name.includes(filter.scope)) return false;
  if (row.server === null) return true;
  if (filter.sid >= 0 && row.server.sid !== filter.sid) return false;
  const status = text(row, 'status');
  if ((filter.up || filter.noMaint) && status.startsWith('MAINT')) return false;
  return !(filter.up && status.startsWith('DOWN'));
}

/** With servers hidden a backend says how many of its servers are up: `UP (4/6)`. */
function backendStatus(row: Row, status: Cell): Cell {
  if (row.aggregate === null) return `${String(status)} (0/0)`;
  const up = (row.aggregate.states.get('UP') ?? 0) + (row.aggregate.states.get('DRAIN') ?? 0);
  return `${String(status)} (${up}/${row.proxy.servers.length})`;
}

export function filterRows(snapshot: Snapshot, filter: RowFilter): readonly Row[] {
  const hides = filter.up || filter.noMaint;
  const rows: Row[] = [];
  for (const row of snapshot.rows) {
    if (!isWanted(row, filter)) continue;
    if (filter.legends && !(hides && row.kind === 'backend')) {
      rows.push(row);
      continue;
    }
    const cells = [...row.cells];
    if (!filter.legends) for (const index of legendColumns) cells[index] = null;
    if (hides && row.kind === 'backend') cells[statusColumn] = backendStatus(row, cells[statusColumn] ?? null);
    rows.push({ ...row, cells });
  }
  return rows;
}
