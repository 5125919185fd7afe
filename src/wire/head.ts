/**
 * The head of one HTTP/1 message as rules and the data plane see it: the start line and the header lines in the order they
 * came, with edits. Implemented by wire/http1/ over the bytes that arrived (offsets, no strings until somebody asks).
 * Header lines that nobody edits leave byte for byte as they came: spelling, order, repetition, inner spaces.
 */
export interface Head {
  // ---- start line
  /** Request: the method token as sent. */
  method: string;
  /** Request: the target as sent; assigning replaces it (set-path, set-query … build the new value). */
  uri: string;
  /** Minor version of HTTP/1.x: 0 or 1. */
  minorVersion: number;
  /** Response: status and reason. */
  status: number;
  reason: string;

  // ---- header lines; an index stays valid until the head is recycled; removed lines are skipped by find()
  /** Lines present or removed; iterate 0..lineCount-1 and skip where isRemoved(). */
  readonly lineCount: number;
  isRemoved(index: number): boolean;
  /** First line from `from` on with this name (given in lower case), or -1. */
  find(lowerName: string, from: number): number;
  name(index: number): string;
  /** Value without surrounding blanks, decoded as latin1. */
  value(index: number): string;
  remove(index: number): void;
  setValue(index: number, value: string): void;
  append(name: string, value: string): void;

  /** Path of `uri` without query (also of absolute-form), '' when there is none (CONNECT, '*'). Cached until uri changes. */
  path(): string;
  /** Query without '?', '' when none. */
  query(): string;
}
