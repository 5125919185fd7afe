/**
 * Command line of `poise logs` → which lines, and what to make of them; or every fault with its remedy. Called by logs.ts. Reads the
 * configuration that --catch-all needs, and no log.
 */
import { parseArgs } from 'node:util';
import { durationFault, parseDuration } from '../../base/duration.ts';
import { loadConfiguration } from '../../config/load.ts';
import { didYouMean } from '../../config/problems.ts';
import { fallbackOf } from '../../model/exchange-sites.ts';
import { causeTests, Selection, type Test } from './selection.ts';
import { columns, halogPercents } from './tables.ts';

export interface LogsOrder {
  /** '-' = standard input. */
  readonly files: readonly string[];
  readonly selection: Selection;
  readonly follow: boolean;
  /** With follow: what is there already counts too. */
  readonly fromStart: boolean;
  readonly count: boolean;
  readonly countBy: readonly string[];
  readonly percentiles: readonly number[];
  readonly top: number;
  readonly json: boolean;
}

function parse(words: readonly string[]) {
  const list = { type: 'string', multiple: true, default: [] as string[] } as const;
  const text = { type: 'string', default: '' } as const;
  const flag = { type: 'boolean', default: false } as const;
  return parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      backend: list, frontend: list, server: list, status: list, cause: list, path: list, client: list, 'slower-than': text, since: text, until: text,
      'catch-all': flag, file: { ...list, short: 'f' }, count: flag, 'count-by': list, percentiles: text, top: text, json: flag, follow: { ...flag, short: 'F' },
    },
  });
}

type Values = ReturnType<typeof parse>['values'];

class OrderReader {
  readonly faults: string[] = [];
  readonly selection = new Selection();
  private readonly values: Values;
  private readonly nowMs: number;

  constructor(values: Values, nowMs: number) {
    this.values = values;
    this.nowMs = nowMs;
  }

  /** Log lines are read as bytes: what is compared with them is, too. */
  list(option: 'backend' | 'frontend' | 'server' | 'status' | 'cause' | 'path' | 'client' | 'count-by'): string[] {
    return this.values[option].flatMap((word) => word.split(',')).map((word) => Buffer.from(word.trim()).toString('latin1')).filter((word) => word !== '');
  }

  names(): void {
    const backends = this.list('backend');
    const frontends = this.list('frontend');
    const servers = this.list('server');
    if (backends.length > 0) this.selection.add((line) => backends.includes(line.backend));
    if (frontends.length > 0) this.selection.add((line) => frontends.includes(line.frontend));
    if (servers.length > 0) this.selection.add((line) => servers.includes(line.server) || servers.includes(`${line.backend}/${line.server}`));
    const clients = this.list('client').map((word): Test => (word.endsWith('*')
      ? (line) => line.client.startsWith(word.slice(0, -1)) : (line) => columns['client']?.(line) === word));
    if (clients.length > 0) this.selection.add((line) => clients.some((test) => test(line)));
    const paths = this.list('path');
    if (paths.length > 0) this.selection.add((line) => paths.some((path) => line.path.startsWith(path)), true);
  }

  statuses(): void {
    const ranges = this.list('status').map((word): [number, number] => {
      const [, from = '', to = ''] = /^(-1|\d{3})(?:-(\d{3}))?$/.exec(word) ?? [];
      if (/^[1-9]xx$/i.test(word)) return [Number(word.charAt(0)) * 100, Number(word.charAt(0)) * 100 + 99];
      if (from === '') this.faults.push(`'${word}' in --status is no status; write 503, 5xx, 400-499, or --status=-1`);
      return [Number(from), Number(to === '' ? from : to)];
    });
    if (ranges.length > 0) this.selection.add((line) => line.kind === 'http' && ranges.some(([from, to]) => line.status >= from && line.status <= to), true);
  }

  causes(): void {
    const tests = this.list('cause').map((word): Test => {
      const known = causeTests[word];
      if (known === undefined && !/^[-CcSsPLRIDUK][-RQCHDLT]?[-A-Z]{0,2}$/.test(word)) {
        this.faults.push(`'${word}' in --cause is neither termination letters nor a known word; ${didYouMean(word, Object.keys(causeTests)) || `write letters such as CD, or ${Object.keys(causeTests).join(', ')}`}`);
      }
      return known ?? ((line) => line.letters.startsWith(word));
    });
    // The second line tells no retries.
    const ofRequest = this.list('cause').some((word) => word === 'retried' || word === 'redispatched');
    if (tests.length > 0) this.selection.add((line) => tests.some((test) => test(line)), ofRequest);
  }

  slow(): void {
    const text = this.values['slower-than'];
    if (text === '') return;
    const ms = parseDuration(text);
    if (ms === undefined) this.faults.push(`--slower-than: ${durationFault(text)}`);
    else this.selection.add((line) => line.totalMs() > ms, true);
  }

  times(): void {
    const since = this.when('since');
    const until = this.when('until');
    if (since !== undefined) this.selection.add((line) => line.timeMs() >= since);
    if (until !== undefined) this.selection.add((line) => line.timeMs() <= until);
  }

  private when(option: 'since' | 'until'): number | undefined {
    const text = this.values[option];
    if (text === '') return undefined;
    const back = parseDuration(text, 's');
    if (back !== undefined && /[a-z]$/.test(text)) return this.nowMs - back * 1000;
    const full = /^\d\d:\d\d(:\d\d)?$/.test(text) ? `${dayOf(this.nowMs)}T${text}` : /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text.replace(' ', 'T');
    const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/.test(full) ? Date.parse(full) : Number.NaN;
    if (!Number.isNaN(ms)) return ms;
    this.faults.push(`'${text}' in --${option} is no time; write 2026-11-21, '2026-11-21 08:15', 08:15, or a time back from now such as 15m`);
    return undefined;
  }

  /** Requests in the default_backend of their frontend. A listen section without use_backend has nothing to catch. */
  catchAll(): void {
    const { file } = this.values;
    if (!this.values['catch-all']) {
      if (file.length > 0) this.faults.push('-f is for --catch-all only; name log files without an option');
      return;
    }
    if (file.length === 0) {
      this.faults.push('--catch-all has to know the default_backend of each frontend; name the configuration: -f /etc/haproxy/haproxy.cfg');
      return;
    }
    const { model, problems } = loadConfiguration(file);
    if (model === undefined) {
      const first = problems.find(({ severity }) => severity === 'error' || severity === 'unsupported');
      this.faults.push(`the configuration cannot be read: ${first === undefined ? '' : `${first.place.file}:${first.place.line}: ${first.message}`}; 'poise check' tells more`);
      return;
    }
    const pairs = new Set(model.proxies.filter(({ isFrontend, isBackend, useBackend }) => isFrontend && (!isBackend || useBackend.length > 0)).map((proxy) => `${proxy.name} ${model.proxies[fallbackOf(proxy)]?.name ?? ''}`));
    this.selection.add((line) => pairs.has(`${line.frontend} ${line.backend}`));
  }

  countBy(): string[] {
    const names = this.list('count-by');
    for (const name of names) {
      if (!Object.hasOwn(columns, name)) this.faults.push(`there is no column '${name}' (--count-by); ${didYouMean(name, Object.keys(columns)) || `there are ${Object.keys(columns).join(', ')}`}`);
    }
    return names;
  }

  percentiles(): readonly number[] {
    const text = this.values.percentiles;
    if (text === 'halog') return halogPercents;
    const numbers = text.split(',').filter((word) => word !== '').map(Number);
    if (numbers.some((number) => !(number > 0 && number <= 100))) this.faults.push(`'${text}' in --percentiles is no list of percentages; write 50,90,99 or halog`);
    return numbers;
  }

  top(): number {
    const text = this.values.top;
    if (text === '') return Number.POSITIVE_INFINITY;
    if (!/^[1-9]\d{0,8}$/.test(text)) this.faults.push(`'${text}' in --top is no number of rows`);
    return Number(text);
  }
}

function dayOf(ms: number): string {
  const date = new Date(ms);
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`;
}

export function readLogsWords(words: readonly string[], nowMs: number): LogsOrder | { readonly faults: readonly string[] } {
  let parsed;
  try {
    parsed = parse(words);
  } catch (error) {
    return { faults: [error instanceof Error ? error.message : String(error)] };
  }
  const { values, positionals } = parsed;
  const reader = new OrderReader(values, nowMs);
  reader.names();
  reader.statuses();
  reader.causes();
  reader.slow();
  reader.times();
  reader.catchAll();
  const files = positionals.length === 0 ? ['-'] : positionals;
  if (values.follow && (files.length > 1 || files[0] === '-')) reader.faults.push('--follow takes one file (standard input is read as it comes anyway)');
  const order: LogsOrder = {
    files, selection: reader.selection, follow: values.follow, fromStart: values.since !== '', count: values.count, countBy: reader.countBy(),
    percentiles: reader.percentiles(), top: reader.top(), json: values.json,
  };
  return reader.faults.length > 0 ? { faults: reader.faults } : order;
}
