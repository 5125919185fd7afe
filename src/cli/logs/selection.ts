/**
 * Which lines of a log are wanted: every filter of the command line is a test on one line. Made by order.ts, asked by logs.ts for each line.
 * Reads nothing itself.
 */
import type { LogLine } from './log-line.ts';

export type Test = (line: LogLine) => boolean;

/** Words of --cause that stand for more than letters. */
export const causeTests: Readonly<Record<string, Test>> = {
  failed: (line) => isFailed(line.letters),
  client: (line) => /^[Cc]/.test(line.letters),
  server: (line) => /^[Ss]/.test(line.letters),
  proxy: (line) => /^[PRI]/.test(line.letters),
  timeout: (line) => /^[cs]/.test(line.letters),
  retried: (line) => line.retries > 0,
  redispatched: (line) => line.redispatched,
};

function isFailed(letters: string): boolean {
  return letters !== '' && !/^[-L]/.test(letters);
}

export class Selection {
  private readonly tests: Test[] = [];
  /** Tests of what only the line of a request tells, not the second line of log-why. */
  private readonly requestTests: Test[] = [];
  private lastClient = '';
  private lastTaken = false;

  add(test: Test, ofRequest = false): void {
    (ofRequest ? this.requestTests : this.tests).push(test);
  }

  takes(line: LogLine): boolean {
    if (line.kind === 'why') {
      // The second line goes with the first; between them may stand lines of other threads.
      if (line.client === this.lastClient) return this.lastTaken;
      return this.requestTests.length === 0 && fits(this.tests, line);
    }
    this.lastClient = line.client;
    this.lastTaken = fits(this.tests, line) && fits(this.requestTests, line);
    return this.lastTaken;
  }
}

function fits(tests: readonly Test[], line: LogLine): boolean {
  for (const test of tests) if (!test(line)) return false;
  return true;
}
