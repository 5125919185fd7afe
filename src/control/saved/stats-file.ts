/**
 * HAProxy's stats-file (`stats-file`, `dump stats-file`): counters of objects by their guid, or by name when they have none, as CSV, one block for frontends and listeners and
 * one for backends and servers. Read at start as what a former process has counted. Reading is called by process/balancer.ts, writing by admin/.
 */
import { readFileSync, statSync } from 'node:fs';
import { C, type CounterField, counterFields, maxFields } from '../../model/counters.ts';
import type { Model } from '../../model/model.ts';
import { columns, objectKinds } from '../../model/statistics.ts';
import type { Segments } from '../../shared/segments.ts';
import { objectTotals } from '../../shared/totals.ts';
import type { Counting } from '../counting.ts';
import { type KeptObject, keptObjects } from './objects.ts';

interface StatsFileWork {
  readonly model: Model;
  readonly segments: Segments;
  readonly counting: Counting;
  /** Objects that the state folder knows better, by their name there. */
  readonly skip: (name: string) => boolean;
  readonly warn: (text: string) => void;
}

/** Columns whose figure is a counter, each counter once. */
const counted = columns.flatMap(({ name, on, source }, index) => {
  const isCounter = (counterFields as readonly string[]).includes(source) && !source.endsWith('_avg') && !(maxFields as readonly string[]).includes(source);
  return isCounter && columns.findIndex((other) => other.source === source) === index ? [{ name, on: on.toUpperCase(), field: source as CounterField }] : [];
});
const blocks: readonly { readonly mark: string; readonly kinds: readonly KeptObject['kind'][] }[] = [
  { mark: '#fe', kinds: ['frontend', 'listener'] }, { mark: '#be', kinds: ['backend', 'server'] },
];

function columnsOf(kinds: readonly KeptObject['kind'][]): typeof counted {
  return counted.filter(({ on }) => kinds.some((kind) => on.includes(objectKinds[kind].letter)));
}

/** The guid, else `fe/www`, `be/app`, `srv/app/s1`, `li/www/1`. */
function identity(model: Model, { index, kind }: KeptObject): string {
  if (kind === 'frontend' || kind === 'backend') {
    const proxy = model.proxies[index];
    return proxy?.guid || `${kind === 'frontend' ? 'fe' : 'be'}/${proxy?.name ?? index}`;
  }
  if (kind === 'server') {
    const server = model.servers[index];
    return server?.guid || `srv/${model.proxies[server?.proxy ?? -1]?.name ?? ''}/${server?.name ?? index}`;
  }
  const prefix = model.binds[index]?.guidPrefix ?? '';
  const proxy = model.proxies[model.binds[index]?.proxy ?? -1];
  const all = proxy?.binds ?? [];
  if (prefix === '') return `li/${proxy?.name ?? ''}/${all.indexOf(index) + 1}`;
  return `${prefix}-${all.filter((other) => model.binds[other]?.guidPrefix === prefix).indexOf(index) + 1}`;
}

export function statsFileText(model: Model, segments: Segments): string {
  const objects = keptObjects(model, segments);
  return blocks.map(({ mark, kinds }) => {
    const shown = columnsOf(kinds);
    const rows = objects.filter((one) => kinds.includes(one.kind)).map((one) => {
      const totals = objectTotals(segments, one.object);
      return `${[identity(model, one), ...shown.map(({ field }) => Math.floor(totals[C[field]] ?? 0))].join(',')}\n`;
    });
    return `${mark} guid,${shown.map(({ name }) => name).join(',')}\n${rows.join('')}`;
  }).join('\n');
}

/** Before anybody counts. */
export function readStatsFile(work: StatsFileWork): void {
  const { model, segments, warn } = work;
  const path = model.global.statsFile;
  if (path === '') return;
  let text: string;
  let writtenAtMs: number;
  try {
    text = readFileSync(path, 'latin1');
    writtenAtMs = Math.floor(statSync(path).mtimeMs);
  } catch (error) {
    warn(`stats-file '${path}' cannot be read: ${(error as Error).message}`);
    return;
  }
  const objects = new Map(keptObjects(model, segments).map((one) => [`${one.kind === 'frontend' || one.kind === 'listener' ? '#fe' : '#be'} ${identity(model, one)}`, one]));
  let [mark, names]: [string, readonly string[]] = ['', []];
  for (const [number, line] of text.split(/\r?\n/).entries()) {
    if (line.startsWith('#')) {
      [mark = '', names] = [line.split(' ', 1)[0], line.slice(line.indexOf(' ') + 1).split(',')];
      if (names[0] !== 'guid') mark = '';
    } else if (line !== '' && mark !== '') {
      const values = line.split(',');
      const one = objects.get(`${mark} ${values[0] ?? ''}`);
      if (values.slice(1).some((value) => !/^\d*$/.test(value))) warn(`stats-file '${path}': line ${number + 1} is left out, not every value is a number`);
      else if (one !== undefined && !work.skip(one.name)) preload(work, one, names, values, writtenAtMs);
    }
  }
}

function preload({ counting, segments }: StatsFileWork, { object }: KeptObject, names: readonly string[], values: readonly string[], sinceMs: number): void {
  const own = segments.counters(object, segments.threads);
  const base: Record<string, number> = {};
  for (const { field, name } of counted) {
    const value = values[names.indexOf(name)];
    if (value === undefined || value === '') continue;
    own[C[field]] = base[field] = Number(value);
  }
  counting.lasts = true;
  counting.begin(object, sinceMs, base);
}
