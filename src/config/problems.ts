/**
 * Collects the problems of a load: every reader reports here and goes on. Also "did you mean". Called by all of config/.
 */
import type { Place, Problem, Severity } from '../model/problem.ts';

/** Bytes as the file holds them → text for people (configuration text is latin1, see lexer.ts). */
export function readable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- NUL to US are what is looked for
  const printable = text.replaceAll(/[\x00-\x1f\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return /[\x80-\xff]/.test(printable) ? Buffer.from(printable, 'latin1').toString('utf8') : printable;
}

export class Problems {
  readonly list: Problem[] = [];
  private readonly seen = new Set<string>();

  add(problem: Problem): void {
    const made: Problem = {
      severity: problem.severity,
      place: problem.place,
      word: readable(problem.word),
      message: readable(problem.message),
      remedy: readable(problem.remedy),
    };
    const key = `${made.severity} ${made.place.file}:${made.place.line} ${made.message}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.list.push(made);
  }

  report(severity: Severity, place: Place, word: string, message: string, remedy = ''): void {
    this.add({ severity, place, word, message, remedy });
  }

  error(place: Place, word: string, message: string, remedy = ''): void {
    this.report('error', place, word, message, remedy);
  }

  warning(place: Place, word: string, message: string, remedy = ''): void {
    this.report('warning', place, word, message, remedy);
  }

  notice(place: Place, word: string, message: string, remedy = ''): void {
    this.report('notice', place, word, message, remedy);
  }

  unsupported(place: Place, word: string, message: string, remedy = ''): void {
    this.report('unsupported', place, word, message, remedy);
  }

  /** In the order of the files and lines; what belongs to no line comes first in its file. */
  sorted(files: readonly string[]): readonly Problem[] {
    const rank = (file: string): number => {
      const index = files.indexOf(file);
      return index < 0 ? files.length : index;
    };
    return this.list.toSorted((left, right) => rank(left.place.file) - rank(right.place.file) || left.place.line - right.place.line);
  }

  get fatal(): boolean {
    return this.list.some((problem) => problem.severity === 'error' || problem.severity === 'unsupported');
  }
}

/** Edit distance with swaps of neighbours, given up above `max`. */
function distance(left: string, right: string, max: number): number {
  if (Math.abs(left.length - right.length) > max) return max + 1;
  let before: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let best = Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (previous[column - 1] ?? 0) + (same ? 0 : 1));
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        best = Math.min(best, (before[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    before = previous;
    previous = current;
  }
  return previous[right.length] ?? max + 1;
}

/** The closest known word, '' when none is close. */
export function closest(word: string, known: Iterable<string>): string {
  const max = Math.max(1, Math.floor(word.length / 3));
  const lower = word.toLowerCase();
  let best = '';
  let bestDistance = max + 1;
  for (const candidate of known) {
    const found = distance(lower, candidate.toLowerCase(), max);
    if (found < bestDistance || (found === bestDistance && best !== '' && candidate < best)) {
      best = candidate;
      bestDistance = found;
    }
  }
  return best;
}

/** `did you mean 'balance'?`, or ''. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const found = closest(word, known);
  return found === '' ? '' : `did you mean '${found}'?`;
}
