/**
 * HAProxy's mail about servers (`email-alert`, configuration manual 3.6 and 4.2): the same changes, levels and subjects. Made by
 * process/balancer.ts, hears the events of the control thread. Never holds the control thread up: whatever mail servers do, a letter
 * is put into a queue and that is all.
 */
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { WaysOut } from '../mail/ways-out.ts';
import type { Letter, Relay } from '../model/mail.ts';
import type { Model } from '../model/model.ts';
import type { ControlEvent } from './events.ts';

/** A server that goes down and comes back, even twice, is told of at once each time; more within the window is folded. */
const atOnce = 4;
/** Letters that are under way when the process ends. */
const lastLettersMs = 500;

/** Undefined when nobody wants to read of it. `node`: name of this machine. */
export function alertLetter(event: ControlEvent, model: Model, node: string): Letter | undefined {
  const alert = model.proxies[event.proxy]?.emailAlert ?? null;
  const server = model.servers[event.server];
  if (alert === null || server === undefined || event.mailLevel === undefined || event.mailLevel > alert.levelMax) return undefined;
  // The log line ends with a full stop that the mail does not have.
  const line = event.text.replace(/\.$/, '');
  const name = `${model.proxies[event.proxy]?.name ?? ''}/${server.name}`;
  return {
    from: alert.from, to: alert.to, subject: `[HAProxy Alert] ${line}`, topic: `${event.kind === 'health-check' ? 'checks of ' : ''}${name}`, atMs: event.atMs, mailer: '',
    mailers: model.mailers[alert.mailers]?.name ?? '', helo: alert.myhostname === '' ? node : alert.myhostname,
    text: `${line}\n\nNode: ${node}\nTime: ${new Date(event.atMs).toISOString()}\n`,
  };
}

/** Where letters about servers wait; '' = in memory. */
function queueFolder(model: Model): string {
  return model.poise.given && model.poise.mailQueue !== '' && mailsAtAll(model) ? join(model.poise.mailQueue, 'balancer') : '';
}

function mailsAtAll(model: Model): boolean {
  return model.proxies.some((proxy) => proxy.emailAlert !== null);
}

/** Makes the queue's folder while this process may still do so, for the user that it will run as. What fails here is told when the queue is opened. */
export function prepareMailQueue(model: Model): void {
  const folder = queueFolder(model);
  const { uid, gid } = model.global;
  if (folder === '') return;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    if (process.getuid?.() === 0 && (uid > 0 || gid > 0)) chownSync(folder, uid, gid);
  } catch {
    // See above.
  }
}

export class AlertMail {
  readonly #model: Model;
  readonly #node: string;
  readonly #ways: WaysOut | null;

  constructor(model: Model, node: string, log: (level: 'info' | 'warning', text: string) => void) {
    this.#model = model;
    this.#node = node;
    const { poise } = model;
    this.#ways = !mailsAtAll(model) ? null : new WaysOut({
      folder: queueFolder(model), atOnce, log, webhooks: poise.webhooks, relays: (letter) => [...relaysOf(model, letter), ...poise.relays],
    });
  }

  hear(event: ControlEvent): void {
    const letter = this.#ways === null ? undefined : alertLetter(event, this.#model, this.#node);
    if (letter !== undefined) this.#ways?.post(letter);
  }

  async close(): Promise<void> {
    await this.#ways?.close(lastLettersMs);
  }
}

/** A letter of a former process may name a section that the configuration no longer has. */
function relaysOf(model: Model, letter: Letter): readonly Relay[] {
  const named = model.mailers.find((section) => section.name === letter.mailers);
  return named?.relays ?? model.mailers.flatMap((section) => section.relays);
}
