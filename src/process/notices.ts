/**
 * Messages to the operator on stderr, in HAProxy's form `[WARNING]  (pid) : text`, which people and tools grep for. Used by
 * process/ and cli/. Written at once until the process serves, in the background afterwards: a reader that stands still then stops nobody.
 */
import { writeSync } from 'node:fs';
import { sendText } from '../control/log-sink.ts';
import type { LogSink } from '../control/log-sink.ts';
import { limits } from '../model/limits.ts';

type NoticeKind = 'ALERT' | 'WARNING' | 'NOTICE';

export class Notices {
  /** `-q`: nothing is printed, the exit code tells. */
  quiet = false;
  /** After a daemon started: nothing is printed. */
  silent = false;
  /** The first messages of the process, without line ends (`show startup-logs`). */
  readonly startup: string[] = [];
  /** Warnings printed so far (`show info`: TotalWarnings). */
  warnings = 0;

  private sink: LogSink | null = null;

  /** From now on messages are queued and written in the background. */
  toBackground(sink: LogSink): void {
    this.sink = sink;
  }

  /** Everything said so far has been written. */
  async flush(): Promise<void> {
    await this.sink?.close();
  }

  alert(text: string): void {
    this.print('ALERT', text);
  }

  warning(text: string): void {
    this.warnings += 1;
    this.print('WARNING', text);
  }

  notice(text: string): void {
    this.print('NOTICE', text);
  }

  private print(kind: NoticeKind, text: string): void {
    const line = `${`[${kind}]`.padEnd(10)} (${process.pid}) : ${text}`;
    if (this.startup.length < limits.startupLinesMax) this.startup.push(line);
    if (this.silent || this.quiet) return;
    if (this.sink !== null) {
      // Sinks take bytes as latin1 text.
      sendText(this.sink, Buffer.from(`${line}\n`, 'utf8').toString('latin1'));
      return;
    }
    try {
      writeSync(2, `${line}\n`);
    } catch {
      // Nobody reads stderr any more (EPIPE) or it is full (EAGAIN): the log targets still get what matters.
    }
  }
}
