/** `crt-list` files: `<crt> [\[options\]] [name filters…]` per line. Called by tls.ts. */
import type { Place } from '../model/problem.ts';
import type { Context } from './context.ts';
import { type LexFault, splitLine } from './lexer.ts';

export interface CrtListEntry {
  readonly crt: string;
  readonly options: readonly string[];
  /** What stands between the brackets. */
  readonly optionText: string;
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
    const entry = readCrtListLine(raw, here, (fault) => context.problems.error(here, raw.trim().split(/\s/)[0] ?? '', fault.message, fault.remedy));
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** Undefined: an empty line or a comment. */
export function readCrtListLine(raw: string, place: Place, wrong: (fault: LexFault) => void): CrtListEntry | undefined {
  const match = /^\s*([^\s[#]+)\s*(?:\[([^\]]*)\])?\s*(.*)$/s.exec(raw);
  if (match === null) return undefined;
  const [, crt = '', optionText = '', rest = ''] = match;
  const options = splitLine(optionText, () => undefined);
  const filters = splitLine(rest, () => undefined);
  const fault = options.fault ?? filters.fault;
  if (fault !== null) wrong(fault);
  return { crt, options: options.words ?? [], optionText: optionText.trim(), filters: (filters.words ?? []).map((filter) => filter.toLowerCase()), place };
}
