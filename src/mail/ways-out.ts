/**
 * The ways out of one process for its letters: mail through relays in turn, and each webhook, every way with a queue of its own.
 * Made by process/node-mail.ts for virtual addresses and by control/alert-mail.ts for servers. Nobody waits for it.
 */
import type { Letter, Relay } from '../model/mail.ts';
import { Outbox } from './outbox.ts';
import { post } from './post.ts';
import { postWebhook } from './webhook.ts';

interface WaysOutParts {
  /** Of the mail queue; '' = in memory. What webhooks did not take is in memory only. */
  readonly folder: string;
  readonly atOnce: number;
  /** Null: no mail. */
  readonly relays: ((letter: Letter) => readonly Relay[]) | null;
  readonly webhooks: readonly string[];
  readonly log: (level: 'info' | 'warning', text: string) => void;
}

export class WaysOut {
  readonly #boxes: readonly Outbox[];

  constructor(parts: WaysOutParts) {
    const { relays, folder, atOnce, log, webhooks } = parts;
    const outbox = (where: string, send: (letter: Letter) => Promise<string>): Outbox => new Outbox({
      folder: where, atOnce, send, log, nowMs: Date.now, after: (delayMs, run) => { setTimeout(run, delayMs).unref(); },
    });
    this.#boxes = [
      ...relays === null ? [] : [outbox(folder, (letter) => post(letter, relays(letter)))],
      ...webhooks.map((url) => outbox('', (letter) => postWebhook(letter, url))),
    ];
  }

  post(letter: Letter): void {
    for (const box of this.#boxes) box.post(letter);
  }

  /** Gives letters that were held or are under way so long; the others wait on disk. */
  async close(waitMs: number): Promise<void> {
    for (const box of this.#boxes) box.flush();
    const deadline = Date.now() + waitMs;
    while (this.#boxes.some((box) => box.busy) && Date.now() < deadline) await new Promise((resolve) => { setTimeout(resolve, 50); });
    for (const box of this.#boxes) box.close();
  }
}
