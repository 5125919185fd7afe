/**
 * The answer of `http-request use-service prometheus-exporter`: HAProxy's metric names in the text exposition format, from the
 * column table and the table of process figures. Called by admin/internal-server.ts. Metrics come in the order of the tables,
 * all samples of one metric together, so that a scraper reads each name once.
 */
import { infoFields } from '../model/process-statistics.ts';
import type { Column, Metric, ObjectKind } from '../model/statistics.ts';
import { checkStatusLabels, columns, columnShown, objectKinds, statusLabels } from '../model/statistics.ts';
import type { Row, Snapshot } from './row.ts';
import { cell, text } from './row.ts';
import { vrrpMetrics } from './vrrp.ts';

type MetricScope = 'global' | 'frontend' | 'listener' | 'backend' | 'server' | 'sticktable' | 'resolver';
const metricScopes: readonly MetricScope[] = ['global', 'frontend', 'listener', 'backend', 'server', 'sticktable', 'resolver'];

export interface MetricOptions {
  readonly scopes: readonly MetricScope[];
  /** Full metric names to give; empty = all. */
  readonly only: readonly string[];
  readonly without: readonly string[];
  /** Leave out servers in maintenance. */
  readonly noMaint: boolean;
  /** Also the columns of protocol modules. */
  readonly extraCounters: boolean;
  /** Proxy descriptions as the label `desc`. */
  readonly descLabels: boolean;
}

/** Query of the request, or undefined when a scope is unknown (HAProxy answers 400). */
export function metricOptions(query: URLSearchParams): MetricOptions | undefined {
  const scopes: MetricScope[] = [];
  for (const value of query.getAll('scope')) {
    const scope = metricScopes.find(known => known === value);
    if (value === '') continue;
    if (value === '*') scopes.push(...metricScopes);
    else if (scope === undefined) return undefined;
    else scopes.push(scope);
  }
  const names = query.getAll('metrics').flatMap(list => list.split(',')).filter(name => name !== '');
  return {
    scopes: query.has('scope') ? scopes : metricScopes,
    only: names.filter(name => !name.startsWith('-')),
    without: names.filter(name => name.startsWith('-')).map(name => name.slice(1)),
    noMaint: query.has('no-maint'),
    extraCounters: query.has('extra-counters'),
    descLabels: query.has('desc-labels'),
  };
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function labels(pairs: readonly (readonly [string, string])[]): string {
  return pairs.length === 0 ? '' : `{${pairs.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',')}}`;
}

class Exposition {
  private readonly options: MetricOptions;
  private out = '';

  constructor(options: MetricOptions) {
    this.options = options;
  }

  /** One metric with all its samples; nothing at all when there is none or the request leaves it out. */
  metric(name: string, kind: Metric['kind'], help: string, samples: readonly string[]): void {
    const { only, without } = this.options;
    if (samples.length === 0 || without.includes(name) || (only.length > 0 && !only.includes(name))) return;
    this.out += `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${samples.map(sample => `${name}${sample}\n`).join('')}`;
  }

  get text(): string {
    return this.out;
  }
}

function globalMetrics(exposition: Exposition, snapshot: Snapshot): void {
  for (const field of infoFields) {
    if (field.metric === '') continue;
    const name = `haproxy_process_${field.metric}`;
    const value = snapshot.process.get(field.name) ?? 0;
    let sample = ` ${value}`;
    if (field.metric === 'node') sample = `${labels([['node', String(value)]])} 1`;
    if (field.metric === 'build_info') sample = `${labels([['version', String(snapshot.process.get('Version') ?? '')]])} 1`;
    exposition.metric(name, field.kind, field.help, [sample]);
  }
}

type Pairs = readonly (readonly [string, string])[];

function rowLabels(row: Row, desc: boolean): Pairs {
  const pairs: [string, string][] = [['proxy', row.proxy.name]];
  if (row.kind === 'server') pairs.push(['server', text(row, 'svname')]);
  if (row.kind === 'listener') pairs.push(['listener', text(row, 'svname')]);
  if (desc && row.proxy.description !== '') pairs.push(['desc', row.proxy.description]);
  return pairs;
}

/** State of a row as the label of its status metric. */
function statusLabel(row: Row): string {
  const status = text(row, 'status');
  switch (row.kind) {
    case 'frontend': return status === 'OPEN' ? 'UP' : 'DOWN';
    case 'listener': return status;
    case 'backend': return status.startsWith('UP') ? 'UP' : 'DOWN';
    case 'server': return status === 'no check' ? 'UP' : (/^[A-Z]+/.exec(status)?.[0] ?? '');
  }
}

/** One sample per possible state, 1 or a count for those that hold. */
function stateSamples(pairs: Pairs, states: readonly string[], count: (state: string) => number): readonly string[] {
  return states.map(state => `${labels([...pairs, ['state', state]])} ${count(state)}`);
}

function stateMetric(row: Row, entry: Column, pairs: Pairs): readonly string[] {
  if (entry.name === 'status') return stateSamples(pairs, statusLabels[row.kind], state => (statusLabel(row) === state ? 1 : 0));
  if (entry.name === 'check_status') {
    const status = text(row, 'check_status').replace('* ', '');
    return status === '' ? [] : stateSamples(pairs, checkStatusLabels, state => (status === state ? 1 : 0));
  }
  if (row.aggregate === null) return [];
  const { states, checks } = row.aggregate;
  if (entry.name === 'agg_check_status') return stateSamples(pairs, checkStatusLabels, state => checks.get(state) ?? 0);
  return stateSamples(pairs, statusLabels.server, state => states.get(state) ?? 0);
}

/** Metrics that only servers with health checks have; others tell NaN where the column is empty, as HAProxy does. */
const checkMetrics: readonly string[] = ['check_code', 'check_duration_seconds'];

/** The sample of an object that shows the column; '' when it has none. */
function sampleValue(row: Row, entry: Column, metric: Metric): string {
  const value = cell(row, entry.name);
  if (typeof value === 'number') return metric.milliseconds ? (value / 1000).toFixed(6) : String(value);
  if (!columnShown(entry, row.kind, row.proxy.mode === 'http')) return '';
  if (!checkMetrics.includes(metric.name)) return 'NaN';
  if (text(row, 'check_status') === '') return '';
  return metric.milliseconds ? '0.000000' : '0';
}

/** Samples of one row for one column. */
function rowSamples(row: Row, entry: Column, metric: Metric, desc: boolean): readonly string[] {
  const pairs = rowLabels(row, desc);
  if (metric.label === 'state') return stateMetric(row, entry, pairs);
  const value = sampleValue(row, entry, metric);
  if (value === '') return [];
  return [`${labels(metric.label === 'code' ? [...pairs, ['code', entry.name.replace('hrsp_', '')]] : pairs)} ${value}`];
}

/** Columns of a kind by metric name: the response classes share one. */
function metricsOf(kind: ObjectKind): ReadonlyMap<string, readonly { readonly entry: Column; readonly metric: Metric }[]> {
  const byName = new Map<string, { entry: Column; metric: Metric }[]>();
  for (const entry of columns) {
    for (const metric of entry.metrics) {
      if (!metric.on.includes(objectKinds[kind].letter)) continue;
      const list = byName.get(metric.name);
      if (list === undefined) byName.set(metric.name, [{ entry, metric }]);
      else list.push({ entry, metric });
    }
  }
  return byName;
}

const kindMetrics: Readonly<Record<ObjectKind, ReturnType<typeof metricsOf>>> = {
  frontend: metricsOf('frontend'), backend: metricsOf('backend'), server: metricsOf('server'), listener: metricsOf('listener'),
};

function kindExposition(exposition: Exposition, kind: ObjectKind, rows: readonly Row[], options: MetricOptions): void {
  for (const [name, sources] of kindMetrics[kind]) {
    const [first] = sources;
    if (first === undefined) continue;
    const samples = sources.flatMap(({ entry, metric }) => rows.flatMap(row => rowSamples(row, entry, metric, options.descLabels)));
    const help = first.metric.label === 'code' ? 'Answers by class of status' : first.entry.help;
    exposition.metric(`haproxy_${kind}_${name}`, first.metric.kind, first.metric.milliseconds ? help.replace(/[Mm]illiseconds/, 'seconds') : help, samples);
  }
  if (!options.extraCounters) return;
  for (const entry of columns) {
    if (!entry.extra) continue;
    const metric: Metric = { name: entry.name, kind: entry.tags.charAt(1) === 'C' ? 'counter' : 'gauge', on: entry.on, label: '', milliseconds: false };
    exposition.metric(`haproxy_${kind}_${entry.name}`, metric.kind, entry.help, rows.flatMap(row => rowSamples(row, entry, metric, options.descLabels)));
  }
}

/** Stick tables as the exporter names them. */
export interface TableUse {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly used: number;
}

function tableMetrics(exposition: Exposition, tables: readonly TableUse[]): void {
  const samples = (figure: (table: TableUse) => number): readonly string[] =>
    tables.map(table => `${labels([['name', table.name], ['type', table.type]])} ${figure(table)}`);
  exposition.metric('haproxy_sticktable_size', 'gauge', 'Entries that fit into the stick table', samples(table => table.size));
  exposition.metric('haproxy_sticktable_used', 'gauge', 'Entries in use in the stick table', samples(table => table.used));
}

export function prometheus(snapshot: Snapshot, tables: readonly TableUse[], options: MetricOptions): string {
  const exposition = new Exposition(options);
  if (options.scopes.includes('global')) {
    globalMetrics(exposition, snapshot);
    for (const { name, kind, help, value } of vrrpMetrics) exposition.metric(name, kind, help, snapshot.virtualAddresses.map((one) => `${labels([['iname', one.name]])} ${value(one)}`));
  }
  for (const kind of ['frontend', 'listener', 'backend', 'server'] as const) {
    if (!options.scopes.includes(kind)) continue;
    const rows = snapshot.rows.filter(row => row.kind === kind && !(options.noMaint && text(row, 'status').startsWith('MAINT')));
    kindExposition(exposition, kind, rows, options);
  }
  if (options.scopes.includes('sticktable')) tableMetrics(exposition, tables);
  return exposition.text;
}
