/**
 * TLS towards one server: its secure context, made once per thread, and the sessions to resume. Used by connect.ts.
 * A name that does not fit and a chain that does not verify end the connection attempt; nothing here talks to clients.
 */
import { createHash } from 'node:crypto';
import { checkServerIdentity, createSecureContext, type ConnectionOptions, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { Certificate, ServerTls } from '../../model/model.ts';
import { P } from '../../shared/segments.ts';
import type { Plan, ServerPlan } from '../plan.ts';
import type { ThreadContext } from '../thread-context.ts';
import { cipherList } from '../tls-options.ts';

/** Between two looks at a server's certificate: handshakes cost enough without. */
const lookEveryMs = 1000;
/** Sessions kept for resumption, by server name asked for. */
const sessionsMax = 64;

export class ServerTlsContext {
  /** Client certificate shown to the server, '' = none. */
  readonly certificatePem: string;
  /** Plan.usesTlsFacts. */
  readonly keepsFacts: boolean;
  private readonly tls: ServerTls;
  private readonly secureContext: SecureContext;
  /** Of what the context was made of. */
  private readonly key: string;
  private readonly sessions = new Map<string, Buffer>();
  private readonly process: Float64Array;
  /** Null: nobody wants to know the server's certificate. */
  private readonly watch: CertificateWatch | null;

  /** Throws when certificates or cipher lists cannot be used. `made` holds contexts by what they were made of: servers share them. */
  constructor(tls: ServerTls, target: ServerPlan, plan: Plan, context: ThreadContext, made: Map<string, SecureContext>, certificate: Certificate | undefined = plan.model.certificates[tls.certificate]) {
    this.tls = tls;
    this.watch = plan.exchange.has(target.server.proxy) ? new CertificateWatch(target.slot, context) : null;
    this.process = context.process;
    this.keepsFacts = plan.usesTlsFacts;
    this.certificatePem = certificate?.certPem ?? '';
    const ciphers = cipherList(tls);
    const options: SecureContextOptions = {
      minVersion: tls.minVersion,
      maxVersion: tls.maxVersion,
      ...(ciphers === '' ? {} : { ciphers }),
      ...(tls.curves === '' ? {} : { ecdhCurve: tls.curves }),
      ...(tls.caPem === '' ? {} : { ca: tls.caPem }),
      ...(tls.crlPem === '' ? {} : { crl: tls.crlPem }),
      ...(certificate === undefined ? {} : { cert: certificate.certPem, key: certificate.keyPem }),
    };
    this.key = createHash('sha256').update(JSON.stringify(options)).digest('base64');
    let secureContext = made.get(this.key);
    if (secureContext === undefined) {
      secureContext = createSecureContext(options);
      made.set(this.key, secureContext);
    }
    this.secureContext = secureContext;
  }

  /** Makes the contexts of all servers of a plan; those that `former` has with equal contents go on. Gives what went wrong, by server. */
  static prepare(plan: Plan, context: ThreadContext, former: Plan | null): { server: ServerPlan; message: string }[] {
    const made = new Map<string, SecureContext>();
    for (const { tls } of former?.servers ?? []) if (tls !== null) made.set(tls.key, tls.secureContext);
    const problems: { server: ServerPlan; message: string }[] = [];
    for (const server of plan.servers) {
      const { tls } = server.server;
      if (tls === null) continue;
      try {
        server.tls = new ServerTlsContext(tls, server, plan, context, made);
        const before = former?.serverAt(server.slot)?.tls;
        if (before?.key === server.tls.key) for (const [sni, session] of before.sessions) server.tls.sessions.set(sni, session);
      } catch (error) {
        problems.push({ server, message: (error as Error).message });
      }
    }
    return problems;
  }

  options(sni: string): ConnectionOptions {
    const { tls } = this;
    const session = tls.noReuse ? undefined : this.sessions.get(sni);
    const name = tls.verifyHost === '' ? sni : tls.verifyHost;
    return {
      secureContext: this.secureContext,
      servername: sni,
      rejectUnauthorized: tls.verify === 'required',
      // Without verifyhost and SNI any name will do: the chain alone counts, as in HAProxy.
      checkServerIdentity: (_host, certificate) => (name === '' ? undefined : checkServerIdentity(name, certificate)),
      ...(tls.alpn.length === 0 ? {} : { ALPNProtocols: [...tls.alpn] }),
      ...(session === undefined ? {} : { session }),
    };
  }

  remember(sni: string, session: Buffer): void {
    if (this.tls.noReuse) return;
    if (this.sessions.size >= sessionsMax && !this.sessions.has(sni)) this.sessions.clear();
    this.sessions.set(sni, session);
  }

  /** A handshake is done. A resumed session shows no certificate. */
  secured(socket: TLSSocket): void {
    if (socket.isSessionReused()) return;
    this.process[P.server_ssl_handshakes] = (this.process[P.server_ssl_handshakes] as number) + 1;
    if (this.watch !== null) this.watch.look(socket);
  }
}

/** Tells the control thread of a server's certificate, once as long as it stays the same. */
class CertificateWatch {
  /** Slot. */
  private readonly server: number;
  private readonly context: ThreadContext;
  private last: Uint8Array = new Uint8Array(0);
  private nextLookMs = 0;

  constructor(server: number, context: ThreadContext) {
    this.server = server;
    this.context = context;
  }

  look(socket: TLSSocket): void {
    const { clock, post } = this.context;
    const nowMs = clock.monoMs();
    if (nowMs < this.nextLookMs) return;
    this.nextLookMs = nowMs + lookEveryMs;
    // Without a certificate the runtime gives an empty object, or null.
    const leaf: { readonly raw?: Buffer } | null = socket.getPeerCertificate();
    const raw = leaf?.raw;
    if (raw === undefined || raw.equals(this.last)) return;
    this.last = raw;
    post({ type: 'server-certificate', server: this.server, fingerprint: createHash('sha256').update(raw).digest('hex') });
  }
}
