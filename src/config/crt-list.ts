/** `crt-list` files: `<crt> [\[options\]] [name filters…]` per line. Called by tls.ts. */
import type { Place } from '../model/problem.ts';
import type { Context } from './context.ts';
import { splitLine } from './lexer.ts';

export interface CrtListEntry {
  readonly crt: string;
  readonly options: readonly string[];
  readonly filters: readonly string[];
  readonly place: Place;
}

/** Undefined: the file cannot be read, which was reported. */
export function readCrtList(context: Context, path: string, place: Place): CrtListEntry[] | undefined {
  const bytes = context.files.read(path);
  if (typeof bytes === 'string') {
    context.problems.error(place, path, `cannot read crt-list '${path}': ${bytes}`, 'check the path and the permissions');
    return undefined;
  }
  const entries: CrtListEntry[] = [];
  for (const [index, raw] of Buffer.from(bytes).toString('latin1').split('\n').entries()) {
    const here: Place = { file: path, line: index + 1 };
    const match = /^\s*([^\s[#]+)\s*(?:\[([^\]]*)\])?\s*(.*)$/s.exec(raw);
    if (match === null) continue;
    const options = splitLine(match[2] ?? '', () => undefined);
    const filters = splitLine(match[3] ?? '', () => undefined);
    const wrong = options.fault ?? filters.fault;
    if (wrong !== null) context.problems.error(here, match[1] ?? '', wrong.message, wrong.remedy);
    entries.push({ crt: match[1] ?? '', options: options.words ?? [], filters: (filters.words ?? []).map((filter) => filter.toLowerCase()), place: here });
  }
  return entries;
}
