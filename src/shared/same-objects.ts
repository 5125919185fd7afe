/**
 * A reload reads the whole configuration anew, and most of it is as before. This puts the objects in force in the place of their equals, so that
 * whoever compares two configurations later sees at once what stayed, and memory holds it once. Used by process/balancer.ts in the control thread.
 */
import type { Model } from '../model/model.ts';

/** The lists of a Model that are as long as the configuration. */
export const modelLists = ['proxies', 'servers', 'binds', 'acls', 'patterns', 'certificates'] as const;
/** Lists inside of an object that are longer than this are looked at in steps: the rules of one frontend may be the whole file. */
export const shortListMax = 500;
/** Items that are looked at without a pause. */
const itemsPerStep = 50;

type Values = Record<string, unknown>;

function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `after`, which nobody else has yet, with the objects of `before`. In steps of some items. */
export function* withSameObjects(after: Model, before: Model): Generator<undefined, Model> {
  const search = new Search();
  const lists: Values = {};
  for (const name of modelLists) lists[name] = yield* search.items(before[name], after[name]);
  return { ...after, ...lists };
}

/** Two objects that were compared last, and what came of it. */
interface Pair { former: object; now: object; result: unknown }

class Search {
  /** By the field they stand in: the servers of one section, and the rules about one thing, often have one object in common. */
  readonly #last = new Map<string, Pair>();

  *items(before: readonly unknown[], after: readonly unknown[]): Generator<undefined, readonly unknown[]> {
    const items: unknown[] = [];
    let kept = 0;
    for (let index = 0; index < after.length; index++) {
      if (index % itemsPerStep === itemsPerStep - 1) yield;
      const [former, now] = [before[index], after[index]];
      if (isValues(former) && isValues(now)) yield* this.#longLists(former, now);
      const item = this.#same(former, now);
      items.push(item);
      if (item === former) kept += 1;
    }
    return kept === before.length && kept === after.length ? before : items;
  }

  *#longLists(former: Values, now: Values): Generator<undefined> {
    for (const name in now) {
      const after = now[name];
      if (!Array.isArray(after) || after.length <= shortListMax) continue;
      const before = former[name];
      if (Array.isArray(before)) now[name] = yield* this.items(before, after);
    }
  }

  /** `former` if both are alike, otherwise `now` with what is alike in it. */
  #same(former: unknown, now: unknown): unknown {
    if (former === now || typeof now !== 'object' || typeof former !== 'object' || now === null || former === null) return now;
    if (Array.isArray(now)) return Array.isArray(former) ? this.#list(former, now) : now;
    return Array.isArray(former) ? now : this.#values(former as Values, now as Values);
  }

  #list(former: readonly unknown[], now: unknown[]): readonly unknown[] {
    let kept = 0;
    for (let at = 0; at < now.length; at++) {
      const item = this.#same(former[at], now[at]);
      if (at < former.length && item === former[at]) kept += 1;
      now[at] = item;
    }
    return kept === now.length && kept === former.length ? former : now;
  }

  #values(former: Values, now: Values): Values {
    let differs = 0;
    let fields = 0;
    for (const name in now) {
      fields += 1;
      const after = now[name];
      const before = former[name];
      if (before === after) continue;
      const value = typeof after === 'object' && typeof before === 'object' && after !== null && before !== null ? this.#field(name, before, after) : after;
      if (value !== after) now[name] = value;
      if (value !== before) differs += 1;
    }
    if (differs > 0) return now;
    for (const _ in former) fields -= 1;
    return fields === 0 ? former : now;
  }

  #field(name: string, former: object, now: object): unknown {
    const last = this.#last.get(name);
    if (last === undefined) {
      const result = this.#same(former, now);
      this.#last.set(name, { former, now, result });
      return result;
    }
    if (last.former !== former || last.now !== now) {
      last.result = this.#same(former, now);
      last.former = former;
      last.now = now;
    }
    return last.result;
  }
}
