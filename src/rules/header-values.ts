/** Values of header lines: whole, or cut at commas outside of quotes. Used by header fetches and by replace-value. */
import type { Head } from '../wire/head.ts';
import type { Sample, Subject } from './subject.ts';
import type { Visit } from './types.ts';

const comma = 44;
const quote = 34;
const backslash = 92;

/** End of the comma-separated value that starts at `from`. */
export function valueEnd(line: string, from: number): number {
  let quoted = false;
  for (let i = from; i < line.length; i++) {
    const c = line.charCodeAt(i);
    if (quoted && c === backslash) i++;
    else if (c === quote) quoted = !quoted;
    else if (c === comma && !quoted) return i;
  }
  return line.length;
}

/**
 * Shows each value of the header, converted, until `visit` answers true. `full` keeps lines whole. name '' = every line. Values
 * for which `convert` gives nothing are skipped.
 */
export function eachHeaderValue(head: Head, lowerName: string, full: boolean, convert: (text: string) => Sample, visit: Visit, s: Subject): boolean {
  for (let i = nextLine(head, lowerName, 0); i >= 0; i = nextLine(head, lowerName, i + 1)) {
    const line = head.value(i);
    if (full || !line.includes(',')) {
      const made = convert(line);
      if (made !== undefined && visit(made, s)) return true;
      continue;
    }
    for (let from = 0; from <= line.length;) {
      const end = valueEnd(line, from);
      const made = convert(line.slice(from, end).trim());
      if (made !== undefined && visit(made, s)) return true;
      from = end + 1;
    }
  }
  return false;
}

/** All values in order. */
function allValues(head: Head, lowerName: string, full: boolean): string[] {
  const out: string[] = [];
  for (let i = nextLine(head, lowerName, 0); i >= 0; i = nextLine(head, lowerName, i + 1)) {
    const line = head.value(i);
    if (full) { out.push(line); continue; }
    for (let from = 0; from <= line.length;) {
      const end = valueEnd(line, from);
      out.push(line.slice(from, end).trim());
      from = end + 1;
    }
  }
  return out;
}

function nextLine(head: Head, lowerName: string, from: number): number {
  if (lowerName !== '') return head.find(lowerName, from);
  for (let i = from; i < head.lineCount; i++) if (!head.isRemoved(i)) return i;
  return -1;
}

/** Last value, the usual one when no occurrence is asked for. */
function lastHeaderValue(head: Head, lowerName: string, full: boolean): string | undefined {
  let last = -1;
  for (let i = nextLine(head, lowerName, 0); i >= 0; i = nextLine(head, lowerName, i + 1)) last = i;
  if (last < 0) return undefined;
  const line = head.value(last);
  if (full || !line.includes(',')) return line;
  let from = 0;
  for (let end = valueEnd(line, from); end < line.length; end = valueEnd(line, from)) from = end + 1;
  return line.slice(from).trim();
}

/** Value number `occurrence`: from 1 forwards, from -1 backwards. */
export function headerOccurrence(head: Head, lowerName: string, full: boolean, occurrence: number): string | undefined {
  if (occurrence === 0 || occurrence === -1) return lastHeaderValue(head, lowerName, full);
  return allValues(head, lowerName, full).at(occurrence > 0 ? occurrence - 1 : occurrence);
}

export function headerCount(head: Head, lowerName: string, full: boolean): number {
  return allValues(head, lowerName, full).length;
}
