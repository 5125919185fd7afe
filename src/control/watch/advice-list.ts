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

type Raised = Pick<Advice, 'code' | 'severity' | 'proxy' | 'server' | 'subject' | 'text'>;

export class AdviceList {
  private readonly clock: Clock;
  private readonly events: Events;
  private readonly byKey = new Map<string, Advice>();
  private readonly facts = new Map<string, string>();

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
    this.byKey.set(key, { ...(news ? raised : known), sinceMs: known?.sinceMs ?? nowMs, lastMs: nowMs, count: (known?.count ?? 0) + times, active: true });
    if (!news) return;
    const level = raised.severity === 'warning' ? eventLevel.warning : eventLevel.notice;
    this.events.emit({ kind: 'advice', atMs: nowMs, proxy: raised.proxy, server: raised.server, level, text: raised.text });
  }

  /** What the entry tells of is over. Its words stay in the list. */
  clear(code: AdviceCode, subject: string): void {
    const key = keyOf(code, subject);
    const known = this.byKey.get(key);
    if (known?.active === true) this.byKey.set(key, { ...known, active: false });
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
  }
}

function keyOf(code: AdviceCode, subject: string): string {
  return `${code} ${subject}`;
}
