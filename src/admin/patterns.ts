/**
 * The patterns of ACLs and maps as they are in force: what `show/get/add/del/set/clear/prepare/commit acl|map` work on. Sets that
 * come from one file are one list here, as in HAProxy, whatever their match methods. After a change every traffic thread gets
 * the whole new list of each set (flush(), once per command line). Owned by the control thread. Never matches requests.
 */
import type { PatternEntry, PatternSet } from '../model/expression.ts';
import type { ToTraffic } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import type { Place } from '../model/problem.ts';

/** One entry with the reference that `#<ref>` names. */
interface ListEntry {
  readonly ref: string;
  readonly key: string;
  value: string;
  readonly version: number;
}

export type PatternKind = 'acl' | 'map';

/** One file, or the words of one line. */
export class PatternList {
  /** Column `id` of `show acl`. */
  readonly number: number;
  readonly kind: PatternKind;
  /** First of the Model's sets that share the list. */
  readonly set: PatternSet;
  readonly sets: PatternSet[];
  currentVersion = 0;
  nextVersion = 0;
  entries: ListEntry[] = [];

  constructor(set: PatternSet, number: number) {
    this.number = number;
    this.kind = set.kind;
    this.set = set;
    this.sets = [set];
  }

  at(version: number): readonly ListEntry[] {
    return this.entries.filter(entry => entry.version === version);
  }
}

/** Sets of one file are one list. */
function nameOf({ kind, file, id }: PatternSet): string {
  return file === '' ? `set ${id}` : `${kind} ${file}`;
}

interface Numbered { readonly file: number; readonly line: number; readonly name: string }

/**
 * HAProxy's numbers: one for each file when it is met first, and one for the words of each ACL after its files, also when it has none. Of
 * several on one line ACLs come first here.
 */
function listNumbers(model: Model): ReadonlyMap<string, number> {
  const at = (place: Place): Pick<Numbered, 'file' | 'line'> => ({ file: model.files.indexOf(place.file), line: place.line });
  const all: Numbered[] = [];
  for (const [index, acl] of model.acls.entries()) {
    const sets = acl.patterns.flatMap(id => model.patterns[id] ?? []);
    for (const set of sets) if (set.file !== '') all.push({ ...at(acl.place), name: nameOf(set) });
    const own = sets.find(set => set.file === '');
    all.push({ ...at(acl.place), name: own === undefined ? `acl ${index} without words` : nameOf(own) });
  }
  for (const set of model.patterns) if (set.kind === 'map') all.push({ ...at(set.place), name: nameOf(set) });
  const numbers = new Map<string, number>();
  for (const { name } of all.toSorted((left, right) => left.file - right.file || left.line - right.line)) if (!numbers.has(name)) numbers.set(name, numbers.size);
  return numbers;
}

export class Patterns {
  /** Entries added and removed at run time (`show info`). */
  added = 0;
  freed = 0;
  private readonly broadcast: (message: ToTraffic) => void;
  private readonly changed = new Set<PatternList>();
  private references = 0;
  private readonly model: Model;
  private made: readonly PatternList[] | null = null;

  constructor(model: Model, broadcast: (message: ToTraffic) => void) {
    this.model = model;
    this.broadcast = broadcast;
  }

  /** Made when a command first asks: a reload of twenty thousand ACLs need not wait for it. */
  get lists(): readonly PatternList[] {
    return this.made ??= this.make();
  }

  private make(): readonly PatternList[] {
    const { model } = this;
    const byFile = new Map<string, PatternList>();
    const numbers = listNumbers(model);
    const lists: PatternList[] = [];
    for (const set of model.patterns) {
      const name = nameOf(set);
      const known = set.file === '' ? undefined : byFile.get(name);
      if (known !== undefined) {
        known.sets.push(set);
        continue;
      }
      const list = new PatternList(set, numbers.get(nameOf(set)) ?? set.id);
      list.entries = set.entries.map(entry => this.entry(entry, 0));
      if (set.file !== '') byFile.set(name, list);
      lists.push(list);
    }
    return lists;
  }

  /** The sets with the entries that are in force. */
  inForce(sets: readonly PatternSet[]): PatternSet[] {
    return sets.map((set) => {
      const list = this.lists.find(({ sets: shared }) => shared.some(({ id }) => id === set.id));
      return list === undefined ? set : { ...set, entries: list.at(list.currentVersion).map(({ key, value }) => ({ key, value })) };
    });
  }

  /** By `#<id>` or file name; undefined = none of this kind. */
  find(kind: PatternKind, identifier: string): PatternList | undefined {
    const id = /^#(\d+)$/.exec(identifier)?.[1];
    if (id !== undefined) return this.lists.find(list => list.kind === kind && list.number === Number(id));
    return identifier === '' ? undefined : this.lists.find(list => list.kind === kind && list.set.file === identifier);
  }

  add(list: PatternList, entry: PatternEntry, version: number): void {
    list.entries.push(this.entry(entry, version));
    this.added += 1;
    this.touch(list, version);
  }

  /** Entries of the version in force with this key or, after '#', this reference. */
  private selector(list: PatternList, key: string): (entry: ListEntry) => boolean {
    const ref = key.startsWith('#') ? key.slice(1) : null;
    return entry => entry.version === list.currentVersion && (ref === null ? entry.key === key : entry.ref === ref);
  }

  /** False: no such key. */
  remove(list: PatternList, key: string): boolean {
    const selected = this.selector(list, key);
    const before = list.entries.length;
    list.entries = list.entries.filter(entry => !selected(entry));
    this.freed += before - list.entries.length;
    if (list.entries.length === before) return false;
    this.touch(list, list.currentVersion);
    return true;
  }

  /** False: no such key. */
  set(list: PatternList, key: string, value: string): boolean {
    const found = list.entries.filter(this.selector(list, key));
    for (const entry of found) entry.value = value;
    if (found.length === 0) return false;
    this.touch(list, list.currentVersion);
    return true;
  }

  clear(list: PatternList, version: number): void {
    const before = list.entries.length;
    list.entries = list.entries.filter(entry => entry.version !== version);
    this.freed += before - list.entries.length;
    this.touch(list, version);
  }

  prepare(list: PatternList): number {
    list.nextVersion += 1;
    return list.nextVersion;
  }

  /** False: the version is not one that was prepared after the one in force. */
  commit(list: PatternList, version: number): boolean {
    if (version <= list.currentVersion || version > list.nextVersion) return false;
    list.currentVersion = version;
    const before = list.entries.length;
    list.entries = list.entries.filter(entry => entry.version >= version);
    this.freed += before - list.entries.length;
    this.changed.add(list);
    return true;
  }

  /** A rule of a traffic thread changed a set (`http-request set-map` …): done here, told to all threads. */
  changedByRule(id: number, op: 'set' | 'add' | 'del', key: string, value: string): void {
    const list = this.lists.find(candidate => candidate.sets.some(set => set.id === id));
    if (list === undefined) return;
    if (op === 'del') this.remove(list, key);
    else if (op === 'add' ? !list.entries.some(this.selector(list, key)) : !this.set(list, key, value)) this.add(list, { key, value }, list.currentVersion);
    this.flush();
  }

  /** Sends the lists that changed to the traffic threads. */
  flush(): void {
    for (const list of this.changed) {
      const entries = list.at(list.currentVersion).map(({ key, value }) => ({ key, value }));
      for (const set of list.sets) this.broadcast({ type: 'patterns', id: set.id, entries });
    }
    this.changed.clear();
  }

  private touch(list: PatternList, version: number): void {
    if (version === list.currentVersion) this.changed.add(list);
  }

  private entry({ key, value }: PatternEntry, version: number): ListEntry {
    this.references += 1;
    return { ref: `0x${(this.references * 0x40).toString(16).padStart(12, '0')}`, key, value, version };
  }
}
