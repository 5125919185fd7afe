/**
 * Finished log lines on their way to the control thread, which has the sockets: one message per proxy and level for every few
 * milliseconds or many lines. Bounded; lines that do not fit are dropped and counted. Formats nothing.
 */
import { C } from '../model/counters.ts';
import { limits } from '../model/limits.ts';
import type { ToControl } from '../model/messages.ts';
import type { TimerNode, TimerOwner, TimerWheel } from '../base/timer-wheel.ts';
import { TimerNode as Node } from '../base/timer-wheel.ts';
import { P } from '../shared/segments.ts';

/** Lines of one proxy and level that wait. */
interface Batch {
  readonly proxy: number;
  readonly level: number;
  lines: string;
  sd: string;
  count: number;
  hasSd: boolean;
}

const flushAfterMs = 4;
const flushLines = 256;

export class LogQueue implements TimerOwner {
  private readonly post: (message: ToControl) => void;
  private readonly wheel: TimerWheel;
  private readonly process: Float64Array;
  private readonly timer: TimerNode = new Node(this, 0);
  /** By proxy + 1 (−1 is the global log) and level. */
  private readonly batches: (Batch | undefined)[] = [];
  private waiting = 0;

  constructor(post: (message: ToControl) => void, wheel: TimerWheel, process: Float64Array) {
    this.post = post;
    this.wheel = wheel;
    this.process = process;
  }

  /**
   * Takes one line without its end. `proxy` −1 is the global log; `counters` are the frontend's, for dropped lines.
   * `sd` is the structured data of rfc5424, '' for none.
   */
  push(proxy: number, level: number, line: string, sd: string, counters: Float64Array | null): void {
    if (this.waiting >= limits.logQueueLinesMax) {
      this.process[P.dropped_logs] = (this.process[P.dropped_logs] as number) + 1;
      if (counters !== null) counters[C.logs_dropped] = (counters[C.logs_dropped] as number) + 1;
      return;
    }
    const batch = this.batch(proxy, level);
    // A line end inside a line would make two lines of it.
    const clean = line.includes('\n') ? line.replaceAll('\n', ' ') : line;
    const cleanSd = sd.includes('\n') ? sd.replaceAll('\n', ' ') : sd;
    batch.lines = batch.count === 0 ? clean : `${batch.lines}\n${clean}`;
    batch.sd = batch.count === 0 ? cleanSd : `${batch.sd}\n${cleanSd}`;
    batch.hasSd ||= sd !== '';
    batch.count += 1;
    this.waiting += 1;
    if (batch.count >= flushLines) this.send(batch);
    else if (!this.timer.armed) this.wheel.arm(this.timer, flushAfterMs);
  }

  onTimer(): void {
    this.flush();
  }

  /** Sends everything; also called before the thread ends. */
  flush(): void {
    if (this.waiting === 0) return;
    for (const batch of this.batches) if (batch !== undefined && batch.count > 0) this.send(batch);
  }

  private send(batch: Batch): void {
    this.waiting -= batch.count;
    this.post({ type: 'log', proxy: batch.proxy, level: batch.level, lines: batch.lines, sd: batch.hasSd ? batch.sd : '' });
    batch.lines = '';
    batch.sd = '';
    batch.count = 0;
    batch.hasSd = false;
  }

  private batch(proxy: number, level: number): Batch {
    const index = (proxy + 1) * 8 + level;
    let batch = this.batches[index];
    if (batch === undefined) {
      batch = { proxy, level, lines: '', sd: '', count: 0, hasSd: false };
      this.batches[index] = batch;
    }
    return batch;
  }
}
