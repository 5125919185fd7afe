/**
 * Reads the PROXY header that `accept-proxy` requires from a fresh connection, sets the session's addresses and leaves the bytes
 * after it on the socket. Made by Arrival, gone once it has called back.
 */
import type { Socket } from 'node:net';
import { readProxyHeader, type ProxyHeaderResult } from '../../wire/proxy-protocol.ts';
import type { ClientSession } from '../session.ts';

const wordings = {
  'not-header': 'Received something which does not look like a PROXY protocol header',
  bad: 'Received an invalid PROXY protocol header',
  protocol: 'Received an unhandled protocol in the PROXY protocol header',
} as const;

export class ProxyHeaderReader {
  private readonly socket: Socket;
  private readonly session: ClientSession;
  private readonly done: (fault: string, isEmpty: boolean) => void;
  private bytes: Buffer = Buffer.alloc(0);
  private readonly onData = (chunk: Buffer): void => this.read(chunk);
  private readonly onEnd = (): void => this.ended();

  /** `done` gets '' or HAProxy's wording of what is wrong. Not called when the connection closes: Arrival sees that itself. */
  constructor(socket: Socket, session: ClientSession, done: (fault: string, isEmpty: boolean) => void) {
    this.socket = socket;
    this.session = session;
    this.done = done;
    socket.on('data', this.onData);
    socket.on('end', this.onEnd);
    socket.resume();
  }

  private read(chunk: Buffer): void {
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    const result: ProxyHeaderResult = readProxyHeader(this.bytes);
    if (result.kind === 'more') return;
    this.stop();
    if (result.kind !== 'header') {
      this.done(wordings[result.kind], false);
      return;
    }
    const { header } = result;
    if (header.proxied) {
      this.session.sourceAddress = header.sourceAddress;
      this.session.sourcePort = header.sourcePort;
      this.session.destinationAddress = header.destinationAddress;
      this.session.destinationPort = header.destinationPort;
    }
    this.session.proxyAuthority = header.authority;
    this.session.proxyUniqueId = header.uniqueId;
    if (this.bytes.length > result.length) this.socket.unshift(this.bytes.subarray(result.length));
    this.done('', false);
  }

  private ended(): void {
    this.stop();
    this.done(this.bytes.length === 0 ? 'Connection closed while waiting for PROXY protocol header' : 'Truncated PROXY protocol header received', this.bytes.length === 0);
  }

  private stop(): void {
    this.socket.removeListener('data', this.onData);
    this.socket.removeListener('end', this.onEnd);
    this.socket.pause();
  }
}
