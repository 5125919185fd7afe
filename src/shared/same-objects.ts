/**
 * A reload reads the whole configuration anew, and most of it is as before, perhaps some lines further down. This puts the objects in force in the
 * place of their equals, so that whoever compares two configurations later sees at once what stayed, and memory holds it once. Used by
 * process/balancer.ts in the control thread.
 */
import type { Model } from '../model/model.ts';

/** The lists of a Model that are as long as the configuration. */
export const modelLists = ['proxies', 'servers', 'binds', 'acls', 'patterns', 'certificates'] as const;
/** Lists inside of an object that are longer than this are looked at in steps: the rules of one frontend may be the whole file. */
export const shortListMax = 500;
/** Items that are looked at without a pause. */
const itemsPerStep = 50;

/** Items that are looked through for the next one that stayed, in vain less and less: among many new ones most looks would be. */
const ahead = { max: 200, min: 4 };
/** After so many items all of them are looked through again. */
const lookAgainItems = 64;

type Values = Record<string, unknown>;

/** Where each item of a list that differs stood before, −1 = it is new. By the list in `model`. */
export type Origins = ReadonlyMap<readonly unknown[], readonly number[]>;

interface SameObjects {
  readonly model: Model;
  readonly origins: Origins;
}

/** By what an item is found again when others were put before it or taken away; equal ones are told apart by their order. */
const keys: Readonly<Record<string, (item: unknown) => string>> = {
  proxies: (item) => (item as Model['proxies'][number]).name,
  servers: (item) => (item as Model['servers'][number]).name,
  binds: (item) => (item as Model['binds'][number]).text,
  acls: (item) => (item as Model['acls'][number]).text,
  patterns: (item) => (item as Model['patterns'][number]).entries[0]?.key ?? '',
  certificates: (item) => (item as Model['certificates'][number]).path,
  useBackend: (item) => (item as Model['proxies'][number]['useBackend'][number]).condition?.text ?? '',
  entries: (item) => (item as Model['patterns'][number]['entries'][number]).key,
};
const sameKey = (): string => '';

/** An object that is no list. */
export function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `after`, which nobody else has yet, with the objects of `before`. In steps of some items. */
export function* withSameObjects(after: Model, before: Model): Generator<undefined, SameObjects> {
  const search = new Search();
  const lists: Values = {};
  for (const name of modelLists) lists[name] = yield* search.items(name, before[name], after[name]);
  return { model: { ...after, ...lists }, origins: search.origins };
}

/** Two objects that were compared last, and what came of it. */
interface Pair { readonly former: object; readonly now: object; readonly result: unknown }

class Search {
  readonly origins = new Map<readonly unknown[], readonly number[]>();
  /** By the field they stand in: the servers of one section, and the rules about one thing, often have one object in common. */
  readonly #last = new Map<string, Pair>();

  *items(name: string, before: readonly unknown[], after: readonly unknown[]): Generator<undefined, readonly unknown[]> {
    const keyOf = keys[name] ?? sameKey;
    const items: unknown[] = [];
    const origins: number[] = [];
    let kept = 0;
    let next = 0;
    let look = ahead.max;
    for (let index = 0; index < after.length; index++) {
      if (index % itemsPerStep === itemsPerStep - 1) yield;
      const now = after[index];
      if (index % lookAgainItems === 0) look = ahead.max;
      const origin = find(before, next, next + look, keyOf(now), keyOf);
      if (origin >= 0) [next, look] = [origin + 1, ahead.max];
      else look = Math.max(ahead.min, look >> 1);
      const former = before[origin];
      if (isValues(former) && isValues(now) && hasLongList(name, now)) yield* this.#longLists(former, now);
      const item = origin < 0 ? now : this.#same(former, now);
      items.push(item);
      origins.push(origin);
      if (item === former && origin === index) kept += 1;
    }
    if (kept === before.length && kept === after.length) return before;
    this.origins.set(items, origins);
    return items;
  }

  *#longLists(former: Values, now: Values): Generator<undefined> {
    for (const name in now) {
      const after = now[name];
      if (!Array.isArray(after) || after.length <= shortListMax) continue;
      const before = former[name];
      if (Array.isArray(before)) now[name] = yield* this.items(name, before, after);
    }
  }

  /** `former` if both are alike, otherwise `now` with what is alike in it. */
  #same(former: unknown, now: unknown): unknown {
    if (former === now || typeof now !== 'object' || typeof former !== 'object' || now === null || former === null) return now;
    if (Array.isArray(now)) return Array.isArray(former) ? this.#list(former, now) : now;
    return Array.isArray(former) ? now : this.#values(former as Values, now as Values);
  }

  #list(former: readonly unknown[], now: unknown[]): readonly unknown[] {
    // Has been looked at in steps.
    if (now.length > shortListMax) return now;
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
    if (last?.former === former && last.now === now) return last.result;
    const result = this.#same(former, now);
    this.#last.set(name, { former, now, result });
    return result;
  }
}

/** `name`: of the list that the item stands in. Plain loops: most items have none. */
function hasLongList(name: string, item: Values): boolean {
  if (name !== 'proxies' && name !== 'patterns') return false;
  for (const field in item) {
    const value = item[field];
    if (Array.isArray(value) && value.length > shortListMax) return true;
  }
  return false;
}

/** Index from `from` to before `to`, −1 = it is not there. */
function find(items: readonly unknown[], from: number, to: number, key: string, keyOf: (item: unknown) => string): number {
  const end = Math.min(items.length, to);
  for (let at = from; at < end; at++) if (keyOf(items[at]) === key) return at;
  return -1;
}
