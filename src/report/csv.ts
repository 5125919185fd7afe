/** The CSV of `show stat` and `;csv`: one line per row, as many fields as the header has. Called by admin/. */
import { columns, csvHeader, lastingHeader, moduleMark, proxyColumnCount } from '../model/statistics.ts';
import type { Cell, Row } from './row.ts';

function field(value: Cell): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvLine(row: Row): string {
  let line = '';
  for (let index = 0; index < columns.length; index++) {
    if (index === proxyColumnCount) line += `${moduleMark},`;
    line += `${field(row.cells[index] ?? null)},`;
  }
  for (const value of row.lasting) line += `${field(value)},`;
  return line;
}

/** Ends with a line end, without the empty line that closes an answer of the runtime socket. */
export function csv(rows: readonly Row[]): string {
  const lasts = rows.some(row => row.lasting.length > 0);
  return `${[lasts ? csvHeader + lastingHeader : csvHeader, ...rows.map(csvLine)].join('\n')}\n`;
}
