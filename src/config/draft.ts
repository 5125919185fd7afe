/**
 * The half-checked configuration that keyword readers fill and build.ts turns into a Model. Mutable on purpose and seen by
 * nobody outside config/. ProxySettings is what a `defaults` section can preset; a proxy starts with a copy of it.
 */
import type { PeerAddress } from '../model/address.ts';
import type { Acl, Answer, Condition, Format, PatternSet, Rule, SampleExpr, SwitchRule } from '../model/expression.ts';
import type { Mailers } from '../model/mail.ts';
import type {
  AuthorityFile, Balance, BindTls, CaptureSlot, Certificate, CheckStep, ConnectionMode, Cookie, Global, HashType, HeaderAppend, InactiveSection, LogTarget, Mode, Proxy,
  SourceAddress, StatsPage, StatsSocket, StickRule, StickTable, Switches, Timeouts, TlsVersion, Userlist, Bind, PoiseSettings,
} from '../model/model.ts';
import type { Place } from '../model/problem.ts';

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Text that is read as a log-format string or sample only when the mode of the proxy is known. */
export interface Deferred {
  readonly text: string;
  readonly place: Place;
}

/** `option httpchk` and the first `http-check send`; null = not said. */
export interface HttpCheckRequest {
  method: string | null;
  uri: Format | null;
  version: string | null;
  headers: readonly { readonly name: string; readonly value: Format }[];
  body: Format | null;
  comment: string;
  place: Place;
}

type CheckKind = 'none' | 'http' | 'tcp-check' | 'ssl-hello' | 'smtp' | 'mysql' | 'pgsql' | 'redis' | 'ldap' | 'spop';

export interface CheckDraft {
  kind: CheckKind;
  /** Word of option smtpchk, mysql-check, pgsql-check. */
  user: string;
  post41: boolean;
  /** Request of `option httpchk`. */
  request: HttpCheckRequest | null;
  /** Request of `http-check send` without explicit connect, which overrides the option's. */
  send: HttpCheckRequest | null;
  httpSteps: readonly CheckStep[];
  tcpSteps: readonly CheckStep[];
  httpPlace: Place | null;
  tcpPlace: Place | null;
}

export interface StatsDraft extends Mutable<Omit<StatsPage, 'auth' | 'scopes' | 'admin' | 'httpRequest'>> {
  auth: readonly { readonly user: string; readonly password: string }[];
  scopes: readonly string[];
  admin: readonly Condition[];
  httpRequest: readonly Rule[];
  place: Place;
}

/** TLS words of one bind or server line; '' and null = not said. */
export interface TlsDraft {
  ssl: boolean;
  minVersion: TlsVersion | '';
  maxVersion: TlsVersion | '';
  disabledVersions: readonly TlsVersion[];
  ciphers: string | null;
  ciphersuites: string | null;
  curves: string | null;
  noTickets: boolean | null;
  preferClientCiphers: boolean;
  alpn: readonly string[] | null;
  caFile: string;
  caVerifyFile: string;
  crlFile: string;
  verify: '' | 'none' | 'optional' | 'required';
  // bind
  crt: readonly { readonly path: string; readonly list: boolean }[];
  strictSni: boolean;
  crtIgnoreErrors: readonly string[];
  caIgnoreErrors: readonly string[];
  // server
  verifyHost: string;
  sni: SampleExpr | null;
  noReuse: boolean;
}

export interface CheckWords {
  check: boolean;
  checkSsl: boolean | null;
  interMs: number;
  fastinterMs: number | null;
  downinterMs: number | null;
  rise: number;
  fall: number;
  port: number;
  address: PeerAddress | null;
  sni: string;
  alpn: readonly string[];
  agent: boolean;
}

/** What `default-server` presets and a server line changes. */
export interface ServerWords {
  weight: number;
  backup: boolean;
  disabled: boolean;
  cookie: string;
  maxconn: number;
  minconn: number;
  maxqueue: number;
  slowstartMs: number;
  sendProxy: 'none' | 'v1' | 'v2' | 'v2-ssl' | 'v2-ssl-cn';
  proxyV2Options: readonly string[];
  checkSendProxy: boolean;
  source: SourceAddress | null;
  tls: TlsDraft;
  check: CheckWords;
  track: string;
  observe: 'none' | 'layer4' | 'layer7';
  errorLimit: number;
  onError: 'fastinter' | 'fail-check' | 'sudden-death' | 'mark-down';
  onMarkedDown: 'none' | 'shutdown-sessions';
  onMarkedUp: 'none' | 'shutdown-backup-sessions';
  redirectPrefix: string;
  poolMaxConn: number;
  poolPurgeDelayMs: number;
  poolLowConn: number;
  maxReuse: number;
  initAddr: readonly string[];
  guid: string;
  initState: 'none' | 'up' | 'fully-up' | 'down' | 'fully-down';
  resolvers: string;
  resolvePrefer: 'ipv4' | 'ipv6';
  nonStick: boolean;
  tcpUserTimeoutMs: number;
  id: number;
}

export interface ServerDraft extends ServerWords {
  readonly index: number;
  readonly name: string;
  readonly proxy: number;
  readonly place: Place;
  address: PeerAddress | null;
  portMode: 'fixed' | 'client' | 'offset';
  portOffset: number;
  sid: number;
  /** Number in a server-template, 0 for a server line. */
  readonly templateNumber: number;
}

export interface BindDraft extends Mutable<Omit<Bind, 'tls'>> {
  tls: TlsDraft;
  builtTls: BindTls | null;
  id: number;
}

interface SourcedFormat {
  style: Proxy['logStyle'];
  format: Deferred | null;
}

/** Everything a `defaults` section can preset. Replaced as a whole on change, never edited in place: copies are shallow. */
export interface ProxySettings {
  mode: Mode | '';
  disabled: boolean;
  timeouts: Readonly<Timeouts>;
  switches: Readonly<Switches>;
  connectionMode: ConnectionMode;
  forwardfor: HeaderAppend | null;
  originalto: HeaderAppend | null;
  forwarded: Deferred | null;
  errors: readonly Answer[];
  /** `errorfiles <section>` and `http-error status N errorfile…` end up in `errors` too. */
  logTargets: readonly LogTarget[];
  logTag: string;
  log: Readonly<SourcedFormat>;
  errorLogFormat: Deferred | null;
  logFormatSd: Deferred | null;
  uniqueIdFormat: Deferred | null;
  uniqueIdHeader: string;
  maxconn: number;
  backlog: number;
  rateLimitSessions: number;
  monitorUri: string;
  defaultBackend: (Deferred & { readonly condition: boolean }) | null;
  tcpRequestConnection: readonly Rule[];
  tcpRequestSession: readonly Rule[];
  tcpRequestContent: readonly Rule[];
  tcpResponseContent: readonly Rule[];
  inspectDelayMs: number | null;
  responseInspectDelayMs: number | null;
  httpRequest: readonly Rule[];
  redirects: readonly Rule[];
  httpResponse: readonly Rule[];
  httpAfterResponse: readonly Rule[];
  stats: Readonly<StatsDraft> | null;
  balance: Balance;
  hashType: HashType;
  hashBalanceFactor: number;
  cookie: Cookie | null;
  dynamicCookieKey: string;
  sendNameHeader: string;
  /** Name of the cookie, null = off. */
  rdpPersist: Deferred | null;
  retries: number;
  redispatch: number;
  retryOn: readonly string[];
  httpReuse: Proxy['httpReuse'];
  fullconn: number;
  check: Readonly<CheckDraft>;
  checkDisableOn404: boolean;
  checkSendState: boolean;
  source: SourceAddress | null;
  serverStateFromFile: Proxy['serverStateFromFile'];
  serverStateFileName: string;
  maxKeepAliveQueue: number;
  defaultServer: Readonly<ServerWords>;
  /** '' = not said. */
  emailAlert: { readonly mailers: string; readonly from: string; readonly to: string; readonly myhostname: string; readonly levelMax: number };
  /** Where settings were made that later checks speak of. */
  places: Readonly<Record<string, Place>>;
}

/** A `defaults` section. */
export interface DefaultsDraft {
  readonly name: string;
  readonly place: Place;
  readonly settings: ProxySettings;
  readonly acls: Map<string, number[]>;
  usedByName: boolean;
  usedAsLast: boolean;
  /** Kind of the first proxy that inherited rules from it. */
  rulesUsedBy: 'frontend' | 'backend' | 'listen' | null;
}

export interface ProxyDraft {
  readonly index: number;
  readonly kind: 'frontend' | 'backend' | 'listen';
  readonly name: string;
  readonly place: Place;
  settings: ProxySettings;
  readonly acls: Map<string, number[]>;
  readonly servers: number[];
  readonly binds: number[];
  /** A bind line was read but not understood: it does listen as far as its author is concerned. */
  bindAtFault: boolean;
  id: number;
  iid: number;
  description: string;
  guid: string;
  monitorFail: Condition[];
  requestCaptures: CaptureSlot[];
  responseCaptures: CaptureSlot[];
  cookieCapture: Proxy['cookieCapture'];
  useBackend: SwitchRule[];
  useServer: SwitchRule[];
  stickTable: StickTable | null;
  stickRules: StickRule[];
  persistRules: { readonly kind: 'force' | 'ignore'; readonly condition: Condition }[];
  /** Rules by family, merged in HAProxy's order when the section ends. */
  ownRules: OwnRules;
  /** Steps of this section's own http-check and tcp-check lines, which replace inherited ones. */
  ownHttpSteps: boolean;
  ownTcpSteps: boolean;
  /** `option httpchk` stands in this section itself. */
  ownHttpRequest: boolean;
  defaults: DefaultsDraft | null;
}

export interface OwnRules {
  httpRequest: Rule[];
  httpResponse: Rule[];
  httpAfterResponse: Rule[];
  tcpRequestConnection: Rule[];
  tcpRequestSession: Rule[];
  tcpRequestContent: Rule[];
  tcpResponseContent: Rule[];
  /** `redirect` lines, which run after all http-request rules. */
  redirects: Rule[];
  /** reqXXX, rspXXX and `block` of HAProxy 1.x. */
  legacyBlock: Rule[];
  legacyRequest: Rule[];
  legacyResponse: Rule[];
}

/** TLS settings of the global section that binds and servers start from. */
interface GlobalTls {
  caBase: string;
  crtBase: string;
  bind: TlsDraft;
  server: TlsDraft;
  serverVerify: 'none' | 'required';
  /** ssl-load-extra-files: whether a key may stand beside its certificate, and certificates of several key types in one bundle. */
  loadExtraKey: boolean;
  loadExtraBundle: boolean;
}

export interface GlobalDraft extends Mutable<Omit<Global, 'processVars' | 'environment' | 'logTargets' | 'statsSockets'>> {
  logTargets: LogTarget[];
  statsSockets: StatsSocket[];
  processVars: { readonly name: string; readonly expr: SampleExpr | null; readonly format: Format | null }[];
  tls: GlobalTls;
  /** `default-path`: what relative paths start at. */
  pathOrigin: { readonly kind: 'current' | 'config' | 'parent' } | { readonly kind: 'origin'; readonly path: string };
  unixBindPrefix: string;
  unixBindMode: number | null;
  unixBindUid: number;
  unixBindGid: number;
  places: Record<string, Place>;
  nbthreadGiven: boolean;
}

export interface Draft {
  readonly global: GlobalDraft;
  readonly proxies: ProxyDraft[];
  readonly servers: ServerDraft[];
  readonly binds: BindDraft[];
  readonly acls: Acl[];
  readonly patterns: PatternSet[];
  readonly used: Set<string>;
  readonly certificates: Certificate[];
  readonly authorities: AuthorityFile[];
  readonly userlists: Userlist[];
  /** Null until every section is read: it names proxies. */
  poise: PoiseSettings | null;
  readonly inactive: InactiveSection[];
  readonly mailers: Mailers[];
  /** `http-errors` sections by name. */
  readonly httpErrors: Map<string, Answer[]>;
  /** `crt-store` certificates by `@store/alias`. */
  readonly crtStores: Map<string, { readonly crt: string; readonly key: string }>;
}
