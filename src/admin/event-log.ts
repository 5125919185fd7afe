/**
 * The last events of servers and backends, for `show events`. Bounded ring; older ones are dropped. Heard from control/events.ts.
 */
import { eventLevel } from '../control/events.ts';
import type { Events } from '../control/events.ts';
import { limits } from '../model/limits.ts';
import { dateText } from './captured-errors.ts';
import type { CommandSession } from './command.ts';

export class EventLog {
  private readonly lines: string[] = [];
  private dropped = 0;
  private written = 0;

  constructor(events: Events) {
    events.listen((event) => this.add(`<${event.level}>${dateText(event.atMs)} ${event.text}`));
  }

  /** A runtime command that changed something, and who gave it. */
  command({ peer, level }: Pick<CommandSession, 'peer' | 'level'>, text: string, atMs: number): void {
    this.add(`<${eventLevel.notice}>${dateText(atMs)} Command from ${peer} (level ${level}): ${text}`);
  }

  private add(line: string): void {
    this.lines.push(line);
    this.written += 1;
    if (this.lines.length <= limits.eventLogLinesMax) return;
    this.lines.shift();
    this.dropped += 1;
  }

  /** Number of lines ever written: where somebody who reads on goes on. */
  get end(): number {
    return this.written;
  }

  /** Lines from number `from` on, as far as they are still kept. */
  linesFrom(from: number): readonly string[] {
    return this.lines.slice(Math.max(0, from - (this.written - this.lines.length)));
  }

  get droppedLines(): number {
    return this.dropped;
  }
}
