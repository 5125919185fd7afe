/**
 * Questions to all traffic threads, with their answers. A thread answers in the order in which it was spoken to, so an answer also says
 * that everything said before is in force. Used by the runtime commands. A thread that does not answer in time is not waited for: one that is
 * started again is told everything anew.
 */
import { limits } from '../model/limits.ts';
import type { ThreadQuestion, ToControl, ToTraffic } from '../model/messages.ts';

type ThreadAnswer = Extract<ToControl, { type: 'answered' }>;

interface Asked {
  readonly answers: ThreadAnswer[];
  readonly done: (answers: readonly ThreadAnswer[]) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class ThreadQuestions {
  private readonly broadcast: (message: ToTraffic) => void;
  private readonly threads: number;
  private readonly open = new Map<number, Asked>();
  private last = 0;

  constructor(threads: number, broadcast: (message: ToTraffic) => void) {
    this.threads = threads;
    this.broadcast = broadcast;
  }

  ask(question: ThreadQuestion): Promise<readonly ThreadAnswer[]> {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.end(id), limits.adminThreadAnswerMsMax);
      this.open.set(id, { answers: [], done: resolve, timer });
      this.broadcast({ type: 'ask', id, question });
    });
  }

  receive(answer: ThreadAnswer): void {
    const asked = this.open.get(answer.id);
    if (asked === undefined) return;
    asked.answers.push(answer);
    if (asked.answers.length === this.threads) this.end(answer.id);
  }

  private end(id: number): void {
    const asked = this.open.get(id);
    if (asked === undefined) return;
    this.open.delete(id);
    clearTimeout(asked.timer);
    asked.done(asked.answers);
  }
}
