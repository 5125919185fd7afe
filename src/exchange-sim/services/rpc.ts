/**
 * RPC over HTTP version 2 (MS-RPCH): RPC_IN_DATA whose gigabyte of body trickles, RPC_OUT_DATA whose answer does, both for hours,
 * paired by the cookie of their virtual connection. PDUs of the IN channel come back on the OUT channel, a bind as its acknowledgement; a successor with the same
 * cookie takes over from a channel. Asked through service-list.ts.
 */
import { whenWhole } from '../body.ts';
import { answerPage } from '../page.ts';
import type { ExchangeService, SimExchange } from '../service.ts';
import { PduReader, bindAck, readRts, rtsFlags, rtsPdu } from './rpc-pdu.ts';

/** Length of an OUT channel's answer. */
const channelBytes = 1_073_741_824;
/** The client is asked for a successor when so little of an OUT channel is left. */
const recycleBytes = 8_388_608;
/** Requests with a body no longer than this only ask whether a proxy is there (MS-RPCH 2.1.2.1.5). */
const echoBytesMax = 16;
const receiveWindowBytes = 65_536;
/** Simulated milliseconds. */
const connectionTimeout = 900_000;
const pingPeriod = 300_000;
const contentType = 'Content-Type: application/rpc';

const version = [6, 1];
const receiveWindow = [0, receiveWindowBytes];
const timeout = [2, connectionTimeout];
const toClient = [13, 0];
/** Named as in MS-RPCH 2.2.4. */
const connA3 = rtsPdu(rtsFlags.none, timeout);
const connC2 = rtsPdu(rtsFlags.none, version, receiveWindow, timeout);
const inR1A4 = rtsPdu(rtsFlags.none, toClient, version, receiveWindow, timeout);
const outR1A1 = rtsPdu(rtsFlags.recycle, toClient);
const outR1B3 = rtsPdu(rtsFlags.none, [10]);
const ping = rtsPdu(rtsFlags.ping);
const echo = rtsPdu(rtsFlags.echo);

class VirtualConnection {
  /** The channel that counts; predecessors are still read until their client closes them. */
  incoming: SimExchange | null = null;
  private outgoing: SimExchange | null = null;
  private outgoingBytes = 0;
  private recycleAsked = false;
  private isPaired = false;
  private isBlocked = false;
  private waiting: Buffer[] = [];
  private callOffPing = (): void => {};
  private readonly forget: () => void;

  constructor(forget: () => void) {
    this.forget = forget;
  }

  setIncoming(exchange: SimExchange, isSuccessor: boolean): void {
    this.incoming = exchange;
    if (isSuccessor) this.send(inR1A4);
    else this.pair();
  }

  setOutgoing(exchange: SimExchange): void {
    const predecessor = this.outgoing;
    this.outgoing = exchange;
    this.outgoingBytes = 0;
    this.recycleAsked = false;
    exchange.head(200, 'Success', [contentType], { kind: 'length', bytes: channelBytes });
    this.send(predecessor === null ? connA3 : outR1B3);
    predecessor?.end();
    this.callOffPing();
    this.keepAlive(exchange);
    if (predecessor === null) this.pair();
  }

  /** Without an OUT channel nothing more is read from the IN channel. */
  send(pdu: Buffer): void {
    const { outgoing } = this;
    if (outgoing === null) {
      this.waiting.push(pdu);
      this.incoming?.pause();
      return;
    }
    this.outgoingBytes += pdu.length;
    if (this.outgoingBytes > channelBytes) {
      this.end();
      return;
    }
    const goesOn = outgoing.write(pdu);
    if (!this.recycleAsked && this.outgoingBytes > channelBytes - recycleBytes) {
      this.recycleAsked = true;
      this.send(outR1A1);
    }
    if (!goesOn && !this.isBlocked) this.block(outgoing);
  }

  /** Until the client has read what was sent. */
  private block(outgoing: SimExchange): void {
    this.isBlocked = true;
    this.incoming?.pause();
    outgoing.drained(() => {
      this.isBlocked = false;
      this.incoming?.resume();
    });
  }

  incomingGone(exchange: SimExchange): void {
    if (exchange === this.incoming) this.end();
  }

  outgoingGone(exchange: SimExchange): void {
    if (exchange !== this.outgoing) return;
    this.outgoing = null;
    this.end();
  }

  private pair(): void {
    if (this.isPaired || this.incoming === null || this.outgoing === null) return;
    this.isPaired = true;
    this.send(connC2);
    const { waiting } = this;
    this.waiting = [];
    for (const pdu of waiting) this.send(pdu);
    this.incoming.resume();
  }

  private keepAlive(exchange: SimExchange): void {
    this.callOffPing = exchange.server.clock.after(pingPeriod, () => {
      this.send(ping);
      this.keepAlive(exchange);
    });
  }

  private end(): void {
    this.callOffPing();
    this.forget();
    this.outgoing?.end();
    if (this.incoming !== null) fail(this.incoming);
    this.outgoing = null;
    this.incoming = null;
    this.waiting = [];
  }
}

/** By cookie. The back end of the site: the channels of a pair may come through different servers. */
const connections = new Map<string, VirtualConnection>();

function connectionOf(cookie: string): VirtualConnection {
  const known = connections.get(cookie);
  if (known !== undefined) return known;
  const made = new VirtualConnection(() => connections.delete(cookie));
  connections.set(cookie, made);
  return made;
}

/** RPC_S_SERVER_UNAVAILABLE */
function fail(exchange: SimExchange): void {
  exchange.answer(503, 'RPC Error: 6ba', ['Content-Type: text/plain', 'Connection: close'], '');
}

/** The virtual connection that the first PDU of a channel names; null when it names none. */
function joined(pdu: Buffer): { readonly connection: VirtualConnection; readonly isSuccessor: boolean } | null {
  const rts = readRts(pdu);
  const cookie = rts?.cookies[0];
  if (rts === null || cookie === undefined || rts.cookies.length < 2) return null;
  const isSuccessor = (rts.flags & rtsFlags.recycle) !== 0;
  if (isSuccessor && !connections.has(cookie)) return null;
  return { connection: connectionOf(cookie), isSuccessor };
}

function serveChannel(exchange: SimExchange, isIncoming: boolean): void {
  const reader = new PduReader();
  let connection: VirtualConnection | null = null;
  let isOver = false;
  const take = (pdu: Buffer): void => {
    if (isOver) return;
    if (connection !== null) {
      // RTS PDUs after the first (pings, acknowledgements, steps of recycling) are for the proxy, not for the server behind it.
      if (isIncoming && readRts(pdu) === null) connection.send(bindAck(pdu) ?? pdu);
      return;
    }
    const found = joined(pdu);
    isOver = found === null;
    connection = found?.connection ?? null;
    if (found === null) fail(exchange);
    else if (isIncoming) found.connection.setIncoming(exchange, found.isSuccessor);
    else found.connection.setOutgoing(exchange);
  };
  const leave = (): void => {
    if (isIncoming) connection?.incomingGone(exchange);
    else connection?.outgoingGone(exchange);
  };
  exchange.read({
    piece(bytes) {
      if (isOver || reader.feed(bytes, take)) return;
      isOver = true;
      fail(exchange);
      leave();
    },
    end() {
      // A predecessor that was used up ends quietly; the body of an OUT channel is short from the start.
      if (isIncoming && connection !== null && connection.incoming !== exchange) exchange.answer(200, 'Success', [contentType], '');
      else if (isIncoming || connection === null) {
        fail(exchange);
        leave();
      }
    },
    gone: leave,
  });
}

function handle(exchange: SimExchange): void {
  const { request } = exchange;
  const isIncoming = request.method === 'RPC_IN_DATA';
  exchange.mailbox = /\?([^:]*)/.exec(request.target)?.[1] ?? '';
  if (request.headers.get('expect')?.toLowerCase() === '100-continue') exchange.interim(100, 'Continue');
  if (!isIncoming && request.method !== 'RPC_OUT_DATA') {
    answerPage(exchange);
    return;
  }
  if (Number(request.headers.get('content-length') ?? 0) > echoBytesMax) serveChannel(exchange, isIncoming);
  else whenWhole(exchange, 0, () => exchange.answer(200, 'Success', [contentType], echo));
}

export const rpc: ExchangeService = { directory: '/rpc', handle };
