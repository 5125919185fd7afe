/** Reads the statistics CSV (`show stat`, `;csv`) into rows by column name. */
export type StatRow = Readonly<Record<string, string>>;

function cells(line: string): string[] {
  const out: string[] = [];
  let at = 0;
  while (at <= line.length) {
    if (line[at] === '"') {
      let text = '';
      at++;
      while (at < line.length && !(line[at] === '"' && line[at + 1] !== '"')) {
        if (line[at] === '"') at++;
        text += line[at];
        at++;
      }
      out.push(text);
      at += 2;
    } else {
      const comma = line.indexOf(',', at);
      const end = comma < 0 ? line.length : comma;
      out.push(line.slice(at, end));
      at = end + 1;
    }
  }
  return out;
}

export function readStatistics(csv: string): { columns: string[]; rows: StatRow[] } {
  const lines = csv.split('\n').filter((line) => line !== '');
  const header = lines[0] ?? '';
  if (!header.startsWith('# ')) throw new Error(`not a statistics CSV: ${JSON.stringify(csv.slice(0, 200))}`);
  const columns = cells(header.slice(2));
  const rows = lines.slice(1).map((line) => {
    const values = cells(line);
    if (values.length !== columns.length) throw new Error(`row has ${values.length} cells, header ${columns.length}: ${line}`);
    return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? '']));
  });
  return { columns, rows };
}

/** The row of one frontend, server or backend. */
export function statRow(csv: string, proxy: string, service: string): StatRow {
  const row = readStatistics(csv).rows.find((one) => one['pxname'] === proxy && one['svname'] === service);
  if (row === undefined) throw new Error(`no row ${proxy}/${service} in the statistics`);
  return row;
}

/** One column of it, as a running site shows it now. */
export async function figure(site: { command(line: string): Promise<string> }, proxy: string, service: string, column: string): Promise<string> {
  return statRow(await site.command('show stat'), proxy, service)[column] ?? '';
}
