/**
 * Who may take up a configuration: one at a time. A command that comes meanwhile is refused; a signal, which nobody answers, is remembered, because the
 * files may have changed after they were read. Both wait for the start to be over. Used by process/balancer.ts.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

export class ReloadTurns {
  private readonly begins: () => void;
  private busy = true;
  private started = false;
  private readonly start = Promise.withResolvers<void>();
  private remembered: (() => void) | null = null;

  /** `begins` is called before each turn, which may keep the process from saying anything for a while. */
  constructor(begins: () => void = () => undefined) {
    this.begins = begins;
  }

  /** The process has started. */
  open(): void {
    this.started = true;
    this.busy = false;
    this.start.resolve();
    setImmediate(() => this.begin());
  }

  /** Null: another one is under way. */
  async run<T>(work: () => Promise<T>): Promise<T | null> {
    if (!this.started) await this.start.promise;
    if (this.busy) return null;
    this.busy = true;
    try {
      this.begins();
      await nextTurn();
      return await work();
    } finally {
      this.busy = false;
      // Whoever waits for what has ended hears of it first.
      setImmediate(() => this.begin());
    }
  }

  /** Calls `begin` now, or once when nothing is under way any more, however often it is asked for. Gives whether this one is the first to wait. */
  whenFree(begin: () => void): boolean {
    const isFirst = this.busy && this.remembered === null;
    this.remembered = begin;
    this.begin();
    return isFirst;
  }

  /** A configuration is being taken up. */
  get underWay(): boolean { return this.started && this.busy; }

  /** A signal waits. */
  get waits(): boolean { return this.remembered !== null; }

  private begin(): void {
    const { remembered } = this;
    if (this.busy || remembered === null) return;
    this.remembered = null;
    remembered();
  }
}
