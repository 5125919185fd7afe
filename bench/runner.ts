/** Goes through workloads, rounds and subjects in turn (A B C A B C …) and collects samples. Called by run.ts. */
import type { Stage } from './machine/stage.ts';
import type { Options } from './options.ts';
import type { LeftOut, Sample } from './row.ts';
import type { Subject, SubjectName } from './subjects/subject.ts';
import { aroundSeconds } from './durations.ts';
import type { Cell, Workload } from './workloads/workload.ts';

/** They take part in every workload. */
const always: readonly SubjectName[] = ['haproxy', 'poise-bun', 'poise-node'];
const quickSubjects: readonly SubjectName[] = ['haproxy', 'poise-bun'];

export function subjectsOf(workload: Workload, subjects: readonly Subject[], options: Options): Subject[] {
  const wanted = options.subjects.length > 0 ? options.subjects : options.size === 'quick' ? quickSubjects : [...always, ...workload.peers];
  return subjects.filter((subject) => wanted.includes(subject.name) && (always.includes(subject.name) || workload.peers.includes(subject.name)));
}

/** nginx has a target of its own (Poise ahead of it), so it runs as often as the pair. */
export function roundsOf(workload: Workload, cell: Pick<Cell, 'roundsMax' | 'pairOnly'>, subject: SubjectName, options: Options): number {
  if (options.runs !== undefined) return options.runs;
  const full = Math.min(workload.rounds[options.size], cell.roundsMax ?? workload.rounds[options.size]);
  if (cell.pairOnly === true && !quickSubjects.includes(subject)) return 0;
  return ['haproxy', 'poise-bun', 'nginx'].includes(subject) ? full : Math.min(full, workload.roundsOfOthers);
}

/** Seconds that the workload takes, from the durations of its parts. */
export function estimatedSeconds(workload: Workload, subjects: readonly Subject[], options: Options): number {
  const playing = subjectsOf(workload, subjects, options);
  const one = (cell: Cell, name: SubjectName): number => roundsOf(workload, cell, name, options) * (cell.seconds(options.size, name) + aroundSeconds.start);
  return workload.cells.reduce((sum, cell) => sum + playing.reduce((part, subject) => part + one(cell, subject.name), 0), 0);
}

export class Runner {
  readonly samples: Sample[] = [];
  readonly leftOut: LeftOut[] = [];
  failed = false;
  private readonly stage: Stage;
  private readonly options: Options;
  private readonly startedAt = performance.now();

  constructor(stage: Stage, options: Options) {
    this.stage = stage;
    this.options = options;
  }

  async run(workload: Workload, subjects: readonly Subject[]): Promise<void> {
    const playing = subjectsOf(workload, subjects, this.options);
    for (const cell of workload.cells) {
      const out = new Set<SubjectName>();
      const last = Math.max(0, ...playing.map((subject) => roundsOf(workload, cell, subject.name, this.options)));
      for (let round = 1; round <= last; round++) {
        for (const subject of playing) {
          if (out.has(subject.name) || round > roundsOf(workload, cell, subject.name, this.options)) continue;
          if (!(await this.one(workload, cell, subject, round))) out.add(subject.name);
        }
      }
    }
  }

  /** False: the subject cannot do it; it is not asked again. */
  private async one(workload: Workload, cell: Cell, subject: Subject, round: number): Promise<boolean> {
    const shape = cell.shape(this.stage.site);
    const names = cell.rows.map((row) => row.name).join('; ');
    const cannot = subject.cannot(shape);
    if (cannot !== '') {
      this.leftOut.push({ workload: workload.name, subject: subject.name, why: `${names}: ${cannot}` });
      return false;
    }
    try {
      const measured = await this.stage.withSubject(subject, shape, (started) => cell.measure({ stage: this.stage, subject: subject.name, started, size: this.options.size }), cell.bothCores);
      for (const [row, values] of measured) this.samples.push({ workload: workload.name, row, subject: subject.name, round, ...values });
      this.progress(`${workload.name} round ${round} ${subject.name}: ${[...measured].map(([row, values]) => `${row} ${this.cost(cell, row, values.cost)}`).join('; ')}`);
      return true;
    } catch (error) {
      this.failed = true;
      const why = `${names}: ${error instanceof Error ? error.message : String(error)}`.replaceAll(/\s+/g, ' ');
      this.leftOut.push({ workload: workload.name, subject: subject.name, why });
      this.progress(`${workload.name} round ${round} ${subject.name}: FAILED ${why}`);
      return false;
    }
  }

  private cost(cell: Cell, row: string, cost: number): string {
    const { kind, unit } = cell.rows.find((one) => one.name === row) ?? { kind: 'cpu', unit: 'request' };
    if (kind === 'latency') return `p99 ${cost} ms`;
    if (kind === 'memory') return `${(cost / 1000).toFixed(1)} KB`;
    return unit === 'byte' ? `${(1 / cost).toFixed(2)} GB/CPU s` : `${(cost / 1000).toFixed(1)} µs`;
  }

  private progress(text: string): void {
    console.log(`# ${((performance.now() - this.startedAt) / 1000).toFixed(0).padStart(4)} s  ${text}`);
  }
}
