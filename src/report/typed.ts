/**
 * `show stat typed` and `show info typed`: one field per line as `F.2.0.7.stot.1:MCPV:u64:12`, with a help text on `desc`.
 * Called by admin/.
 */
import type { InfoField, InfoValues } from '../model/process-statistics.ts';
import { infoFields } from '../model/process-statistics.ts';
import { columns, lastingColumns, objectKinds } from '../model/statistics.ts';
import type { Row } from './row.ts';
import { figure } from './row.ts';

function described(line: string, help: string, desc: boolean): string {
  return desc ? `${line}:"${help}"\n` : `${line}\n`;
}

/** HAProxy 3.x adds how long a figure lives to the tags of `show stat` (not of `show info`): V, as long as the process. */
const lifetime = 'V';

function typedRow(row: Row, desc: boolean): string {
  const prefix = `${objectKinds[row.kind].letter}.${row.proxy.iid}.${figure(row, 'sid')}`;
  let lines = '';
  columns.forEach((entry, index) => {
    const value = row.cells[index] ?? null;
    if (value === null) return;
    lines += described(`${prefix}.${index}.${entry.name}.1:${entry.tags}${lifetime}:${entry.type}:${value}`, entry.help, desc);
  });
  row.lasting.forEach((value, index) => {
    const entry = lastingColumns[index]?.entry;
    if (value !== null && entry !== undefined) lines += described(`${prefix}.${columns.length + index}.${entry.name}.1:${entry.tags}${lifetime}:${entry.type}:${value}`, entry.help, desc);
  });
  return lines;
}

export function typedRows(rows: readonly Row[], desc: boolean): string {
  return rows.map(row => typedRow(row, desc)).join('');
}

/** The fields of `show info` that have a value, with their numbers. */
export function infoEntries(values: InfoValues): readonly { readonly field: InfoField; readonly position: number; readonly value: string | number }[] {
  const entries: { field: InfoField; position: number; value: string | number }[] = [];
  infoFields.forEach((field, position) => {
    const value = values.get(field.name);
    if (value !== undefined && !field.hidden) entries.push({ field, position, value });
  });
  return entries;
}

export function typedInfo(values: InfoValues, desc: boolean): string {
  return infoEntries(values)
    .map(({ field, position, value }) => described(`${position}.${field.name}.1:${field.tags}:${field.type}:${value}`, field.help, desc))
    .join('');
}

export function plainInfo(values: InfoValues, desc: boolean): string {
  return infoEntries(values)
    .map(({ field, value }) => described(`${field.name}: ${value}`, field.help, desc))
    .join('');
}
