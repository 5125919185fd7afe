/**
 * Runtime commands on their way from the master's socket to a balancer process and back, over the channel between the two. WorkerLines is the
 * master's side, MasterLines the balancer's. One piece of an answer is under way at a time, so that a client that reads slowly fills
 * nobody's memory.
 */
import type { ChildProcess } from 'node:child_process';
import type { CommandSession, Level } from '../admin/command.ts';
import { runLine } from '../admin/commands.ts';
import type { AdminContext } from '../admin/context.ts';

interface Line {
  readonly id: number;
  readonly line: string;
  readonly payload: string | null;
  readonly level: Level;
  readonly peer: string;
  readonly experimental: boolean;
  readonly expert: boolean;
}
interface Piece { readonly id: number; readonly text: string; readonly last: boolean }

/** To the balancer: a line, `next` for another piece of its answer, `stop` when nobody reads any more. */
type LineWord = { readonly runtimeLine: Line } | { readonly runtimeNext: number } | { readonly runtimeStop: number };
interface PieceWord { readonly runtimePiece: Piece }

function isPieceWord(message: unknown): message is PieceWord {
  return typeof message === 'object' && message !== null && 'runtimePiece' in message;
}

/** Between two looks whether the client still wants the answer. */
const lookMs = 200;

export class WorkerLines {
  private readonly waiting = new Map<number, { readonly child: ChildProcess; readonly take: (piece: Piece) => void }>();
  private lastId = 0;

  async* ask(child: ChildProcess, session: CommandSession, line: string, payload: string | null): AsyncGenerator<string> {
    this.lastId += 1;
    const id = this.lastId;
    const send = (word: LineWord): void => { if (child.connected) child.send(word); };
    const wait = (): Promise<Piece> => new Promise((take) => { this.waiting.set(id, { child, take }); });
    let isOver = !child.connected;
    const look = setInterval(() => { if (session.interrupted()) send({ runtimeStop: id }); }, lookMs);
    const { level, peer, experimental, expert } = session;
    try {
      for (let word: LineWord = { runtimeLine: { id, line, payload, level, peer, experimental, expert } }; !isOver; word = { runtimeNext: id }) {
        const coming = wait();
        send(word);
        const { text, last } = await coming;
        isOver = last;
        if (text !== '') yield text;
      }
    } finally {
      clearInterval(look);
      this.waiting.delete(id);
      if (!isOver) send({ runtimeStop: id });
    }
  }

  /** What a balancer process said. */
  hear(message: unknown): void {
    if (isPieceWord(message)) this.waiting.get(message.runtimePiece.id)?.take(message.runtimePiece);
  }

  /** The process has ended: nothing more comes from it. */
  gone(child: ChildProcess): void {
    for (const [id, one] of this.waiting) if (one.child === child) one.take({ id, text: '', last: true });
  }
}

function isLineWord(message: unknown): message is LineWord {
  return typeof message === 'object' && message !== null && ('runtimeLine' in message || 'runtimeNext' in message || 'runtimeStop' in message);
}

export class MasterLines {
  private readonly context: AdminContext;
  private readonly running = new Map<number, { stopped: boolean; next: () => void }>();

  constructor(context: AdminContext) {
    this.context = context;
  }

  /** What the master said. */
  hear(message: unknown): void {
    if (!isLineWord(message)) return;
    if ('runtimeLine' in message) {
      void this.answer(message.runtimeLine);
      return;
    }
    const isStop = 'runtimeStop' in message;
    const running = this.running.get(isStop ? message.runtimeStop : message.runtimeNext);
    if (running === undefined) return;
    if (isStop) running.stopped = true;
    running.next();
  }

  private async answer({ id, line, payload, level, peer, experimental, expert }: Line): Promise<void> {
    const running = { stopped: false, next: (): void => undefined };
    this.running.set(id, running);
    const session: CommandSession = { level, peer, interrupted: () => running.stopped, interactive: false, closing: false, idleTimeoutMs: 0, experimental, expert };
    for await (const text of runLine(this.context, session, line, payload)) {
      if (running.stopped) break;
      const wanted = new Promise<void>((resolve) => { running.next = resolve; });
      process.send?.({ runtimePiece: { id, text, last: false } } satisfies PieceWord);
      await wanted;
    }
    this.running.delete(id);
    process.send?.({ runtimePiece: { id, text: '', last: true } } satisfies PieceWord);
  }
}
