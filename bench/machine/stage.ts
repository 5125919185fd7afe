/**
 * One run's surroundings: origin and log sink on the load's core, certificates, one subject at a time on its own. Used by the runner
 * and the workloads.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, reservePlace, sleep, type Place } from '../../test/harness/place.ts';
import { isListening, projectFolder } from '../../test/harness/program.ts';
import { ports, type Shape, type Site } from '../configurations/shape.ts';
import type { Subject } from '../subjects/subject.ts';
import { makeCertificate } from './certificates.ts';
import { originPorts, startOrigin } from './origin.ts';
import { bun, loadCores, proxyCores, start, type Started } from './programs.ts';

const readyMsMax = 60_000;

/** Log lines that reached the sink's socket. */
export interface LogCount {
  /** Request lines that were read plus datagrams that the kernel dropped at the sink because it was behind. */
  readonly lines: number;
  readonly dropped: number;
}

/** Datagrams that the kernel dropped at a UDP socket, from the text of /proc/net/udp. */
export function droppedAt(table: string, address: string, port: number): number {
  const reversed = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0')).toReversed().join('');
  const local = `${reversed}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
  const row = table.split('\n').map((line) => line.trim().split(/\s+/)).find((words) => words[1] === local);
  return Number(row?.at(-1) ?? 0);
}

export class Stage {
  readonly site: Site;
  private readonly place: Place;
  private readonly origin: Started;
  private readonly sink: Started;
  private questions = 0;

  private constructor(site: Site, place: Place, origin: Started, sink: Started) {
    this.site = site;
    this.place = place;
    this.origin = origin;
    this.sink = sink;
  }

  static async open(): Promise<Stage> {
    const place = await reservePlace();
    const { address, folder } = place;
    const crt = { 'P-256': makeCertificate(folder, 'P-256'), 'RSA-2048': makeCertificate(folder, 'RSA-2048') };
    const origin = startOrigin(address, folder, crt['P-256']);
    const sink = start(loadCores, bun, [join(projectFolder, 'bench/load/sink.ts'), address, String(ports.log)]);
    const ended = (started: Started): void => { if (started.ended()) throw new Error(started.output()); };
    await eventually('the origin', () => { ended(origin); return [...originPorts.clear, ...originPorts.tls].every((port) => isListening(address, port)); }, readyMsMax);
    await eventually('the log sink', () => { ended(sink); return sink.output().includes('ready'); }, readyMsMax);
    return new Stage({ address, folder, crt }, place, origin, sink);
  }

  async close(): Promise<void> {
    await Promise.all([this.origin.end(), this.sink.end()]);
    await this.place.release();
  }

  async logCount(): Promise<LogCount> {
    this.questions += 1;
    const question = this.questions;
    this.sink.writeLine(String(question));
    const answer = await eventually('the log sink', () => new RegExp(`^count ${question} (\\d+) (\\d+)$`, 'm').exec(this.sink.output()), readyMsMax);
    const dropped = droppedAt(readFileSync('/proc/net/udp', 'latin1'), this.site.address, ports.log);
    return { lines: Number(answer[1]) + dropped, dropped };
  }

  /** Runs the subject alone while the script works with it. `both`: on all cores, the load's too. */
  async withSubject<T>(subject: Subject, shape: Shape, script: (subject: Started) => Promise<T>, both = false): Promise<T> {
    const started = subject.start(this.site, shape, both ? `${proxyCores},${loadCores}` : proxyCores);
    const wanted = subject.listens(shape);
    try {
      const listening = (): boolean => {
        if (started.ended()) throw new Error(`${subject.name} ended on its start: ${started.output().slice(0, 400)}`);
        return wanted.every((port) => isListening(this.site.address, port));
      };
      await eventually(`${subject.name} listening`, listening, readyMsMax);
      // Poise tries its addresses before its threads listen; the first health checks take a moment too.
      await sleep(300);
      await eventually(`${subject.name} listening`, listening, readyMsMax);
      const result = await script(started);
      if (started.ended()) throw new Error(`${subject.name} ended while it was measured: ${started.output().slice(0, 400)}`);
      return result;
    } finally {
      await started.end();
    }
  }
}
