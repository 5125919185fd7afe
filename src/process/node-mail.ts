/**
 * Letters of a node about its virtual addresses: by mail through smtp_server and the relays of the `poise` section, and to the webhooks.
 * Made by process/high-availability.ts and cli/vrrp.ts. Nobody waits for it.
 */
import { Outbox } from '../mail/outbox.ts';
import { post } from '../mail/post.ts';
import { postWebhook } from '../mail/webhook.ts';
import type { KeepalivedModel } from '../model/keepalived.ts';
import type { Letter, Relay } from '../model/mail.ts';
import type { PoiseSettings } from '../model/model.ts';
import type { VrrpReport } from '../model/vrrp-messages.ts';
import { vrrpLetter } from '../vrrp/letters.ts';

export class NodeMail {
  readonly #model: KeepalivedModel;
  readonly #mail: Outbox | undefined;
  readonly #hooks: readonly Outbox[];

  constructor(model: KeepalivedModel, settings: PoiseSettings | undefined, log: (level: 'info' | 'warning', text: string) => void) {
    this.#model = model;
    const { globals } = model;
    const own: Relay = {
      ...globals.smtpServer, security: 'opportunistic', user: '', password: '', helo: globals.smtpHeloName, connectTimeoutMs: globals.smtpConnectTimeoutMs, verifyCertificate: true,
    };
    const relays = [...globals.smtpServer.host === '' ? [] : [own], ...settings?.relays.map((relay) => ({ ...relay, helo: globals.smtpHeloName })) ?? []];
    const outbox = (folder: string, send: (letter: Letter) => Promise<string>): Outbox => new Outbox({
      folder, send, log, nowMs: Date.now, after: (delayMs, run) => { setTimeout(run, delayMs).unref(); },
    });
    this.#mail = relays.length === 0 || globals.notificationEmail.length === 0 ? undefined : outbox(settings?.mailQueue ?? '', (letter) => post(letter, relays));
    this.#hooks = (settings?.webhooks ?? []).map((url) => outbox('', (letter) => postWebhook(letter, url)));
  }

  hear(report: VrrpReport): void {
    const letter = vrrpLetter(report, this.#model, Date.now());
    if (letter === undefined) return;
    this.#mail?.post(letter);
    for (const hook of this.#hooks) hook.post(letter);
  }

  /** Gives letters that are under way a moment; the others wait on disk. */
  async close(): Promise<void> {
    const boxes = [...this.#mail === undefined ? [] : [this.#mail], ...this.#hooks];
    const deadline = Date.now() + lastLettersMs;
    while (boxes.some((box) => box.waiting > 0) && Date.now() < deadline) await new Promise((resolve) => { setTimeout(resolve, 50); });
    for (const box of boxes) box.close();
  }
}

const lastLettersMs = 2000;
