/** What the first two passes hand to the keyword readers: lines cut into words, grouped into sections. Plain data. */
import type { Place } from '../model/problem.ts';

export interface Line {
  readonly place: Place;
  /** Never empty; a leading `no` or `default` is taken off into `negation`. */
  readonly words: readonly string[];
  readonly negation: '' | 'no' | 'default';
}

export type SectionKind =
  | 'global' | 'defaults' | 'frontend' | 'backend' | 'listen' | 'userlist'
  | 'peers' | 'mailers' | 'resolvers' | 'cache' | 'program' | 'ring' | 'http-errors' | 'crt-store' | 'log-forward' | 'fcgi-app'
  | 'log-profile' | 'traces' | 'acme' | 'poise';

export interface Section {
  readonly kind: SectionKind;
  readonly place: Place;
  /** '' for global and anonymous defaults. */
  readonly name: string;
  /** Words after the name, `from X` included. */
  readonly rest: readonly string[];
  readonly lines: Line[];
}

export const sectionKinds: readonly SectionKind[] = [
  'global', 'defaults', 'frontend', 'backend', 'listen', 'userlist', 'peers', 'mailers', 'resolvers', 'cache', 'program', 'ring', 'http-errors',
  'crt-store', 'log-forward', 'fcgi-app', 'log-profile', 'traces', 'acme', 'poise',
];

/** Word `index` of a line, '' when it is not there. */
export function wordAt(line: Line, index: number): string {
  return line.words[index] ?? '';
}
