/**
 * The figures of the whole process for `show info` and the process metrics, by the table in model/process-statistics.ts.
 * Called by report/snapshot.ts only.
 */
import { memoryUsage } from '../base/memory.ts';
import { processObject } from '../control/counting.ts';
import { G } from '../model/counters.ts';
import type { Model } from '../model/model.ts';
import type { InfoValues } from '../model/process-statistics.ts';
import { poiseVersion, productName, productVersion, releaseDate, uptimeText } from '../model/process-statistics.ts';
import type { ProcessField, Segments } from '../shared/segments.ts';
import { P } from '../shared/segments.ts';
import type { ReportSources } from './sources.ts';

const megabyte = 1048576;

/** Sums of the process segment over the traffic threads and the control thread. */
function processTotal(segments: Segments, field: ProcessField): number {
  let sum = 0;
  for (let thread = 0; thread <= segments.threads; thread++) sum += segments.process(thread)[P[field]] as number;
  return Math.max(0, Math.floor(sum));
}

function streams(model: Model, segments: Segments): number {
  let sum = 0;
  for (const proxy of model.proxies) if (proxy.isFrontend) sum += Math.max(0, Atomics.load(segments.gauges(segments.frontendObject(proxy.index)), G.scur));
  return sum;
}

export function processFigures(model: Model, segments: Segments, sources: ReportSources): InfoValues {
  const total = (field: ProcessField): number => processTotal(segments, field);
  const uptimeSeconds = Math.max(0, Math.floor((sources.nowMs() - sources.startedAtMs) / 1000));
  const memory = memoryUsage();
  const connections = total('current_connections');
  const checks = model.servers.filter(server => server.check !== null).length;
  const listeners = model.binds.length + model.global.statsSockets.length;
  const { rates, processLimits: caps } = sources;
  const values: [string, string | number][] = [
    ['Name', productName], ['Version', productVersion], ['Release_date', releaseDate], ['Nbthread', segments.threads], ['Nbproc', 1],
    ['Process_num', 1], ['Pid', sources.pid], ['Uptime', uptimeText(uptimeSeconds)], ['Uptime_sec', uptimeSeconds], ['Memmax_MB', 0],
    ['PoolAlloc_MB', Math.floor(memory.rss / megabyte)], ['PoolUsed_MB', Math.floor((memory.heapUsed + memory.external) / megabyte)], ['PoolFailed', 0],
    ['Ulimit-n', sources.descriptorsMax], ['Maxsock', sources.descriptorsMax], ['Maxconn', caps.maxconn], ['Hard_maxconn', caps.hardMaxconn],
    ['CurrConns', connections], ['CumConns', total('connections')], ['CumReq', total('requests')],
    ['MaxSslConns', model.global.maxsslconn], ['CurrSslConns', total('current_ssl_connections')], ['CumSslConns', total('ssl_connections')],
    ['Maxpipes', 0], ['PipesUsed', 0], ['PipesFree', 0],
    ['ConnRate', rates.connRate], ['ConnRateLimit', caps.connRate], ['MaxConnRate', rates.connRateMax],
    ['SessRate', rates.sessRate], ['SessRateLimit', caps.sessRate], ['MaxSessRate', rates.sessRateMax],
    ['SslRate', rates.sslRate], ['SslRateLimit', caps.sslRate], ['MaxSslRate', rates.sslRateMax],
    ['SslFrontendKeyRate', rates.sslKeyRate], ['SslFrontendMaxKeyRate', rates.sslKeyRateMax], ['SslFrontendSessionReuse_pct', rates.sslReusePercent],
    ['SslBackendKeyRate', rates.serverSslKeyRate], ['SslBackendMaxKeyRate', rates.serverSslKeyRateMax],
    ['SslCacheLookups', total('ssl_handshakes')], ['SslCacheMisses', Math.max(0, total('ssl_handshakes') - total('ssl_reused'))],
    ['CompressBpsIn', 0], ['CompressBpsOut', 0], ['CompressBpsRateLim', 0],
    ['Tasks', connections + checks + listeners], ['Run_queue', 0], ['Idle_pct', rates.idlePercent], ['node', sources.nodeName],
    ['Stopping', sources.stopping() ? 1 : 0], ['Jobs', connections + listeners], ['Unstoppable Jobs', 0], ['Listeners', listeners],
    ['ActivePeers', 0], ['ConnectedPeers', 0], ['DroppedLogs', total('dropped_logs')], ['BusyPolling', 0],
    ['FailedResolutions', total('failed_resolutions')], ['TotalBytesOut', total('bytes_out')], ['TotalSplicedBytesOut', 0], ['BytesOutRate', rates.bytesOutRate],
    ['DebugCommandsIssued', 0], ['CumRecvLogs', 0], ['Build info', `poise-${poiseVersion}`], ['Memmax_bytes', 0],
    ['PoolAlloc_bytes', memory.rss], ['PoolUsed_bytes', memory.heapUsed + memory.external], ['Start_time_sec', Math.floor(sources.startedAtMs / 1000)], ['Tainted', '0'],
    ['TotalWarnings', sources.warnings() + total('warnings')], ['MaxconnReached', total('maxconn_reached')], ['BootTime_ms', sources.bootMs], ['Niced_tasks', 0],
    ['CurrStreams', streams(model, segments)], ['CumStreams', total('requests')], ['BlockedTrafficWarnings', 0],
    ['PatternsAdded', sources.patternsAdded()], ['PatternsFreed', sources.patternsFreed()], ['NbThreadGroups', 1],
  ];
  const sinceMs = sources.counting.sinceMs(processObject);
  const sinceRestart = (field: ProcessField): number => Math.max(0, total(field) - sources.counting.base(processObject, field));
  values.push(['CountingSince', new Date(sinceMs).toISOString().replace(/\.\d+/, '')], ['CountingSince_sec', Math.floor(sinceMs / 1000)]);
  if (sources.counting.lasts) {
    values.push(['CumConnsSinceRestart', sinceRestart('connections')], ['CumReqSinceRestart', sinceRestart('requests')], ['CumSslConnsSinceRestart', sinceRestart('ssl_connections')]);
  }
  if (model.global.description !== '') values.push(['description', model.global.description]);
  return new Map(values);
}
