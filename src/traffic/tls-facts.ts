/**
 * TlsFacts of a TLS socket, asked from the runtime when a rule wants them, or kept at the handshake where log lines want them
 * (Plan.usesTlsFacts). One object per TLS connection.
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PeerCertificate, TlsFacts } from '../rules/subject.ts';
import { readCertificate } from './certificate-facts.ts';
import { verifyCodes } from './verify-codes.ts';

/** What the runtime tells only while the socket is open. */
interface KeptFacts {
  readonly protocol: string;
  readonly cipher: string;
  readonly resumed: boolean;
  readonly session: Buffer | undefined;
  readonly peer: Buffer | undefined;
}

export class SocketTlsFacts implements TlsFacts {
  private readonly socket: TLSSocket;
  /** PEM of the certificate shown to the peer, '' = none or not known. */
  private readonly ownPem: string;
  private kept: KeptFacts | null = null;

  constructor(socket: TLSSocket, ownPem: string) {
    this.socket = socket;
    this.ownPem = ownPem;
  }

  /** Asks now for what log lines will want after the socket has closed, when the runtime no longer tells. */
  keep(): void {
    this.kept = this.ask();
  }

  sni(): string {
    const { servername } = this.socket as TLSSocket & { servername?: string | false };
    return typeof servername === 'string' ? servername : '';
  }

  alpn(): string {
    const { alpnProtocol } = this.socket;
    return typeof alpnProtocol === 'string' ? alpnProtocol : '';
  }

  protocol(): string { return (this.kept ?? this.ask()).protocol; }
  cipher(): string { return (this.kept ?? this.ask()).cipher; }
  keyBits(): number { return bitsOfCipher(this.cipher()); }
  resumed(): boolean { return (this.kept ?? this.ask()).resumed; }

  sessionId(): Uint8Array {
    const { session } = this.kept ?? this.ask();
    return session === undefined ? new Uint8Array(0) : createHash('sha256').update(session).digest();
  }

  peerCertificate(): PeerCertificate | undefined {
    const { peer } = this.kept ?? this.ask();
    return peer === undefined ? undefined : readCertificate(peer);
  }

  ownCertificate(): PeerCertificate | undefined {
    return this.ownPem === '' ? undefined : readCertificate(new X509Certificate(this.ownPem).raw);
  }

  verifyCode(): number {
    if ((this.kept ?? this.ask()).peer === undefined) return 0;
    const { authorizationError } = this.socket as TLSSocket & { authorizationError?: Error | string | null };
    if (!authorizationError) return 0;
    const code = typeof authorizationError === 'string' ? authorizationError : ((authorizationError as NodeJS.ErrnoException).code ?? '');
    return verifyCodes[code] ?? 1;
  }

  private ask(): KeptFacts {
    const { socket } = this;
    const cipher = socket.getCipher() as { name?: string } | undefined;
    return {
      protocol: socket.getProtocol() ?? '',
      cipher: cipher?.name ?? '',
      resumed: socket.isSessionReused(),
      session: socket.getSession(),
      peer: socket.getPeerCertificate()?.raw as Buffer | undefined,
    };
  }
}

/** Key length of a suite, from its name: AES-128, AES256, CHACHA20 … */
function bitsOfCipher(name: string): number {
  if (/CHACHA20|256/.test(name) && !/128/.test(name)) return 256;
  if (/128/.test(name)) return 128;
  return /3DES|DES-CBC3/.test(name) ? 168 : 0;
}
