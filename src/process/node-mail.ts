/**
 * Letters of a node about its virtual addresses: by mail through smtp_server and the relays of the `poise` section, and to the webhooks.
 * Made by process/high-availability.ts and cli/vrrp.ts. Nobody waits for it.
 */
import { WaysOut } from '../mail/ways-out.ts';
import type { KeepalivedModel } from '../model/keepalived.ts';
import { limits } from '../model/limits.ts';
import type { Relay } from '../model/mail.ts';
import type { PoiseSettings } from '../model/model.ts';
import type { VrrpReport } from '../model/vrrp-messages.ts';
import { vrrpLetter } from '../vrrp/letters.ts';

const lastLettersMs = 2000;

export class NodeMail {
  readonly #model: KeepalivedModel;
  readonly #ways: WaysOut;

  constructor(model: KeepalivedModel, settings: PoiseSettings | undefined, log: (level: 'info' | 'warning', text: string) => void) {
    this.#model = model;
    const { globals } = model;
    const own: Relay = {
      ...globals.smtpServer, security: 'opportunistic', user: '', password: '', helo: globals.smtpHeloName, connectTimeoutMs: globals.smtpConnectTimeoutMs,
      sendTimeoutMs: limits.letterSendMsMax, verifyCertificate: true,
    };
    const relays = [...own.host === '' ? [] : [own], ...settings?.relays.map((relay) => ({ ...relay, helo: globals.smtpHeloName })) ?? []];
    this.#ways = new WaysOut({
      folder: settings?.mailQueue ?? '', atOnce: 1, log, webhooks: settings?.webhooks ?? [],
      relays: relays.length === 0 || globals.notificationEmail.length === 0 ? null : () => relays,
    });
  }

  hear(report: VrrpReport): void {
    const letter = vrrpLetter(report, this.#model, Date.now());
    if (letter !== undefined) this.#ways.post(letter);
  }

  async close(): Promise<void> {
    await this.#ways.close(lastLettersMs);
  }
}
