/**
 * The checked configuration. Made once by config/load.ts, then frozen and sent to every thread: plain data, no functions,
 * survives JSON. Indexes into the top-level arrays stand for references, so nothing points in circles.
 * Times are milliseconds, sizes bytes; `null` means "not set" where HAProxy tells that apart from 0.
 */
import type { BindAddress, PeerAddress } from './address.ts';
import type { Acl, Answer, Condition, Format, PatternSet, Rule, SampleExpr, SwitchRule } from './expression.ts';
import type { EmailAlert, Mailers, Relay } from './mail.ts';
import type { Place } from './problem.ts';

export type Mode = 'http' | 'tcp';

export interface Model {
  readonly global: Global;
  readonly proxies: readonly Proxy[];
  /** All servers of all backends; a server's index here is its id everywhere in the program. */
  readonly servers: readonly Server[];
  readonly binds: readonly Bind[];
  readonly acls: readonly Acl[];
  readonly patterns: readonly PatternSet[];
  /** Every fetch, converter and log alias that some line reads, by its catalog name. */
  readonly used: readonly string[];
  readonly certificates: readonly Certificate[];
  /** For the control thread: the traffic threads have the texts in their binds and servers. */
  readonly authorities: readonly AuthorityFile[];
  readonly userlists: readonly Userlist[];
  /** Sections that are read and checked but not active yet. */
  readonly inactive: readonly InactiveSection[];
  readonly mailers: readonly Mailers[];
  readonly poise: PoiseSettings;
  readonly files: readonly string[];
}

/** The `poise` section: what HAProxy and keepalived have no words for. */
export interface PoiseSettings {
  /** True when the configuration has such a section. */
  readonly given: boolean;
  /** Frontends (indexes of proxies) without whose servers this node must not have the virtual addresses. */
  readonly vital: readonly number[];
  readonly webhooks: readonly string[];
  /** Tried after those that the other files name. */
  readonly relays: readonly Relay[];
  /** Folder where letters about virtual addresses wait, and with a `poise` section those about servers; '' = in memory. */
  readonly mailQueue: string;
  /** Backends whose servers are used all the same when every one is down. */
  readonly lastResort: readonly number[];
  /** Frontends whose failed exchanges get a second log line with the cause in words. */
  readonly logWhy: readonly number[];
  /** Where counters and hand-set states are kept over restarts; '' = nowhere. */
  readonly stateFolder: string;
  /** A certificate file that changes on disk is taken up by itself. */
  readonly watchCertificates: boolean;
}

export interface InactiveSection {
  readonly kind: 'peers' | 'resolvers' | 'cache' | 'program' | 'ring' | 'http-errors' | 'crt-store' | 'log-forward' | 'fcgi-app' | 'acme' | 'traces' | 'log-profile';
  readonly name: string;
  readonly place: Place;
}

export interface Global {
  readonly nbthread: number;
  /** Process-wide connection limit; 0 = derived from the file descriptor limit. */
  readonly maxconn: number;
  readonly daemon: boolean;
  readonly masterWorker: boolean;
  readonly pidfile: string;
  readonly user: string;
  readonly group: string;
  /** 0 = stays what it is. */
  readonly uid: number;
  readonly gid: number;
  readonly chroot: string;
  /** `setcap`: names of capabilities(7) that are kept when root is given up, beside those that the configuration needs. */
  readonly capabilities: readonly string[];
  /** `ulimit-n`: most open files of the process; 0 = what it was started with. */
  readonly openFilesMax: number;
  readonly node: string;
  readonly description: string;
  readonly logTargets: readonly LogTarget[];
  readonly logTag: string;
  /** Host name in syslog lines: null = system's when `log-send-hostname` is set without a name, '' = none. */
  readonly logSendHostname: string | null;
  readonly statsSockets: readonly StatsSocket[];
  readonly statsTimeoutMs: number;
  readonly statsMaxconn: number;
  readonly spreadChecksPercent: number;
  readonly maxSpreadChecksMs: number;
  /** Path that every HTTP frontend answers itself, so that the process can ask its own listeners; '' = none. Made at start, never configured. */
  readonly selfCheckUri: string;
  readonly hardStopAfterMs: number | null;
  readonly graceMs: number;
  /** Read buffer (tune.bufsize) and reserve (tune.maxrewrite): bounds of content inspection. */
  readonly bufsizeBytes: number;
  readonly headBytesMax: number;
  readonly headerCountMax: number;
  readonly maxconnrate: number;
  readonly maxsessrate: number;
  readonly maxsslconn: number;
  readonly maxsslrate: number;
  readonly serverStateFile: string;
  /** Folder of server-state-file and server-state-file-name, '' = the working directory. */
  readonly serverStateBase: string;
  /** Counters to begin with, as `dump stats-file` writes them; '' = none. */
  readonly statsFile: string;
  readonly environment: Readonly<Record<string, string>>;
  /** proc-scope variables set by `set-var`/`set-var-fmt` in global: name without scope → expression or format. */
  readonly processVars: readonly { readonly name: string; readonly expr: SampleExpr | null; readonly format: Format | null }[];
}

export interface LogTarget {
  readonly address: PeerAddress | { readonly kind: 'stdout' } | { readonly kind: 'stderr' } | { readonly kind: 'ring'; readonly name: string };
  readonly lengthBytesMax: number;
  /** 'unset': local, or rfc3164 when log-send-hostname gives a host name to send. */
  readonly format: 'rfc3164' | 'rfc5424' | 'short' | 'raw' | 'timed' | 'iso' | 'local' | 'priority' | 'unset';
  /** kern 0 … local7 23. */
  readonly facility: number;
  /** Highest (least severe) level sent: emerg 0 … debug 7. */
  readonly levelMax: number;
  /** Lowest (most severe) level: lines above it are raised to it. */
  readonly levelMin: number;
  /** `sample <ranges>:<size>`: null = every line. */
  readonly sample: { readonly ranges: readonly (readonly [number, number])[]; readonly size: number } | null;
}

export interface StatsSocket {
  readonly address: BindAddress;
  readonly level: 'user' | 'operator' | 'admin';
  /** File mode of a unix socket, null = umask decides. */
  readonly mode: number | null;
  /** Owner and group of a unix socket, -1 = not set. */
  readonly uid: number;
  readonly gid: number;
  readonly exposeFdListeners: boolean;
  readonly place: Place;
}

/** Milliseconds; 0 = no limit. Null = not set (HAProxy warns for client, connect and server). */
export interface Timeouts {
  readonly clientMs: number | null;
  readonly serverMs: number | null;
  readonly connectMs: number | null;
  readonly httpRequestMs: number | null;
  readonly httpKeepAliveMs: number | null;
  readonly queueMs: number | null;
  readonly tunnelMs: number | null;
  readonly checkMs: number | null;
  readonly clientFinMs: number | null;
  readonly serverFinMs: number | null;
  readonly tarpitMs: number | null;
}

/** `option X` words that are plain switches. Every one is present, false when off. */
export interface Switches {
  readonly abortonclose: boolean;
  readonly acceptInvalidHttpRequest: boolean;
  readonly acceptInvalidHttpResponse: boolean;
  readonly allbackups: boolean;
  readonly checkcache: boolean;
  readonly clitcpka: boolean;
  readonly srvtcpka: boolean;
  readonly contstats: boolean;
  readonly dontlogNormal: boolean;
  readonly dontlognull: boolean;
  readonly httpBufferRequest: boolean;
  readonly httpIgnoreProbes: boolean;
  readonly httpNoDelay: boolean;
  readonly httpPretendKeepalive: boolean;
  readonly httpRestrictReqHdrNames: 'preserve' | 'delete' | 'reject';
  readonly httpUseProxyHeader: boolean;
  readonly idleCloseOnResponse: boolean;
  readonly independentStreams: boolean;
  readonly logHealthChecks: boolean;
  readonly logSeparateErrors: boolean;
  readonly logasap: boolean;
  readonly nolinger: boolean;
  readonly persist: boolean;
  readonly preferLastServer: boolean;
  readonly socketStats: boolean;
  readonly tcpSmartAccept: boolean;
  readonly tcpSmartConnect: boolean;
  readonly transparent: boolean;
}

export type ConnectionMode = 'keep-alive' | 'server-close' | 'close';

export interface HeaderAppend {
  /** Header name, `X-Forwarded-For` or `X-Original-To` by default. */
  readonly header: string;
  /** CIDR networks whose addresses are not added. */
  readonly except: readonly string[];
  readonly ifNone: boolean;
}

export interface CaptureSlot {
  /** '' for slots made by `declare capture` or `http-request capture … len`. */
  readonly header: string;
  readonly lengthMax: number;
}

export interface Proxy {
  /** Index in Model.proxies. */
  readonly index: number;
  readonly name: string;
  /** HAProxy's numeric proxy id (column iid): given by `id` or counted from 2. */
  readonly iid: number;
  /** Name that a stats-file knows it by, '' = none. */
  readonly guid: string;
  readonly kind: 'frontend' | 'backend' | 'listen';
  readonly isFrontend: boolean;
  readonly isBackend: boolean;
  readonly mode: Mode;
  readonly disabled: boolean;
  readonly description: string;
  readonly place: Place;
  readonly timeouts: Timeouts;
  readonly switches: Switches;
  readonly connectionMode: ConnectionMode;
  readonly forwardfor: HeaderAppend | null;
  readonly originalto: HeaderAppend | null;
  /** `option forwarded` (RFC 7239): value of the header line added, null = off. */
  readonly forwarded: Format | null;
  /** Replacement answers by status (`errorfile`, `errorloc`, `http-error`). */
  readonly errors: readonly Answer[];
  readonly logTargets: readonly LogTarget[];
  readonly logTag: string;
  /** Compiled form of httplog/tcplog/httpslog/log-format; null = default connection line (`Connect from`). */
  readonly logFormat: Format | null;
  readonly errorLogFormat: Format | null;
  readonly logFormatSd: Format | null;
  readonly logStyle: 'none' | 'connect' | 'tcplog' | 'httplog' | 'httpslog' | 'clf' | 'custom';
  readonly uniqueIdFormat: Format | null;
  readonly uniqueIdHeader: string;

  // ---- frontend side
  /** Indexes into Model.binds. */
  readonly binds: readonly number[];
  readonly maxconn: number;
  readonly backlog: number;
  readonly rateLimitSessions: number;
  readonly monitorUri: string;
  readonly monitorFail: readonly Condition[];
  readonly requestCaptures: readonly CaptureSlot[];
  readonly responseCaptures: readonly CaptureSlot[];
  readonly cookieCapture: { readonly name: string; readonly prefix: boolean; readonly lengthMax: number } | null;
  readonly useBackend: readonly SwitchRule[];
  /** Index into Model.proxies, -1 = none (a listen section: itself). */
  readonly defaultBackend: number;
  readonly tcpRequestConnection: readonly Rule[];
  readonly tcpRequestSession: readonly Rule[];

  // ---- both sides: rules run for the frontend, then for the backend
  readonly tcpRequestContent: readonly Rule[];
  readonly tcpResponseContent: readonly Rule[];
  readonly inspectDelayMs: number | null;
  readonly responseInspectDelayMs: number | null;
  /** http-request rules, legacy `block` and reqXXX included, in HAProxy's order. */
  readonly httpRequest: readonly Rule[];
  /** `redirect` lines: run after all of httpRequest, even after an `allow`, and after the statistics page. */
  readonly redirects: readonly Rule[];
  readonly httpResponse: readonly Rule[];
  readonly httpAfterResponse: readonly Rule[];
  readonly stats: StatsPage | null;

  // ---- backend side
  /** Indexes into Model.servers. */
  readonly servers: readonly number[];
  readonly balance: Balance;
  readonly hashType: HashType;
  readonly hashBalanceFactor: number;
  readonly cookie: Cookie | null;
  readonly dynamicCookieKey: string;
  readonly useServer: readonly SwitchRule[];
  /** Header that carries the name of the server, '' = none. */
  readonly sendNameHeader: string;
  /** `persist rdp-cookie`: the cookie that holds the address of the server. */
  readonly rdpPersist: SampleExpr | null;
  readonly retries: number;
  /** 0 = off; -1 = on the last retry (`option redispatch` without a number); N = every N-th; -N = from the N-th before the last on. */
  readonly redispatch: number;
  readonly retryOn: readonly string[];
  readonly httpReuse: 'never' | 'safe' | 'aggressive' | 'always';
  readonly fullconn: number;
  readonly check: CheckMethod;
  readonly checkDisableOn404: boolean;
  readonly checkSendState: boolean;
  /** Probes on checks: `external-check` is refused, so none here. */
  readonly stickTable: StickTable | null;
  readonly stickRules: readonly StickRule[];
  readonly persistRules: readonly { readonly kind: 'force' | 'ignore'; readonly condition: Condition }[];
  readonly source: SourceAddress | null;
  readonly serverStateFromFile: 'none' | 'global' | 'local';
  /** For 'local'; '' = the name of the backend. */
  readonly serverStateFileName: string;
  readonly maxKeepAliveQueue: number;
  /** Null: nothing is mailed about its servers. */
  readonly emailAlert: EmailAlert | null;
}

export interface Balance {
  readonly algorithm: 'roundrobin' | 'static-rr' | 'leastconn' | 'source' | 'first' | 'uri' | 'url_param' | 'hdr' | 'random' | 'rdp-cookie' | 'hash';
  /** Parameter name of url_param, hdr, rdp-cookie. */
  readonly name: string;
  readonly uriLen: number;
  readonly uriDepth: number;
  readonly uriWhole: boolean;
  readonly uriPathOnly: boolean;
  readonly hdrUseDomainOnly: boolean;
  readonly randomDraws: number;
  readonly expr: SampleExpr | null;
}

export interface HashType {
  readonly method: 'map-based' | 'consistent';
  readonly function: 'sdbm' | 'djb2' | 'wt6' | 'crc32' | 'none';
  readonly avalanche: boolean;
}

export interface Cookie {
  readonly name: string;
  readonly mode: 'rewrite' | 'insert' | 'prefix' | 'passive';
  readonly indirect: boolean;
  readonly nocache: boolean;
  readonly postonly: boolean;
  readonly preserve: boolean;
  readonly httponly: boolean;
  readonly secure: boolean;
  readonly domains: readonly string[];
  readonly maxIdleSeconds: number;
  readonly maxLifeSeconds: number;
  readonly dynamic: boolean;
  readonly attrs: readonly string[];
}

export interface StickTable {
  readonly type: 'ip' | 'ipv6' | 'integer' | 'string' | 'binary';
  /** Key length in bytes for string and binary. */
  readonly keyBytes: number;
  readonly sizeEntries: number;
  /** 0 = entries do not expire. */
  readonly expireMs: number;
  readonly nopurge: boolean;
  readonly peers: string;
  readonly srvkey: 'name' | 'addr';
  readonly writeTo: string;
  /** Data types stored, as written: `conn_rate(10s)`; kept and shown, counted once stick counters exist. */
  readonly store: readonly { readonly name: string; readonly periodMs: number; readonly count: number }[];
}

export interface StickRule {
  readonly kind: 'on' | 'match' | 'store-request' | 'store-response';
  readonly expr: SampleExpr;
  /** Index into Model.proxies of the proxy that holds the table. */
  readonly table: number;
  readonly condition: Condition | null;
}

export interface SourceAddress {
  readonly address: PeerAddress | null;
  readonly interface: string;
  /** Null: the machine's own address. */
  readonly usesrc: ForeignSource | null;
}

/** `usesrc`: the address and port of the client, its address alone, one that a header line names, or a given one (port 0: any). */
export type ForeignSource =
  | { readonly kind: 'client' | 'clientip' }
  | { readonly kind: 'header'; readonly expr: SampleExpr }
  | { readonly kind: 'address'; readonly host: string; readonly port: number };

export interface StatsPage {
  readonly enabled: boolean;
  readonly uri: string;
  readonly realm: string;
  /** `user:password` pairs of `stats auth`. */
  readonly auth: readonly { readonly user: string; readonly password: string }[];
  readonly hideVersion: boolean;
  readonly refreshSeconds: number;
  readonly showNode: boolean;
  readonly node: string;
  readonly showDesc: boolean;
  readonly description: string;
  readonly showLegends: boolean;
  readonly showModules: boolean;
  /** Proxy names; '.' is the proxy itself; empty = all. */
  readonly scopes: readonly string[];
  readonly admin: readonly Condition[];
  readonly httpRequest: readonly Rule[];
}

export interface Bind {
  readonly index: number;
  /** `name X`, or '' (the CSV then shows sock-N). */
  readonly name: string;
  /** HAProxy's listener id (column sid). */
  readonly luid: number;
  /** In a stats-file it is PREFIX-1, -2 …: its number on the bind line follows. '' = none. */
  readonly guidPrefix: string;
  readonly proxy: number;
  readonly address: BindAddress;
  /** The bind's address as HAProxy prints it in messages and the CSV. */
  readonly text: string;
  readonly place: Place;
  readonly maxconn: number;
  readonly backlog: number;
  readonly v4v6: boolean;
  readonly v6only: boolean;
  readonly acceptProxy: boolean;
  readonly interface: string;
  readonly mode: number | null;
  /** Owner and group of a unix socket, -1 = not set. */
  readonly uid: number;
  readonly gid: number;
  readonly transparent: boolean;
  readonly tls: BindTls | null;
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface TlsCommon {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL cipher list up to TLS 1.2; '' = the runtime's. */
  readonly ciphers: string;
  readonly ciphersuites: string;
  readonly curves: string;
  readonly noTickets: boolean;
  readonly preferServerCiphers: boolean;
  readonly alpn: readonly string[];
  /** PEM text of trusted CAs, those of both files; '' = none. */
  readonly caPem: string;
  /** Names in Model.authorities; '' = not given. */
  readonly caFile: string;
  readonly caVerifyFile: string;
  readonly crlPem: string;
  readonly crlFile: string;
}

/** A `ca-file` or `crl-file` that some line names. */
export interface AuthorityFile {
  readonly kind: 'ca' | 'crl';
  /** Path, or `@system-ca`. */
  readonly path: string;
  readonly pem: string;
}

export interface BindCertificate {
  /** Index into Model.certificates. */
  readonly certificate: number;
  readonly sniFilters: readonly string[];
  /** Line of the crt-list that names it, options as written; absent: `crt` of the bind line. */
  readonly entry?: { readonly list: string; readonly line: number; readonly options: string };
}

export interface BindTls extends TlsCommon {
  /** Certificates in order; the first is the default. With SNI filters from a crt-list ([] = the names in the certificate). */
  readonly certificates: readonly BindCertificate[];
  readonly strictSni: boolean;
  readonly verify: 'none' | 'optional' | 'required';
  readonly crtIgnoreErrors: readonly string[];
  readonly caIgnoreErrors: readonly string[];
}

export interface Certificate {
  readonly index: number;
  readonly path: string;
  /** Leaf and chain. */
  readonly certPem: string;
  /** Never logged, never shown. */
  readonly keyPem: string;
  /** DNS names of subjectAltName and the common names, each once; lower case, wildcards as `*.x`. */
  readonly names: readonly string[];
  readonly keyType: 'rsa' | 'ec' | 'dsa' | 'ed25519' | 'other';
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** SHA-256 of the leaf, lower-case hexadecimal. */
  readonly fingerprint: string;
}

export interface Server {
  /** Index in Model.servers: its id everywhere in the program. */
  readonly index: number;
  /** HAProxy's server id (column sid), counted from 1 in its backend. */
  readonly sid: number;
  readonly guid: string;
  readonly name: string;
  /** Index into Model.proxies. */
  readonly proxy: number;
  readonly place: Place;
  readonly address: PeerAddress;
  /** How the port is found: as given, the client's destination port, or that plus `portOffset`. */
  readonly portMode: 'fixed' | 'client' | 'offset';
  readonly portOffset: number;
  readonly weight: number;
  readonly backup: boolean;
  readonly disabled: boolean;
  readonly cookie: string;
  readonly maxconn: number;
  readonly minconn: number;
  readonly maxqueue: number;
  readonly slowstartMs: number;
  readonly sendProxy: 'none' | 'v1' | 'v2' | 'v2-ssl' | 'v2-ssl-cn';
  readonly proxyV2Options: readonly string[];
  readonly checkSendProxy: boolean;
  readonly source: SourceAddress | null;
  readonly tls: ServerTls | null;
  readonly check: ServerCheck | null;
  /** Index into Model.servers of the server whose state is followed; -1 = none. */
  readonly track: number;
  readonly observe: 'none' | 'layer4' | 'layer7';
  readonly errorLimit: number;
  readonly onError: 'fastinter' | 'fail-check' | 'sudden-death' | 'mark-down';
  readonly onMarkedDown: 'none' | 'shutdown-sessions';
  readonly onMarkedUp: 'none' | 'shutdown-backup-sessions';
  readonly redirectPrefix: string;
  readonly poolMaxConn: number;
  readonly poolPurgeDelayMs: number;
  readonly poolLowConn: number;
  readonly maxReuse: number;
  readonly initAddr: readonly string[];
  readonly initState: 'none' | 'up' | 'fully-up' | 'down' | 'fully-down';
  readonly resolvers: string;
  readonly resolvePrefer: 'ipv4' | 'ipv6';
  readonly nonStick: boolean;
  readonly tcpUserTimeoutMs: number;
}

export interface ServerTls extends TlsCommon {
  readonly verify: 'none' | 'required';
  readonly verifyHost: string;
  readonly sni: SampleExpr | null;
  /** Client certificate: index into Model.certificates, -1 = none. */
  readonly certificate: number;
  readonly noReuse: boolean;
}

export interface ServerCheck {
  readonly interMs: number;
  readonly fastinterMs: number | null;
  readonly downinterMs: number | null;
  readonly rise: number;
  readonly fall: number;
  readonly port: number;
  readonly address: PeerAddress | null;
  /** TLS settings of the server line when checks use TLS, with or without `ssl` for traffic. */
  readonly tlsOptions: ServerTls | null;
  /** True when checks use TLS: `check-ssl`, or `ssl` on the server without port/addr. */
  readonly tls: boolean;
  readonly sni: string;
  readonly alpn: readonly string[];
}

/** What a health check does after the connection. */
export type CheckMethod =
  | { readonly kind: 'tcp' }
  | { readonly kind: 'ssl-hello' }
  | { readonly kind: 'smtp'; readonly hello: string }
  | { readonly kind: 'mysql'; readonly user: string; readonly post41: boolean }
  | { readonly kind: 'pgsql'; readonly user: string }
  | { readonly kind: 'redis' }
  | { readonly kind: 'ldap' }
  | { readonly kind: 'spop' }
  | { readonly kind: 'http'; readonly steps: readonly CheckStep[] }
  | { readonly kind: 'tcp-check'; readonly steps: readonly CheckStep[] };

/** Steps of `http-check` and `tcp-check`. An http method without connect step starts with a default connect. */
export type CheckStep =
  | { readonly kind: 'connect'; readonly comment: string; readonly port: number; readonly address: PeerAddress | null; readonly sendProxy: boolean;
      readonly useDefault: boolean; readonly ssl: boolean; readonly sni: string; readonly alpn: readonly string[]; readonly linger: boolean }
  | { readonly kind: 'send'; readonly comment: string; /** One character per byte; null: `format`. */ readonly bytes: string | null; readonly format: Format | null; /** The format gives hexadecimal text. */ readonly hex: boolean }
  | { readonly kind: 'http-send'; readonly comment: string; readonly method: string; readonly uri: Format; readonly version: string;
      readonly headers: readonly { readonly name: string; readonly value: Format }[]; readonly body: Format | null }
  | { readonly kind: 'expect'; readonly comment: string; readonly negate: boolean;
      readonly match: 'status' | 'rstatus' | 'hdr' | 'fhdr' | 'string' | 'rstring' | 'binary' | 'rbinary' | 'string-lf' | 'binary-lf';
      readonly pattern: string; readonly regexFlags: string;
      /** Pattern of string-lf, null otherwise. */
      readonly format: Format | null;
      /** Ranges of `expect status 200-299,301`. */
      readonly statuses: readonly (readonly [number, number])[];
      readonly headerName: string; readonly headerNameMatch: string; readonly headerValue: string; readonly headerValueMatch: string;
      readonly minRecvBytes: number;
      readonly okStatus: string; readonly errorStatus: string; readonly timeoutStatus: string;
      readonly onSuccess: Format | null; readonly onError: Format | null; readonly statusCode: SampleExpr | null }
  | { readonly kind: 'comment'; readonly comment: string }
  | { readonly kind: 'set-var' | 'unset-var'; readonly name: string; readonly expr: SampleExpr | null; readonly format: Format | null };

export interface Userlist {
  readonly index: number;
  readonly name: string;
  readonly users: readonly { readonly name: string; readonly password: string; /** True: clear text. */ readonly insecure: boolean; readonly groups: readonly string[] }[];
  readonly place: Place;
}
