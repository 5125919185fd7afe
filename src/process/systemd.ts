/**
 * Tells systemd about the state of the service (sd_notify(3)): one datagram to the socket named in NOTIFY_SOCKET, and beats of its watchdog
 * for as long as the balancer does its work. Used by the master with -Ws. Without those variables it does nothing.
 */
import { libcFunction } from '../base/libc.ts';
import { DatagramSender } from '../control/datagram.ts';
import { limits } from '../model/limits.ts';

const CLOCK_MONOTONIC = 1;

/** '' when sent or nobody asked, otherwise why not. `state`: `READY=1`, `STOPPING=1`, `STATUS=…`, lines separated by '\n'. */
export function notifySystemd(state: string): string {
  const path = process.env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return '';
  try {
    const sender = path.startsWith('@') ? DatagramSender.toUnix(path.slice(1), true) : DatagramSender.toUnix(path, false);
    const sent = sender.send(Buffer.from(state, 'utf8'));
    sender.close();
    return sent ? '' : `systemd does not take notifications at ${path}`;
  } catch (error) {
    return `cannot notify systemd: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** With the time by the system's clock, as Type=notify-reload wants it; the runtimes' own clocks begin elsewhere. */
export function reloadingState(): string {
  const time = Buffer.alloc(16);
  libcFunction('int clock_gettime(int clock, uint8_t *time)')(CLOCK_MONOTONIC, time);
  return `RELOADING=1\nMONOTONIC_USEC=${time.readBigInt64LE(0) * 1_000_000n + time.readBigInt64LE(8) / 1000n}\nSTATUS=Reloading Configuration.`;
}

/** Time within which systemd wants a beat (WatchdogSec=); 0: it does not watch. The balancer inherits the variable and so knows that it has to check itself. */
export function watchdogMs(): number {
  const usec = Number(process.env['WATCHDOG_USEC'] ?? 0);
  return Number.isFinite(usec) && usec > 0 ? usec / 1000 : 0;
}

interface WatchdogOptions {
  readonly periodMs: number;
  /** By a clock that cannot jump. */
  readonly nowMs: () => number;
  readonly beat: () => void;
  /** Why no beats are sent from now on; '': they are again. */
  readonly tell: (why: string) => void;
}

/** Beats twice in each period while the balancer says that it works. Of a balancer that is silent, dead or broken systemd hears nothing, and starts the service anew. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #timer: NodeJS.Timeout;
  #broken = '';
  #heardMs: number;
  #takesUp = false;
  #told = '';
  #stopping = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#heardMs = options.nowMs();
    this.#timer = setInterval(() => { this.look(); }, options.periodMs / 2);
  }

  /** The balancer says why it cannot do its work, or '' that it can. */
  hear(broken: string, takesUp = false): void {
    this.#broken = broken;
    this.#takesUp = takesUp;
    this.#heardMs = this.#options.nowMs();
  }

  /** A service that ends on purpose is left alone, however long its last connections take. */
  stopping(): void {
    this.#stopping = true;
  }

  look(): void {
    const silentMs = this.#options.nowMs() - this.#heardMs;
    const why = this.#stopping ? '' : silentMs > (this.#takesUp ? limits.takeUpMsMax : limits.balancerSilenceMsMax) ? 'it does not answer' : this.#broken;
    if (why === '') this.#options.beat();
    if (why !== this.#told) this.#options.tell(why);
    this.#told = why;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
