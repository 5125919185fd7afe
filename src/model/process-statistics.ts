/**
 * The one table of figures of the whole process, in the order of HAProxy's `show info`. Text, JSON and typed output of
 * `show info` and the `haproxy_process_*` metrics print what stands here; report/process-figures.ts fills it. Holds no figures.
 */
import type { ValueType } from './statistics.ts';

/**
 * Identity that tools see. `Name: HAProxy` and a number in front stay because clients look for them: hatop refuses a socket
 * without both, exporters turn the version into a label, dashboards parse its first two numbers. 2.6.12 is the release whose
 * answers and formats are kept word for word; the part after it says what really answers. One word: hatop reads up to a blank.
 */
export const productName = 'HAProxy';
export const poiseVersion = '0.1.0';
export const productVersion = `2.6.12-poise${poiseVersion}`;
export const releaseDate = '2026/11/20';

export interface InfoField {
  readonly name: string;
  readonly type: ValueType;
  /** As Column.tags. */
  readonly tags: string;
  readonly help: string;
  /** Metric name without `haproxy_process_`, '' = not exported. */
  readonly metric: string;
  readonly kind: 'counter' | 'gauge';
  /** Hidden fields keep their number in typed output and are exported, but are not printed (no value here). */
  readonly hidden: boolean;
}

function field(name: string, type: ValueType, tags: string, help: string, metric = '', kind: InfoField['kind'] = 'gauge'): InfoField {
  return { name, type, tags, help, metric, kind, hidden: false };
}
function hidden(name: string, help: string, metric: string): InfoField {
  return { name, type: 'u32', tags: 'MGP', help, metric, kind: 'gauge', hidden: true };
}

export const infoFields: readonly InfoField[] = [
  field('Name', 'str', 'POS', 'Name of the product'),
  field('Version', 'str', 'POS', 'Version of the product'),
  field('Release_date', 'str', 'POS', 'Date of the release'),
  field('Nbthread', 'u32', 'CGS', 'Traffic threads (nbthread)', 'nbthread'),
  field('Nbproc', 'u32', 'CGS', 'Balancer processes, always 1', 'nbproc'),
  field('Process_num', 'u32', 'KGP', 'Number of this process, always 1', 'relative_process_id'),
  field('Pid', 'u32', 'SGP', 'Process id'),
  field('Uptime', 'str', 'MDP', 'Time since start'),
  field('Uptime_sec', 'u32', 'MDP', 'Seconds since start', 'uptime_seconds'),
  field('Memmax_MB', 'u32', 'CLP', 'Limit of memory in MB, 0 = none'),
  field('PoolAlloc_MB', 'u32', 'MGP', 'Memory of the process in MB'),
  field('PoolUsed_MB', 'u32', 'MGP', 'Memory in use in MB'),
  field('PoolFailed', 'u32', 'MCP', 'Allocations that failed', 'pool_failures_total', 'counter'),
  field('Ulimit-n', 'u32', 'CLP', 'Limit of file descriptors', 'max_fds'),
  field('Maxsock', 'u32', 'CLP', 'Limit of sockets', 'max_sockets'),
  field('Maxconn', 'u32', 'CLP', 'Limit of client connections in force', 'max_connections'),
  field('Hard_maxconn', 'u32', 'CLP', 'Limit of client connections as started with', 'hard_max_connections'),
  field('CurrConns', 'u32', 'MGP', 'Client connections now', 'current_connections'),
  field('CumConns', 'u32', 'MCP', 'Connections so far', 'connections_total', 'counter'),
  field('CumReq', 'u32', 'MCP', 'Requests so far', 'requests_total', 'counter'),
  field('MaxSslConns', 'u32', 'CLP', 'Limit of TLS connections, 0 = none', 'max_ssl_connections'),
  field('CurrSslConns', 'u32', 'MGP', 'TLS connections now', 'current_ssl_connections'),
  field('CumSslConns', 'u32', 'MCP', 'TLS connections so far', 'ssl_connections_total', 'counter'),
  field('Maxpipes', 'u32', 'CLP', 'Limit of pipes; splicing is not used', 'max_pipes'),
  field('PipesUsed', 'u32', 'MGP', 'Pipes in use', 'pipes_used_total', 'counter'),
  field('PipesFree', 'u32', 'MGP', 'Pipes free', 'pipes_free_total', 'counter'),
  field('ConnRate', 'u32', 'MRP', 'Client connections in the last second', 'current_connection_rate'),
  field('ConnRateLimit', 'u32', 'CLP', 'Limit of connections per second (maxconnrate)', 'limit_connection_rate'),
  field('MaxConnRate', 'u32', 'MMP', 'Most connections in one second', 'max_connection_rate'),
  field('SessRate', 'u32', 'MRP', 'Sessions in the last second', 'current_session_rate'),
  field('SessRateLimit', 'u32', 'CLP', 'Limit of sessions per second (maxsessrate)', 'limit_session_rate'),
  field('MaxSessRate', 'u32', 'MMP', 'Most sessions in one second', 'max_session_rate'),
  field('SslRate', 'u32', 'MRP', 'TLS connections in the last second', 'current_ssl_rate'),
  field('SslRateLimit', 'u32', 'CLP', 'Limit of TLS connections per second (maxsslrate)', 'limit_ssl_rate'),
  field('MaxSslRate', 'u32', 'MMP', 'Most TLS connections in one second', 'max_ssl_rate'),
  field('SslFrontendKeyRate', 'u32', 'MGP', 'Full TLS handshakes with clients in the last second', 'current_frontend_ssl_key_rate'),
  field('SslFrontendMaxKeyRate', 'u32', 'MMP', 'Most full TLS handshakes with clients in one second', 'max_frontend_ssl_key_rate'),
  field('SslFrontendSessionReuse_pct', 'u32', 'MGP', 'Percent of TLS connections of the last second that were resumed', 'frontend_ssl_reuse'),
  field('SslBackendKeyRate', 'u32', 'MRP', 'TLS handshakes with servers in the last second', 'current_backend_ssl_key_rate'),
  field('SslBackendMaxKeyRate', 'u32', 'MMP', 'Most TLS handshakes with servers in one second', 'max_backend_ssl_key_rate'),
  field('SslCacheLookups', 'u32', 'MCP', 'Lookups in the TLS session cache', 'ssl_cache_lookups_total', 'counter'),
  field('SslCacheMisses', 'u32', 'MCP', 'Lookups in the TLS session cache that found nothing', 'ssl_cache_misses_total', 'counter'),
  field('CompressBpsIn', 'u32', 'MRP', 'Bytes per second given to compression', 'http_comp_bytes_in_total', 'counter'),
  field('CompressBpsOut', 'u32', 'MRP', 'Bytes per second that compression gave back', 'http_comp_bytes_out_total', 'counter'),
  field('CompressBpsRateLim', 'u32', 'CLP', 'Limit of compressed bytes per second', 'limit_http_comp'),
  hidden('ZlibMemUsage', 'Memory of compression', 'current_zlib_memory'),
  hidden('MaxZlibMemUsage', 'Limit of the memory of compression', 'max_zlib_memory'),
  field('Tasks', 'u32', 'MGP', 'Connections, checks and sockets that are looked after', 'current_tasks'),
  field('Run_queue', 'u32', 'MGP', 'Tasks that wait for their turn', 'current_run_queue'),
  field('Idle_pct', 'u32', 'MaP', 'Percent of the last second in which the traffic threads waited', 'idle_time_percent'),
  field('node', 'str', 'COS', 'Name of the node (node)', 'node'),
  field('description', 'str', 'COS', 'Description of the node (description)'),
  field('Stopping', 'u32', 'MGP', '1 while the process stops', 'stopping'),
  field('Jobs', 'u32', 'MGP', 'Connections and listeners', 'jobs'),
  field('Unstoppable Jobs', 'u32', 'MGP', 'Jobs that do not hold up a stop', 'unstoppable_jobs'),
  field('Listeners', 'u32', 'MGP', 'Listeners', 'listeners'),
  field('ActivePeers', 'u32', 'MGP', 'Peers that are in step', 'active_peers'),
  field('ConnectedPeers', 'u32', 'MGP', 'Peers that are connected', 'connected_peers'),
  field('DroppedLogs', 'u32', 'MCP', 'Log lines that were dropped', 'dropped_logs_total', 'counter'),
  field('BusyPolling', 'u32', 'MGP', 'Always 0: busy polling is not used', 'busy_polling_enabled'),
  field('FailedResolutions', 'u32', 'MCP', 'Names that could not be resolved', 'failed_resolutions', 'counter'),
  field('TotalBytesOut', 'u64', 'MCP', 'Bytes sent so far', 'bytes_out_total', 'counter'),
  field('TotalSplicedBytesOut', 'u64', 'MCP', 'Bytes sent by splicing', 'spliced_bytes_out_total', 'counter'),
  field('BytesOutRate', 'u64', 'MRP', 'Bytes sent in the last second', 'bytes_out_rate'),
  field('DebugCommandsIssued', 'u32', 'MCP', 'Debug commands given'),
  field('CumRecvLogs', 'u32', 'MCP', 'Log messages received', 'recv_logs_total', 'counter'),
  field('Build info', 'str', 'POS', 'What was built', 'build_info'),
  field('Memmax_bytes', 'u32', 'CLP', 'Limit of memory in bytes, 0 = none', 'max_memory_bytes'),
  field('PoolAlloc_bytes', 'u64', 'MGP', 'Memory of the process in bytes', 'pool_allocated_bytes'),
  field('PoolUsed_bytes', 'u64', 'MGP', 'Memory in use in bytes', 'pool_used_bytes'),
  field('Start_time_sec', 'u32', 'MDP', 'Unix time of the start', 'start_time_seconds'),
  field('Tainted', 'str', 'SGP', 'Experimental features in use'),
  field('TotalWarnings', 'u32', 'MCP', 'Warnings so far', 'total_warnings', 'counter'),
  field('MaxconnReached', 'u32', 'MCP', 'Times that the limit of connections was reached'),
  field('BootTime_ms', 'u32', 'MDP', 'Milliseconds that the start took'),
  field('Niced_tasks', 'u32', 'MGP', 'Tasks with another priority'),
  field('CurrStreams', 'u64', 'MGP', 'Requests and streams in progress'),
  field('CumStreams', 'u64', 'MCP', 'Requests and streams so far'),
  field('BlockedTrafficWarnings', 'u32', 'MCP', 'Times that traffic was blocked for long'),
  field('PatternsAdded', 'u32', 'MCP', 'Patterns added at run time', 'patterns_added_total', 'counter'),
  field('PatternsFreed', 'u32', 'MCP', 'Patterns removed at run time', 'patterns_freed_total', 'counter'),
  field('NbThreadGroups', 'u32', 'CGS', 'Thread groups, always 1', 'nb_thread_groups'),
  field('CountingSince', 'str', 'MTP', 'When the cumulated figures began'),
  field('CountingSince_sec', 'u32', 'MTP', 'The same as Unix time', 'counting_since_seconds'),
  field('CumConnsSinceRestart', 'u32', 'MCP', 'Connections since the process started'),
  field('CumReqSinceRestart', 'u32', 'MCP', 'Requests since the process started'),
  field('CumSslConnsSinceRestart', 'u32', 'MCP', 'TLS connections since the process started'),
];

/** Values by field name; a missing one is not printed. */
export type InfoValues = ReadonlyMap<string, string | number>;

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** HAProxy's way to print a time: 0d 0h00m06s. */
export function uptimeText(totalSeconds: number): string {
  const days = Math.floor(totalSeconds / 86400);
  const hours = Math.floor(totalSeconds / 3600) % 24;
  return `${days}d ${hours}h${two(Math.floor(totalSeconds / 60) % 60)}m${two(totalSeconds % 60)}s`;
}
