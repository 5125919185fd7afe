/**
 * What differs between two configurations, in words for the answer to a reload and the log. Proxies, listeners and servers go by name;
 * what refers to something else by number is followed, so that a line added far above changes nothing here.
 */
import type { Certificate, Model } from '../model/model.ts';
import { foreignRight, threadRights } from '../model/rights.ts';
import type { SlotChanges } from '../shared/slots.ts';

/** Words that a change of makes a restart necessary: they are fixed when the process starts. */
export function restartReasons(before: Model, after: Model): string[] {
  const words: readonly (readonly [string, unknown, unknown])[] = [
    ['nbthread', before.global.nbthread, after.global.nbthread],
    ['user or group', [before.global.uid, before.global.gid], [after.global.uid, after.global.gid]],
    ['chroot', before.global.chroot, after.global.chroot],
    ['setcap', before.global.capabilities, after.global.capabilities],
    ['state-folder', before.poise.stateFolder, after.poise.stateFolder],
    ['stats socket', before.global.statsSockets.map((socket) => ({ ...socket, place: null })), after.global.statsSockets.map((socket) => ({ ...socket, place: null }))],
  ];
  const changed = words.filter(([, one, other]) => JSON.stringify(one) !== JSON.stringify(other)).map(([word]) => word);
  // With root the right to use foreign addresses was given up.
  return after.global.uid > 0 && !threadRights(before).includes(foreignRight) && threadRights(after).includes(foreignRight) && !changed.includes('setcap') ? [...changed, 'source … usesrc'] : changed;
}

/** Of a list that are compared without a pause. */
const itemsPerStep = 50;

/** `added server be/s3`, `changed backend be`, `removed listener …`; empty when nothing differs. In steps of one proxy, or of some of its rules. */
export function* changeLines(before: Model, after: Model, changes: SlotChanges): Generator<undefined, string[]> {
  const lines: string[] = [];
  const kinds = { proxies: '', binds: 'listener ', servers: 'server ' } as const;
  for (const kind of ['proxies', 'binds', 'servers'] as const) {
    for (const name of changes.added[kind]) lines.push(`added ${kinds[kind]}${name}`);
    for (const { name } of changes.removed[kind]) lines.push(`removed ${kinds[kind]}${name}`);
  }
  const known = new Map(before.proxies.map((proxy) => [`${proxy.kind} ${proxy.name}`, proxy]));
  const both = { before, after, numbersStay: numbersStay(before, after), aclsStay: yield* aclsStay(before, after) };
  for (const proxy of after.proxies) {
    const former = known.get(`${proxy.kind} ${proxy.name}`);
    if (former !== undefined && !(yield* haveLikeFields(former, proxy, both))) lines.push(`changed ${proxy.kind} ${proxy.name}`);
    yield;
  }
  if (!alike(before.global, after.global, '', both)) lines.push('changed global');
  if (!alike(before.poise, after.poise, '', both)) lines.push('changed poise');
  return [...lines, ...certificateLines(before.certificates, after.certificates)];
}

function certificateLines(before: readonly Certificate[], after: readonly Certificate[]): string[] {
  const known = new Map(before.map((certificate) => [certificate.path, certificate]));
  return after.filter(({ path, certPem, keyPem }) => known.has(path) && (known.get(path)?.certPem !== certPem || known.get(path)?.keyPem !== keyPem)).map(({ path }) => `changed certificate ${path}`);
}

/** Numbers that only say where something stands. */
const places = new Set(['index', 'place', 'iid', 'sid', 'luid', 'id', 'selfCheckUri']);

/** What refers to nothing by number: the same object means the same. */
const selfContained = new Set(['timeouts', 'switches', 'address', 'hashType', 'logTargets', 'entries']);

interface Both {
  readonly before: Model;
  readonly after: Model;
  /** A number refers to the same in both, so that the same object means the same (shared/same-objects.ts). */
  readonly numbersStay: boolean;
  /** The same of ACLs alone, which is all that a condition refers to. They may stand on other lines. */
  readonly aclsStay: boolean;
}

/** Both are made of the same objects. */
function isSameButPlace(one: object, other: object | undefined): boolean {
  if (one === other) return true;
  for (const name in one) if (!places.has(name) && (one as Values)[name] !== (other as Values | undefined)?.[name]) return false;
  return other !== undefined;
}

/** In steps of some items. */
function* aclsStay(before: Model, after: Model): Generator<undefined, boolean> {
  for (const list of ['acls', 'patterns'] as const) {
    for (const [at, item] of before[list].entries()) {
      if (at % itemsPerStep === itemsPerStep - 1) yield;
      if (!isSameButPlace(item, after[list][at])) return false;
    }
  }
  return true;
}

/** Nothing that is referred to by number has changed or moved. What was added comes after it. */
function numbersStay(before: Model, after: Model): boolean {
  const named = before.proxies.every(({ name }, index) => name === after.proxies[index]?.name);
  return named && (['acls', 'patterns', 'servers', 'binds'] as const).every((list) => before[list].every((item, index) => item === after[list][index]));
}

type Values = Readonly<Record<string, unknown>>;

/** As alike, of objects with the same fields. */
function* haveLikeFields(one: object, other: object, both: Both): Generator<undefined, boolean> {
  if (one === other && both.numbersStay) return true;
  for (const name in other) {
    const [former, latter] = [(one as Values)[name], (other as Values)[name]];
    if (!Array.isArray(former) || !Array.isArray(latter) || former.length !== latter.length) {
      if (!alike(former, latter, name, both)) return false;
      continue;
    }
    for (const [at, item] of former.entries()) {
      if (at % itemsPerStep === itemsPerStep - 1) yield;
      if (!alike(item, latter[at], name, both)) return false;
    }
  }
  return true;
}

/** True when both mean the same, each in its own configuration. `key`: the name that the values stand under, '' = none. */
function alike(one: unknown, other: unknown, key: string, both: Both): boolean {
  if (places.has(key)) return true;
  if (typeof one === 'number' && typeof other === 'number') {
    const [former, latter] = [referred(one, key, both.before), referred(other, key, both.after)];
    return typeof former === 'object' ? alike(former, latter, key === 'patterns' ? 'entries' : '', both) : former === latter;
  }
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return one === other;
  if (one === other && (both.numbersStay || selfContained.has(key) || (key === 'condition' && both.aclsStay))) return true;
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false;
    for (let at = 0; at < one.length; at++) if (!alike(one[at], other[at], key, both)) return false;
    return true;
  }
  for (const name in one) {
    // `use-server` chooses a server, every other switch a backend.
    const kind = name === 'target' && key === 'useServer' ? 'server' : name;
    if (!alike((one as Values)[name], (other as Values)[name], kind, both)) return false;
  }
  for (const name in other) if (!(name in one)) return false;
  return true;
}

/** What a number refers to, by the name it stands under: a proxy or a server goes by its name, everything else by what it holds. */
function referred(number: number, key: string, model: Model): unknown {
  switch (key) {
    case 'proxy': case 'certificate': return null;
    case 'target': case 'defaultBackend': return model.proxies[number]?.name ?? number;
    case 'server': case 'track': return serverName(number, model);
    case 'acls': return model.acls[number] ?? number;
    case 'patterns': return model.patterns[number]?.entries ?? number;
    case 'servers': return model.servers[number] ?? number;
    case 'binds': return model.binds[number] ?? number;
    default: return number;
  }
}

function serverName(number: number, model: Model): string {
  const server = model.servers[number];
  return `${model.proxies[server?.proxy ?? -1]?.name ?? ''}/${server?.name ?? ''}`;
}
