/**
 * The fields that are counted. `counterFields` live in Float64 arrays, one array per object and traffic thread, each written
 * by that thread alone with plain adds; a report sums (or takes the maximum, see `maxFields`) over threads.
 * `gaugeFields` live in one Int32 array per object, shared by all threads, changed with Atomics only.
 * An object is the frontend side of a proxy, its backend side, a listener, or a server. Names are HAProxy's CSV columns
 * where one exists. Unused fields of an object stay zero.
 */
export const counterFields = [
  'stot', 'bin', 'bout', 'dreq', 'dresp', 'ereq', 'econ', 'eresp', 'wretr', 'wredis', 'lbtot',
  'hrsp_1xx', 'hrsp_2xx', 'hrsp_3xx', 'hrsp_4xx', 'hrsp_5xx', 'hrsp_other', 'req_tot',
  'cli_abrt', 'srv_abrt', 'conn_tot', 'intercepted', 'dcon', 'dses', 'wrew', 'connect', 'reuse', 'eint', 'hanafail',
  /** Date.now() of the last session; maximum over threads. */
  'lastsess_ms',
  /** Running averages over the last 1024 requests (HAProxy's swrate), in ms × 1, and the number of samples. */
  'qtime_avg', 'ctime_avg', 'rtime_avg', 'ttime_avg', 'time_samples',
  'qtime_max', 'ctime_max', 'rtime_max', 'ttime_max',
  'ssl_sess', 'ssl_reused_sess', 'ssl_failed_handshake',
  'h1_req', 'h1_open_conns', 'logs_dropped',
] as const;
export type CounterField = (typeof counterFields)[number];

/** Offset of each field, e.g. `C.bin`. */
export const C: Readonly<Record<CounterField, number>> = Object.freeze(
  Object.fromEntries(counterFields.map((name, index) => [name, index])) as Record<CounterField, number>,
);
export const counterFieldCount = counterFields.length;
/** Fields that a report combines by maximum instead of by sum. */
export const maxFields: readonly CounterField[] = ['lastsess_ms', 'qtime_max', 'ctime_max', 'rtime_max', 'ttime_max'];

const gaugeFields = [
  /** Current and highest number of sessions (streams for a backend or server). */
  'scur', 'smax',
  /** Requests waiting in this server's or backend's queue, now and at most. */
  'qcur', 'qmax',
  /** Server: connections in use and idle. */
  'used_conn_cur', 'idle_conn_cur',
  /** Rates over the last second, written by the control thread's sampler only. */
  'rate', 'rate_max', 'req_rate', 'req_rate_max', 'conn_rate', 'conn_rate_max',
  /** Backend: next position in the round-robin schedule, shared so that all threads take turns. */
  'rr_next',
  /** Frontend: current client connections (counts before the first request too). */
  'conn_cur',
  /** Server: errors in a row that live traffic met (`observe`). */
  'observed_errors',
] as const;
export type GaugeField = (typeof gaugeFields)[number];
export const G: Readonly<Record<GaugeField, number>> = Object.freeze(
  Object.fromEntries(gaugeFields.map((name, index) => [name, index])) as Record<GaugeField, number>,
);
export const gaugeFieldCount = gaugeFields.length;
