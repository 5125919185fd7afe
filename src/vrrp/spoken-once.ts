/** Lets a report through at its first time and then at most once a minute, so that a flood of bad packets does not become a flood of lines. Used by vrrp/instance-runner.ts. */
import { limits } from '../model/limits.ts';
import type { VrrpReport } from '../model/vrrp-messages.ts';

export class SpokenOnce {
  readonly #report: (report: VrrpReport) => void;
  readonly #lastMs = new Map<string, number>();

  constructor(report: (report: VrrpReport) => void) {
    this.#report = report;
  }

  say(subject: string, report: VrrpReport): void {
    const nowMs = performance.now();
    const last = this.#lastMs.get(subject);
    if (last !== undefined && nowMs - last < limits.vrrpRepeatReportMs) return;
    if (this.#lastMs.size >= limits.vrrpReportSubjectsMax) this.#lastMs.clear();
    this.#lastMs.set(subject, nowMs);
    this.#report(report);
  }
}
