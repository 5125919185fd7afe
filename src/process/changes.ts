/**
 * What differs between two configurations, in words for the answer to a reload and the log. Proxies, listeners and servers go by name;
 * what refers to something else by number is followed, so that a line added far above changes nothing here.
 */
import type { Certificate, Model } from '../model/model.ts';
import type { SlotChanges } from '../shared/slots.ts';

/** Words that a change of makes a restart necessary: they are fixed when the process starts. */
export function restartReasons(before: Model, after: Model): string[] {
  const words: readonly (readonly [string, unknown, unknown])[] = [
    ['nbthread', before.global.nbthread, after.global.nbthread],
    ['user or group', [before.global.uid, before.global.gid], [after.global.uid, after.global.gid]],
    ['chroot', before.global.chroot, after.global.chroot],
    ['state-folder', before.poise.stateFolder, after.poise.stateFolder],
    ['stats socket', before.global.statsSockets.map((socket) => ({ ...socket, place: null })), after.global.statsSockets.map((socket) => ({ ...socket, place: null }))],
  ];
  return words.filter(([, one, other]) => JSON.stringify(one) !== JSON.stringify(other)).map(([word]) => word);
}

/** `added server be/s3`, `changed backend be`, `removed listener …`; empty when nothing differs. */
export function changeLines(before: Model, after: Model, changes: SlotChanges): string[] {
  const lines: string[] = [];
  const kinds = { proxies: '', binds: 'listener ', servers: 'server ' } as const;
  for (const kind of ['proxies', 'binds', 'servers'] as const) {
    for (const name of changes.added[kind]) lines.push(`added ${kinds[kind]}${name}`);
    for (const { name } of changes.removed[kind]) lines.push(`removed ${kinds[kind]}${name}`);
  }
  const texts = new Map(before.proxies.map((proxy) => [`${proxy.kind} ${proxy.name}`, textOf(proxy, before)]));
  for (const proxy of after.proxies) {
    const known = texts.get(`${proxy.kind} ${proxy.name}`);
    if (known !== undefined && known !== textOf(proxy, after)) lines.push(`changed ${proxy.kind} ${proxy.name}`);
  }
  if (textOf(before.global, before) !== textOf(after.global, after)) lines.push('changed global');
  if (textOf(before.poise, before) !== textOf(after.poise, after)) lines.push('changed poise');
  return [...lines, ...certificateLines(before.certificates, after.certificates)];
}

function certificateLines(before: readonly Certificate[], after: readonly Certificate[]): string[] {
  const known = new Map(before.map((certificate) => [certificate.path, certificate]));
  return after.filter(({ path, certPem, keyPem }) => known.has(path) && (known.get(path)?.certPem !== certPem || known.get(path)?.keyPem !== keyPem)).map(({ path }) => `changed certificate ${path}`);
}

/** Numbers that only say where something stands. */
const places = new Set(['index', 'place', 'iid', 'sid', 'luid', 'id', 'selfCheckUri']);

/** Equal for equal meaning. */
function textOf(value: unknown, model: Model): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (places.has(key)) return undefined;
    if (typeof part === 'number' && (key === 'target' || key === 'defaultBackend')) return model.proxies[part]?.name ?? part;
    if (typeof part === 'number' && (key === 'proxy' || key === 'certificate')) return undefined;
    if (typeof part === 'number' && (key === 'server' || key === 'track')) return model.servers[part]?.name ?? part;
    if (!Array.isArray(part) || !part.every((one) => typeof one === 'number')) return part;
    if (key === 'acls') return part.map((index: number) => model.acls[index]);
    if (key === 'patterns') return part.map((index: number) => model.patterns[index]?.entries);
    if (key === 'servers') return part.map((index: number) => model.servers[index]);
    return key === 'binds' ? part.map((index: number) => model.binds[index]) : part;
  });
}
