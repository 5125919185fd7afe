/** Fetches and converters of stick counters: HAProxy's names with their arguments. All are accepted and give 0 until counting is built. */
import type { FetchRow } from './fetches.ts';

/** Suffix of `sc_X`, `sc0_X` and `src_X`; the mark tells the extra first argument (index) of array forms. */
const counters = [
  'bytes_in_rate', 'bytes_out_rate', 'clr_gpc0', 'clr_gpc1', 'conn_cnt', 'conn_cur', 'conn_rate', 'get_gpc0', 'get_gpc1', 'get_gpt0', 'gpc0_rate', 'gpc1_rate',
  'http_err_cnt', 'http_err_rate', 'http_fail_cnt', 'http_fail_rate', 'http_req_cnt', 'http_req_rate', 'inc_gpc0', 'inc_gpc1', 'kbytes_in', 'kbytes_out', 'sess_cnt',
  'sess_rate',
] as const;
const arrayCounters = ['clr_gpc', 'get_gpc', 'get_gpt', 'gpc_rate', 'inc_gpc'] as const;
const trackedOnly = ['tracked', 'trackers'] as const;
const help = 'Stick counter.';

function row(name: string, args: string, type: 'int' | 'bool' = 'int'): FetchRow {
  return [name, args, type, name.startsWith('src_') ? 'client' : 'nothing', help, 'inactive'];
}

function makeRows(): FetchRow[] {
  const out: FetchRow[] = [];
  for (const name of [...counters, ...trackedOnly]) {
    const type = name === 'tracked' ? 'bool' : 'int';
    out.push(row(`sc_${name}`, 'it?', type));
    for (const number of [0, 1, 2]) out.push(row(`sc${number}_${name}`, 't?', type));
  }
  for (const name of arrayCounters) {
    out.push(row(`sc_${name}`, 'iit?'), row(`src_${name}`, 'it'));
    for (const number of [0, 1, 2]) out.push(row(`sc${number}_${name}`, 'it?'));
  }
  for (const name of counters) out.push(row(`src_${name}`, 't?'));
  out.push(row('src_updt_conn_cnt', 't?'));
  return out;
}

export const stickFetchRows: readonly FetchRow[] = makeRows();

/** Suffixes of the `table_X(table)` converters. */
export const tableConverters = [
  'bytes_in_rate', 'bytes_out_rate', 'conn_cnt', 'conn_cur', 'conn_rate', 'expire', 'gpc', 'gpc0', 'gpc0_rate', 'gpc1', 'gpc1_rate', 'gpc_rate', 'gpt', 'gpt0',
  'http_err_cnt', 'http_err_rate', 'http_fail_cnt', 'http_fail_rate', 'http_req_cnt', 'http_req_rate', 'idle', 'kbytes_in', 'kbytes_out', 'server_id', 'sess_cnt',
  'sess_rate', 'trackers',
] as const;

const counterNames: ReadonlySet<string> = new Set([...stickFetchRows.map(([name]) => name), ...tableConverters.map((suffix) => `table_${suffix}`)]);

/** True for fetches and converters that read a stick counter. */
export function isCounter(name: string): boolean {
  return counterNames.has(name);
}
