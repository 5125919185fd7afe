/**
 * What a test outside the hosts sees: starts the world's program (test/harness/pair/world.ts) in the world's namespace, steers its load, and
 * collects letters.
 */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { projectFolder } from '../program.ts';
import type { Stage } from './stage.ts';
import { virtualAddress } from './whole-node.ts';
import type { LetterReport, LoadReport, RecordsReport, WorldCommand, WorldReport } from './world.ts';

const answerMsMax = 5000;
/** A machine that is busy with other tests. */
const reportMsMax = 20_000;

export class Outside {
  readonly letters: LetterReport[] = [];
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  #adverts: (() => void)[] = [];
  #asked: (LoadReport | RecordsReport)['kind'] | undefined;
  #waiting: ((report: LoadReport | RecordsReport) => void) | undefined;

  constructor(stage: Stage) {
    this.#child = stage.inWorld(process.execPath, [join(projectFolder, 'test/harness/pair/world.ts')]);
    if (this.#child.stdout === null) throw new Error('the world has no output');
    createInterface({ input: this.#child.stdout }).on('line', (line) => { this.#take(JSON.parse(line) as WorldReport); });
    this.#child.on('exit', (code) => { this.#ready.reject(new Error(`the world ended with ${code ?? 'a signal'}`)); });
    this.#ready.promise.catch(() => { /* whoever waits for it hears it */ });
  }

  ready(): Promise<void> { return this.#ready.promise; }

  #take(report: WorldReport): void {
    if (report.kind === 'ready') this.#ready.resolve();
    else if (report.kind === 'letter') this.letters.push(report);
    else if (report.kind === 'advert') for (const heard of this.#adverts.splice(0)) heard();
    else if (report.kind === this.#asked) this.#waiting?.(report);
  }

  #send(command: WorldCommand): void { this.#child.stdin?.write(`${JSON.stringify(command)}\n`); }

  load(perSecond = 50, patienceMs = 3000, pingsPerSecond = 0): void { this.#send({ kind: 'load', host: virtualAddress, perSecond, patienceMs, pingsPerSecond, keep: false }); }
  /** A load whose every request and ping is kept for `records`. */
  recordedLoad(host: string, perSecond: number, patienceMs: number, pingsPerSecond: number): void { this.#send({ kind: 'load', host, perSecond, patienceMs, pingsPerSecond, keep: true }); }
  /** The moment at which the first host's next advert has come; without one within the limit, that limit. */
  nextAdvert(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#adverts.push(resolve);
    setTimeout(resolve, answerMsMax).unref();
    this.#send({ kind: 'next advert' });
    return promise;
  }

  endLoad(): void { this.#send({ kind: 'end load' }); }

  /** What became of the requests since the last report. */
  report(): Promise<LoadReport> { return this.#ask('report') as Promise<LoadReport>; }
  /** Everything since a recorded load began. */
  records(): Promise<RecordsReport> { return this.#ask('records') as Promise<RecordsReport>; }

  #ask(kind: 'report' | 'records'): Promise<LoadReport | RecordsReport> {
    const { promise, resolve, reject } = Promise.withResolvers<LoadReport | RecordsReport>();
    const limit = setTimeout(() => { reject(new Error('the world does not answer')); }, reportMsMax);
    this.#asked = kind === 'report' ? 'load' : kind;
    this.#waiting = (report) => { clearTimeout(limit); resolve(report); };
    this.#send({ kind });
    return promise;
  }

  close(): void { this.#child.stdin?.end(); }
}
