/**
 * The one table of statistics columns. CSV, JSON, typed output, the HTML page and the Prometheus exporter all print what
 * stands here and nothing else; report/snapshot.ts fills a row from it. Order and names are those of HAProxy 3.x (its
 * columns 0 to 118, then "-", then the columns of its ssl, h2 and h1 modules); tools find columns by name or by position.
 * Holds no figures and does no work. The figures of the whole process (`show info`) are in model/process-statistics.ts.
 */
import type { CounterField, GaugeField } from './counters.ts';
import { counterFields } from './counters.ts';

export type ObjectKind = 'frontend' | 'backend' | 'server' | 'listener';

/** Numbers as HAProxy's column `type` gives them, and the letter of typed output. */
export const objectKinds: Readonly<Record<ObjectKind, { readonly type: number; readonly letter: 'F' | 'B' | 'S' | 'L'; readonly title: string }>> = {
  frontend: { type: 0, letter: 'F', title: 'Frontend' },
  backend: { type: 1, letter: 'B', title: 'Backend' },
  server: { type: 2, letter: 'S', title: 'Server' },
  listener: { type: 3, letter: 'L', title: 'Listener' },
};

export type ValueType = 'str' | 'u32' | 's32' | 'u64';

/**
 * Where a figure comes from: a counter summed over threads, a gauge, worked out by report/snapshot.ts, always zero (HAProxy
 * has the feature, this program does not), or never shown.
 */
export type ColumnSource = CounterField | `gauge ${GaugeField}` | 'computed' | 'zero' | 'never';

export interface Metric {
  /** Without `haproxy_<scope>_`. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  /** Letters of the object kinds that export it. */
  readonly on: string;
  /** The column is in milliseconds, the metric in seconds. */
  readonly milliseconds: boolean;
  /** The value becomes a label: response class or state. */
  readonly label: '' | 'code' | 'state';
}

export interface Column {
  readonly name: string;
  readonly type: ValueType;
  /**
   * Origin (Key, Product, Config, Metric, Status), nature (Name, Output, Gauge, Limit, Counter, Max, Rate, Duration, Age, avg)
   * and scope (Service, Process) of the value, one letter each.
   */
  readonly tags: string;
  /** Letters of the object kinds that show it; a small letter shows it in mode http only. */
  readonly on: string;
  readonly source: ColumnSource;
  readonly help: string;
  readonly metrics: readonly Metric[];
  /** True after the "-": the columns of protocol modules. */
  readonly extra: boolean;
}

function metric(name: string, kind: Metric['kind'], on: string, label: Metric['label'] = ''): Metric {
  return { name, kind, on, label, milliseconds: false };
}
function seconds(name: string, on: string): Metric {
  return { name, kind: 'gauge', on, label: '', milliseconds: true };
}
function column(name: string, type: ValueType, tags: string, on: string, source: ColumnSource, help: string, ...metrics: readonly Metric[]): Column {
  return { name, type, tags, on, source, help, metrics, extra: false };
}
/** A counter of the process's life time: 64 bits, tagged Metric, Counter, Process. */
function count(name: string, on: string, source: ColumnSource, help: string, ...metrics: readonly Metric[]): Column {
  return column(name, 'u64', 'MCP', on, source, help, ...metrics);
}
function extra(name: string, tags: string, on: string, source: ColumnSource, help: string): Column {
  return { name, type: 'u64', tags, on, source, help, metrics: [], extra: true };
}

const proxyColumns: readonly Column[] = [
  column('pxname', 'str', 'KNS', 'FLSB', 'computed', 'Name of the proxy'),
  column('svname', 'str', 'KNS', 'FLSB', 'computed', 'FRONTEND, BACKEND, or the name of the server or listener'),
  column('qcur', 'u32', 'MGP', 'SB', 'gauge qcur', 'Requests waiting in the queue now', metric('current_queue', 'gauge', 'SB')),
  column('qmax', 'u32', 'MMP', 'SB', 'gauge qmax', 'Most requests that waited in the queue at once', metric('max_queue', 'gauge', 'SB')),
  column('scur', 'u32', 'MGP', 'FLSB', 'gauge scur', 'Sessions open now', metric('current_sessions', 'gauge', 'FLSB')),
  column('smax', 'u32', 'MMP', 'FLSB', 'gauge smax', 'Most sessions open at once', metric('max_sessions', 'gauge', 'FLSB')),
  column('slim', 'u32', 'CLP', 'FLSB', 'computed', 'Limit of sessions: maxconn, for a backend fullconn', metric('limit_sessions', 'gauge', 'FLSB')),
  count('stot', 'FLSB', 'stot', 'Sessions so far', metric('sessions_total', 'counter', 'FLSB')),
  count('bin', 'FLSB', 'bin', 'Bytes received from clients', metric('bytes_in_total', 'counter', 'FLSB')),
  count('bout', 'FLSB', 'bout', 'Bytes sent to clients', metric('bytes_out_total', 'counter', 'FLSB')),
  count('dreq', 'FLB', 'dreq', 'Requests denied by a rule', metric('requests_denied_total', 'counter', 'FLB')),
  count('dresp', 'FLSB', 'dresp', 'Answers denied by a rule', metric('responses_denied_total', 'counter', 'FLSB')),
  count('ereq', 'FL', 'ereq', 'Requests that were malformed, incomplete or too slow', metric('request_errors_total', 'counter', 'FL')),
  count('econ', 'SB', 'econ', 'Requests that could not be connected to a server', metric('connection_errors_total', 'counter', 'SB')),
  count('eresp', 'SB', 'eresp', 'Answers that were malformed or broke off', metric('response_errors_total', 'counter', 'SB')),
  count('wretr', 'SB', 'wretr', 'Connection attempts repeated', metric('retry_warnings_total', 'counter', 'SB')),
  count('wredis', 'SB', 'wredis', 'Requests sent to another server than the one first chosen', metric('redispatch_warnings_total', 'counter', 'SB')),
  column('status', 'str', 'SGP', 'FLSB', 'computed', 'State: OPEN, PAUSED, STOP, FULL; UP, DOWN, NOLB, DRAIN, MAINT, no check', metric('status', 'gauge', 'FLSB', 'state')),
  column('weight', 'u32', 'MaP', 'SB', 'computed', 'Weight in force, for a backend the sum over its usable servers', metric('weight', 'gauge', 'SB')),
  column('act', 'u32', 'MGP', 'SB', 'computed', 'Servers in use that are not backups', metric('active_servers', 'gauge', 'B'), metric('active', 'gauge', 'S')),
  column('bck', 'u32', 'MGP', 'SB', 'computed', 'Backup servers in use', metric('backup_servers', 'gauge', 'B'), metric('backup', 'gauge', 'S')),
  count('chkfail', 'S', 'computed', 'Health checks that failed', metric('check_failures_total', 'counter', 'S')),
  count('chkdown', 'SB', 'computed', 'Changes from up to down', metric('check_up_down_total', 'counter', 'SB')),
  column('lastchg', 'u32', 'MAP', 'SB', 'computed', 'Seconds since the state last changed', metric('check_last_change_seconds', 'gauge', 'SB')),
  column('downtime', 'u32', 'MCP', 'SB', 'computed', 'Seconds spent down', metric('downtime_seconds_total', 'counter', 'SB')),
  column('qlimit', 'u32', 'CGS', 'S', 'computed', 'Limit of the queue: maxqueue', metric('queue_limit', 'gauge', 'S')),
  column('pid', 'u32', 'KGP', 'FLSB', 'computed', 'Number of the process, always 1'),
  column('iid', 'u32', 'KGS', 'FLSB', 'computed', 'Number of the proxy'),
  column('sid', 'u32', 'KGS', 'FLSB', 'computed', 'Number of the server or listener in its proxy'),
  column('throttle', 'u32', 'MaP', 'S', 'computed', 'Percent of the weight in force during a slow start', metric('current_throttle', 'gauge', 'S')),
  count('lbtot', 'SB', 'lbtot', 'Times chosen by the balance algorithm', metric('loadbalanced_total', 'counter', 'SB')),
  column('tracked', 'str', 'CNS', 'S', 'computed', 'Server whose state is followed (track)'),
  column('type', 'u32', 'CGS', 'FLSB', 'computed', 'Kind of the row: 0 frontend, 1 backend, 2 server, 3 listener'),
  column('rate', 'u32', 'MRP', 'FSB', 'gauge rate', 'Sessions in the last second', metric('current_session_rate', 'gauge', 'FSB')),
  column('rate_lim', 'u32', 'CLP', 'F', 'computed', 'Limit of sessions per second (rate-limit sessions)', metric('limit_session_rate', 'gauge', 'F')),
  column('rate_max', 'u32', 'MMP', 'FSB', 'gauge rate_max', 'Most sessions in one second', metric('max_session_rate', 'gauge', 'FSB')),
  column('check_status', 'str', 'MOP', 'S', 'computed', 'Result of the last health check, "* " before it while one runs', metric('check_status', 'gauge', 'S', 'state')),
  column('check_code', 'u32', 'MOP', 'S', 'computed', 'Layer 7 code of the last health check', metric('check_code', 'gauge', 'S')),
  column('check_duration', 'u64', 'MDP', 'S', 'computed', 'Milliseconds that the last health check took', seconds('check_duration_seconds', 'S')),
  count('hrsp_1xx', 'fsb', 'hrsp_1xx', 'Answers with status 100 to 199', metric('http_responses_total', 'counter', 'FSB', 'code')),
  count('hrsp_2xx', 'fsb', 'hrsp_2xx', 'Answers with status 200 to 299', metric('http_responses_total', 'counter', 'FSB', 'code')),
  count('hrsp_3xx', 'fsb', 'hrsp_3xx', 'Answers with status 300 to 399', metric('http_responses_total', 'counter', 'FSB', 'code')),
  count('hrsp_4xx', 'fsb', 'hrsp_4xx', 'Answers with status 400 to 499', metric('http_responses_total', 'counter', 'FSB', 'code')),
  count('hrsp_5xx', 'fsb', 'hrsp_5xx', 'Answers with status 500 to 599', metric('http_responses_total', 'counter', 'FSB', 'code')),
  count('hrsp_other', 'fsb', 'hrsp_other', 'Answers with another status or none', metric('http_responses_total', 'counter', 'FSB', 'code')),
  column('hanafail', 'u64', 'MCP', 'S', 'computed', 'Times that observe reached its error limit; empty without observe'),
  column('req_rate', 'u32', 'MRP', 'F', 'gauge req_rate', 'Requests in the last second'),
  column('req_rate_max', 'u32', 'MMP', 'F', 'gauge req_rate_max', 'Most requests in one second', metric('http_requests_rate_max', 'gauge', 'F')),
  count('req_tot', 'Fsb', 'req_tot', 'Requests so far', metric('http_requests_total', 'counter', 'FSB')),
  count('cli_abrt', 'SB', 'cli_abrt', 'Transfers that the client broke off', metric('client_aborts_total', 'counter', 'SB')),
  count('srv_abrt', 'SB', 'srv_abrt', 'Transfers that the server broke off', metric('server_aborts_total', 'counter', 'SB')),
  count('comp_in', 'FB', 'zero', 'Bytes given to compression', metric('http_comp_bytes_in_total', 'counter', 'FB')),
  count('comp_out', 'FB', 'zero', 'Bytes that compression gave back', metric('http_comp_bytes_out_total', 'counter', 'FB')),
  count('comp_byp', 'FB', 'zero', 'Bytes that went past compression', metric('http_comp_bytes_bypassed_total', 'counter', 'FB')),
  count('comp_rsp', 'FB', 'zero', 'Answers that were compressed', metric('http_comp_responses_total', 'counter', 'FB')),
  column('lastsess', 's32', 'MAP', 'SB', 'computed', 'Seconds since the last session, -1 when there was none', metric('last_session_seconds', 'gauge', 'SB')),
  column('last_chk', 'str', 'MOP', 'S', 'computed', 'What the last health check found'),
  column('last_agt', 'str', 'MOP', 'S', 'never', 'What the last agent check found'),
  column('qtime', 'u32', 'MaP', 'SB', 'qtime_avg', 'Milliseconds in the queue, mean of the last 1024 requests', seconds('queue_time_average_seconds', 'SB')),
  column('ctime', 'u32', 'MaP', 'SB', 'ctime_avg', 'Milliseconds to connect, mean of the last 1024 requests', seconds('connect_time_average_seconds', 'SB')),
  column('rtime', 'u32', 'MaP', 'SB', 'rtime_avg', 'Milliseconds until the answer, mean of the last 1024 requests', seconds('response_time_average_seconds', 'SB')),
  column('ttime', 'u32', 'MaP', 'SB', 'ttime_avg', 'Milliseconds in all, mean of the last 1024 requests', seconds('total_time_average_seconds', 'SB')),
  column('agent_status', 'str', 'MOP', 'S', 'never', 'Result of the last agent check'),
  column('agent_code', 'u32', 'MOP', 'S', 'never', 'Code of the last agent check'),
  column('agent_duration', 'u64', 'MDP', 'S', 'never', 'Milliseconds that the last agent check took'),
  column('check_desc', 'str', 'MOP', 'S', 'computed', 'The check_status in words'),
  column('agent_desc', 'str', 'MOP', 'S', 'never', 'The agent_status in words'),
  column('check_rise', 'u32', 'CGS', 'S', 'computed', 'Good checks that bring the server up (rise)'),
  column('check_fall', 'u32', 'CGS', 'S', 'computed', 'Failed checks that take the server down (fall)'),
  column('check_health', 'u32', 'SGS', 'S', 'computed', 'Health counter: 0 to rise - 1 down, rise to rise + fall - 1 up'),
  column('agent_rise', 'u32', 'CGS', 'S', 'never', 'Good agent checks that bring the server up'),
  column('agent_fall', 'u32', 'CGS', 'S', 'never', 'Failed agent checks that take the server down'),
  column('agent_health', 'u32', 'SGS', 'S', 'never', 'Health counter of the agent check'),
  column('addr', 'str', 'CGS', 'LS', 'computed', 'Address and port; for operators, and on the page with stats show-legends'),
  column('cookie', 'str', 'CNS', 'SB', 'computed', 'Cookie value or name; for operators, and on the page with stats show-legends'),
  column('mode', 'str', 'CGS', 'FLSB', 'computed', 'tcp or http'),
  column('algo', 'str', 'CGS', 'B', 'computed', 'Balance algorithm; for operators, and on the page with stats show-legends'),
  column('conn_rate', 'u32', 'MRP', 'F', 'gauge conn_rate', 'Connections in the last second'),
  column('conn_rate_max', 'u32', 'MMP', 'F', 'gauge conn_rate_max', 'Most connections in one second', metric('connections_rate_max', 'gauge', 'F')),
  count('conn_tot', 'F', 'conn_tot', 'Connections so far', metric('connections_total', 'counter', 'F')),
  count('intercepted', 'f', 'intercepted', 'Requests answered by the proxy itself: redirects, statistics, services', metric('intercepted_requests_total', 'counter', 'F')),
  count('dcon', 'FL', 'dcon', 'Connections rejected by tcp-request connection', metric('denied_connections_total', 'counter', 'FL')),
  count('dses', 'FL', 'dses', 'Sessions rejected by tcp-request session', metric('denied_sessions_total', 'counter', 'FL')),
  count('wrew', 'FLSB', 'wrew', 'Header changes that failed', metric('failed_header_rewriting_total', 'counter', 'FLSB')),
  count('connect', 'SB', 'connect', 'Connection attempts to servers', metric('connection_attempts_total', 'counter', 'SB')),
  count('reuse', 'SB', 'reuse', 'Requests that went over an idle connection', metric('connection_reuses_total', 'counter', 'SB')),
  count('cache_lookups', 'fb', 'zero', 'Requests looked up in the cache', metric('http_cache_lookups_total', 'counter', 'FB')),
  count('cache_hits', 'fb', 'zero', 'Requests answered from the cache', metric('http_cache_hits_total', 'counter', 'FB')),
  column('srv_icur', 'u32', 'MGP', 'S', 'gauge idle_conn_cur', 'Idle server connections now', metric('idle_connections_current', 'gauge', 'S')),
  column('src_ilim', 'u32', 'CLP', 'S', 'computed', 'Limit of idle server connections (pool-max-conn)', metric('idle_connections_limit', 'gauge', 'S')),
  column('qtime_max', 'u32', 'MMP', 'SB', 'qtime_max', 'Longest time in the queue, milliseconds', seconds('max_queue_time_seconds', 'SB')),
  column('ctime_max', 'u32', 'MMP', 'SB', 'ctime_max', 'Longest time to connect, milliseconds', seconds('max_connect_time_seconds', 'SB')),
  column('rtime_max', 'u32', 'MMP', 'SB', 'rtime_max', 'Longest time until the answer, milliseconds', seconds('max_response_time_seconds', 'SB')),
  column('ttime_max', 'u32', 'MMP', 'SB', 'ttime_max', 'Longest time in all, milliseconds', seconds('max_total_time_seconds', 'SB')),
  count('eint', 'FLSB', 'eint', 'Internal errors', metric('internal_errors_total', 'counter', 'FLSB')),
  column('idle_conn_cur', 'u32', 'MGP', 'S', 'gauge idle_conn_cur', 'Idle connections that a request may not be repeated on', metric('unsafe_idle_connections_current', 'gauge', 'S')),
  column('safe_conn_cur', 'u32', 'MGP', 'S', 'zero', 'Idle connections known to be safe', metric('safe_idle_connections_current', 'gauge', 'S')),
  column('used_conn_cur', 'u32', 'MGP', 'S', 'gauge used_conn_cur', 'Server connections in use', metric('used_connections_current', 'gauge', 'S')),
  column('need_conn_est', 'u32', 'MGP', 'S', 'computed', 'Server connections needed: those in use, one at least after the first', metric('need_connections_current', 'gauge', 'S')),
  column('uweight', 'u32', 'MaP', 'SB', 'computed', 'Weight as set by the user', metric('uweight', 'gauge', 'SB')),
  column('agg_server_status', 'u32', 'MGP', 'B', 'computed', 'Servers by state', metric('agg_server_status', 'gauge', 'B', 'state')),
  column('agg_server_check_status', 'u32', 'MGP', 'B', 'computed', 'Servers by state, old name', metric('agg_server_check_status', 'gauge', 'B', 'state')),
  column('agg_check_status', 'u32', 'MGP', 'B', 'computed', 'Servers by result of the last health check', metric('agg_check_status', 'gauge', 'B', 'state')),
  column('srid', 'u32', 'KGS', 'S', 'computed', 'Revision of the server'),
  count('sess_other', 'F', 'computed', 'Sessions that did not speak HTTP'),
  count('h1sess', 'F', 'computed', 'Sessions that spoke HTTP/1'),
  count('h2sess', 'F', 'zero', 'Sessions that spoke HTTP/2'),
  count('h3sess', 'F', 'zero', 'Sessions that spoke HTTP/3'),
  count('req_other', 'F', 'zero', 'Requests in another protocol'),
  count('h1req', 'F', 'req_tot', 'HTTP/1 requests'),
  count('h2req', 'F', 'zero', 'HTTP/2 requests'),
  count('h3req', 'F', 'zero', 'HTTP/3 requests'),
  column('proto', 'str', 'COS', 'L', 'computed', 'Protocol of the listener'),
  column('priv_idle_cur', 'u32', 'MGP', 'S', 'zero', 'Idle connections that belong to one client', metric('private_idle_connections_current', 'gauge', 'S')),
  count('reqbin', 'FLSB', 'bin', 'Request bytes received', metric('req_bytes_in_total', 'counter', 'FLSB')),
  count('reqbout', 'FLSB', 'bin', 'Request bytes passed on', metric('req_bytes_out_total', 'counter', 'FLSB')),
  count('resbin', 'FLSB', 'bout', 'Answer bytes received', metric('res_bytes_in_total', 'counter', 'FLSB')),
  count('resbout', 'FLSB', 'bout', 'Answer bytes passed on', metric('res_bytes_out_total', 'counter', 'FLSB')),
  count('cache_hint_hits', 'fb', 'zero', 'Cache lookups answered by a hint', metric('http_cache_hint_hits_total', 'counter', 'FB')),
];

const moduleColumns: readonly Column[] = [
  extra('h2_headers_rcvd', 'MCP', 'FB', 'zero', 'HEADERS frames received'),
  extra('h2_data_rcvd', 'MCP', 'FB', 'zero', 'DATA frames received'),
  extra('h2_settings_rcvd', 'MCP', 'FB', 'zero', 'SETTINGS frames received'),
  extra('h2_rst_stream_rcvd', 'MCP', 'FB', 'zero', 'RST_STREAM frames received'),
  extra('h2_goaway_rcvd', 'MCP', 'FB', 'zero', 'GOAWAY frames received'),
  extra('h2_detected_conn_protocol_errors', 'MCP', 'FB', 'zero', 'Protocol errors of HTTP/2 connections'),
  extra('h2_detected_strm_protocol_errors', 'MCP', 'FB', 'zero', 'Protocol errors of HTTP/2 streams'),
  extra('h2_rst_stream_resp', 'MCP', 'FB', 'zero', 'RST_STREAM frames sent'),
  extra('h2_goaway_resp', 'MCP', 'FB', 'zero', 'GOAWAY frames sent'),
  extra('h2_open_connections', 'MGP', 'FB', 'zero', 'HTTP/2 connections open now'),
  extra('h2_backend_open_streams', 'MGP', 'FB', 'zero', 'HTTP/2 streams open now'),
  extra('h2_total_connections', 'MCP', 'FB', 'zero', 'HTTP/2 connections so far'),
  extra('h2_backend_total_streams', 'MCP', 'FB', 'zero', 'HTTP/2 streams so far'),
  extra('ssl_sess', 'MCP', 'FLSB', 'ssl_sess', 'TLS sessions so far'),
  extra('ssl_reused_sess', 'MCP', 'FLSB', 'ssl_reused_sess', 'TLS sessions that were resumed'),
  extra('ssl_failed_handshake', 'MCP', 'FLSB', 'ssl_failed_handshake', 'TLS handshakes that failed'),
  extra('ssl_ocsp_staple', 'MCP', 'FLSB', 'zero', 'OCSP answers stapled'),
  extra('ssl_failed_ocsp_staple', 'MCP', 'FLSB', 'zero', 'OCSP answers that could not be stapled'),
  extra('h1_open_connections', 'MGP', 'FB', 'computed', 'HTTP/1 connections open now'),
  extra('h1_open_streams', 'MGP', 'FB', 'computed', 'HTTP/1 requests in progress'),
  extra('h1_total_connections', 'MCP', 'FB', 'computed', 'HTTP/1 connections so far'),
  extra('h1_total_streams', 'MCP', 'FB', 'computed', 'HTTP/1 requests so far'),
  extra('h1_bytes_in', 'MCP', 'FB', 'computed', 'Bytes received over HTTP/1'),
  extra('h1_bytes_out', 'MCP', 'FB', 'computed', 'Bytes sent over HTTP/1'),
  extra('h1_spliced_bytes_in', 'MCP', 'FB', 'zero', 'Bytes received by splicing'),
  extra('h1_spliced_bytes_out', 'MCP', 'FB', 'zero', 'Bytes sent by splicing'),
];

/** Column 119 of the CSV, between HAProxy's columns and those of its modules: a dash in the header and in every row. */
export const moduleMark = '-';
/** Columns before the mark. */
export const proxyColumnCount = proxyColumns.length;
/** All columns; the mark itself is not one of them (typed output does not number it). */
export const columns: readonly Column[] = [...proxyColumns, ...moduleColumns];

/** A figure that counts over restarts (`state-folder`), and what of it this process has counted. */
interface LastingColumn {
  readonly entry: Column;
  /** Offset of the column that it stands beside; -1: since when the row counts. */
  readonly of: number;
  /** What former processes counted is kept under this name. */
  readonly base: string;
}

const lastingNames: readonly string[] = ['chkfail', 'chkdown'];

/**
 * After all others, when there is a state folder: when counting began, then for each counter of HAProxy 2.6 its value since the restart, which
 * is what HAProxy's column means.
 */
export const lastingColumns: readonly LastingColumn[] = [
  { entry: column('counting_since', 'u32', 'MTP', 'FLSB', 'computed', 'Unix time at which the counters of this row began'), of: -1, base: '' },
  ...proxyColumns.slice(0, proxyColumns.findIndex(({ name }) => name === 'srid')).flatMap((entry, of) => {
    const counts = entry.tags === 'MCP' && (lastingNames.includes(entry.name) || (counterFields as readonly string[]).includes(entry.source));
    if (!counts) return [];
    const base = lastingNames.includes(entry.name) ? entry.name : entry.source;
    return [{ entry: { ...entry, name: `${entry.name}_since_restart`, help: `${entry.help}, since the process started`, metrics: [] }, of, base }];
  }),
];

/** Offset of each column in a row, by name. */
export const columnIndex: ReadonlyMap<string, number> = new Map(columns.map((entry, index) => [entry.name, index]));

/** The first line of the CSV, without line end. */
export const csvHeader: string = `# ${proxyColumns.map(c => c.name).join(',')},${moduleMark},${moduleColumns.map(c => c.name).join(',')},`;

/** What follows it when there is a state folder. */
export const lastingHeader: string = lastingColumns.map(({ entry }) => `${entry.name},`).join('');

/** Whether a column is shown for an object of this kind in a proxy of this mode. */
export function columnShown(entry: Column, kind: ObjectKind, http: boolean): boolean {
  const { letter } = objectKinds[kind];
  return entry.on.includes(letter) || (http && entry.on.includes(letter.toLowerCase()));
}

/** States of the metrics whose value is a label, by the kind of object. */
export const statusLabels: Readonly<Record<ObjectKind, readonly string[]>> = {
  frontend: ['DOWN', 'UP'],
  listener: ['WAITING', 'OPEN', 'FULL'],
  backend: ['DOWN', 'UP'],
  server: ['DOWN', 'UP', 'MAINT', 'DRAIN', 'NOLB'],
};

export const checkStatusLabels: readonly string[] = [
  'HANA', 'SOCKERR', 'L4OK', 'L4TOUT', 'L4CON', 'L6OK', 'L6TOUT', 'L6RSP', 'L7TOUT', 'L7RSP', 'L7OK', 'L7OKC', 'L7STS', 'PROCERR', 'PROCTOUT', 'PROCOK',
];
