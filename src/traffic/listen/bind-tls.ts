/**
 * TLS of one `bind` in one thread: certificates by server name, versions, ciphers, client certificates, tickets. Made once with
 * the bind; the contexts are shared by all its connections. Throws where a certificate cannot be used, which start-up reports.
 */
import { constants } from 'node:crypto';
import type { ServerOpts } from 'node:net';
import { createSecureContext, createServer, type SecureContext, type SecureContextOptions, type Server, type TlsOptions, type TLSSocket } from 'node:tls';
import type { BindTls, Certificate, Model } from '../../model/model.ts';
import { cipherList } from '../tls-options.ts';
import { verifyCodes } from '../verify-codes.ts';

const isBun = process.versions['bun'] !== undefined;

/** What a TLS server tells about connections; implemented by Listener. */
interface TlsEvents {
  secured(socket: TLSSocket): void;
  handshakeFailed(socket: TLSSocket, code: string): void;
}

interface NamedContext {
  readonly certificate: Certificate;
  readonly secureContext: SecureContext;
}

export class BindTlsEngine {
  private readonly tls: BindTls;
  private readonly ticketKeys: Buffer;
  private readonly base: SecureContextOptions;
  private readonly fallback: NamedContext | null;
  /** By lower-case name; wildcards as `*.domain`. */
  private readonly byName = new Map<string, NamedContext>();
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
    this.fallback = this.loadCertificates(model);
  }

  /** A server that accepts by itself. */
  createServer(options: ServerOpts, events: TlsEvents): Server {
    const { tls, fallback } = this;
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
      ...(fallback === null || tls.strictSni ? {} : { cert: fallback.certificate.certPem, key: fallback.certificate.keyPem }),
      ...(tls.alpn.length === 0 ? {} : { ALPNProtocols: [...tls.alpn] }),
      SNICallback: (name, done) => {
        const found = this.find(name);
        if (found === null) done(new Error('no certificate for this name'));
        else done(null, found.secureContext);
      },
    };
    const server = createServer(tlsOptions);
    server.on('secureConnection', (socket) => {
      socket.allowHalfOpen = true;
      events.secured(socket);
    });
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => events.handshakeFailed(socket, error.code ?? ''));
    return server;
  }

  /** A server that does not listen: TLS on sockets given to its 'connection' event. */
  wrapper(events: TlsEvents): Server {
    this.wrapping ??= this.createServer({}, events);
    return this.wrapping;
  }

  /** PEM of the certificate that this client was shown. */
  shownCertificate(socket: TLSSocket): string {
    const { servername } = socket as TLSSocket & { servername?: string | false };
    const found = typeof servername === 'string' ? this.find(servername) : this.fallback;
    return found?.certificate.certPem ?? '';
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

  private loadCertificates(model: Model): NamedContext | null {
    let first: NamedContext | null = null;
    for (const { certificate: index, sniFilters } of this.tls.certificates) {
      const certificate = model.certificates[index];
      if (certificate === undefined) continue;
      const context: NamedContext = {
        certificate,
        secureContext: createSecureContext({ ...this.base, cert: certificate.certPem, key: certificate.keyPem }),
      };
      first ??= context;
      for (const name of sniFilters.length > 0 ? sniFilters : certificate.names) {
        const key = name.toLowerCase();
        if (!key.startsWith('!') && !this.byName.has(key)) this.byName.set(key, context);
      }
    }
    return first;
  }

  /** Exact name, then wildcard of the domain, then the first certificate unless strict-sni. */
  private find(name: string): NamedContext | null {
    const key = name.toLowerCase();
    const dot = key.indexOf('.');
    return this.byName.get(key) ?? (dot < 0 ? undefined : this.byName.get(`*${key.slice(dot)}`)) ?? (this.tls.strictSni ? null : this.fallback);
  }
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
