/**
 * A Model as text in shared memory: written once by the control thread, read by every traffic thread at its own pace. A message with the
 * Model itself would be copied for every thread, in one go; the text is read in pieces between which a thread serves its requests.
 * JSON is exact for it: a Model is plain data, its bytes are text with one character each. Of an item only what differs from the item before
 * it in its list is written: two thousand backends are mostly alike. A reload writes what the threads do not have yet, and they go on using
 * the objects that they have: most reloads change a few lines.
 */
import { atOnce } from '../base/slices.ts';
import type { KnownItems, SharedModel, SharedModelPiece } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import { isValues, modelLists, shortListMax, type Origins } from './same-objects.ts';

/** A piece is read without a break; larger ones come only from single values. */
const pieceCharactersMin = 64 * 1024;
/** Items that are written without a pause. */
const itemsPerStep = 50;

/** How items are written: not at all, because the readers have them; as what differs from those that the readers have; as what differs from the item before. */
type How = 'kept' | 'onto' | 'new';

class Writer {
  readonly texts: string[] = [];
  readonly pieces: SharedModelPiece[] = [];
  private readonly origins: Origins;

  constructor(origins: Origins) {
    this.origins = origins;
  }

  private add(text: string, into: SharedModelPiece['into'], known: KnownItems | null): void {
    if (text !== '') this.texts.push(text);
    this.pieces.push({ into, bytes: Buffer.byteLength(text), known });
  }

  /** `known`: what the readers have; what is to be kept of it are the same objects (same-objects.ts). */
  *model(model: Model, known: Model | null): Generator<undefined> {
    const empty = Object.fromEntries(modelLists.map((list) => [list, []]));
    // Authorities stand in the binds and servers that use them.
    this.add(JSON.stringify({ ...model, ...empty, authorities: [] }), [], null);
    for (const list of modelLists) yield* this.list(model[list], [list], known?.[list] ?? [], [list]);
  }

  /** `into`: where the list stands in what has been read so far. `known`: the list of the same name that the readers have, and where. */
  private *list(items: readonly unknown[], into: SharedModelPiece['into'], known: readonly unknown[], list: SharedModelPiece['into']): Generator<undefined> {
    if (items === known) {
      if (known.length > 0) this.add('', into, { list, from: 0, to: known.length });
      return;
    }
    const origins = this.origins.get(items);
    let texts: string[] = [];
    let characters = 0;
    let former: unknown;
    /** Of the items since the last piece: how they are written, and where the first one and the next one stand in `known`. */
    let how: How = 'new';
    let [first, next] = [0, 0];
    const flush = (): void => {
      if (how === 'kept' || texts.length > 0) this.add(how === 'kept' ? '' : `[${texts.join(',')}]`, into, how === 'new' ? null : { list, from: first, to: next });
      [texts, characters, how] = [[], 0, 'new'];
    };
    for (const [index, item] of items.entries()) {
      if (index % itemsPerStep === itemsPerStep - 1) yield;
      const origin = origins?.[index] ?? -1;
      const base = known[origin];
      const wanted: How = origin < 0 ? 'new' : base === item ? 'kept' : 'onto';
      if (wanted !== how || (origin >= 0 && origin !== next)) {
        flush();
        [how, first] = [wanted, origin];
      }
      next = origin + 1;
      if (wanted !== 'kept') {
        const before = wanted === 'onto' ? base : former;
        const long: [string, readonly unknown[]][] = [];
        const text = JSON.stringify(isValues(item) ? difference(isValues(before) ? before : {}, item, long) : item);
        texts.push(text);
        characters += text.length;
        if (characters >= pieceCharactersMin || long.length > 0) flush();
        for (const [name, values] of long) yield* this.list(values, [...into, index, name], listIn(base, name), [...list, origin, name]);
      }
      former = item;
    }
    flush();
  }
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const list = isValues(value) ? value[name] : undefined;
  return Array.isArray(list) ? list : [];
}

type Values = Readonly<Record<string, unknown>>;

/** Stands for "the whole value follows", where an object has other fields than the one before. No field of a Model is called so. */
const whole = '=';

/** What `merged` makes `value` of, together with `former`. Lists that are pieces of their own go to `long` and are empty here. */
function difference(former: Values, value: Values, long?: [string, readonly unknown[]][]): Values {
  const fields: Record<string, unknown> = {};
  let alien = 0;
  for (const name in value) {
    const [before, now] = [former[name], value[name]];
    alien += before === undefined ? 1 : 0;
    if (alike(before, now)) continue;
    if (long !== undefined && Array.isArray(now) && now.length > shortListMax) {
      long.push([name, now]);
      fields[name] = [];
    } else fields[name] = isValues(before) && isValues(now) ? difference(before, now) : now;
  }
  for (const name in former) alien += value[name] === undefined ? 1 : 0;
  return alien === 0 ? fields : { [whole]: { ...value, ...Object.fromEntries((long ?? []).map(([name]) => [name, []])) } };
}

function alike(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false;
    for (let at = 0; at < one.length; at++) if (!alike(one[at], other[at])) return false;
    return true;
  }
  if (!isValues(one) || !isValues(other)) return false;
  for (const name in one) if (!alike(one[name], other[name])) return false;
  for (const name in other) if (one[name] === undefined) return false;
  return true;
}

function merged(former: unknown, value: unknown): unknown {
  if (!isValues(former) || !isValues(value)) return value;
  if (whole in value) return value[whole];
  const fields: Record<string, unknown> = { ...former };
  for (const name in value) fields[name] = merged(former[name], value[name]);
  return fields;
}

/** `items` as `Writer.list` wrote them. */
function addTo(list: unknown[], items: readonly unknown[]): void {
  for (const item of items) list.push(merged(list.at(-1) ?? {}, item));
}

/** In steps of some items. `known`: what every reader has, null = nothing. `origins`: where the items of `model` stand in it. */
export function* shareModel(model: Model, known: Model | null, origins: Origins = new Map()): Generator<undefined, SharedModel> {
  const writer = new Writer(origins);
  yield* writer.model(model, known);
  const bytes = new SharedArrayBuffer(writer.pieces.reduce((sum, piece) => sum + piece.bytes, 0));
  const buffer = Buffer.from(bytes);
  let at = 0;
  for (const text of writer.texts) {
    at += buffer.write(text, at, 'utf8');
    yield;
  }
  return { bytes, pieces: writer.pieces };
}

/** `items` differ from those of `former` from `first` on. */
function addOnto(list: unknown[], items: readonly unknown[], former: readonly unknown[], first: number): void {
  for (const [number, item] of items.entries()) list.push(merged(former[first + number], item));
}

function addKept(list: unknown[], former: readonly unknown[], { from, to }: KnownItems): void {
  for (let index = from; index < to; index++) list.push(former[index]);
}

/** Written when it is asked for the first time. */
export function wholeText(model: Model): () => SharedModel {
  let text: SharedModel | null = null;
  return () => text ??= atOnce(shareModel(model, null));
}

/** In steps of one piece. `known`: as it was written with. */
export function* readModel({ bytes, pieces }: SharedModel, known: Model | null): Generator<undefined, Model> {
  const buffer = Buffer.from(bytes);
  let model: Record<string, unknown> = {};
  let at = 0;
  for (const piece of pieces) {
    const { into, known: source } = piece;
    const value: unknown = piece.bytes === 0 ? [] : JSON.parse(buffer.toString('utf8', at, at + piece.bytes));
    at += piece.bytes;
    if (into.length === 0) model = value as Record<string, unknown>;
    else if (source === null) addTo(listAt(model, into), value as unknown[]);
    else if (piece.bytes > 0) addOnto(listAt(model, into), value as unknown[], listAt(known, source.list), source.from);
    else addKept(listAt(model, into), listAt(known, source.list), source);
    yield;
  }
  return model as unknown as Model;
}

function listAt(model: object | null, into: SharedModelPiece['into']): unknown[] {
  let found: unknown = model;
  for (const key of into) found = (found as Record<string | number, unknown>)[key];
  return found as unknown[];
}
