/**
 * Messages to the operator on stderr, in HAProxy's form `[WARNING]  (pid) : text`, which people and tools grep for. Used by
 * process/ and cli/. Quiet mode holds back everything but alerts; a daemon that has let its terminal go says nothing more.
 */
import { writeSync } from 'node:fs';
import { limits } from '../model/limits.ts';

type NoticeKind = 'ALERT' | 'WARNING' | 'NOTICE';

export class Notices {
  /** `-q`: only alerts are printed. */
  quiet = false;
  /** After a daemon started: nothing is printed. */
  silent = false;
  /** The first messages of the process, without line ends (`show startup-logs`). */
  readonly startup: string[] = [];
  /** Warnings printed so far (`show info`: TotalWarnings). */
  warnings = 0;

  alert(text: string): void {
    this.print('ALERT', text);
  }

  warning(text: string): void {
    this.warnings += 1;
    if (!this.quiet) this.print('WARNING', text);
  }

  notice(text: string): void {
    if (!this.quiet) this.print('NOTICE', text);
  }

  private print(kind: NoticeKind, text: string): void {
    const line = `${`[${kind}]`.padEnd(10)} (${process.pid}) : ${text}`;
    if (this.startup.length < limits.startupLinesMax) this.startup.push(line);
    if (this.silent) return;
    try {
      writeSync(2, `${line}\n`);
    } catch {
      // Nobody reads stderr any more (EPIPE) or it is full (EAGAIN): the log targets still get what matters.
    }
  }
}
