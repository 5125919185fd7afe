/**
 * The last events of servers and backends, for `show events`. Bounded ring; older ones are dropped. Heard from control/events.ts.
 */
import type { Events } from '../control/events.ts';
import { limits } from '../model/limits.ts';
import { dateText } from './captured-errors.ts';

export class EventLog {
  private readonly lines: string[] = [];
  private dropped = 0;

  constructor(events: Events) {
    events.listen((event) => {
      this.lines.push(`<${event.level}>${dateText(event.atMs)} ${event.text}`);
      if (this.lines.length <= limits.eventLogLinesMax) return;
      this.lines.shift();
      this.dropped += 1;
    });
  }

  get droppedLines(): number {
    return this.dropped;
  }

  text(): string {
    return this.lines.map(line => `${line}\n`).join('');
  }
}
