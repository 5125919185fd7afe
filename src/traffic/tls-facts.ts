/**
 * TlsFacts of a TLS socket, asked from the runtime when a rule or log wants them. One object per TLS connection; computes and
 * keeps nothing before it is asked.
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PeerCertificate, TlsFacts } from '../rules/subject.ts';
import { readCertificate } from './certificate-facts.ts';
import { verifyCodes } from './verify-codes.ts';

export class SocketTlsFacts implements TlsFacts {
  private readonly socket: TLSSocket;
  /** PEM of the certificate shown to the peer, '' = none or not known. */
  private readonly ownPem: string;

  constructor(socket: TLSSocket, ownPem: string) {
    this.socket = socket;
    this.ownPem = ownPem;
  }

  sni(): string {
    const { servername } = this.socket as TLSSocket & { servername?: string | false };
    return typeof servername === 'string' ? servername : '';
  }

  alpn(): string {
    const { alpnProtocol } = this.socket;
    return typeof alpnProtocol === 'string' ? alpnProtocol : '';
  }

  protocol(): string {
    return this.socket.getProtocol() ?? '';
  }

  cipher(): string {
    const cipher = this.socket.getCipher() as { standardName?: string; name?: string } | undefined;
    return cipher?.name ?? '';
  }

  keyBits(): number {
    return bitsOfCipher(this.cipher());
  }

  resumed(): boolean {
    return this.socket.isSessionReused();
  }

  sessionId(): Uint8Array {
    const session = this.socket.getSession();
    return session === undefined ? new Uint8Array(0) : createHash('sha256').update(session).digest();
  }

  peerCertificate(): PeerCertificate | undefined {
    const der = this.socket.getPeerCertificate()?.raw as Buffer | undefined;
    return der === undefined ? undefined : readCertificate(der);
  }

  ownCertificate(): PeerCertificate | undefined {
    return this.ownPem === '' ? undefined : readCertificate(new X509Certificate(this.ownPem).raw);
  }

  verifyCode(): number {
    const { authorizationError } = this.socket as TLSSocket & { authorizationError?: Error | string | null };
    if (!authorizationError) return 0;
    const code = typeof authorizationError === 'string' ? authorizationError : ((authorizationError as NodeJS.ErrnoException).code ?? '');
    return verifyCodes[code] ?? 1;
  }
}

/** Key length of a suite, from its name: AES-128, AES256, CHACHA20 … */
function bitsOfCipher(name: string): number {
  if (/CHACHA20|256/.test(name) && !/128/.test(name)) return 256;
  if (/128/.test(name)) return 128;
  return /3DES|DES-CBC3/.test(name) ? 168 : 0;
}
