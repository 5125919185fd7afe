/**
 * Lets a report through at its first time and then at most once a minute, and of each kind only so many a minute, so that a flood of bad
 * packets does not become a flood of lines, from however many machines it seems to come. Used by vrrp/instance-runner.ts.
 */
import { limits } from '../model/limits.ts';
import type { VrrpReport } from '../model/vrrp-messages.ts';

interface Window { sinceMs: number; said: number; leftOut: number }

export class SpokenOnce {
  readonly #name: string;
  readonly #report: (report: VrrpReport) => void;
  readonly #nowMs: () => number;
  readonly #lastMs = new Map<string, number>();
  readonly #windows = new Map<VrrpReport['kind'], Window>();

  /** `name`: the instance, for its own lines. */
  constructor(name: string, report: (report: VrrpReport) => void, nowMs = (): number => performance.now()) {
    this.#name = name;
    this.#report = report;
    this.#nowMs = nowMs;
  }

  say(subject: string, report: VrrpReport): void {
    const nowMs = this.#nowMs();
    const last = this.#lastMs.get(subject);
    if (last !== undefined && nowMs - last < limits.vrrpRepeatReportMs) return;
    const window = this.#window(report.kind, nowMs);
    if (window.said >= limits.vrrpReportsMax) {
      window.leftOut += 1;
      return;
    }
    window.said += 1;
    if (this.#lastMs.size >= limits.vrrpReportSubjectsMax) this.#lastMs.clear();
    this.#lastMs.set(subject, nowMs);
    this.#report(report);
  }

  #window(kind: VrrpReport['kind'], nowMs: number): Window {
    let window = this.#windows.get(kind);
    if (window === undefined || nowMs - window.sinceMs >= limits.vrrpRepeatReportMs) {
      if (window !== undefined && window.leftOut > 0) this.#report({ kind: 'log', level: 'warning', text: `(${this.#name}) ${window.leftOut} more messages like these were left out` });
      this.#windows.set(kind, window = { sinceMs: nowMs, said: 0, leftOut: 0 });
    }
    return window;
  }
}
