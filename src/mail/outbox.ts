/**
 * The queue of letters: on disk, so that a letter outlives the process; sent one by one; tried again with growing pauses until it expires;
 * quick changes of one topic folded into a digest. Whoever posts never waits. Used by process/ for virtual addresses and by control/
 * for servers. The clock, the timers and the sending are arguments.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../model/limits.ts';
import type { Letter } from '../model/mail.ts';

interface OutboxParts {
  /** Folder of the queue; '' keeps it in memory only. Several processes may use it: each letter belongs to the one whose pid is in the name of its file. */
  readonly folder: string;
  /** Letters of a topic that go out at once before more of them within the window are folded. */
  readonly atOnce: number;
  /** '' when sent, else why not. Never throws. */
  readonly send: (letter: Letter) => Promise<string>;
  readonly nowMs: () => number;
  readonly after: (delayMs: number, run: () => void) => void;
  readonly log: (level: 'info' | 'warning', text: string) => void;
}

interface Waiting { readonly letter: Letter; readonly file: string; tries: number; notBeforeMs: number }
interface Held { readonly letter: Letter; readonly file: string }
/** `free`: letters of the topic that still go out at once. `held`: those that came later while its window was open. */
interface Window { free: number; readonly held: Held[] }

/** Files of letters that are folded when they are found again, and of those that are not. */
const endings = { held: '.held.json', queued: '.json' } as const;

const pausesMs = [5000, 15_000, 60_000, 300_000] as const;

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #queue: Waiting[] = [];
  readonly #windows = new Map<string, Window>();
  #folder: string;
  #sending = false;
  #files = 0;
  #closed = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#folder = parts.folder;
    if (this.#folder !== '') this.#openFolder();
    this.#work();
  }

  /** Letters that have not been sent yet, held ones included. */
  get waiting(): number {
    return this.#queue.length + [...this.#windows.values()].reduce((sum, window) => sum + window.held.length, 0);
  }

  /** A letter is under way or about to be. */
  get busy(): boolean {
    const nowMs = this.#parts.nowMs();
    return this.#sending || this.#queue.some((waiting) => waiting.notBeforeMs <= nowMs);
  }

  post(letter: Letter): void {
    const window = this.#windows.get(letter.topic);
    if (window !== undefined && window.free > 0) window.free -= 1;
    else if (window !== undefined) {
      if (window.held.length < limits.digestLettersMax) window.held.push({ letter, file: this.#save(letter, endings.held) });
      return;
    } else {
      this.#windows.set(letter.topic, { free: this.#parts.atOnce - 1, held: [] });
      this.#parts.after(limits.digestWindowMs, () => { this.#endWindow(letter.topic); });
    }
    this.#enqueue(letter);
  }

  /** Held letters go into the queue now. */
  flush(): void {
    const topics = [...this.#windows.keys()];
    for (const topic of topics) this.#endWindow(topic);
  }

  /** Nothing more is sent; what is on disk stays for the next process. */
  close(): void {
    this.flush();
    this.#closed = true;
  }

  // ---- digests

  #endWindow(topic: string): void {
    const window = this.#windows.get(topic);
    this.#windows.delete(topic);
    if (window === undefined || window.held.length === 0 || this.#closed) return;
    const [first, ...more] = window.held.map(({ letter }) => letter);
    if (first === undefined) return;
    const last = more.at(-1);
    if (last === undefined) this.post(first);
    else {
      const lines = [first, ...more].map((letter) => `${new Date(letter.atMs).toISOString()}  ${letter.subject}`);
      const text = `${lines.length} changes within ${limits.digestWindowMs / 1000} s:\n\n${lines.join('\n')}\n\nThe last one:\n\n${last.text}`;
      this.post({ ...last, subject: `${last.subject} (and ${more.length} changes before)`, text });
    }
    for (const held of window.held) this.#forget(held);
  }

  // ---- queue

  #enqueue(letter: Letter): void {
    if (this.#queue.length >= limits.lettersMax) {
      const dropped = this.#queue.shift();
      if (dropped !== undefined) this.#forget(dropped);
      this.#parts.log('warning', `more than ${limits.lettersMax} letters wait: the oldest was dropped`);
    }
    this.#queue.push({ letter, file: this.#save(letter, endings.queued), tries: 0, notBeforeMs: 0 });
    this.#work();
  }

  /** Name of the file, '' when it is kept in memory only. */
  #save(letter: Letter, ending: string): string {
    if (this.#folder === '') return '';
    const file = this.#fileName(letter.atMs, ending);
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

  #forget({ file }: { readonly file: string }): void {
    if (file !== '') rmSync(file, { force: true });
  }

  /** Never twice the same, sorted by time, and within a millisecond as they came. */
  #fileName(atMs: number, ending: string): string {
    this.#files += 1;
    return join(this.#folder, `${atMs}-${process.pid}-${String(this.#files).padStart(9, '0')}-${randomBytes(6).toString('hex')}${ending}`);
  }

  #openFolder(): void {
    try {
      // Letters can be read by nobody else; folders of other users below this one can be reached.
      mkdirSync(this.#folder, { recursive: true, mode: 0o711 });
      this.#takeLeft();
    } catch (error) {
      this.#parts.log('warning', `the mail queue ${this.#folder} cannot be used: ${(error as Error).message}; letters wait in memory`);
      this.#folder = '';
    }
  }

  /** Letters of processes that have ended, now and from time to time: a former process may end after this one has begun. */
  #takeLeft(): void {
    const own = new Set([...this.#queue, ...[...this.#windows.values()].flatMap((window) => window.held)].map((one) => one.file));
    for (const name of readdirSync(this.#folder).sort()) {
      const pid = Number(/^\d+-(\d+)-.*\.json$/.exec(name)?.[1] ?? 0);
      const file = join(this.#folder, name);
      if (name.endsWith('.json') && !own.has(file) && (pid === process.pid || !isAlive(pid)) && this.#queue.length < limits.lettersMax) this.#takeFile(file);
    }
    this.#parts.after(limits.lettersLeftMs, () => { this.#takeAgain(); });
  }

  #takeAgain(): void {
    if (this.#closed) return;
    try {
      this.#takeLeft();
      this.#work();
    } catch {
      // The folder has gone: what waits is in memory too.
    }
  }

  /** A letter that another process takes first is left to it. */
  #takeFile(file: string): void {
    const letter = readLetter(file);
    try {
      if (letter === undefined) {
        renameSync(file, `${file}.damaged`);
        this.#parts.log('warning', `${file} holds no letter: it was set aside`);
        return;
      }
      const isHeld = file.endsWith(endings.held);
      const own = this.#fileName(letter.atMs, isHeld ? endings.held : endings.queued);
      renameSync(file, own);
      if (isHeld) {
        this.post(letter);
        rmSync(own, { force: true });
      } else this.#queue.push({ letter, file: own, tries: 0, notBeforeMs: 0 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
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

/** False for 0. */
function isAlive(pid: number): boolean {
  if (pid === 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readLetter(file: string): Letter | undefined {
  try {
    const made = JSON.parse(readFileSync(file, 'utf8')) as Partial<Letter>;
    return typeof made.from === 'string' && Array.isArray(made.to) && typeof made.subject === 'string' && typeof made.text === 'string' && typeof made.atMs === 'number' ? { topic: '', mailer: '', mailers: '', helo: '', ...made } as Letter : undefined;
  } catch {
    return undefined;
  }
}
