/** `show stat json`, `;json` and `show info json`: HAProxy's arrays of fields with tags and typed values. Called by admin/. */
import type { InfoValues } from '../model/process-statistics.ts';
import type { ValueType } from '../model/statistics.ts';
import { columns, lastingColumns, objectKinds } from '../model/statistics.ts';
import type { Row } from './row.ts';
import { figure } from './row.ts';
import { infoEntries } from './typed.ts';

const origins: Readonly<Record<string, string>> = { K: 'Key', P: 'Product', C: 'Config', M: 'Metric', S: 'Status' };
const natures: Readonly<Record<string, string>> = {
  N: 'Name', O: 'Output', G: 'Gauge', L: 'Limit', C: 'Counter', M: 'Max', m: 'Min', R: 'Rate', D: 'Duration', A: 'Age', T: 'Time', a: 'Avg',
};
const scopes: Readonly<Record<string, string>> = { C: 'Cluster', P: 'Process', S: 'Service' };

interface JsonField {
  readonly field: { readonly pos: number; readonly name: string };
  readonly processNum: 1;
  readonly tags: { readonly origin: string; readonly nature: string; readonly scope: string };
  readonly value: { readonly type: ValueType; readonly value: string | number };
}

function jsonField(pos: number, name: string, tags: string, type: ValueType, value: string | number): JsonField {
  return {
    field: { pos, name },
    processNum: 1,
    tags: { origin: origins[tags.charAt(0)] ?? '', nature: natures[tags.charAt(1)] ?? '', scope: scopes[tags.charAt(2)] ?? '' },
    value: { type, value },
  };
}

function jsonRow(row: Row): readonly object[] {
  const object = { objType: objectKinds[row.kind].title, proxyId: row.proxy.iid, id: figure(row, 'sid') };
  const fields: object[] = [];
  columns.forEach((entry, index) => {
    const value = row.cells[index] ?? null;
    if (value !== null) fields.push({ ...object, ...jsonField(index, entry.name, entry.tags, entry.type, value) });
  });
  row.lasting.forEach((value, index) => {
    const entry = lastingColumns[index]?.entry;
    if (value !== null && entry !== undefined) fields.push({ ...object, ...jsonField(columns.length + index, entry.name, entry.tags, entry.type, value) });
  });
  return fields;
}

export function jsonRows(rows: readonly Row[]): string {
  return `${JSON.stringify(rows.map(jsonRow))}\n`;
}

export function jsonInfo(values: InfoValues): string {
  return `${JSON.stringify(infoEntries(values).map(({ field, position, value }) => jsonField(position, field.name, field.tags, field.type, value)))}\n`;
}
