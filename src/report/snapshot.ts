/**
 * One Snapshot of all figures: rows by HAProxy's order (per proxy the frontend, its listeners, the servers, the backend) and
 * the figures of the process. Counters are summed over threads (or their maximum taken, see counters.ts). Every printer works
 * from a Snapshot, so that no two reports of one moment disagree. Called by the runtime socket and the internal HTTP server,
 * in the control thread. Never changes anything.
 */
import { C, G } from '../model/counters.ts';
import type { CounterField, GaugeField } from '../model/counters.ts';
import type { Bind, Model, Proxy, Server } from '../model/model.ts';
import type { ColumnSource, ObjectKind } from '../model/statistics.ts';
import { columns, columnShown, lastingColumns, objectKinds } from '../model/statistics.ts';
import type { Segments } from '../shared/segments.ts';
import { objectTotals } from '../shared/totals.ts';
import { processFigures } from './process-figures.ts';
import type { Aggregate, Cell, Cells, Row, Snapshot } from './row.ts';
import { aggregate, backendCells, serverCells } from './server-cells.ts';
import type { ReportSources } from './sources.ts';

export function takeSnapshot(model: Model, segments: Segments, sources: ReportSources): Snapshot {
  const rows: Row[] = [];
  for (const proxy of model.proxies) {
    if (proxy.disabled) continue;
    if (proxy.isFrontend) {
      rows.push(frontendRow(proxy, segments, sources));
      if (proxy.switches.socketStats) for (const index of proxy.binds) pushListener(rows, proxy, model.binds[index], segments, sources);
    }
    if (!proxy.isBackend) continue;
    for (const index of proxy.servers) pushServer(rows, proxy, model.servers[index], model, segments, sources);
    rows.push(backendRow(proxy, model, segments, sources));
  }
  return { model, atMs: sources.nowMs(), rows, process: processFigures(model, segments, sources), virtualAddresses: sources.virtualAddresses() };
}

/** How each column is read, worked out once: the name of a source costs nothing per row. */
const readers: readonly ((known: Cell | undefined, sums: Float64Array, gauges: Int32Array) => Cell)[] = columns.map(entry => readerOf(entry.source));

function readerOf(source: ColumnSource): (known: Cell | undefined, sums: Float64Array, gauges: Int32Array) => Cell {
  if (source === 'computed') return known => known ?? null;
  if (source === 'zero') return () => 0;
  if (source === 'never') return () => null;
  if (source.startsWith('gauge ')) {
    const offset = G[source.slice('gauge '.length) as GaugeField];
    return (_known, _sums, gauges) => Math.max(0, Atomics.load(gauges, offset));
  }
  const offset = C[source as CounterField];
  return (_known, sums) => Math.floor(sums[offset] as number);
}

interface RowObject {
  readonly kind: ObjectKind;
  readonly proxy: Proxy;
  readonly server: Server | null;
  readonly bind: Bind | null;
  readonly aggregate: Aggregate | null;
}

function row(object: RowObject, segments: Segments, { counting }: ReportSources, number: number, computed: (sums: Float64Array) => Cells): Row {
  const sums = objectTotals(segments, number);
  const gauges = segments.gauges(number);
  const known = computed(sums);
  const http = object.proxy.mode === 'http';
  const cells = columns.map((entry, index) => (columnShown(entry, object.kind, http) ? (readers[index]?.(known[entry.name], sums, gauges) ?? null) : null));
  const sinceMs = counting.sinceMs(number);
  return { ...object, cells, sinceMs, lasting: counting.lasts ? lastingCells(cells, sinceMs, name => counting.base(number, name)) : [] };
}

/** The counters without what former processes have counted. */
function lastingCells(cells: readonly Cell[], sinceMs: number, base: (name: string) => number): readonly Cell[] {
  return lastingColumns.map(({ of, base: name }) => {
    if (of < 0) return Math.floor(sinceMs / 1000);
    const total = cells[of];
    return typeof total === 'number' ? Math.max(0, total - Math.floor(base(name))) : null;
  });
}

/** Cells that every kind of row has. */
function commonCells(kind: ObjectKind, proxy: Proxy, svname: string, sid: number): Cells {
  return { pxname: proxy.name, svname, pid: 1, iid: proxy.iid, sid, type: objectKinds[kind].type, mode: proxy.mode };
}

function frontendRow(proxy: Proxy, segments: Segments, sources: ReportSources): Row {
  const object = segments.frontendObject(proxy.index);
  return row({ kind: 'frontend', proxy, server: null, bind: null, aggregate: null }, segments, sources, object, sums => ({
    ...commonCells('frontend', proxy, 'FRONTEND', 0),
    status: sources.frontendState(proxy.index),
    slim: sources.frontendMaxconn(proxy.index),
    rate_lim: proxy.rateLimitSessions,
    ...http1Cells(proxy, sums, sums[C.conn_tot] as number),
    sess_other: proxy.mode === 'http' ? 0 : (sums[C.stot] as number),
    h1sess: proxy.mode === 'http' ? (sums[C.stot] as number) : 0,
    h1_open_streams: Atomics.load(segments.gauges(object), G.scur),
  }));
}

function backendRow(proxy: Proxy, model: Model, segments: Segments, sources: ReportSources): Row {
  const object = segments.backendObject(proxy.index);
  return row({ kind: 'backend', proxy, server: null, bind: null, aggregate: aggregate(proxy, model, segments, sources.servers) }, segments, sources, object, sums => ({
    ...commonCells('backend', proxy, 'BACKEND', 0),
    ...backendCells(proxy, model, segments, sources),
    lastsess: secondsSince(sums[C.lastsess_ms] as number, sources.nowMs()),
    ...http1Cells(proxy, sums, sums[C.connect] as number),
    h1_open_streams: Atomics.load(segments.gauges(object), G.scur),
  }));
}

function pushServer(rows: Row[], proxy: Proxy, server: Server | undefined, model: Model, segments: Segments, sources: ReportSources): void {
  if (server === undefined) return;
  rows.push(row({ kind: 'server', proxy, server, bind: null, aggregate: null }, segments, sources, segments.serverObject(server.index), sums => ({
    ...commonCells('server', proxy, server.name, server.sid),
    ...serverCells(server, model, segments, sources),
    hanafail: server.observe === 'none' ? null : (sums[C.hanafail] as number),
    need_conn_est: connectionsNeeded(server, sums, segments, sources),
    lastsess: secondsSince(sums[C.lastsess_ms] as number, sources.nowMs()),
  })));
}

/** HAProxy's estimate never falls below one again once a request or a check has connected. */
function connectionsNeeded(server: Server, sums: Float64Array, segments: Segments, sources: ReportSources): number {
  const used = Atomics.load(segments.gauges(segments.serverObject(server.index)), G.used_conn_cur);
  const connected = (sums[C.connect] as number) > 0 || sources.servers.checkInfo(server.index).endedAtMs > 0;
  return Math.max(used, connected ? 1 : 0);
}

function pushListener(rows: Row[], proxy: Proxy, bind: Bind | undefined, segments: Segments, sources: ReportSources): void {
  if (bind === undefined) return;
  const object = segments.listenerObject(bind.index);
  const full = bind.maxconn > 0 && Atomics.load(segments.gauges(object), G.scur) >= bind.maxconn;
  rows.push(row({ kind: 'listener', proxy, server: null, bind, aggregate: null }, segments, sources, object, () => ({
    ...commonCells('listener', proxy, bind.name === '' ? `sock-${bind.luid}` : bind.name, bind.luid),
    status: sources.frontendState(proxy.index) === 'OPEN' ? (full ? 'FULL' : 'OPEN') : 'WAITING',
    slim: bind.maxconn,
    addr: bind.address.kind === 'inet' ? bind.text : 'unix',
    proto: bind.address.kind === 'inet' ? `tcpv${bind.address.family}` : 'unix_stream',
  })));
}

/** Columns of HAProxy's h1 module: connections as the side counts them. */
function http1Cells(proxy: Proxy, sums: Float64Array, connections: number): Cells {
  const http = proxy.mode === 'http';
  return {
    h1_open_connections: http ? (sums[C.h1_open_conns] as number) : 0,
    h1_total_connections: http ? connections : 0,
    h1_total_streams: http ? (sums[C.req_tot] as number) : 0,
    h1_bytes_in: http ? (sums[C.bin] as number) : 0,
    h1_bytes_out: http ? (sums[C.bout] as number) : 0,
  };
}

function secondsSince(lastMs: number, nowMs: number): number {
  return lastMs === 0 ? -1 : Math.max(0, Math.floor((nowMs - lastMs) / 1000));
}
