/**
 * What the expression readers (samples, ACLs, conditions, formats, rules) need to know of the configuration around them.
 * Implemented by config/draft; all names of proxies, servers and userlists are known before the first expression is read.
 */
import type { Acl, AnswerBody, MatchMethod, PatternEntry } from '../../model/expression.ts';
import type { Place, Problem } from '../../model/problem.ts';

/** Where an expression stands, which decides the fetches that are allowed (catalog: `where`). */
export type Layer =
  | 'tcp-request connection' | 'tcp-request session' | 'tcp-request content' | 'tcp-response content'
  | 'http-request' | 'http-response' | 'http-after-response' | 'use_backend' | 'log-format' | 'unique-id' | 'stick' | 'check' | 'global' | 'server' | 'stats';

export interface ExpressionScope {
  readonly place: Place;
  readonly layer: Layer;
  /** The proxy being read, -1 outside of proxies. */
  readonly proxy: number;
  readonly proxyMode: 'http' | 'tcp';
  report(problem: Problem): void;
  /** A fetch, converter or log alias that the configuration reads. */
  use(name: string): void;
  /** Index of a proxy by name, -1 = unknown. `want` chooses where a frontend and a backend share a name. */
  proxyByName(name: string, want: 'frontend' | 'backend' | 'table'): number;
  /** Index into Model.servers; backend '' = the current proxy. -1 = unknown. */
  serverByName(backend: string, server: string): number;
  userlistByName(name: string): number;
  /** True for `peers/table`: a table declared in a peers section. */
  peersTable(name: string): boolean;
  /** Indexes into Model.acls of the ACLs declared so far under this name in the current proxy (and its defaults). */
  aclsByName(name: string): readonly number[];
  /** Stores an ACL and gives its index in Model.acls. Named ones are found by aclsByName afterwards. */
  addAcl(acl: Acl): number;
  /** Stores a pattern set and gives its index in Model.patterns; sets of one file, method and case flag are shared. */
  addPatterns(kind: 'acl' | 'map', file: string, method: MatchMethod, ignoreCase: boolean, entries: readonly PatternEntry[]): number;
  /** Reads a file named in the configuration. Undefined: already reported. */
  readFile(path: string): Uint8Array | undefined;
  /** `http-errors` answers and errorfiles are config's; rules ask for them by status. */
  errorsSection(name: string): boolean;
  /** Answer that this section has for the status, undefined = none. */
  errorsBody(name: string, status: number): AnswerBody | undefined;
  /** Slots for `http-request capture`: returns the slot number. */
  addCapture(side: 'request' | 'response', lengthMax: number): number;
  captureSlots(side: 'request' | 'response'): number;
}
