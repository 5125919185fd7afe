/**
 * A Model as text in shared memory: written once by the control thread, read by every traffic thread at its own pace. A message with the
 * Model itself would be copied for every thread, in one go; the text is read in pieces between which a thread serves its requests.
 * JSON is exact for it: a Model is plain data, its bytes are text with one character each.
 */
import type { SharedModel, SharedModelPiece } from '../model/messages.ts';
import type { Model } from '../model/model.ts';

/** A piece is read without a break; larger ones come only from single values. */
const pieceCharactersMin = 64 * 1024;
/** Lists inside of an object that are longer than this are pieces of their own: the rules of one frontend may be the whole file. */
const listItemsMax = 500;

const lists = ['proxies', 'servers', 'binds', 'acls', 'patterns', 'certificates'] as const;

class Writer {
  readonly texts: string[] = [];
  readonly pieces: SharedModelPiece[] = [];

  private add(text: string, into: SharedModelPiece['into']): void {
    this.texts.push(text);
    this.pieces.push({ into, bytes: Buffer.byteLength(text) });
  }

  model(model: Model): void {
    const empty = Object.fromEntries(lists.map((list) => [list, []]));
    // Authorities stand in the binds and servers that use them.
    this.add(JSON.stringify({ ...model, ...empty, authorities: [] }), []);
    for (const list of lists) this.list(model[list], [list]);
  }

  /** `into`: where the list stands in what has been read so far. */
  private list(items: readonly unknown[], into: readonly (string | number)[]): void {
    let texts: string[] = [];
    let characters = 0;
    const flush = (): void => {
      if (texts.length > 0) this.add(`[${texts.join(',')}]`, into);
      [texts, characters] = [[], 0];
    };
    for (const [index, item] of items.entries()) {
      const long = longLists(item);
      const text = JSON.stringify(long.length === 0 ? item : { ...(item as object), ...Object.fromEntries(long.map(([key]) => [key, []])) });
      texts.push(text);
      characters += text.length;
      if (characters >= pieceCharactersMin || long.length > 0) flush();
      for (const [key, values] of long) this.list(values, [...into, index, key]);
    }
    flush();
  }
}

const none: readonly [string, readonly unknown[]][] = [];

function longLists(item: unknown): readonly [string, readonly unknown[]][] {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return none;
  let found = none;
  for (const key in item) {
    const value = (item as Record<string, unknown>)[key];
    if (Array.isArray(value) && value.length > listItemsMax) found = [...found, [key, value]];
  }
  return found;
}

export function shareModel(model: Model): SharedModel {
  const writer = new Writer();
  writer.model(model);
  const bytes = new SharedArrayBuffer(writer.pieces.reduce((sum, piece) => sum + piece.bytes, 0));
  const buffer = Buffer.from(bytes);
  let at = 0;
  for (const text of writer.texts) at += buffer.write(text, at, 'utf8');
  return { bytes, pieces: writer.pieces };
}

/** In steps of one piece. */
export function* readModel({ bytes, pieces }: SharedModel): Generator<undefined, Model> {
  const buffer = Buffer.from(bytes);
  let model: Record<string, unknown> = {};
  let at = 0;
  for (const piece of pieces) {
    const value: unknown = JSON.parse(buffer.toString('utf8', at, at + piece.bytes));
    at += piece.bytes;
    if (piece.into.length === 0) model = value as Record<string, unknown>;
    else listAt(model, piece.into).push(...value as unknown[]);
    yield;
  }
  return model as unknown as Model;
}

function listAt(model: Record<string, unknown>, into: SharedModelPiece['into']): unknown[] {
  let found: unknown = model;
  for (const key of into) found = (found as Record<string | number, unknown>)[key];
  return found as unknown[];
}
