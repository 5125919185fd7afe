/**
 * TLS of one `bind` in one thread: certificates by server name, versions, ciphers, client certificates, tickets. The contexts are shared by
 * all its connections; a reload puts others in their place. What cannot be used is found by prepare(), before anything changes.
 */
import { constants, createHash } from 'node:crypto';
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

/** What a `bind` line and the certificates of a model come to. */
export interface PreparedTls {
  readonly tls: BindTls;
  readonly base: SecureContextOptions;
  readonly choice: CertificateChoice;
  /** By the certificates in them. */
  readonly contexts: Map<string, SecureContext>;
  /** Equal for equal contents. */
  readonly key: string;
}

export class BindTlsEngine {
  private readonly ticketKeys: Buffer;
  private now: PreparedTls;
  private crtIgnored: ReadonlySet<number> = new Set();
  private caIgnored: ReadonlySet<number> = new Set();
  private readonly servers: Server[] = [];
  private wrapping: Server | null = null;

  constructor(prepared: PreparedTls, ticketKeys: Uint8Array) {
    this.ticketKeys = Buffer.from(ticketKeys);
    this.now = prepared;
    this.readIgnored();
  }

  /** Throws when a certificate, a key or a cipher list cannot be used. `former`: contexts with the same contents are taken from it. */
  static prepare(tls: BindTls, model: Model, former: PreparedTls | null): PreparedTls {
    const ciphers = cipherList(tls);
    const base: SecureContextOptions = {
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
    const choice = new CertificateChoice(tls, model);
    const baseKey = JSON.stringify(base);
    const key = createHash('sha256').update(JSON.stringify([base, tls, tls.certificates.map(({ certificate }) => pem(model, certificate))])).digest('base64');
    const contexts = former !== null && JSON.stringify(former.base) === baseKey ? new Map(former.contexts) : new Map<string, SecureContext>();
    const wanted = choice.sets();
    const prepared: PreparedTls = { tls, base, choice, contexts, key };
    // Made now, so that a certificate that cannot be used is told before anything is changed.
    for (const offers of wanted) contextOf(prepared, offers);
    const keys = new Set(wanted.map(keyOf));
    for (const known of contexts.keys()) if (!keys.has(known)) contexts.delete(known);
    return prepared;
  }

  get prepared(): PreparedTls { return this.now; }

  /** True when `other` can be put in place of this while connections are accepted: certificates may differ, what is fixed with the socket not. */
  canBecome(other: BindTls): boolean {
    const { tls } = this.now;
    const [asks, wouldAsk] = [tls.verify !== 'none', other.verify !== 'none'];
    return asks === wouldAsk && tls.strictSni === other.strictSni && tls.alpn.join() === other.alpn.join();
  }

  /** From the next handshake on. */
  become(prepared: PreparedTls): void {
    if (prepared.key === this.now.key) return;
    this.now = prepared;
    this.readIgnored();
    for (const server of this.servers) server.setSecureContext({ ...prepared.base, ticketKeys: this.ticketKeys, ...this.ownCredentials() });
  }

  private readIgnored(): void {
    this.crtIgnored = errorNumbers(this.now.tls.crtIgnoreErrors);
    this.caIgnored = errorNumbers(this.now.tls.caIgnoreErrors);
  }

  /** With strict-sni a client without a name finds no certificate and so no common cipher. */
  private ownCredentials(): Pick<SecureContextOptions, 'cert' | 'key'> {
    return this.now.tls.strictSni ? {} : credentials(this.now.choice.fallback);
  }

  /** A server that accepts by itself. */
  createServer(options: ServerOpts, events: TlsEvents): Server {
    const { tls, base } = this.now;
    const tlsOptions: TlsOptions & ServerOpts = {
      ...options,
      // On Node a client that closes during the handshake is only noticed without this; secured() sets it on the socket.
      allowHalfOpen: isBun,
      ...base,
      ticketKeys: this.ticketKeys,
      // Connections have their own deadline (timeout client); the runtime's would come on top of it.
      handshakeTimeout: 2 ** 31 - 1,
      requestCert: tls.verify !== 'none',
      // Verified in rejects(), since what may be ignored is not the runtime's to know.
      rejectUnauthorized: false,
      ...this.ownCredentials(),
      ...(tls.alpn.length === 0 ? {} : { ALPNProtocols: [...tls.alpn] }),
      SNICallback: (name, done) => {
        const offers = this.find(name);
        if (offers.length === 0) done(new Error('no certificate for this name'));
        // Node takes one certificate of a context given here, but all of the server's own.
        else if (!isBun && !tls.strictSni && keyOf(offers) === keyOf(this.now.choice.fallback)) done(null);
        else done(null, contextOf(this.now, offers));
      },
    };
    const server = createServer(tlsOptions);
    this.servers.push(server);
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
    const offers = typeof servername === 'string' ? this.find(servername) : this.now.choice.fallback;
    const isRsa = offers.length > 1 && /(?:^|-)RSA-/.test(socket.getCipher().name);
    const shown = offers.find((offer) => offers.length === 1 || (offer.keyType === 'rsa') === isRsa);
    return shown?.certificate.certPem ?? '';
  }

  /** Why the client's certificate is refused, '' when it is fine or not asked for. */
  rejects(socket: TLSSocket): string {
    if (this.now.tls.verify === 'none') return '';
    const presented = socket.getPeerCertificate()?.raw !== undefined;
    if (!presented) return this.now.tls.verify === 'required' ? 'SSL handshake failure' : '';
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
    const { tls, choice } = this.now;
    const offers = choice.find(name);
    return offers.length > 0 || tls.strictSni ? offers : choice.fallback;
  }
}

function contextOf({ base, contexts }: PreparedTls, offers: readonly Offer[]): SecureContext {
  const key = keyOf(offers);
  let context = contexts.get(key);
  if (context === undefined) {
    context = createSecureContext({ ...base, ...credentials(offers) });
    contexts.set(key, context);
  }
  return context;
}

function pem(model: Model, certificate: number): string {
  const found = model.certificates[certificate];
  return found === undefined ? '' : found.certPem + found.keyPem;
}

/** On Node the bytes that were written tell better; Arrival looks at them. */
function leftBeforeHello(error: NodeJS.ErrnoException, socket: TLSSocket): boolean {
  if (error.code !== 'ECONNRESET' || error.syscall === 'read') return false;
  return !(socket.getCipher() as { name: string | null } | null | undefined)?.name;
}

function keyOf(offers: readonly Offer[]): string {
  return offers.map((offer) => offer.id).join(' ');
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
