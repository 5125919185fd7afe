/**
 * Parsed forms of sample expressions, ACLs, conditions, log-format strings and rules: what config/ makes of the text and
 * rules/ compiles to closures in every traffic thread. Plain data: survives JSON, holds no functions.
 */
import type { Place } from './problem.ts';

/** HAProxy's sample types (configuration manual 7.1). */
export type SampleType = 'bool' | 'int' | 'ip' | 'str' | 'bin' | 'method' | 'any';

/** A resolved argument of a fetch or converter. `null` in a list means "left out, use the default". */
export type Arg =
  | { readonly kind: 'str'; readonly value: string }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'regex'; readonly source: string; readonly flags: string }
  | { readonly kind: 'ip'; readonly value: string }
  | { readonly kind: 'mask'; readonly family: 4 | 6; readonly bits: number }
  /** Index into Model.proxies. */
  | { readonly kind: 'proxy'; readonly proxy: number }
  /** Index into Model.servers. */
  | { readonly kind: 'server'; readonly server: number }
  /** Index into Model.patterns. */
  | { readonly kind: 'patterns'; readonly patterns: number }
  /** Index into Model.userlists. */
  | { readonly kind: 'userlist'; readonly userlist: number }
  /** `scope.name`, as `var()` and the arithmetic converters take it. */
  | { readonly kind: 'var'; readonly scope: VarScope; readonly name: string };

export type VarScope = 'proc' | 'sess' | 'txn' | 'req' | 'res' | 'check';

/** One call: a fetch or a converter with its arguments. `name` is the canonical (catalog) name, aliases resolved. */
export interface Call {
  readonly name: string;
  readonly args: readonly (Arg | null)[];
}

export interface SampleExpr {
  readonly fetch: Call;
  readonly converters: readonly Call[];
  /** Type after the last converter. */
  readonly type: SampleType;
  /** The expression as written, for messages and `show acl`. */
  readonly text: string;
}

/** ACL match methods (configuration manual 7.1.1 ff.). */
export type MatchMethod =
  | 'found' | 'bool' | 'int' | 'ip' | 'bin' | 'len' | 'str' | 'beg' | 'sub' | 'dir' | 'dom' | 'end' | 'reg';

/** One pattern or map entry. For maps `value` is the text after the key; for ACLs it is ''. */
export interface PatternEntry {
  readonly key: string;
  readonly value: string;
}

/** A list of patterns: of one `acl` line, of a `-f` file, or of a map. Changed at run time by `set map`, `add acl`. */
export interface PatternSet {
  /** Index of this set in Model.patterns. */
  readonly id: number;
  readonly kind: 'acl' | 'map';
  /** File the entries were read from; '' for words on the line. Sets with the same file and method share one id. */
  readonly file: string;
  readonly method: MatchMethod;
  readonly ignoreCase: boolean;
  readonly entries: readonly PatternEntry[];
  readonly place: Place;
}

/** One `acl` line or anonymous ACL. Lines with the same name are OR-ed by AclTerm.acls. */
export interface Acl {
  /** '' for an anonymous ACL. */
  readonly name: string;
  readonly expr: SampleExpr;
  readonly method: MatchMethod;
  readonly ignoreCase: boolean;
  /** All pattern sets of this line: inline words first, then one per `-f`. Indexes into Model.patterns. */
  readonly patterns: readonly number[];
  /** For `-m int` and friends: `eq`, `gt` … stand in the entries as written (`ge 5`, `1:10`). */
  readonly place: Place;
  readonly text: string;
}

/** A term of a condition: true when any of `acls` (indexes into Model.acls) matches, then negated if `negate`. */
export interface AclTerm {
  readonly acls: readonly number[];
  readonly negate: boolean;
}

/** `if`/`unless`: an OR (outer) of ANDs (inner). */
export interface Condition {
  readonly unless: boolean;
  readonly anyOf: readonly (readonly AclTerm[])[];
  readonly text: string;
}

/** Flags of a log-format item: `%{+Q,+X,-E,+M}o`. */
export interface FormatFlags {
  readonly quote: boolean;
  readonly hex: boolean;
  readonly escape: boolean;
  readonly mandatory: boolean;
}

/** One piece of a log-format string. `alias` names are without the percent sign: `ci`, `ST`, `tsc`. */
export type FormatItem =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'alias'; readonly name: string; readonly arg: string; readonly flags: FormatFlags }
  | { readonly kind: 'expr'; readonly expr: SampleExpr; readonly flags: FormatFlags };

export type Format = readonly FormatItem[];

/** The body of a generated answer (`http-request return`, `http-error`, `errorfile`). */
export type AnswerBody =
  | { readonly kind: 'none' }
  /** A complete raw HTTP answer, head and body, sent as it is (`errorfile`). */
  | { readonly kind: 'raw'; /** One character per byte. */ readonly bytes: string }
  | { readonly kind: 'default-error' }
  | { readonly kind: 'text'; readonly contentType: string; /** One character per byte. */ readonly bytes: string }
  | { readonly kind: 'format'; readonly contentType: string; readonly format: Format };

export interface Answer {
  readonly status: number;
  readonly body: AnswerBody;
  readonly headers: readonly { readonly name: string; readonly value: Format }[];
}

/** What a rule does. The names are HAProxy's keywords. */
export type Action =
  | { readonly kind: 'allow' | 'accept' | 'reject' | 'silent-drop' | 'disable-l7-retry' | 'wait-for-handshake' | 'strict-mode' | 'normalize-off' | 'expect-proxy' }
  | { readonly kind: 'deny' | 'tarpit' | 'return'; readonly answer: Answer }
  | { readonly kind: 'auth'; readonly realm: string }
  | { readonly kind: 'redirect'; readonly target: 'location' | 'prefix' | 'scheme'; readonly value: Format; readonly code: number;
      readonly dropQuery: boolean; readonly appendSlash: boolean; readonly ignoreEmpty: boolean;
      readonly setCookie: string; readonly clearCookie: string; readonly keepQuery: boolean }
  | { readonly kind: 'set-header' | 'add-header'; readonly name: string; readonly value: Format }
  | { readonly kind: 'early-hint'; readonly name: string; readonly value: Format }
  /** `value`: only lines whose value matches this expression (old rspdel, reqdel); '' = all. */
  | { readonly kind: 'del-header'; readonly name: string; readonly match: 'str' | 'beg' | 'end' | 'sub' | 'reg'; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: 'replace-header' | 'replace-value'; readonly name: string; readonly source: string; readonly flags: string; readonly value: Format }
  | { readonly kind: 'set-path' | 'set-pathq' | 'set-query' | 'set-uri' | 'set-method'; readonly value: Format }
  | { readonly kind: 'replace-path' | 'replace-pathq' | 'replace-uri'; readonly source: string; readonly flags: string; readonly value: Format }
  /** `strict`: `full` of path-strip-dotdot, `strict` of the percent forms. */
  | { readonly kind: 'normalize-uri'; readonly form: 'fragment-encode' | 'fragment-strip' | 'path-merge-slashes' | 'path-strip-dot' | 'path-strip-dotdot'
      | 'percent-decode-unreserved' | 'percent-to-uppercase' | 'query-sort-by-name'; readonly strict: boolean }
  | { readonly kind: 'set-status'; readonly status: number; readonly reason: string }
  /** `conditions`: ifexists, ifnotempty … that must all hold. */
  | { readonly kind: 'set-var'; readonly scope: VarScope; readonly name: string; readonly expr: SampleExpr; readonly conditions: readonly string[] }
  | { readonly kind: 'set-var-fmt'; readonly scope: VarScope; readonly name: string; readonly value: Format; readonly conditions: readonly string[] }
  | { readonly kind: 'unset-var'; readonly scope: VarScope; readonly name: string }
  | { readonly kind: 'capture'; readonly expr: SampleExpr; /** Slot in Proxy.requestCaptures or responseCaptures. */ readonly slot: number; readonly len: number }
  | { readonly kind: 'set-log-level'; /** 'silent' or a syslog level. */ readonly level: string }
  | { readonly kind: 'set-src' | 'set-dst' | 'set-src-port' | 'set-dst-port' | 'set-priority-class' | 'set-priority-offset'; readonly expr: SampleExpr }
  | { readonly kind: 'set-nice' | 'set-mark' | 'set-tos'; readonly value: number }
  | { readonly kind: 'set-map' | 'add-acl' | 'del-acl' | 'del-map'; readonly patterns: number; readonly key: Format; readonly value: Format }
  | { readonly kind: 'set-timeout'; readonly which: 'server' | 'tunnel' | 'client'; readonly ms: number; readonly expr: SampleExpr | null }
  | { readonly kind: 'use-service'; readonly service: 'prometheus-exporter' }
  | { readonly kind: 'wait-for-body'; readonly timeMs: number; readonly atLeastBytes: number }
  | { readonly kind: 'do-resolve' | 'lua' | 'cache-use' | 'cache-store' | 'track-sc'; readonly text: string }
  | { readonly kind: 'close' };

export interface Rule {
  readonly action: Action;
  readonly condition: Condition | null;
  readonly place: Place;
  readonly text: string;
}

/** `use_backend` and `use-server`: a fixed target or a name made at run time. */
export interface SwitchRule {
  /** Index into Model.proxies (use_backend) or Model.servers (use-server); -1 when `dynamic` is set. */
  readonly target: number;
  readonly dynamic: Format | null;
  readonly condition: Condition | null;
  readonly place: Place;
}
