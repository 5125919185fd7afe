/**
 * The queue of letters: on disk, so that a letter outlives the process; sent one by one; tried again with growing pauses until it expires;
 * quick changes of one topic folded into a digest. Whoever posts never waits. Used by process/ for virtual addresses and by control/
 * for servers. The clock, the timers and the sending are arguments.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../model/limits.ts';
import type { Letter } from '../model/mail.ts';

interface OutboxParts {
  /** Folder of the queue; '' keeps it in memory only. */
  readonly folder: string;
  /** '' when sent, else why not. Never throws. */
  readonly send: (letter: Letter) => Promise<string>;
  readonly nowMs: () => number;
  readonly after: (delayMs: number, run: () => void) => void;
  readonly log: (level: 'info' | 'warning', text: string) => void;
}

interface Waiting { readonly letter: Letter; readonly file: string; tries: number; notBeforeMs: number }
/** Letters of a topic that came while its window was open. */
interface Window { readonly held: Letter[] }

const pausesMs = [5000, 15_000, 60_000, 300_000] as const;

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #queue: Waiting[] = [];
  readonly #windows = new Map<string, Window>();
  #folder: string;
  #sending = false;
  #number = 0;
  #closed = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#folder = parts.folder;
    if (this.#folder !== '') this.#readFolder();
    this.#work();
  }

  /** Letters that have not been sent yet, held ones included. */
  get waiting(): number {
    return this.#queue.length + [...this.#windows.values()].reduce((sum, window) => sum + window.held.length, 0);
  }

  post(letter: Letter): void {
    const window = this.#windows.get(letter.topic);
    if (window !== undefined) {
      if (window.held.length < limits.digestLettersMax) window.held.push(letter);
      return;
    }
    this.#windows.set(letter.topic, { held: [] });
    this.#parts.after(limits.digestWindowMs, () => { this.#endWindow(letter.topic); });
    this.#enqueue(letter);
  }

  /** Held letters go into the queue; what is on disk stays for the next process. */
  close(): void {
    for (const topic of this.#windows.keys()) this.#endWindow(topic);
    this.#closed = true;
  }

  // ---- digests

  #endWindow(topic: string): void {
    const window = this.#windows.get(topic);
    this.#windows.delete(topic);
    if (window === undefined || window.held.length === 0 || this.#closed) return;
    const [first, ...more] = window.held;
    if (first === undefined) return;
    const last = more.at(-1);
    if (last === undefined) {
      this.post(first);
      return;
    }
    const lines = window.held.map((letter) => `${new Date(letter.atMs).toISOString()}  ${letter.subject}`);
    const text = `${window.held.length} changes within ${limits.digestWindowMs / 1000} s:\n\n${lines.join('\n')}\n\nThe last one:\n\n${last.text}`;
    this.post({ ...last, subject: `${last.subject} (and ${more.length} changes before)`, text });
  }

  // ---- queue

  #enqueue(letter: Letter): void {
    if (this.#queue.length >= limits.lettersMax) {
      const dropped = this.#queue.shift();
      if (dropped !== undefined) this.#forget(dropped);
      this.#parts.log('warning', `more than ${limits.lettersMax} letters wait: the oldest was dropped`);
    }
    this.#queue.push({ letter, file: this.#save(letter), tries: 0, notBeforeMs: 0 });
    this.#work();
  }

  /** Name of the file, '' when it is kept in memory only. */
  #save(letter: Letter): string {
    if (this.#folder === '') return '';
    this.#number += 1;
    const file = join(this.#folder, `${letter.atMs}-${process.pid}-${this.#number}.json`);
    try {
      // Half a letter must never be found by the next process.
      writeFileSync(`${file}.new`, JSON.stringify(letter), { mode: 0o600 });
      renameSync(`${file}.new`, file);
      return file;
    } catch (error) {
      this.#parts.log('warning', `a letter cannot be kept in ${this.#folder}: ${(error as Error).message}; it waits in memory`);
      return '';
    }
  }

  #forget(waiting: Waiting): void {
    if (waiting.file !== '') rmSync(waiting.file, { force: true });
  }

  #readFolder(): void {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(this.#folder).sort()) {
        if (!name.endsWith('.json') || this.#queue.length >= limits.lettersMax) continue;
        const file = join(this.#folder, name);
        const letter = readLetter(file);
        if (letter === undefined) {
          renameSync(file, `${file}.damaged`);
          this.#parts.log('warning', `${file} holds no letter: it was set aside`);
        } else this.#queue.push({ letter, file, tries: 0, notBeforeMs: 0 });
      }
    } catch (error) {
      this.#parts.log('warning', `the mail queue ${this.#folder} cannot be used: ${(error as Error).message}; letters wait in memory`);
      this.#folder = '';
    }
  }

  #work(): void {
    if (this.#sending || this.#closed) return;
    const nowMs = this.#parts.nowMs();
    const next = this.#queue.find((waiting) => waiting.notBeforeMs <= nowMs);
    if (next === undefined) return;
    this.#sending = true;
    void this.#parts.send(next.letter).then((why) => {
      this.#sending = false;
      this.#sent(next, why);
      this.#work();
    });
  }

  #sent(waiting: Waiting, why: string): void {
    const nowMs = this.#parts.nowMs();
    const expired = nowMs - waiting.letter.atMs > limits.letterMsMax;
    if (why === '' || expired) {
      this.#queue.splice(this.#queue.indexOf(waiting), 1);
      this.#forget(waiting);
      if (why === '') this.#parts.log('info', `mail sent to ${waiting.letter.to.join(' ')}: ${waiting.letter.subject}`);
      else this.#parts.log('warning', `mail given up after ${Math.round(limits.letterMsMax / 3_600_000)} hours: ${waiting.letter.subject}: ${why}`);
      return;
    }
    const pauseMs = pausesMs[Math.min(waiting.tries, pausesMs.length - 1)] ?? 0;
    waiting.tries += 1;
    waiting.notBeforeMs = nowMs + pauseMs;
    if (waiting.tries === 1) this.#parts.log('warning', `mail not sent yet, it is tried again: ${waiting.letter.subject}: ${why}`);
    this.#parts.after(pauseMs, () => { this.#work(); });
  }
}

function readLetter(file: string): Letter | undefined {
  try {
    const made = JSON.parse(readFileSync(file, 'utf8')) as Partial<Letter>;
    return typeof made.from === 'string' && Array.isArray(made.to) && typeof made.subject === 'string' && typeof made.text === 'string' && typeof made.atMs === 'number' ? { topic: '', mailer: '', ...made } as Letter : undefined;
  } catch {
    return undefined;
  }
}
