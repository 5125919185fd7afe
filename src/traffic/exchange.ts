/**
 * One exchange: a request with its answer (mode http) or one stream (mode tcp), as rules, balance and the log see it.
 * Taken from a pool when the first byte of a request is there, given back after its log line. It holds what is known and
 * does nothing by itself: what dispatch/ reports goes straight to the owner, the state machine of http/ or tcp/.
 */
import type { Rule } from '../model/expression.ts';
import type { Fault } from '../model/fault.ts';
import type { Proxy, Server } from '../model/model.ts';
import type { LogFacts, Session, Subject, TlsFacts, Vars, World } from '../rules/subject.ts';
import type { Head } from '../wire/head.ts';
import type { DispatchClient, ServerConnection } from './contract.ts';

/** The state machine an exchange belongs to. */
export interface ExchangeOwner {
  /** A server with `redir` was chosen. True: the client was sent there. */
  exchangeRedirected(server: Server): boolean;
  exchangeServer(connection: ServerConnection, reused: boolean): void;
  exchangeFailed(fault: Fault): void;
  /** The server was marked down or its sessions are being shut down. */
  exchangeKilled(fault: Fault): void;
  /** Bytes buffered for content inspection, and whether no more can come. */
  inspectedRequest(): Uint8Array;
  inspectedResponse(): Uint8Array;
  inspectedRequestComplete(): boolean;
  inspectedResponseComplete(): boolean;
}

/** A request head that remembers what came before rules edited it. */
interface RequestSource {
  lineAsCame(): string;
  methodAsCame(): string;
  uriAsCame(): string;
  versionAsCame(): string;
}

/** Log facts with their values before anything happened. */
class Facts implements LogFacts {
  acceptDateMs = 0;
  requestDateMs = 0;
  handshakeMs = 0;
  idleMs = 0;
  requestMs = -1;
  queueMs = -1;
  connectMs = -1;
  responseMs = -1;
  activeMs = -1;
  totalMs = -1;
  status = -1;
  bytesToClient = 0;
  bytesFromClient = 0;
  cause = '-';
  stage = '-';
  cookieFound = '-';
  cookieSet = '-';
  retries = 0;
  redispatched = false;
  serverQueue = 0;
  backendQueue = 0;
  early = false;
  backendName = '';
  serverName = '<NOSRV>';
  serverAddress = '';
  serverPort = 0;
  ownAddress = '';
  ownPort = 0;
  requestCookie = '-';
  responseCookie = '-';
  badRequest = true;
  fault: Fault | null = null;
  rule: Rule | null = null;
  detail = '';
  firstServer = '';
  firstDetail = '';
  /** The request as it came; strings are made of it only when a log line wants them. */
  source: RequestSource | null = null;

  get requestLine(): string { return this.source === null ? '' : this.source.lineAsCame(); }
  get method(): string { return this.source === null ? '' : this.source.methodAsCame(); }
  get uri(): string { return this.source === null ? '' : this.source.uriAsCame(); }
  get version(): string { return this.source === null ? '' : this.source.versionAsCame(); }

  reset(backendName: string): void {
    this.acceptDateMs = 0;
    this.requestDateMs = 0;
    this.handshakeMs = 0;
    this.idleMs = 0;
    this.requestMs = -1;
    this.queueMs = -1;
    this.connectMs = -1;
    this.responseMs = -1;
    this.activeMs = -1;
    this.totalMs = -1;
    this.status = -1;
    this.bytesToClient = 0;
    this.bytesFromClient = 0;
    this.cause = '-';
    this.stage = '-';
    this.cookieFound = '-';
    this.cookieSet = '-';
    this.retries = 0;
    this.redispatched = false;
    this.serverQueue = 0;
    this.backendQueue = 0;
    this.early = false;
    this.backendName = backendName;
    this.serverName = '<NOSRV>';
    this.serverAddress = '';
    this.serverPort = 0;
    this.ownAddress = '';
    this.ownPort = 0;
    this.requestCookie = '-';
    this.responseCookie = '-';
    this.badRequest = true;
    this.fault = null;
    this.rule = null;
    this.detail = '';
    this.firstServer = '';
    this.firstDetail = '';
    this.source = null;
  }
}

export class Exchange implements Subject, DispatchClient {
  world: World;
  session: Session;
  owner: ExchangeOwner;
  frontend: Proxy;
  request: Head | null = null;
  response: Head | null = null;
  backend: Proxy | null = null;
  server: Server | null = null;
  serverTls: TlsFacts | null = null;
  txnVars: Vars | null = null;
  reqVars: Vars | null = null;
  resVars: Vars | null = null;
  requestCaptures: (string | undefined)[] | null = null;
  responseCaptures: (string | undefined)[] | null = null;
  needMore = false;
  final = false;
  logLevel = '';
  sentOnce = false;
  uniqueId = '';
  serverTimeoutMs: number | null = null;
  tunnelTimeoutMs: number | null = null;
  clientTimeoutMs: number | null = null;
  priorityClass = 0;
  priorityOffset = 0;
  readonly facts: Facts = new Facts();

  constructor(world: World, session: Session, owner: ExchangeOwner) {
    this.world = world;
    this.session = session;
    this.owner = owner;
    this.frontend = session.frontend;
  }

  /** Makes a used exchange new again for another owner. */
  reset(world: World, session: Session, owner: ExchangeOwner): void {
    this.world = world;
    this.session = session;
    this.owner = owner;
    this.frontend = session.frontend;
    this.request = null;
    this.response = null;
    this.backend = null;
    this.server = null;
    this.serverTls = null;
    this.txnVars = null;
    this.reqVars = null;
    this.resVars = null;
    this.requestCaptures = null;
    this.responseCaptures = null;
    this.needMore = false;
    this.final = false;
    this.logLevel = '';
    this.sentOnce = false;
    this.uniqueId = '';
    this.serverTimeoutMs = null;
    this.tunnelTimeoutMs = null;
    this.clientTimeoutMs = null;
    this.priorityClass = 0;
    this.priorityOffset = 0;
    this.facts.reset(session.frontend.name);
  }

  requestBytes(): Uint8Array { return this.owner.inspectedRequest(); }
  responseBytes(): Uint8Array { return this.owner.inspectedResponse(); }
  requestComplete(): boolean { return this.owner.inspectedRequestComplete(); }
  responseComplete(): boolean { return this.owner.inspectedResponseComplete(); }

  onRedirectingServer(server: Server): boolean { return this.owner.exchangeRedirected(server); }
  onServer(connection: ServerConnection, reused: boolean): void { this.owner.exchangeServer(connection, reused); }
  onDispatchFailed(fault: Fault): void { this.owner.exchangeFailed(fault); }
  onServerKilled(fault: Fault): void { this.owner.exchangeKilled(fault); }
}
