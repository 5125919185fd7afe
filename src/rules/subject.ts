/**
 * What rules look at and act on: one request or one TCP stream, with its client connection. Implemented by traffic/ (class
 * Exchange and ClientSession); rules/ and balance/ only use these interfaces. Fetches read lazily: nothing here is computed
 * before a rule asks.
 */
import type { Rule } from '../model/expression.ts';
import type { Fault } from '../model/fault.ts';
import type { Bind, Model, Proxy, Server } from '../model/model.ts';
import type { Head } from '../wire/head.ts';
import type { IpValue } from '../base/ip.ts';

/** A sample. `undefined` = the fetch has nothing to give (the ACL then does not match). Uint8Array is binary. */
export type SampleValue = boolean | number | string | Uint8Array | IpValue;
export type Sample = SampleValue | undefined;

/** TLS facts of a connection; every method may cost, so callers ask once. */
export interface TlsFacts {
  /** Server name the client asked for, '' when none. */
  sni(): string;
  alpn(): string;
  /** `TLSv1.3` */
  protocol(): string;
  cipher(): string;
  keyBits(): number;
  resumed(): boolean;
  sessionId(): Uint8Array;
  /** DER of the peer's certificate, undefined when it sent none. */
  peerCertificate(): PeerCertificate | undefined;
  /** Certificate shown to the peer. */
  ownCertificate(): PeerCertificate | undefined;
  /** OpenSSL verify result code of the peer's certificate, 0 = ok. */
  verifyCode(): number;
}

export interface PeerCertificate {
  readonly der: Uint8Array;
  /** One-line subject `/C=…/CN=…`. */
  readonly subject: string;
  readonly issuer: string;
  readonly subjectFields: Readonly<Record<string, string>>;
  readonly issuerFields: Readonly<Record<string, string>>;
  readonly serialHex: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly sha1: Uint8Array;
}

/** Variables of one scope: by name without scope. */
export type Vars = Map<string, SampleValue>;

/** One client connection. */
export interface Session {
  readonly bind: Bind;
  readonly frontend: Proxy;
  /** Client address in force (after PROXY header or set-src), numeric text; '' for unix sockets. */
  sourceAddress: string;
  sourcePort: number;
  destinationAddress: string;
  destinationPort: number;
  /** Parsed lazily from the texts above. */
  sourceIp(): IpValue | undefined;
  destinationIp(): IpValue | undefined;
  readonly tls: TlsFacts | null;
  /** Unique id TLV and authority of a received PROXY v2 header, '' when none. */
  readonly proxyUniqueId: string;
  readonly proxyAuthority: string;
  /** A PROXY header is to come first: `accept-proxy`, or set by `expect-proxy`. */
  expectsProxy: boolean;
  /** Date.now() when accepted. */
  readonly acceptedAtMs: number;
  /** Requests seen on this connection so far, the current one included. */
  requestCount: number;
  /** Created on first write. */
  vars: Vars | null;
}

/** One request (mode http) or one stream (mode tcp). */
export interface Subject {
  readonly world: World;
  readonly session: Session;
  /** Null in mode tcp. */
  request: Head | null;
  /** Null until the server's answer head has come. */
  response: Head | null;
  readonly frontend: Proxy;
  /** Null before switching. */
  backend: Proxy | null;
  server: Server | null;
  /** TLS facts of the server connection. */
  serverTls: TlsFacts | null;
  txnVars: Vars | null;
  reqVars: Vars | null;
  resVars: Vars | null;
  /** Values of capture slots of the frontend, undefined where nothing was captured. Arrays made on first capture. */
  requestCaptures: (string | undefined)[] | null;
  responseCaptures: (string | undefined)[] | null;
  /** Bytes of the request (tcp: of the stream; http: of the body) buffered so far, for content inspection. */
  requestBytes(): Uint8Array;
  responseBytes(): Uint8Array;
  /** False while more bytes may still come before the inspect delay ends: `req.ssl_hello` and friends answer "not yet". */
  requestComplete(): boolean;
  responseComplete(): boolean;
  /** Set by a fetch that could decide with more bytes; the rule evaluator then waits. */
  needMore: boolean;
  /** True in the last evaluation, when the inspect delay has run out (WAIT_END). */
  final: boolean;
  /** 'silent' or level name set by set-log-level; '' = none. */
  logLevel: string;
  /** disable-l7-retry: once sent, the request is not sent again. */
  sentOnce: boolean;
  /** Made once by unique-id-format, '' = not yet. */
  uniqueId: string;
  /** User of the last successful http_auth, for %[http_auth_user] and logs. */
  serverTimeoutMs: number | null;
  tunnelTimeoutMs: number | null;
  clientTimeoutMs: number | null;
  /** Priority set by rules, for the queue. */
  priorityClass: number;
  priorityOffset: number;
  /** Log facts, filled by traffic/; read by log-format aliases. Times are ms, -1 = did not happen. */
  readonly facts: LogFacts;
}

/** Everything a log line tells about a finished exchange. One mutable object per exchange, reset between requests. */
export interface LogFacts {
  /** Date.now() of accept (%t), of the first request byte (%tr). */
  acceptDateMs: number;
  requestDateMs: number;
  /** %Th %Ti %TR %Tw %Tc %Tr %Ta %Tt %Td %Tu */
  handshakeMs: number;
  idleMs: number;
  requestMs: number;
  queueMs: number;
  connectMs: number;
  responseMs: number;
  activeMs: number;
  totalMs: number;
  /** %ST; 0 before there is one; -1 prints as -1. */
  status: number;
  /** %B and %U. */
  bytesToClient: number;
  bytesFromClient: number;
  /** Termination letters: cause, stage; then cookie letters for HTTP. */
  cause: string;
  stage: string;
  cookieFound: string;
  cookieSet: string;
  /** %rc and whether redispatched ("+"). */
  retries: number;
  redispatched: boolean;
  /** %sq %bq */
  serverQueue: number;
  backendQueue: number;
  /** Logged before the end (`option logasap`): "+" before %Ta/%Tt and %B. */
  early: boolean;
  /** %b %s as text: backend name, server name or <NOSRV>, <STATS>, … */
  backendName: string;
  serverName: string;
  serverAddress: string;
  serverPort: number;
  /** Address Poise used towards the server: %bi %bp. */
  ownAddress: string;
  ownPort: number;
  requestCookie: string;
  responseCookie: string;
  /** True when no valid request was read: %r prints <BADREQ>. */
  badRequest: boolean;
  /** The request line as it came (%r), captured before rules changed it. */
  readonly requestLine: string;
  /** Path, query and method as they came, for %HP %HQ %HM %HU %HV. */
  readonly method: string;
  readonly uri: string;
  readonly version: string;
  // ---- why it ended, for why.ts; all of it is set only where something fails or a rule decides
  /** What ended it otherwise than well. */
  fault: Fault | null;
  /** The last rule that answered, denied or rejected. */
  rule: Rule | null;
  /** What the fault does not tell: code of the attempt that failed, rule of the protocol that was broken. */
  detail: string;
  /** The server whose first attempt failed, and how; '' = none did. */
  firstServer: string;
  firstDetail: string;
}

/** Read access to live figures: for nbsrv, be_conn, srv_is_up … and for log counters %ac %fc %bc %sc. */
export interface World {
  readonly model: Model;
  readonly startedAtMs: number;
  readonly hostname: string;
  readonly pid: number;
  readonly threadIndex: number;
  /** Milliseconds, cached per event-loop turn. */
  nowMs(): number;
  /** Usable servers of a backend. */
  usableServers(proxy: number): number;
  serverIsUp(server: number): boolean;
  /** Why the server takes no requests: `down`, `in maintenance`, `drained`; '' when it does. */
  serverTrouble(server: number): string;
  serverWeight(server: number): number;
  serverConnections(server: number): number;
  serverQueue(server: number): number;
  serverRate(server: number): number;
  backendConnections(proxy: number): number;
  backendQueue(proxy: number): number;
  backendRate(proxy: number): number;
  frontendConnections(proxy: number): number;
  frontendRate(proxy: number): number;
  frontendRequestRate(proxy: number): number;
  processConnections(): number;
  /** Proc-scope variables of this thread. */
  readonly processVars: Vars;
  /** Patterns in force (shared by ACLs and maps): changed at run time. */
  patternVersion(id: number): number;
  random(): number;
  /** Announces a change made by a rule (`set-map`, `add-acl` …) to the other threads. */
  patternsChanged(id: number, op: 'set' | 'add' | 'del', key: string, value: string): void;
  /** Looks a sample key up in a stick table: the server index stored, or -1. */
  stickLookup(proxy: number, key: SampleValue): number;
  warn(message: string): void;
}

/** What an evaluated rule set decides. Null stands for "go on". Made at load where it can be; never changed. */
export type Verdict =
  | { readonly kind: 'allow' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'reject' }
  | { readonly kind: 'silent-drop' }
  | { readonly kind: 'close' }
  /**
   * deny, return, tarpit, auth and redirect: an answer made by the proxy; `cause` tells which counter it bumps. `bytes` are head and
   * body without a `connection` header: the data plane adds that before the empty line, and leaves the body out for HEAD.
   */
  | { readonly kind: 'answer'; readonly cause: 'deny' | 'tarpit' | 'return' | 'auth' | 'redirect'; readonly bytes: Uint8Array; readonly status: number;
      /** True: the connection may be kept alive after it. */ readonly keepAlive: boolean }
  | { readonly kind: 'service'; readonly service: 'prometheus-exporter' }
  | { readonly kind: 'wait-for-body'; readonly timeMs: number; readonly atLeastBytes: number };
