/**
 * The one list of advice. The watches of the control thread raise and clear entries; an entry that is new, or returns after it was
 * over, becomes one event (and so one log line). Bounded: entries that are over go first, then those not seen for longest. Called by
 * probe-watch.ts and traffic-watch.ts, read by admin/. Never judges anything itself.
 */
import type { Clock } from '../../base/clock.ts';
import type { Advice, AdviceCode } from '../../model/advice.ts';
import { limits } from '../../model/limits.ts';
import { eventLevel } from '../events.ts';
import type { Events } from '../events.ts';

/** What a reload leaves is over when the new configuration's watches do not find it again within this: streaks of five minutes begin anew, slow checks come round. */
const proofMs = 300_000;

type Raised = Pick<Advice, 'code' | 'severity' | 'proxy' | 'server' | 'subject' | 'text'>;

export class AdviceList {
  private readonly clock: Clock;
  private readonly events: Events;
  private readonly byKey = new Map<string, Advice>();
  private readonly facts = new Map<string, string>();
  /** Entries of before a reload that nobody has found again, and until when they stay. */
  private readonly unproven = new Map<string, number>();

  constructor(clock: Clock, events: Events) {
    this.clock = clock;
    this.events = events;
  }

  /** Oldest first. */
  entries(): readonly Advice[] {
    return [...this.byKey.values()];
  }

  /**
   * `facts`: what the words rest on. While they stay the entry keeps its words and no event is made, whoever raises it. `times`: how
   * often it was seen since it was raised last.
   */
  raise(raised: Raised, facts = raised.text, times = 1): void {
    const key = keyOf(raised.code, raised.subject);
    const known = this.byKey.get(key);
    const nowMs = this.clock.dateMs();
    const news = known === undefined || !known.active || this.facts.get(key) !== facts;
    if (known === undefined) this.makeRoom();
    this.facts.set(key, facts);
    this.unproven.delete(key);
    const { proxy, server } = raised;
    this.byKey.set(key, { ...(news ? raised : known), proxy, server, sinceMs: known?.sinceMs ?? nowMs, lastMs: nowMs, count: (known?.count ?? 0) + times, active: true });
    if (!news) return;
    const level = raised.severity === 'warning' ? eventLevel.warning : eventLevel.notice;
    this.events.emit({ kind: 'advice', atMs: nowMs, proxy, server, level, text: raised.text });
  }

  /** What the entry tells of is over. Its words stay in the list. */
  clear(code: AdviceCode, subject: string): void {
    const key = keyOf(code, subject);
    const known = this.byKey.get(key);
    this.unproven.delete(key);
    if (known?.active === true) this.byKey.set(key, { ...known, active: false });
  }

  /** A reload: the functions give the indexes of now, −1 = no longer configured. */
  reloaded(proxyNow: (former: number) => number, serverNow: (former: number) => number): void {
    const until = this.clock.monoMs() + proofMs;
    for (const [key, former] of this.byKey) {
      const proxy = proxyNow(former.proxy);
      const server = former.server < 0 ? -1 : serverNow(former.server);
      const active = former.active && proxy >= 0 && (server >= 0 || former.server < 0);
      this.byKey.set(key, { ...former, proxy, server, active });
      if (active) this.unproven.set(key, this.unproven.get(key) ?? until);
      else this.unproven.delete(key);
    }
  }

  /** Ends what nobody has found again since a reload. */
  look(): void {
    const nowMs = this.clock.monoMs();
    for (const [key, until] of this.unproven) {
      const known = this.byKey.get(key);
      if (nowMs < until) continue;
      this.unproven.delete(key);
      if (known !== undefined) this.byKey.set(key, { ...known, active: false });
    }
  }

  private makeRoom(): void {
    if (this.byKey.size < limits.adviceEntriesMax) return;
    let victim = '';
    let rank = Infinity;
    for (const [key, advice] of this.byKey) {
      const own = advice.lastMs + (advice.active ? Number.MAX_SAFE_INTEGER / 2 : 0);
      if (own < rank) [victim, rank] = [key, own];
    }
    this.byKey.delete(victim);
    this.facts.delete(victim);
    this.unproven.delete(victim);
  }
}

function keyOf(code: AdviceCode, subject: string): string {
  return `${code} ${subject}`;
}
