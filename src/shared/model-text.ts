/**
 * A Model as text in shared memory: written once by the control thread, read by every traffic thread at its own pace. A message with the
 * Model itself would be copied for every thread, in one go; the text is read in pieces between which a thread serves its requests.
 * JSON is exact for it: a Model is plain data, its bytes are text with one character each. Of an item only what differs from the item before
 * it in its list is written: two thousand backends are mostly alike. A reload writes what the threads do not have yet, and they go on using
 * the objects that they have: most reloads change a few lines.
 */
import { atOnce } from '../base/slices.ts';
import type { SharedModel, SharedModelPiece } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import { modelLists, shortListMax } from './same-objects.ts';

/** A piece is read without a break; larger ones come only from single values. */
const pieceCharactersMin = 64 * 1024;
/** Items that are written without a pause. */
const itemsPerStep = 50;

class Writer {
  readonly texts: string[] = [];
  readonly pieces: SharedModelPiece[] = [];

  private add(text: string, into: SharedModelPiece['into']): void {
    this.texts.push(text);
    this.pieces.push({ into, bytes: Buffer.byteLength(text) });
  }

  /** `known`: what the readers have; what is to be kept of it are the same objects (same-objects.ts). */
  *model(model: Model, known: Model | null): Generator<undefined> {
    const empty = Object.fromEntries(modelLists.map((list) => [list, []]));
    // Authorities stand in the binds and servers that use them.
    this.add(JSON.stringify({ ...model, ...empty, authorities: [] }), []);
    for (const list of modelLists) yield* this.list(model[list], [list], known?.[list] ?? []);
  }

  /** `into`: where the list stands in what has been read so far. `known`: the list that stands there in what the readers have. */
  private *list(items: readonly unknown[], into: readonly (string | number)[], known: readonly unknown[]): Generator<undefined> {
    let texts: string[] = [];
    let characters = 0;
    /** The last items are those of `known` from here on, −1 = they are not. */
    let keptFrom = -1;
    let former: unknown;
    const flush = (next: number): void => {
      if (texts.length > 0) this.add(`[${texts.join(',')}]`, into);
      if (keptFrom >= 0) this.pieces.push({ into, bytes: 0, kept: [keptFrom, next] });
      [texts, characters, keptFrom] = [[], 0, -1];
    };
    for (const [index, item] of items.entries()) {
      if (index % itemsPerStep === itemsPerStep - 1) yield;
      if (index < known.length && known[index] === item) {
        if (keptFrom < 0) {
          flush(index);
          keptFrom = index;
        }
        former = item;
        continue;
      }
      if (keptFrom >= 0) flush(index);
      const long: [string, readonly unknown[]][] = [];
      const text = JSON.stringify(isValues(item) ? difference(isValues(former) ? former : {}, item, long) : item);
      former = item;
      texts.push(text);
      characters += text.length;
      if (characters >= pieceCharactersMin || long.length > 0) flush(index + 1);
      for (const [name, values] of long) yield* this.list(values, [...into, index, name], listIn(known[index], name));
    }
    flush(items.length);
  }
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const list = isValues(value) ? value[name] : undefined;
  return Array.isArray(list) ? list : [];
}

type Values = Readonly<Record<string, unknown>>;

function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

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

/** In steps of some items. `known`: what every reader has, null = nothing. */
export function* shareModel(model: Model, known: Model | null): Generator<undefined, SharedModel> {
  const writer = new Writer();
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
    if (piece.kept !== undefined) {
      const [from, to] = piece.kept;
      const [list, former] = [listAt(model, piece.into), listAt(known, piece.into)];
      for (let index = from; index < to; index++) list.push(former[index]);
      yield;
      continue;
    }
    const value: unknown = JSON.parse(buffer.toString('utf8', at, at + piece.bytes));
    at += piece.bytes;
    if (piece.into.length === 0) model = value as Record<string, unknown>;
    else addTo(listAt(model, piece.into), value as unknown[]);
    yield;
  }
  return model as unknown as Model;
}

function listAt(model: object | null, into: SharedModelPiece['into']): unknown[] {
  let found: unknown = model;
  for (const key of into) found = (found as Record<string | number, unknown>)[key];
  return found as unknown[];
}
