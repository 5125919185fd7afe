/**
 * Finished log lines on their way to the control thread, which has the sockets: put into this thread's ring in shared memory, and
 * the control thread is told every few milliseconds or after many lines. Lines that do not fit are dropped and counted. Formats nothing.
 */
import { C } from '../model/counters.ts';
import { limits } from '../model/limits.ts';
import type { ToControl } from '../model/messages.ts';
import { TimerNode, type TimerOwner, type TimerWheel } from '../base/timer-wheel.ts';
import type { LogRing } from '../shared/log-ring.ts';
import { P } from '../shared/segments.ts';

const flushAfterMs = 4;
/** Receivers' buffers hold a few hundred datagrams: more at once would only be lost there. */
const flushLines = 128;

export class LogQueue implements TimerOwner {
  private readonly post: (message: ToControl) => void;
  private readonly wheel: TimerWheel;
  private readonly process: Float64Array;
  private readonly ring: LogRing;
  private readonly thread: number;
  private readonly timer = new TimerNode(this, 0);
  /** Lines that the control thread was not told of. */
  private untold = 0;

  constructor(post: (message: ToControl) => void, wheel: TimerWheel, process: Float64Array, ring: LogRing, thread: number) {
    this.post = post;
    this.wheel = wheel;
    this.process = process;
    this.ring = ring;
    this.thread = thread;
  }

  /**
   * Takes one line without its end. `proxy` −1 is the global log; `counters` are the frontend's, for dropped lines.
   * `sd` is the structured data of rfc5424, '' for none.
   */
  push(proxy: number, level: number, line: string, sd: string, counters: Float64Array | null): void {
    if (!this.ring.put(proxy, level, oneLine(line), sd === '' ? '' : oneLine(sd))) {
      this.process[P.dropped_logs] = (this.process[P.dropped_logs] as number) + 1;
      if (counters !== null) counters[C.logs_dropped] = (counters[C.logs_dropped] as number) + 1;
      return;
    }
    this.untold += 1;
    if (this.untold >= flushLines) this.flush();
    else if (!this.timer.armed) this.wheel.arm(this.timer, flushAfterMs);
  }

  onTimer(): void {
    this.flush();
  }

  /** Tells the control thread of everything; also called before the thread ends. */
  flush(): void {
    if (this.untold === 0) return;
    this.untold = 0;
    this.post({ type: 'log', thread: this.thread });
  }
}

/** A line end inside a line would make two lines of it; what is longer than any target takes is cut. */
function oneLine(text: string): string {
  const short = text.length > limits.logLineBytesMax ? text.slice(0, limits.logLineBytesMax) : text;
  return short.includes('\n') ? short.replaceAll('\n', ' ') : short;
}
