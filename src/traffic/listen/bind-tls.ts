/**
 * TLS of one `bind` in one thread: certificates by server name, versions, ciphers, client certificates, tickets. Made once with
 * the bind; the contexts are shared by all its connections. Throws where a certificate cannot be used, which start-up reports.
 */
import { constants } from 'node:crypto';
import type { ServerOpts } from 'node:net';
import { createSecureContext, createServer, type SecureContext, type SecureContextOptions, type Server, type TlsOptions, type TLSSocket } from 'node:tls';
import type { BindTls, Model } from '../../model/model.ts';
import { cipherList } from '../tls-options.ts';
import { verifyCodes } from '../verify-codes.ts';
import { CertificateChoice, type Offer } from './certificate-choice.ts';

const isBun = process.versions['bun'] !== undefined;

/** What a TLS server tells about connections; implemented by Listener. */
interface TlsEvents {
  secured(socket: TLSSocket): void;
  /** `left`: the client closed before its hello was answered, without a reset. */
  handshakeFailed(socket: TLSSocket, left: boolean, code: string): void;
}

export class BindTlsEngine {
  private readonly tls: BindTls;
  private readonly ticketKeys: Buffer;
  private readonly base: SecureContextOptions;
  private readonly choice: CertificateChoice;
  /** By the indexes of their certificates. */
  private readonly contexts = new Map<string, SecureContext>();
  private readonly crtIgnored: ReadonlySet<number>;
  private readonly caIgnored: ReadonlySet<number>;
  private wrapping: Server | null = null;

  constructor(tls: BindTls, model: Model, ticketKeys: Uint8Array) {
    this.tls = tls;
    this.ticketKeys = Buffer.from(ticketKeys);
    const ciphers = cipherList(tls);
    this.base = {
      minVersion: tls.minVersion,
      maxVersion: tls.maxVersion,
      honorCipherOrder: tls.preferServerCiphers,
      secureOptions: tls.noTickets ? constants.SSL_OP_NO_TICKET : 0,
      sessionIdContext: 'poise',
      ...(ciphers === '' ? {} : { ciphers }),
      ...(tls.curves === '' ? {} : { ecdhCurve: tls.curves }),
      ...(tls.caPem === '' ? {} : { ca: tls.caPem }),
      ...(tls.crlPem === '' ? {} : { crl: tls.crlPem }),
    };
    this.crtIgnored = errorNumbers(tls.crtIgnoreErrors);
    this.caIgnored = errorNumbers(tls.caIgnoreErrors);
    this.choice = new CertificateChoice(tls, model);
    // Made now, so that a certificate that cannot be used is told at the start.
    for (const offers of this.choice.sets()) this.contextOf(offers);
  }

  /** A server that accepts by itself. */
  createServer(options: ServerOpts, events: TlsEvents): Server {
    const { tls, choice } = this;
    const tlsOptions: TlsOptions & ServerOpts = {
      ...options,
      // On Node a client that closes during the handshake is only noticed without this; secured() sets it on the socket.
      allowHalfOpen: isBun,
      ...this.base,
      ticketKeys: this.ticketKeys,
      // Connections have their own deadline (timeout client); the runtime's would come on top of it.
      handshakeTimeout: 2 ** 31 - 1,
      requestCert: tls.verify !== 'none',
      // Verified in rejects(), since what may be ignored is not the runtime's to know.
      rejectUnauthorized: false,
      // With strict-sni a client without a name finds no certificate and so no common cipher.
      ...(tls.strictSni ? {} : credentials(choice.fallback)),
      ...(tls.alpn.length === 0 ? {} : { ALPNProtocols: [...tls.alpn] }),
      SNICallback: (name, done) => {
        const offers = this.find(name);
        if (offers.length === 0) done(new Error('no certificate for this name'));
        // Node takes one certificate of a context given here, but all of the server's own.
        else if (!isBun && !tls.strictSni && keyOf(offers) === keyOf(choice.fallback)) done(null);
        else done(null, this.contextOf(offers));
      },
    };
    const server = createServer(tlsOptions);
    server.on('secureConnection', (socket) => {
      socket.allowHalfOpen = true;
      events.secured(socket);
    });
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => events.handshakeFailed(socket, leftBeforeHello(error, socket), error.code ?? error.message));
    return server;
  }

  /** A server that does not listen: TLS on sockets given to its 'connection' event. */
  wrapper(events: TlsEvents): Server {
    this.wrapping ??= this.createServer({}, events);
    return this.wrapping;
  }

  /** PEM of the certificate that this client was shown. Of several the cipher tells, where it names a kind (up to TLS 1.2). */
  shownCertificate(socket: TLSSocket): string {
    const { servername } = socket as TLSSocket & { servername?: string | false };
    const offers = typeof servername === 'string' ? this.find(servername) : this.choice.fallback;
    const isRsa = offers.length > 1 && /(?:^|-)RSA-/.test(socket.getCipher().name);
    const shown = offers.find((offer) => offers.length === 1 || (offer.keyType === 'rsa') === isRsa);
    return shown?.certificate.certPem ?? '';
  }

  /** Why the client's certificate is refused, '' when it is fine or not asked for. */
  rejects(socket: TLSSocket): string {
    if (this.tls.verify === 'none') return '';
    const presented = socket.getPeerCertificate()?.raw !== undefined;
    if (!presented) return this.tls.verify === 'required' ? 'SSL handshake failure' : '';
    const { authorizationError } = socket as TLSSocket & { authorizationError?: Error | string | null };
    if (!authorizationError) return '';
    const code = typeof authorizationError === 'string' ? authorizationError : ((authorizationError as NodeJS.ErrnoException).code ?? '');
    const number = verifyCodes[code] ?? 1;
    const depth = code === 'UNABLE_TO_GET_ISSUER_CERT' || code === 'SELF_SIGNED_CERT_IN_CHAIN' || code === 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' ? 1 : 0;
    const ignored = depth > 0 ? this.caIgnored : this.crtIgnored;
    if (ignored.has(number) || ignored.has(-1)) return '';
    return depth > 0 ? 'SSL client CA chain cannot be verified' : 'SSL client certificate not trusted';
  }

  /** What fits the name, else the default unless strict-sni. */
  private find(name: string): readonly Offer[] {
    const offers = this.choice.find(name);
    return offers.length > 0 || this.tls.strictSni ? offers : this.choice.fallback;
  }

  private contextOf(offers: readonly Offer[]): SecureContext {
    const key = keyOf(offers);
    let context = this.contexts.get(key);
    if (context === undefined) {
      context = createSecureContext({ ...this.base, ...credentials(offers) });
      this.contexts.set(key, context);
    }
    return context;
  }
}

/** On Node the bytes that were written tell better; Arrival looks at them. */
function leftBeforeHello(error: NodeJS.ErrnoException, socket: TLSSocket): boolean {
  if (error.code !== 'ECONNRESET' || error.syscall === 'read') return false;
  return !(socket.getCipher() as { name: string | null } | null | undefined)?.name;
}

function keyOf(offers: readonly Offer[]): string {
  return offers.map((offer) => offer.certificate.index).join(' ');
}

/**
 * Certificates of several key types: the client's signature algorithms decide. Node takes the last one alone where they are
 * chosen by name, so that is the one which every client can use.
 */
function credentials(offers: readonly Offer[]): Pick<SecureContextOptions, 'cert' | 'key'> {
  const ordered = offers.toSorted((one, other) => Number(one.keyType === 'rsa') - Number(other.keyType === 'rsa'));
  return ordered.length === 0 ? {} : { cert: ordered.map((offer) => offer.certificate.certPem), key: ordered.map((offer) => offer.certificate.keyPem) };
}

/** `crt-ignore-err`: numbers, names or `all` (−1 here). */
function errorNumbers(words: readonly string[]): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const word of words) {
    if (word === 'all') numbers.add(-1);
    else if (/^\d+$/.test(word)) numbers.add(Number(word));
    else numbers.add(verifyCodes[word.replace(/^X509_V_ERR_/, '')] ?? 0);
  }
  return numbers;
}
